-- The platform's id of the request that a row was written for: a request that is repeated after a crash finds its row
-- instead of writing another. Forgotten once no platform repeats it any more.
ALTER TABLE question ADD COLUMN request TEXT;
CREATE UNIQUE INDEX question_request ON question (request);
