//! What lists of users and lists of roles have in common: filtered, sorted and paged in SQL, ids first.

use claviger_model::{OrgId, RoleId};

use crate::credential_list::{Page, escaped, search_key};
use crate::read::Map;
use crate::value::{Value, params};
use crate::{Store, StoreError};

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

/// How many ids one statement asks for.
const ASKED_AT_ONCE: usize = 20;
/// Their places in it.
pub(crate) const PLACES: &str =
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20";

/// A condition on `i` under construction.
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) params: Vec<Value>,
}

impl Condition {
    pub(crate) fn in_org(org: OrgId) -> Self {
        Self { sql: "i.org_id = $1".to_owned(), params: params![org] }
    }

    pub(crate) fn push(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    /// Only what has a text in it. What no name can hold is found nowhere, and not every database can be asked for
    /// it.
    pub(crate) fn search(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        if text.chars().any(char::is_control) || text.len() > SEARCH_BYTES_MAX {
            self.sql += " AND 1 = 0";
            return;
        }
        let like = self.push(format!("%{}%", escaped(&search_key(text))));
        self.sql += &format!(" AND i.search LIKE {like} ESCAPE '\\'");
    }

    /// The ids of a page. What they are from calls them `i`.
    pub(crate) fn page(&mut self, from: &str, order: &str, page: Page) -> String {
        let (limit, offset) = (self.push(page.limit), self.push(page.offset));
        format!("SELECT i.id FROM {from} WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {offset}", self.sql)
    }
}

/// No name, handle and address together have as many bytes.
const SEARCH_BYTES_MAX: usize = 8192;

/// An order, and the other way round where the greatest is to come first.
pub(crate) fn order(expression: &str, id: &str, descending: bool) -> String {
    let direction = if descending { "DESC" } else { "ASC" };
    format!("{expression} {direction}, {id} {direction}")
}

impl Store {
    /// The rows of a statement that asks for [`ASKED_AT_ONCE`] ids, for any number of them.
    pub(crate) async fn rows_of<I: Copy + Into<Value>, T: Send + 'static>(
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

    /// How many have a role, disabled ones too.
    pub(crate) async fn count_holders(&self, role: RoleId) -> Result<i64, StoreError> {
        self.count("SELECT COUNT(*) FROM user_roles WHERE role_id = $1".to_owned(), params![role]).await
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, sql: String, params: Vec<Value>) -> Result<i64, StoreError> {
        Ok(self.long_rows(sql, params, |row| row.get(0)).await?.first().copied().unwrap_or(0))
    }
}
