-- How often marks of `rollup_dirty` were worked off, in one row: who keeps figures sees by it that what they were made of
-- has changed, whoever rolled the change up.
CREATE TABLE rollup_change (
    id BIGINT PRIMARY KEY NOT NULL,
    times BIGINT NOT NULL
);
