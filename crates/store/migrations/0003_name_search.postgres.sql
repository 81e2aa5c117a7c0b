-- Finding live credentials by a part of their name. (SQLite's half: 0003_name_search.sqlite.sql)
--
-- The index of names needs the extension pg_trgm, which whoever opens the database may or may not be allowed to make.
-- It is tried at each opening; without it, searches read every name of the org. A search finds the last four
-- characters of a secret too, so that the index of names is only of use together with this one.
CREATE INDEX credentials_by_last4 ON credentials (last4) WHERE revoked_at IS NULL;
