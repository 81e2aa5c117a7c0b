-- On what terms a connection is used, as words parted by spaces; empty where nothing was asked for.
ALTER TABLE connections ADD COLUMN terms TEXT NOT NULL DEFAULT '';
-- Of these, how many seconds after a test the server makes the next by itself; null for never.
ALTER TABLE connections ADD COLUMN check_seconds BIGINT;
CREATE INDEX connections_by_check ON connections (id) WHERE check_seconds IS NOT NULL;
