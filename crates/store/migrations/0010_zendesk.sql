-- The Zendesk dialect: which org a host is for, ZIS integrations, and the tokens that are bound to them.

ALTER TABLE orgs ADD COLUMN subdomain TEXT;
CREATE UNIQUE INDEX orgs_by_subdomain ON orgs (subdomain) WHERE subdomain IS NOT NULL;

-- Named containers of connections, each with an OAuth client, by whose number tokens are asked for.
CREATE TABLE zis_integrations (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    client_number BIGINT NOT NULL,
    -- The digest of the client's secret, which was shown once.
    client_secret BYTEA NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL
);
CREATE UNIQUE INDEX zis_integrations_by_name ON zis_integrations (org_id, name);
CREATE UNIQUE INDEX zis_integrations_by_client ON zis_integrations (org_id, client_number);

-- Of integration tokens: what each is bound to, what it may do there, and the number by which requests name it.
ALTER TABLE credentials ADD COLUMN zis_integration_id TEXT;
ALTER TABLE credentials ADD COLUMN zis_scopes TEXT;
ALTER TABLE credentials ADD COLUMN token_number BIGINT;
CREATE INDEX credentials_by_integration ON credentials (org_id, zis_integration_id)
    WHERE zis_integration_id IS NOT NULL;
CREATE UNIQUE INDEX credentials_by_number ON credentials (org_id, token_number) WHERE token_number IS NOT NULL;
