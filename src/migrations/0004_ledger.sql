-- The ledger of publicity activities, what units are to do in a year, and the boards that carry a QR code.
-- Days count from 1970-01-01 in China time.

CREATE TABLE activity (
    id         BIGINT PRIMARY KEY NOT NULL,
    title      TEXT NOT NULL,
    first_day  BIGINT NOT NULL,
    last_day   BIGINT NOT NULL,
    venue      TEXT NOT NULL,
    unit       TEXT NOT NULL,
    person     TEXT NOT NULL,
    -- NULL: nobody counted.
    attendance BIGINT,
    materials  BIGINT,
    note       TEXT NOT NULL,
    entered    BIGINT NOT NULL
);
CREATE INDEX activity_days ON activity (first_day);

-- What an activity may have several of: place, topic, region, medium, attachment.
CREATE TABLE activity_part (
    activity BIGINT NOT NULL,
    part     TEXT NOT NULL,
    position BIGINT NOT NULL,
    value    TEXT NOT NULL,
    PRIMARY KEY (activity, part, position)
);

-- 普法责任清单: one line for a unit and year.
CREATE TABLE duty (
    year    BIGINT NOT NULL,
    unit    TEXT NOT NULL,
    content TEXT NOT NULL,
    planned BIGINT NOT NULL,
    PRIMARY KEY (year, unit)
);

-- Notice boards, posters and banners.
CREATE TABLE board (
    code     TEXT PRIMARY KEY NOT NULL,
    name     TEXT NOT NULL,
    place    TEXT,
    region   TEXT,
    activity BIGINT,
    created  BIGINT NOT NULL,
    retired  BIGINT
);
