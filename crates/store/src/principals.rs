//! Those whom restrictions name.

use claviger_model::{OrgId, Principal, RoleId, UserId};

use crate::people_list::Condition;
use crate::read::Map;
use crate::value::Value;
use crate::{Store, StoreError};

impl Store {
    /// Which of these are nobody in an org: users that it does not have, roles that it does not have or that were
    /// removed, and other orgs. A disabled user is somebody, who may be enabled again.
    pub async fn find_missing_principals(
        &self,
        org: OrgId,
        principals: &[Principal],
    ) -> Result<Vec<Principal>, StoreError> {
        let (mut users, mut roles) = (Vec::new(), Vec::new());
        for principal in principals {
            match principal {
                Principal::User(id) => users.push(*id),
                Principal::Role(id) => roles.push(*id),
                Principal::Org(_) => {}
            }
        }
        let users: Vec<UserId> = self.present(org, "users i", "", &users, |row| row.parsed(0)).await?;
        let not_removed = " AND i.removed_at IS NULL";
        let roles: Vec<RoleId> =
            self.present(org, "roles i", not_removed, &roles, |row| row.parsed(0)).await?;
        let is_missing = |principal: &&Principal| match principal {
            Principal::User(id) => !users.contains(id),
            Principal::Role(id) => !roles.contains(id),
            Principal::Org(id) => *id != org,
        };
        Ok(principals.iter().filter(is_missing).copied().collect())
    }

    async fn present<I: Copy + Into<Value> + Send + 'static>(
        &self,
        org: OrgId,
        from: &str,
        and: &str,
        ids: &[I],
        map: Map<I>,
    ) -> Result<Vec<I>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut condition = Condition::in_org(org);
        let places: Vec<_> = ids.iter().map(|id| condition.push(*id)).collect();
        let sql = format!(
            "SELECT i.id FROM {from} WHERE {}{and} AND i.id IN ({})",
            condition.sql,
            places.join(", ")
        );
        self.long_rows(sql, condition.params, map).await
    }
}
