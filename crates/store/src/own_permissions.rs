//! Permissions that orgs define for their own APIs.
//!
//! Credentials and roles keep them by number. A number may be given anew only when nothing that is alive names it:
//! how many credentials do is counted in `uses` by the statements that make, change and kill them, which thereby
//! also refuse a permission that is gone; of roles there are few, and they are looked through.

use claviger_model::{
    Credential, CredentialKind, OrgId, OwnName, OwnNumber, OwnPermission, PermissionId, Role, Scopes,
};
use serde_json::json;

use crate::change::Rows;
use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

pub(crate) const SELECT: &str =
    "SELECT id, org_id, number, name, description, uses, created_at, modified_at FROM own_permissions";

pub(crate) fn read(row: &dyn Row) -> Result<OwnPermission, StoreError> {
    let number = OwnNumber::new(row.get(2)?);
    Ok(OwnPermission {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        number: number.ok_or_else(|| StoreError::damaged("a permission's number is out of range"))?,
        name: OwnName::parse(row.text(3)?.unwrap_or_default())
            .map_err(|_| StoreError::damaged("a permission's name is none"))?,
        description: row.get(4)?,
        uses: row.get(5)?,
        created_at: row.get(6)?,
        modified_at: row.get(7)?,
    })
}

fn subject(id: PermissionId) -> (&'static str, String) {
    ("permission", id.to_string())
}

/// A list in which each number has a space on both sides, so that it can be searched for.
fn spaced(numbers: impl Iterator<Item = OwnNumber>) -> String {
    numbers.fold(" ".to_owned(), |list, number| format!("{list}{number} "))
}

impl Change {
    /// Defines a permission.
    ///
    /// Refused with [`Refusal::NameTaken`], and with [`Refusal::Stale`] where its number was given meanwhile.
    pub fn create_own_permission(permission: &OwnPermission, actor: &Actor) -> Self {
        let OwnPermission { id, org, number, .. } = *permission;
        let name = permission.name.as_str();
        let detail = json!({ "name": name, "number": number.get() });
        let detail = state::with_states(detail, [state::own_permission(permission)]);
        Self::new(org, actor, "permission.created", subject(id), detail)
            .require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM own_permissions WHERE org_id = $1 AND name = $2)",
                params![org, name],
                Refusal::NameTaken,
            )
            .one(
                "INSERT INTO own_permissions (id, org_id, number, name, description, uses, created_at, modified_at)
                 VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
                params![
                    id,
                    org,
                    i64::from(number.get()),
                    name,
                    permission.description.as_str(),
                    permission.created_at,
                    permission.modified_at,
                ],
                Refusal::Stale,
            )
    }

    /// Describes a permission anew, from what was read.
    ///
    /// Refused with [`Refusal::Stale`] where it was changed in between.
    pub fn describe_own_permission(permission: &OwnPermission, read: &OwnPermission, actor: &Actor) -> Self {
        let OwnPermission { id, org, .. } = *permission;
        let detail = json!({ "name": permission.name.as_str() });
        Self::new(org, actor, "permission.updated", subject(id), detail).one(
            "UPDATE own_permissions SET description = $1, modified_at = $2
             WHERE id = $3 AND org_id = $4 AND modified_at = $5",
            params![permission.description.as_str(), permission.modified_at, id, org, read.modified_at],
            Refusal::Stale,
        )
    }

    /// Deletes a permission that nothing names, so that its number can be given anew.
    ///
    /// Refused with [`Refusal::InUse`] where a live credential or a role names it, or it is gone.
    pub fn delete_own_permission(permission: &OwnPermission, actor: &Actor) -> Self {
        let OwnPermission { id, org, number, .. } = *permission;
        let detail = json!({ "name": permission.name.as_str(), "number": number.get() });
        let detail = state::with_states(detail, [state::gone(subject(id))]);
        Self::new(org, actor, "permission.deleted", subject(id), detail)
            .require(
                "SELECT 1 WHERE NOT EXISTS (
                     SELECT 1 FROM roles WHERE org_id = $1 AND removed_at IS NULL
                     AND ' ' || permissions || ' ' LIKE $2)",
                params![org, format!("% {number} %")],
                Refusal::InUse,
            )
            .one(
                "DELETE FROM own_permissions WHERE id = $1 AND org_id = $2 AND number = $3 AND uses = 0",
                params![id, org, i64::from(number.get())],
                Refusal::InUse,
            )
    }

    /// Refuses a role that names an own permission that is gone.
    pub(crate) fn requiring_own_permissions(self, role: &Role) -> Self {
        role.permissions.own().fold(self, |change, number| {
            change.require(
                "SELECT 1 FROM own_permissions WHERE org_id = $1 AND number = $2",
                params![role.org, i64::from(number.get())],
                Refusal::PermissionGone,
            )
        })
    }

    /// Counts the own permissions that a credential names from now on, refusing one that is gone.
    pub(crate) fn naming(self, credential: &Credential) -> Self {
        let own = credential.detail.scopes().map(Scopes::own).filter(|own| own.len() > 0);
        let Some(own) = own else { return self };
        let count = Rows::Changed(own.len() as u64);
        self.step(
            "UPDATE own_permissions SET uses = uses + 1 WHERE org_id = $1 AND $2 LIKE '% :' || number || ' %'",
            params![credential.org, spaced(own)],
            count,
            Refusal::PermissionGone,
        )
    }

    /// Counts off what a credential names that is about to die as it was read.
    pub(crate) fn naming_no_more(self, credential: &Credential) -> Self {
        match credential.detail.scopes().is_some_and(|scopes| scopes.own().len() > 0) {
            true => self.no_longer_naming(credential),
            false => self,
        }
    }

    /// Counts off what a credential names so far, as its row says. To be done before that is changed.
    pub(crate) fn no_longer_naming(self, credential: &Credential) -> Self {
        match credential.kind() {
            CredentialKind::ApiKey => self,
            _ => self.any(
                "UPDATE own_permissions SET uses = uses - 1 WHERE org_id = $1 AND EXISTS (
                     SELECT 1 FROM credentials c WHERE c.id = $2 AND c.org_id = $1 AND c.revoked_at IS NULL
                     AND ' ' || c.scopes || ' ' LIKE '% :' || number || ' %')",
                params![credential.org, credential.id],
            ),
        }
    }
}

