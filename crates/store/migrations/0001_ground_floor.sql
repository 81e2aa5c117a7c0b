-- One text for SQLite and PostgreSQL. Ids are TEXT, moments are BIGINT microseconds since 1970, flags are
-- BIGINT 0 or 1, and what must compare byte by byte (digests, sort keys) is BYTEA.

CREATE TABLE vault_keys (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    org_id TEXT,
    kek_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE orgs (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    one_time_read BIGINT NOT NULL,
    api_keys_max BIGINT NOT NULL,
    application_keys_per_user_max BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    -- The built-in role that this is, whose permissions follow from the code; else null.
    managed TEXT,
    -- Names parted by spaces; empty for a built-in role.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    UNIQUE (org_id, name)
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    kind TEXT NOT NULL,
    email TEXT NOT NULL,
    handle TEXT NOT NULL,
    name TEXT,
    title TEXT,
    verified BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE UNIQUE INDEX users_by_email ON users (org_id, email) WHERE kind = 'human';

CREATE TABLE user_roles (
    org_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_by_role ON user_roles (role_id);

CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    kind TEXT NOT NULL,
    -- The user whom it acts for; null for what belongs to the org.
    owner_id TEXT REFERENCES users (id),
    name TEXT NOT NULL,
    name_sort BYTEA NOT NULL,
    name_search TEXT NOT NULL,
    last4 BYTEA NOT NULL,
    -- Names parted by spaces in the order given; null for no scopes.
    scopes TEXT,
    category TEXT NOT NULL,
    remote_config_read BIGINT NOT NULL,
    -- Grows with each change, so that a change made from a stale reading is refused.
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
-- The lists: live credentials of an org, or of an owner, by name; and by age for the filters.
CREATE INDEX credentials_by_name ON credentials (org_id, kind, name_sort, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_by_age ON credentials (org_id, kind, created_at, id) WHERE revoked_at IS NULL;
CREATE INDEX credentials_by_owner ON credentials (owner_id, kind, name_sort, id)
    WHERE revoked_at IS NULL AND owner_id IS NOT NULL;

-- What is presented. A dead row is a tombstone: its sealed value is gone, its digest stays, so that the same
-- secret is never issued, imported or revived.
CREATE TABLE secrets (
    digest BYTEA PRIMARY KEY,
    digest_key TEXT NOT NULL,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    -- Counts the secrets of one credential; the sealed value is bound to it.
    revision BIGINT NOT NULL,
    -- Null where the secret cannot be shown again.
    sealed BYTEA,
    created_at BIGINT NOT NULL,
    dead_at BIGINT
);
CREATE UNIQUE INDEX secrets_by_credential ON secrets (credential_id, revision);

-- How many live credentials there are of a kind: in the org (owner_id empty) and per owner. Limits are
-- checked here in the statement that counts, so that concurrent creators cannot pass them.
CREATE TABLE credential_counts (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    kind TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    live BIGINT NOT NULL,
    PRIMARY KEY (org_id, kind, owner_id)
);

CREATE TABLE app_key_registrations (
    org_id TEXT NOT NULL REFERENCES orgs (id),
    application_key_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org_id, application_key_id)
);

-- Written in batches, merged with the later moment, and never in the ledger.
CREATE TABLE last_used (
    credential_id TEXT PRIMARY KEY,
    at BIGINT NOT NULL
);

CREATE TABLE ledger (
    sequence BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    org_id TEXT,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    actor TEXT NOT NULL,
    change TEXT NOT NULL,
    mac_key TEXT NOT NULL,
    mac BYTEA NOT NULL
);
CREATE INDEX ledger_by_org ON ledger (org_id, sequence);
CREATE INDEX ledger_by_subject ON ledger (subject_id, sequence);

-- Locked first by every batch of changes: this is what makes changes serial.
CREATE TABLE ledger_head (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
