-- OAuth of ZIS integrations: clients, what was begun with them and is not finished, and who renews a token now.

-- Where browsers may be sent once a third party has sent them back; parted by spaces.
ALTER TABLE zis_integrations ADD COLUMN redirect_origins TEXT NOT NULL DEFAULT '';

CREATE TABLE zis_oauth_clients (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    integration TEXT NOT NULL,
    name TEXT NOT NULL,
    auth_url TEXT,
    token_url TEXT NOT NULL,
    client_id TEXT NOT NULL,
    -- Sealed for this row and the revision at which it was given.
    client_secret BYTEA NOT NULL,
    secret_revision BIGINT NOT NULL,
    default_scopes TEXT NOT NULL,
    grant_type TEXT NOT NULL,
    -- Null for the host of the token address.
    allowed_domain TEXT,
    -- What was begun or given before this revision is worth nothing.
    grant_revision BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL
);
CREATE UNIQUE INDEX zis_oauth_clients_by_name ON zis_oauth_clients (org_id, integration, name);

-- Each lives for minutes, and is in no backup.
CREATE TABLE zis_oauth_flows (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    -- The digest of what whoever comes back has to show.
    key BYTEA NOT NULL,
    -- 'begun', 'granted' or 'client_credentials'
    stage TEXT NOT NULL,
    integration TEXT NOT NULL,
    client_id TEXT NOT NULL,
    grant_revision BIGINT NOT NULL,
    name TEXT NOT NULL,
    user_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    subdomain TEXT,
    redirect_url TEXT,
    -- Of one that is begun the verifier, of one that is granted the tokens.
    sealed BYTEA,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX zis_oauth_flows_by_key ON zis_oauth_flows (key);
CREATE INDEX zis_oauth_flows_by_expiry ON zis_oauth_flows (expires_at);

-- Who renews a connection's token: only the holder of the last fence may store one.
CREATE TABLE zis_oauth_refreshes (
    connection_id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL,
    fence BIGINT NOT NULL,
    -- Until when nobody else takes it over; 0 where nobody holds it.
    until BIGINT NOT NULL,
    -- The revisions of the connection and of its client at which the authorization server said no for good, and how.
    refused_revision BIGINT,
    refused_grant_revision BIGINT,
    refused_code TEXT
);
