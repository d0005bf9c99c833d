-- One SQL text for SQLite and PostgreSQL: BIGINT milliseconds for time, 0/1 for booleans, ids from the program.

CREATE TABLE question (
    id          BIGINT PRIMARY KEY NOT NULL,
    at          BIGINT NOT NULL,
    channel     TEXT NOT NULL,
    asker       TEXT,
    region      TEXT,
    board       TEXT,
    place       TEXT,
    topic       TEXT,
    kind        TEXT NOT NULL,
    entry       TEXT,
    confidence  DOUBLE PRECISION NOT NULL,
    latency_us  BIGINT NOT NULL,
    helpful     BIGINT,
    picked      TEXT,
    handed_over BIGINT NOT NULL DEFAULT 0,
    parent      BIGINT,
    text        TEXT
);
CREATE INDEX question_at ON question (at);
CREATE INDEX question_asker ON question (asker);

-- Where a resident came from: the board or region of a deep link.
CREATE TABLE asker_origin (
    asker  TEXT PRIMARY KEY NOT NULL,
    board  TEXT,
    region TEXT,
    seen   BIGINT NOT NULL
);

-- Updates from a platform, committed before they are acknowledged. The payload is sealed, and empty once done.
CREATE TABLE inbox (
    update_id BIGINT PRIMARY KEY NOT NULL,
    lane      TEXT NOT NULL,
    received  BIGINT NOT NULL,
    attempts  BIGINT NOT NULL DEFAULT 0,
    done      BIGINT NOT NULL DEFAULT 0,
    payload   TEXT NOT NULL
);
CREATE INDEX inbox_open ON inbox (done, update_id);
