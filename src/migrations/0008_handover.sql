-- Questions that a resident handed to a human being. Where the answer goes to is sealed under the local key and wiped
-- (made empty) as soon as it is not needed any more; so is the answer itself until it is delivered.
CREATE TABLE handover (
    id       BIGINT PRIMARY KEY NOT NULL,
    question BIGINT NOT NULL,
    asker    TEXT NOT NULL,
    channel  TEXT NOT NULL,
    address  TEXT NOT NULL,
    at       BIGINT NOT NULL,
    -- open, sending, answered, undelivered, closed, expired
    state    TEXT NOT NULL,
    outgoing TEXT NOT NULL DEFAULT '',
    -- The answer as it may be kept: redacted, and deleted with the words of questions.
    reply    TEXT,
    decided  BIGINT
);
CREATE UNIQUE INDEX handover_question ON handover (question);
CREATE INDEX handover_asker ON handover (asker);
CREATE INDEX handover_state ON handover (state, at);
