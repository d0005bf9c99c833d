-- Several programs on one database: who works on what, and until when (milliseconds of the database's own clock).
-- A lease that is not renewed runs out, and somebody else takes the work.
ALTER TABLE inbox ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN until BIGINT NOT NULL DEFAULT 0;
-- The next of each conversation is found without looking at what is done.
CREATE INDEX inbox_lane ON inbox (lane, update_id) WHERE done = 0;

ALTER TABLE handover ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE handover ADD COLUMN until BIGINT NOT NULL DEFAULT 0;

-- Work that one of them does for all, as deleting what is past its retention.
CREATE TABLE lease (
    name  TEXT PRIMARY KEY NOT NULL,
    owner TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- What was said a moment ago, where several programs answer the same people: sealed under the local key, and over
-- after a quarter of an hour.
CREATE TABLE conversation (
    asker  TEXT PRIMARY KEY NOT NULL,
    sealed TEXT NOT NULL,
    until  BIGINT NOT NULL
);
