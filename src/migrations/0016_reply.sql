-- The reply as it was sent, redacted like the words; deleted with them.
ALTER TABLE question ADD COLUMN reply TEXT;
CREATE INDEX question_reply ON question (office, at) WHERE reply IS NOT NULL;
