//! Lists of users and of roles: filtered, sorted and paged in SQL.

use std::collections::HashMap;

use claviger_model::{OrgId, Role, RoleId, User, UserId};

use crate::credential_list::{Page, escaped, search_key};
use crate::people::{SELECT_USER, read_role, read_user};
use crate::read::Map;
use crate::value::{Row, Value, params};
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

/// Which roles of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFilter {
    /// The org.
    pub org: OrgId,
    /// A part of the name, in any case.
    pub text: Option<String>,
    /// These; any where there is none.
    pub ids: Vec<RoleId>,
}

/// What roles are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSort {
    /// The name, in the vendor's collation.
    Name,
    /// When it was last changed.
    ModifiedAt,
    /// How many have it.
    UserCount,
}

/// A key and its direction; what is equal is ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortBy<K> {
    /// What to sort by.
    pub key: K,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePage<T> {
    /// What is on this page, in order.
    pub items: Vec<T>,
    /// How many the filter lets through in all.
    pub total_filtered: i64,
    /// How many the org has.
    pub total: i64,
}

/// A role and what is told of it in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRole {
    /// The role.
    pub role: Role,
    /// How many have it, disabled ones too.
    pub user_count: i64,
    /// What whoever made it is called by, where that is known.
    pub created_by: Option<String>,
    /// What whoever last changed it is called by, where that is known.
    pub modified_by: Option<String>,
}

/// A role may be had by so many that looking each of its users up and sorting them is slower than walking all of the
/// org's users in order until a page is full.
const HOLDERS_SORTED_MAX: i64 = 1000;

/// How many ids one statement asks for.
const ASKED_AT_ONCE: usize = 20;
/// Their places in it.
const PLACES: &str =
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20";

/// A condition on `i` under construction.
struct Condition {
    sql: String,
    params: Vec<Value>,
}

impl Condition {
    fn in_org(org: OrgId) -> Self {
        Self { sql: "i.org_id = $1".to_owned(), params: params![org] }
    }

    fn push(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// Only what has a text in it. What no name can hold is found nowhere, and not every database can be asked for
    /// it.
    fn search(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        if text.chars().any(char::is_control) || text.len() > SEARCH_BYTES_MAX {
            self.sql += " AND 1 = 0";
            return;
        }
        let like = self.push(format!("%{}%", escaped(&search_key(text))));
        self.sql += &format!(" AND i.search LIKE {like} ESCAPE '\\'");
    }

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

    fn of_roles(filter: &RoleFilter) -> Self {
        let mut condition = Self::in_org(filter.org);
        condition.sql += " AND i.removed_at IS NULL";
        condition.search(filter.text.as_deref());
        if !filter.ids.is_empty() {
            let places: Vec<_> = filter.ids.iter().map(|id| condition.push(*id)).collect();
            condition.sql += &format!(" AND i.id IN ({})", places.join(", "));
        }
        condition
    }

    /// The ids of a page.
    fn page(&mut self, table: &str, order: &str, page: Page) -> String {
        let (limit, offset) = (self.push(page.limit), self.push(page.offset));
        format!(
            "SELECT i.id FROM {table} i WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {offset}",
            self.sql
        )
    }
}

/// No name, handle and address together have as many bytes.
const SEARCH_BYTES_MAX: usize = 8192;

impl UserStatus {
    const fn sql(self) -> &'static str {
        match self {
            Self::Active => "(i.disabled_at IS NULL AND i.verified = 1)",
            Self::Pending => "(i.disabled_at IS NULL AND i.verified = 0)",
            Self::Disabled => "i.disabled_at IS NOT NULL",
        }
    }
}

fn order(expression: &str, id: &str, descending: bool) -> String {
    let direction = if descending { "DESC" } else { "ASC" };
    format!("{expression} {direction}, {id} {direction}")
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

impl RoleSort {
    const fn expression(self) -> &'static str {
        match self {
            Self::Name => "i.name_sort",
            Self::ModifiedAt => "i.modified_at",
            Self::UserCount => "(SELECT COUNT(*) FROM user_roles h WHERE h.role_id = i.id)",
        }
    }
}

