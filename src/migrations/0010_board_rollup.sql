-- Questions are rolled up by board as well: every day that is rolled up already is rolled anew.
INSERT INTO rollup_dirty (day) SELECT day FROM rollup_day WHERE 1 = 1 ON CONFLICT (day) DO NOTHING;
