-- Webhooks, how far each of them is, what was warned of, and what leaked.

CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    url TEXT NOT NULL,
    -- Names parted by spaces.
    events TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    -- Sealed; null once deleted.
    secret BYTEA,
    -- Counts the secrets; each sealed value is bound to its number.
    secret_revision BIGINT NOT NULL,
    -- The secret before, sealed, and until when it signs too.
    previous_secret BYTEA,
    previous_until BIGINT,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX webhooks_by_org ON webhooks (org_id, created_at, id) WHERE deleted_at IS NULL;

-- Written as deliveries go, and never in the ledger.
CREATE TABLE webhook_standings (
    webhook_id TEXT PRIMARY KEY REFERENCES webhooks (id),
    -- Up to which entry of the ledger everything is delivered or was not asked for.
    sequence BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    failing_since BIGINT,
    last_attempt_at BIGINT,
    last_success_at BIGINT,
    last_error TEXT
);

-- Of which end of a credential was warned, and how long before: so that nobody is warned again and again.
CREATE TABLE expiry_warnings (
    credential_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    within_seconds BIGINT NOT NULL,
    PRIMARY KEY (credential_id, expires_at, within_seconds)
);
CREATE INDEX expiry_warnings_by_age ON expiry_warnings (expires_at);
CREATE INDEX credentials_by_expiry ON credentials (org_id, expires_at, id)
    WHERE revoked_at IS NULL AND expires_at IS NOT NULL;

-- Credentials whose secret was found where it should not be; the first report of each.
CREATE TABLE leaks (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    credential_id TEXT NOT NULL UNIQUE REFERENCES credentials (id),
    at BIGINT NOT NULL,
    source TEXT,
    url TEXT
);

-- What becomes of them: 'revoke' or 'mark'.
ALTER TABLE orgs ADD COLUMN leaks TEXT NOT NULL DEFAULT 'revoke';