/// A role, who made it and who last changed it.
const ROLE_COLUMNS: &str = "r.id, r.org_id, r.name, r.managed, r.permissions, r.created_at, r.modified_at,
     r.removed_at, c.handle, m.handle";
const ROLE_JOINS: &str = "LEFT JOIN users c ON c.id = r.created_by LEFT JOIN users m ON m.id = r.modified_by";

fn read_listed_role(row: &dyn Row) -> Result<ListedRole, StoreError> {
    Ok(ListedRole { role: read_role(row)?, user_count: 0, created_by: row.opt(8)?, modified_by: row.opt(9)? })
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
        let sql = condition.page("users", &order(&column, "i.id", sort.descending), page);
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

    /// The rows of a statement that asks for [`ASKED_AT_ONCE`] ids, for any number of them.
    async fn rows_of<I: Copy + Into<Value>, T: Send + 'static>(
        &self,
        sql: &str,
        ids: &[I],
        map: Map<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::with_capacity(ids.len());
        for some in ids.chunks(ASKED_AT_ONCE) {
            // What is missing to the full number is filled up with the last: a row comes once, however often it is
            // asked for.
            let mut params: Vec<Value> = some.iter().map(|id| (*id).into()).collect();
            let last = params.last().cloned().unwrap_or(Value::Null);
            params.resize(ASKED_AT_ONCE, last);
            rows.extend(self.long_rows(sql.to_owned(), params, map).await?);
        }
        Ok(rows)
    }

    /// A page of an org's roles, and how many there are.
    pub async fn list_roles(
        &self,
        filter: &RoleFilter,
        sort: SortBy<RoleSort>,
        page: Page,
    ) -> Result<PeoplePage<ListedRole>, StoreError> {
        let mut condition = Condition::of_roles(filter);
        let all = "SELECT COUNT(*) FROM roles i WHERE i.org_id = $1 AND i.removed_at IS NULL";
        let total = self.count(all.to_owned(), params![filter.org]).await?;
        let sql = format!("SELECT COUNT(*) FROM roles i WHERE {}", condition.sql);
        let total_filtered = self.count(sql, condition.params.clone()).await?;
        let sql = condition.page("roles", &order(sort.key.expression(), "i.id", sort.descending), page);
        let ids: Vec<RoleId> = self.long_rows(sql, condition.params, |row| row.parsed(0)).await?;
        let mut found = HashMap::with_capacity(ids.len());
        let sql = format!("SELECT {ROLE_COLUMNS} FROM roles r {ROLE_JOINS} WHERE r.id IN ({PLACES})");
        for listed in self.rows_of(&sql, &ids, read_listed_role).await? {
            found.insert(listed.role.id, listed);
        }
        let sql =
            format!("SELECT role_id, COUNT(*) FROM user_roles WHERE role_id IN ({PLACES}) GROUP BY role_id");
        let read = |row: &dyn Row| Ok((row.parsed(0)?, row.get(1)?));
        let counts: Vec<(RoleId, i64)> = self.rows_of(&sql, &ids, read).await?;
        for (role, count) in counts {
            found.entry(role).and_modify(|listed: &mut ListedRole| listed.user_count = count);
        }
        let items = ids.iter().filter_map(|id| found.remove(id)).collect();
        Ok(PeoplePage { items, total_filtered, total })
    }

    /// One role of an org, with what is told of it in lists.
    pub async fn find_listed_role(&self, org: OrgId, id: RoleId) -> Result<Option<ListedRole>, StoreError> {
        let sql = format!(
            "SELECT {ROLE_COLUMNS} FROM roles r {ROLE_JOINS}
             WHERE r.id = $1 AND r.org_id = $2 AND r.removed_at IS NULL"
        );
        let Some(mut found) = self.find(sql, params![id, org], read_listed_role).await? else {
            return Ok(None);
        };
        found.user_count = self.count_holders(id).await?;
        Ok(Some(found))
    }

    async fn count_holders(&self, role: RoleId) -> Result<i64, StoreError> {
        self.count("SELECT COUNT(*) FROM user_roles WHERE role_id = $1".to_owned(), params![role]).await
    }

    async fn count(&self, sql: String, params: Vec<Value>) -> Result<i64, StoreError> {
        Ok(self.long_rows(sql, params, |row| row.get(0)).await?.first().copied().unwrap_or(0))
    }
}
