-- Tokens, native keys, what guards a credential, and secrets that a rotation left behind.

-- Of tokens: the part of the secret that is shown again, by which people tell tokens apart.
ALTER TABLE credentials ADD COLUMN public_portion TEXT;
-- Of native keys: whose key it is in the org's own words, and a JSON object of the org's.
ALTER TABLE credentials ADD COLUMN external_id TEXT;
ALTER TABLE credentials ADD COLUMN metadata TEXT;
-- The networks from which it may be used, parted by spaces; null for anywhere.
ALTER TABLE credentials ADD COLUMN allow_list TEXT;
-- How many requests in how many seconds; null for no limit.
ALTER TABLE credentials ADD COLUMN requests_max BIGINT;
ALTER TABLE credentials ADD COLUMN requests_period BIGINT;

-- Until when the secret is valid, where that is sooner than its credential's end: it was replaced by a newer one.
ALTER TABLE secrets ADD COLUMN valid_until BIGINT;
