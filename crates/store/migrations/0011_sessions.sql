-- Passwords, by which admins sign in. Sessions are credentials like others.

CREATE TABLE user_passwords (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    org_id TEXT NOT NULL REFERENCES orgs (id),
    -- Grows with each new password, and never begins anew: the sealed hash is bound to it.
    revision BIGINT NOT NULL,
    -- The Argon2id hash as a PHC string, sealed.
    sealed BYTEA NOT NULL,
    modified_at BIGINT NOT NULL
);
