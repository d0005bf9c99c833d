-- Several offices in one database: every row says whose it is, and where two offices could meet the key does too. What
-- was there before belongs to the one office there was, `main`. SQLite cannot change a key, so those tables are made anew.

-- Ids are the program's own, distinct in the whole database: here a column is enough.
ALTER TABLE question ADD COLUMN office TEXT NOT NULL DEFAULT 'main';
ALTER TABLE review   ADD COLUMN office TEXT NOT NULL DEFAULT 'main';
ALTER TABLE handover ADD COLUMN office TEXT NOT NULL DEFAULT 'main';
ALTER TABLE audit    ADD COLUMN office TEXT NOT NULL DEFAULT 'main';
-- Names for logging in stay distinct in the whole database: the log-in page asks for no office.
ALTER TABLE staff    ADD COLUMN office TEXT NOT NULL DEFAULT 'main';
ALTER TABLE session  ADD COLUMN office TEXT NOT NULL DEFAULT 'main';

DROP INDEX question_at;
DROP INDEX question_asker;
DROP INDEX question_request;
DROP INDEX question_text;
CREATE INDEX question_at ON question (office, at);
CREATE INDEX question_asker ON question (office, asker);
-- Two bots count their updates each for itself.
CREATE UNIQUE INDEX question_request ON question (office, request);
CREATE INDEX question_text ON question (office, at) WHERE text IS NOT NULL;
DROP INDEX handover_asker;
DROP INDEX handover_state;
CREATE INDEX handover_asker ON handover (office, asker);
CREATE INDEX handover_state ON handover (office, state, at);
CREATE INDEX audit_office ON audit (office, id);

CREATE TABLE asker_origin_new (
    office TEXT NOT NULL DEFAULT 'main',
    asker  TEXT NOT NULL,
    board  TEXT,
    region TEXT,
    seen   BIGINT NOT NULL,
    PRIMARY KEY (office, asker)
);
INSERT INTO asker_origin_new (asker, board, region, seen) SELECT asker, board, region, seen FROM asker_origin;
DROP TABLE asker_origin;
ALTER TABLE asker_origin_new RENAME TO asker_origin;

CREATE TABLE inbox_new (
    office    TEXT NOT NULL DEFAULT 'main',
    update_id BIGINT NOT NULL,
    lane      TEXT NOT NULL,
    received  BIGINT NOT NULL,
    attempts  BIGINT NOT NULL DEFAULT 0,
    done      BIGINT NOT NULL DEFAULT 0,
    payload   TEXT NOT NULL,
    owner     TEXT NOT NULL DEFAULT '',
    until     BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (office, update_id)
);
INSERT INTO inbox_new (update_id, lane, received, attempts, done, payload, owner, until)
    SELECT update_id, lane, received, attempts, done, payload, owner, until FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_new RENAME TO inbox;
CREATE INDEX inbox_open ON inbox (office, done, update_id);
CREATE INDEX inbox_lane ON inbox (office, lane, update_id) WHERE done = 0;

CREATE TABLE activity_new (
    office     TEXT NOT NULL DEFAULT 'main',
    id         BIGINT NOT NULL,
    title      TEXT NOT NULL,
    first_day  BIGINT NOT NULL,
    last_day   BIGINT NOT NULL,
    venue      TEXT NOT NULL,
    unit       TEXT NOT NULL,
    person     TEXT NOT NULL,
    attendance BIGINT,
    materials  BIGINT,
    note       TEXT NOT NULL,
    entered    BIGINT NOT NULL,
    PRIMARY KEY (office, id)
);
INSERT INTO activity_new (id, title, first_day, last_day, venue, unit, person, attendance, materials, note, entered)
    SELECT id, title, first_day, last_day, venue, unit, person, attendance, materials, note, entered FROM activity;
DROP TABLE activity;
ALTER TABLE activity_new RENAME TO activity;
CREATE INDEX activity_days ON activity (office, first_day);

CREATE TABLE activity_part_new (
    office   TEXT NOT NULL DEFAULT 'main',
    activity BIGINT NOT NULL,
    part     TEXT NOT NULL,
    position BIGINT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (office, activity, part, position)
);
INSERT INTO activity_part_new (activity, part, position, value)
    SELECT activity, part, position, value FROM activity_part;
DROP TABLE activity_part;
ALTER TABLE activity_part_new RENAME TO activity_part;

CREATE TABLE duty_new (
    office  TEXT NOT NULL DEFAULT 'main',
    year    BIGINT NOT NULL,
    unit    TEXT NOT NULL,
    content TEXT NOT NULL,
    planned BIGINT NOT NULL,
    PRIMARY KEY (office, year, unit)
);
INSERT INTO duty_new (year, unit, content, planned) SELECT year, unit, content, planned FROM duty;
DROP TABLE duty;
ALTER TABLE duty_new RENAME TO duty;

