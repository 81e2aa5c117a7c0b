//! Lists of users.

use std::collections::HashMap;

use claviger_model::{OrgId, RoleId, User, UserId};

use crate::credential_list::Page;
use crate::people::{SELECT_USER, read_user};
use crate::people_list::{Condition, PLACES, PeoplePage, SortBy, order};
use crate::value::{Row, params};
use crate::{Store, StoreError};

/// How a user stands with the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// Enabled, and known to be whom the address says.
    Active,
    /// Enabled, and not known to be.
    Pending,
    /// Disabled.
    Disabled,
}

/// Which users of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFilter {
    /// The org.
    pub org: OrgId,
    /// A part of the name, the handle or the address, in any case.
    pub text: Option<String>,
    /// With any of these; with any at all where there is none.
    pub statuses: Vec<UserStatus>,
    /// Who have this role.
    pub role: Option<RoleId>,
}

/// What users are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// The name, or the address where there is none, in the vendor's collation.
    Name,
    /// When it was last changed.
    ModifiedAt,
    /// When it was made.
    CreatedAt,
}

/// A role may be had by so many that looking each of its users up and sorting them is slower than walking all of the
/// org's users in order until a page is full.
const HOLDERS_SORTED_MAX: i64 = 1000;

impl Condition {
    fn of_users(filter: &UserFilter, role_holders: i64) -> Self {
        let mut condition = Self::in_org(filter.org);
        condition.search(filter.text.as_deref());
        let statuses: Vec<_> = filter.statuses.iter().map(|status| status.sql()).collect();
        if !statuses.is_empty() {
            condition.sql += &format!(" AND ({})", statuses.join(" OR "));
        }
        if let Some(role) = filter.role {
            let role = condition.push(role);
            condition.sql += &match role_holders > HOLDERS_SORTED_MAX {
                true => format!(
                    " AND EXISTS (SELECT 1 FROM user_roles h WHERE h.user_id = i.id AND h.role_id = {role})"
                ),
                false => {
                    format!(" AND i.id IN (SELECT h.user_id FROM user_roles h WHERE h.role_id = {role})")
                }
            };
        }
        condition
    }
}

impl UserStatus {
    const fn sql(self) -> &'static str {
        match self {
            Self::Active => "(i.disabled_at IS NULL AND i.verified = 1)",
            Self::Pending => "(i.disabled_at IS NULL AND i.verified = 0)",
            Self::Disabled => "i.disabled_at IS NOT NULL",
        }
    }
}

impl UserSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "name_sort",
            Self::ModifiedAt => "modified_at",
            Self::CreatedAt => "created_at",
        }
    }
}

impl Store {
    /// A page of an org's users, with their roles, and how many there are.
    pub async fn list_users(
        &self,
        filter: &UserFilter,
        sort: SortBy<UserSort>,
        page: Page,
    ) -> Result<PeoplePage<User>, StoreError> {
        let holders = match filter.role {
            Some(role) => self.count_holders(role).await?,
            None => 0,
        };
        let mut condition = Condition::of_users(filter, holders);
        let all = "SELECT COUNT(*) FROM users i WHERE i.org_id = $1";
        let total = self.count(all.to_owned(), params![filter.org]).await?;
        let is_unfiltered = filter.text.is_none() && filter.statuses.is_empty();
        let total_filtered = match (is_unfiltered, filter.role) {
            (true, None) => total,
            (true, Some(_)) => holders,
            _ => {
                let sql = format!("SELECT COUNT(*) FROM users i WHERE {}", condition.sql);
                self.count(sql, condition.params.clone()).await?
            }
        };
        let column = format!("i.{}", sort.key.column());
        let sql = condition.page("users i", &order(&column, "i.id", sort.descending), page);
        let ids = self.long_rows(sql, condition.params, |row| row.parsed(0)).await?;
        Ok(PeoplePage { items: self.list_users_by_id(&ids).await?, total_filtered, total })
    }

    /// Some of those who have a role, in no order that means anything, and how many there are: however many have it,
    /// this takes no longer than counting them.
    pub async fn list_some_holders(&self, role: RoleId, limit: i64) -> Result<(Vec<User>, i64), StoreError> {
        let sql = "SELECT user_id FROM user_roles WHERE role_id = $1 ORDER BY user_id LIMIT $2".to_owned();
        let ids = self.long_rows(sql, params![role, limit], |row| row.parsed(0)).await?;
        Ok((self.list_users_by_id(&ids).await?, self.count_holders(role).await?))
    }

    /// Users with their roles, in the order of the ids.
    ///
    /// Pages are read in two steps, ids first: in one statement, PostgreSQL may look for the page once for each row
    /// that it is joined with.
    async fn list_users_by_id(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        let sql = format!("{SELECT_USER} WHERE id IN ({PLACES})");
        for user in self.rows_of(&sql, ids, read_user).await? {
            found.insert(user.id, user);
        }
        let sql = format!(
            "SELECT ur.user_id, ur.role_id FROM user_roles ur JOIN roles r ON r.id = ur.role_id
             WHERE ur.user_id IN ({PLACES}) AND r.removed_at IS NULL ORDER BY r.created_at, r.id"
        );
        let read = |row: &dyn Row| Ok((row.parsed(0)?, row.parsed(1)?));
        let held: Vec<(UserId, RoleId)> = self.rows_of(&sql, ids, read).await?;
        for (user, role) in held {
            found.entry(user).and_modify(|user: &mut User| user.roles.push(role));
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}
