-- Permissions that an org defines for its own API, and what it says of the keys that it issues for it.

CREATE TABLE own_permissions (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    -- From 0 to 255: lists of scopes keep it as in `:17`. Given anew only when nothing that is alive names it.
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- How many live credentials name it, counted by the statements that make, change and kill them.
    uses BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    UNIQUE (org_id, number),
    UNIQUE (org_id, name)
);

ALTER TABLE orgs ADD COLUMN native_keys_max BIGINT NOT NULL DEFAULT 100000;
ALTER TABLE orgs ADD COLUMN native_key_prefix TEXT NOT NULL DEFAULT 'clv';

-- Whose keys: an org asks with its own customer's id.
CREATE INDEX credentials_by_external_id ON credentials (org_id, external_id, id)
    WHERE revoked_at IS NULL AND external_id IS NOT NULL;