CREATE TABLE board_new (
    office   TEXT NOT NULL DEFAULT 'main',
    code     TEXT NOT NULL,
    name     TEXT NOT NULL,
    place    TEXT,
    region   TEXT,
    activity BIGINT,
    created  BIGINT NOT NULL,
    retired  BIGINT,
    PRIMARY KEY (office, code)
);
INSERT INTO board_new (code, name, place, region, activity, created, retired)
    SELECT code, name, place, region, activity, created, retired FROM board;
DROP TABLE board;
ALTER TABLE board_new RENAME TO board;

CREATE TABLE rollup_new (
    office     TEXT NOT NULL DEFAULT 'main',
    day        BIGINT NOT NULL,
    facet      TEXT NOT NULL,
    cell       TEXT NOT NULL,
    questions  BIGINT NOT NULL,
    repeats    BIGINT NOT NULL,
    answered   BIGINT NOT NULL,
    resolved   BIGINT NOT NULL,
    open       BIGINT NOT NULL,
    handed_on  BIGINT NOT NULL,
    unknown    BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    emergency  BIGINT NOT NULL,
    helpful    BIGINT NOT NULL,
    unhelpful  BIGINT NOT NULL,
    askers     TEXT NOT NULL,
    PRIMARY KEY (office, facet, day, cell)
);
INSERT INTO rollup_new (day, facet, cell, questions, repeats, answered, resolved, open, handed_on, unknown, refused,
                        emergency, helpful, unhelpful, askers)
    SELECT day, facet, cell, questions, repeats, answered, resolved, open, handed_on, unknown, refused,
           emergency, helpful, unhelpful, askers FROM rollup;
DROP TABLE rollup;
ALTER TABLE rollup_new RENAME TO rollup;

CREATE TABLE rollup_day_new (
    office TEXT NOT NULL DEFAULT 'main',
    day    BIGINT NOT NULL,
    rolled BIGINT NOT NULL,
    PRIMARY KEY (office, day)
);
INSERT INTO rollup_day_new (day, rolled) SELECT day, rolled FROM rollup_day;
DROP TABLE rollup_day;
ALTER TABLE rollup_day_new RENAME TO rollup_day;

CREATE TABLE rollup_dirty_new (
    office TEXT NOT NULL DEFAULT 'main',
    day    BIGINT NOT NULL,
    PRIMARY KEY (office, day)
);
INSERT INTO rollup_dirty_new (day) SELECT day FROM rollup_dirty;
DROP TABLE rollup_dirty;
ALTER TABLE rollup_dirty_new RENAME TO rollup_dirty;

CREATE TABLE rollup_month_new (
    office TEXT NOT NULL DEFAULT 'main',
    month  BIGINT NOT NULL,
    PRIMARY KEY (office, month)
);
INSERT INTO rollup_month_new (month) SELECT month FROM rollup_month;
DROP TABLE rollup_month;
ALTER TABLE rollup_month_new RENAME TO rollup_month;

CREATE TABLE rollup_change_new (
    office TEXT NOT NULL DEFAULT 'main',
    times  BIGINT NOT NULL,
    PRIMARY KEY (office)
);
INSERT INTO rollup_change_new (times) SELECT times FROM rollup_change;
DROP TABLE rollup_change;
ALTER TABLE rollup_change_new RENAME TO rollup_change;

CREATE TABLE entry_seen_new (
    office TEXT NOT NULL DEFAULT 'main',
    entry  TEXT NOT NULL,
    seen   BIGINT NOT NULL,
    PRIMARY KEY (office, entry)
);
INSERT INTO entry_seen_new (entry, seen) SELECT entry, seen FROM entry_seen;
DROP TABLE entry_seen;
ALTER TABLE entry_seen_new RENAME TO entry_seen;

CREATE TABLE lease_new (
    office TEXT NOT NULL DEFAULT 'main',
    name   TEXT NOT NULL,
    owner  TEXT NOT NULL,
    until  BIGINT NOT NULL,
    PRIMARY KEY (office, name)
);
INSERT INTO lease_new (name, owner, until) SELECT name, owner, until FROM lease;
DROP TABLE lease;
ALTER TABLE lease_new RENAME TO lease;

CREATE TABLE conversation_new (
    office TEXT NOT NULL DEFAULT 'main',
    asker  TEXT NOT NULL,
    sealed TEXT NOT NULL,
    until  BIGINT NOT NULL,
    PRIMARY KEY (office, asker)
);
INSERT INTO conversation_new (asker, sealed, until) SELECT asker, sealed, until FROM conversation;
DROP TABLE conversation;
ALTER TABLE conversation_new RENAME TO conversation;
