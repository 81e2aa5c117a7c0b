-- People and roles through the API: what lists sort and search by, who made a role, removed roles, invitations.

-- Filled in at opening for rows that are older; what is compared is made by the program, not by the database.
ALTER TABLE users ADD COLUMN name_sort BYTEA;
ALTER TABLE users ADD COLUMN search TEXT;
CREATE INDEX users_by_name ON users (org_id, name_sort, id);

ALTER TABLE roles ADD COLUMN name_sort BYTEA;
ALTER TABLE roles ADD COLUMN search TEXT;
ALTER TABLE roles ADD COLUMN created_by TEXT;
ALTER TABLE roles ADD COLUMN modified_by TEXT;
-- A removed role keeps its row, and for a while those of user_roles: so many may have it that removing them with it
-- would take too long. Nobody holds a role that is removed.
ALTER TABLE roles ADD COLUMN removed_at BIGINT;

-- Who has a role, and how many, without reading the table.
DROP INDEX user_roles_by_role;
CREATE INDEX user_roles_by_role ON user_roles (role_id, user_id);

CREATE TABLE user_invitations (
    id TEXT PRIMARY KEY,
    org_id TEXT NOT NULL REFERENCES orgs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
