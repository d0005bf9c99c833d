-- How surely the topic of a question is right, 0 to 1; NULL in rows written before it was kept.
ALTER TABLE question ADD COLUMN topic_confidence DOUBLE PRECISION;

-- Words are kept for some weeks only: those rows are found without reading the others.
CREATE INDEX question_text ON question (at) WHERE text IS NOT NULL;

-- What staff say about a question, beside what the program said. NULL leaves the automatic value.
CREATE TABLE review (
    question   BIGINT PRIMARY KEY NOT NULL,
    topic      TEXT,
    outcome    TEXT,
    mark       TEXT,
    note       TEXT,
    staff_test BIGINT NOT NULL DEFAULT 0,
    reviewed   BIGINT NOT NULL,
    reviewer   TEXT NOT NULL
);

-- Daily figures: one row for each local day, facet and key. `day` counts days since 1970-01-01 in China time;
-- `askers` is a sketch of who asked (eight letters a person).
CREATE TABLE rollup (
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
    PRIMARY KEY (facet, day, cell)
);
-- Days that are rolled up, and days in which something changed since.
CREATE TABLE rollup_day (
    day    BIGINT PRIMARY KEY NOT NULL,
    rolled BIGINT NOT NULL
);
CREATE TABLE rollup_dirty (
    day BIGINT PRIMARY KEY NOT NULL
);

-- When the library was first seen to hold an entry.
CREATE TABLE entry_seen (
    entry TEXT PRIMARY KEY NOT NULL,
    seen  BIGINT NOT NULL
);
