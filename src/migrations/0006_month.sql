-- Months whose days are all over and rolled up: their cells stand in `rollup` under the month's first day, with `m:`
-- before the facet. A month in which a day is rolled anew leaves this table and is added up again.
CREATE TABLE rollup_month (
    month BIGINT PRIMARY KEY NOT NULL
);
