//! Lists of roles.

use std::collections::HashMap;

use claviger_model::{OrgId, Role, RoleId};

use crate::credential_list::Page;
use crate::people::read_role;
use crate::people_list::{Condition, PLACES, PeoplePage, SortBy, order};
use crate::value::{Row, params};
use crate::{Store, StoreError};

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

impl Condition {
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
        let sql = condition.page("roles i", &order(sort.key.expression(), "i.id", sort.descending), page);
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
}
