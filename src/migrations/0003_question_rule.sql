-- The rule of the guard that answered (knowledge/risk.toml), if one did.
ALTER TABLE question ADD COLUMN rule TEXT;
