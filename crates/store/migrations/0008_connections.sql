-- Connections: third parties' credentials, what is known of them, and their secrets, each sealed on its own.

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    -- By which API it was made, and is changed.
    dialect TEXT NOT NULL,
    -- What its name is unique within; null where names may be had twice.
    container TEXT,
    name TEXT NOT NULL,
    name_sort BYTEA NOT NULL,
    search TEXT NOT NULL,
    integration TEXT NOT NULL,
    -- The type of its credentials.
    credentials TEXT NOT NULL,
    -- JSON: all that is no secret.
    settings TEXT NOT NULL,
    -- Hosts that it names by itself, parted by spaces.
    hosts TEXT NOT NULL,
    -- Parted by spaces; null where none were ever given.
    tags TEXT,
    -- Which secrets it has and the revision of each, as name=revision, parted by spaces.
    secrets TEXT NOT NULL,
    -- Who may do what, as relation:principal, parted by spaces; null where the permission alone decides.
    restriction TEXT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX connections_by_name ON connections (org_id, name_sort, id);
CREATE INDEX connections_by_id ON connections (org_id, id);
CREATE INDEX connections_by_age ON connections (org_id, created_at, id);
CREATE UNIQUE INDEX connections_by_container ON connections (org_id, container, name) WHERE container IS NOT NULL;
CREATE INDEX connections_by_expiry ON connections (org_id, expires_at, id) WHERE expires_at IS NOT NULL;

CREATE TABLE connection_secrets (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    -- A field, or a list and the name of one of its items.
    name TEXT NOT NULL,
    org_id TEXT NOT NULL,
    -- The connection's revision when it was sealed; it opens with no other.
    revision BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (connection_id, name)
);

-- How the uses of connections go. Written in batches, and never in the ledger.
CREATE TABLE connection_standings (
    connection_id TEXT PRIMARY KEY REFERENCES connections (id),
    last_used_at BIGINT,
    -- 'ok', 'bad', 'limited' or 'unknown', as of the last test.
    health TEXT,
    health_reason TEXT,
    health_at BIGINT
);

-- Counted by the statements that make and delete them, so that concurrent creators cannot pass the limit.
ALTER TABLE orgs ADD COLUMN connections BIGINT NOT NULL DEFAULT 0;
ALTER TABLE orgs ADD COLUMN connections_max BIGINT NOT NULL DEFAULT 10000;
