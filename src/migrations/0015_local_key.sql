-- Whose database this is: a keyed hash that the local key makes. It opens nothing and cannot be turned back into the key.
CREATE TABLE local_key (
    one         BIGINT PRIMARY KEY NOT NULL,
    fingerprint TEXT NOT NULL
);
