-- Dashboard accounts, their sessions, and who changed or exported what.

CREATE TABLE staff (
    id           BIGINT PRIMARY KEY NOT NULL,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    -- argon2id, as a PHC string.
    password     TEXT NOT NULL,
    created      BIGINT NOT NULL,
    disabled     BIGINT NOT NULL DEFAULT 0,
    failures     BIGINT NOT NULL DEFAULT 0,
    locked_until BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX staff_name ON staff (name);

-- The token itself is only in the browser: here is its hash.
CREATE TABLE session (
    token   TEXT PRIMARY KEY NOT NULL,
    staff   BIGINT NOT NULL,
    created BIGINT NOT NULL,
    seen    BIGINT NOT NULL
);
CREATE INDEX session_staff ON session (staff);

CREATE TABLE audit (
    id      BIGINT PRIMARY KEY NOT NULL,
    at      BIGINT NOT NULL,
    -- The account's name at that time, or the command line.
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL
);
