//! Rows written behind a stopped server's back: states for which the server has no endpoint yet (roles, users,
//! expiry, disabling). Nothing but [`Edit`] knows of the tables.

use claviger_model::{CredentialId, OrgId, PermissionSet, UserId};
use uuid::Uuid;

use super::TestDatabase;
use super::database::random_uuid;

/// Statements to be run before the server starts again.
#[derive(Default)]
pub(crate) struct Edit(Vec<String>);

impl Edit {
    /// A user of an org with a role of its own that has these permissions.
    pub(crate) fn add_user(&mut self, org: OrgId, permissions: &PermissionSet) -> UserId {
        let (user, role): (Uuid, Uuid) = (random_uuid(), random_uuid());
        let list = permissions.to_list();
        self.0.push(format!(
            "INSERT INTO roles (id, org_id, name, permissions, created_at, modified_at)
             VALUES ('{role}', '{org}', '{role}', '{list}', 0, 0)"
        ));
        self.0.push(format!(
            "INSERT INTO users (id, org_id, kind, email, handle, verified, created_at, modified_at)
             VALUES ('{user}', '{org}', 'human', '{user}@example.com', '{user}@example.com', 1, 0, 0)"
        ));
        self.0.push(format!(
            "INSERT INTO user_roles (org_id, user_id, role_id) VALUES ('{org}', '{user}', '{role}')"
        ));
        UserId::from_uuid(user)
    }

    /// Makes an application key somebody else's.
    pub(crate) fn give(&mut self, key: CredentialId, owner: UserId) {
        self.0.push(format!("UPDATE credentials SET owner_id = '{owner}' WHERE id = '{key}'"));
    }

    /// Ends a credential's time, long ago.
    pub(crate) fn expire(&mut self, credential: CredentialId) {
        self.0.push(format!("UPDATE credentials SET expires_at = 1 WHERE id = '{credential}'"));
    }

    /// Disables a user.
    pub(crate) fn disable_user(&mut self, user: UserId) {
        self.0.push(format!("UPDATE users SET disabled_at = 1 WHERE id = '{user}'"));
    }

    /// Disables an org.
    pub(crate) fn disable_org(&mut self, org: OrgId) {
        self.0.push(format!("UPDATE orgs SET disabled_at = 1 WHERE id = '{org}'"));
    }

    /// Runs them all.
    pub(crate) async fn run(self, database: &TestDatabase) {
        database.execute(&self.0.join(";\n")).await;
    }
}
