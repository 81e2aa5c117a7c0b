-- Finding live credentials by a part of their name. (PostgreSQL's half: 0003_name_search.postgres.sql)
--
-- The index holds every three letters in a row of a name and of the secret's last four characters. It narrows; LIKE
-- decides. It keeps no copy of the text, and so numbers what it indexes: a number is given once and never again, and
-- does not move when the file is rewritten, as a row's own would.
CREATE VIRTUAL TABLE credential_trigrams USING fts5 (
    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE credential_numbers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    credential_id TEXT NOT NULL UNIQUE
);

-- What the index does not have yet. The writer hands it over once for each commit, since the index writes all it has
-- been given whenever a savepoint begins; who searches looks here too.
CREATE TABLE credential_trigrams_waiting (
    -- 'delete', as the index calls it, or null to add.
    command TEXT,
    number INTEGER NOT NULL,
    text TEXT NOT NULL
);

CREATE TRIGGER credential_search_insert AFTER INSERT ON credentials WHEN NEW.revoked_at IS NULL
BEGIN
    INSERT INTO credential_numbers (credential_id) VALUES (NEW.id);
    INSERT INTO credential_trigrams_waiting (number, text)
    SELECT number, NEW.name_search || char(10) || lower(NEW.last4) FROM credential_numbers
    WHERE credential_id = NEW.id;
END;

CREATE TRIGGER credential_search_update AFTER UPDATE OF name_search, last4, revoked_at ON credentials
WHEN OLD.name_search <> NEW.name_search OR OLD.last4 <> NEW.last4
    OR (OLD.revoked_at IS NULL) <> (NEW.revoked_at IS NULL)
BEGIN
    INSERT INTO credential_trigrams_waiting (command, number, text)
    SELECT 'delete', number, OLD.name_search || char(10) || lower(OLD.last4) FROM credential_numbers
    WHERE credential_id = OLD.id;
    DELETE FROM credential_numbers WHERE credential_id = OLD.id;
    INSERT INTO credential_numbers (credential_id) SELECT NEW.id WHERE NEW.revoked_at IS NULL;
    INSERT INTO credential_trigrams_waiting (number, text)
    SELECT number, NEW.name_search || char(10) || lower(NEW.last4) FROM credential_numbers
    WHERE credential_id = NEW.id;
END;

CREATE TRIGGER credential_search_delete AFTER DELETE ON credentials
BEGIN
    INSERT INTO credential_trigrams_waiting (command, number, text)
    SELECT 'delete', number, OLD.name_search || char(10) || lower(OLD.last4) FROM credential_numbers
    WHERE credential_id = OLD.id;
    DELETE FROM credential_numbers WHERE credential_id = OLD.id;
END;

INSERT INTO credential_numbers (credential_id) SELECT id FROM credentials WHERE revoked_at IS NULL ORDER BY rowid;
INSERT INTO credential_trigrams (rowid, text)
SELECT n.number, c.name_search || char(10) || lower(c.last4) FROM credential_numbers n
JOIN credentials c ON c.id = n.credential_id ORDER BY n.number;

-- Pages by name, and the count of a term that many have, without reading the table. PostgreSQL's indexes do not take
-- entries of this length. The last column is always null: without it, the index would not do alone.
DROP INDEX credentials_by_name;
CREATE INDEX credentials_by_name ON credentials (org_id, kind, name_sort, id, name_search, last4, revoked_at)
    WHERE revoked_at IS NULL;