/// Counts off what one credential names; for a restore, which kills without knowing more than an id.
pub(crate) const NO_LONGER_NAMING: &str = "UPDATE own_permissions SET uses = uses - 1
     WHERE org_id = (SELECT c.org_id FROM credentials c WHERE c.id = $1) AND EXISTS (
         SELECT 1 FROM credentials c WHERE c.id = $1 AND c.revoked_at IS NULL
         AND ' ' || c.scopes || ' ' LIKE '% :' || number || ' %')";

impl Store {
    /// Every own permission of every org: what a directory starts from.
    pub async fn list_all_own_permissions(&self) -> Result<Vec<OwnPermission>, StoreError> {
        self.long_rows(SELECT.to_owned(), params![], read).await
    }

    /// The own permissions of an org by name; there are few.
    pub async fn list_own_permissions(&self, org: OrgId) -> Result<Vec<OwnPermission>, StoreError> {
        let mut found = Vec::new();
        self.each(&format!("{SELECT} WHERE org_id = $1"), &params![org], |row| Ok(found.push(read(row)?)))
            .await?;
        // Not in SQL, where the order of texts is the database's.
        found.sort_unstable_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
        Ok(found)
    }

    /// How many roles of an org name an own permission.
    pub async fn count_roles_naming(&self, org: OrgId, number: OwnNumber) -> Result<u32, StoreError> {
        let sql = "SELECT COUNT(*) FROM roles WHERE org_id = $1 AND removed_at IS NULL
                   AND ' ' || permissions || ' ' LIKE $2";
        let found = self.row(sql, &params![org, format!("% {number} %")], |row| row.get(0)).await?;
        Ok(found.unwrap_or(0))
    }
}
