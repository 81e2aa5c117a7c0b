-- Digests of secrets that died after the backup from which this database was restored was made, and whose
-- credentials it does not know: they stay dead, so that none of them is issued or imported again.

CREATE TABLE tombstones (
    digest BYTEA PRIMARY KEY
);

-- What the dead list outside the database is made of when it is made anew.
CREATE INDEX secrets_by_death ON secrets (dead_at) WHERE dead_at IS NOT NULL;
