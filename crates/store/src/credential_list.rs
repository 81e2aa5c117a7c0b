//! Lists of credentials: filtered, sorted and paged in SQL.

use claviger_model::{Credential, CredentialKind, NAME_CHARS_MAX, OrgId, Timestamp, UserId};

use crate::credentials::{COLUMNS, read_credential};
use crate::database::Readers;
use crate::sqlite::search;
use crate::value::{Value, params};
use crate::{Store, StoreError};

/// Which live credentials of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFilter {
    /// The org.
    pub org: OrgId,
    /// The kind.
    pub kind: CredentialKind,
    /// Another kind that is listed with it.
    pub other_kind: Option<CredentialKind>,
    /// Whose; none for everybody's.
    pub owner: Option<UserId>,
    /// Of those, only what belongs to one of these; none for whoever's.
    pub owners: Option<Vec<UserId>>,
    /// A part of the name in any case, or exactly the last four characters of the secret, unless it is a token's.
    pub text: Option<String>,
    /// Made at this moment or after.
    pub created_from: Option<Timestamp>,
    /// Made at this moment or before.
    pub created_to: Option<Timestamp>,
    /// Last changed at this moment or after.
    pub modified_from: Option<Timestamp>,
    /// Last changed at this moment or before.
    pub modified_to: Option<Timestamp>,
    /// Of this category.
    pub category: Option<String>,
    /// With or without the right to read remote configuration.
    pub remote_config_read: Option<bool>,
    /// Of native keys: exactly this one's.
    pub external_id: Option<String>,
}

impl CredentialFilter {
    /// All live credentials of a kind.
    pub fn all(org: OrgId, kind: CredentialKind) -> Self {
        Self {
            org,
            kind,
            other_kind: None,
            owner: None,
            owners: None,
            text: None,
            created_from: None,
            created_to: None,
            modified_from: None,
            modified_to: None,
            category: None,
            remote_config_read: None,
            external_id: None,
        }
    }
}

/// What to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The name, in the vendor's collation.
    Name,
    /// When it was made.
    CreatedAt,
    /// When it was last changed.
    ModifiedAt,
    /// The last four characters of the secret.
    Last4,
    /// The end of its validity; what has none is after everything.
    ExpiresAt,
    /// The last use; what was never used is before everything.
    LastUsedAt,
}

/// The order of a list; what is equal is ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialSort {
    /// What to sort by.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

impl Page {
    /// The whole list.
    pub const ALL: Self = Self { offset: 0, limit: i64::MAX };
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPage {
    /// The credentials of this page, in order.
    pub items: Vec<Credential>,
    /// How many the filter lets through in all.
    pub total: i64,
}

/// A condition under construction.
struct Condition {
    /// What it is asked of: the credentials as `i`, perhaps joined with those that an index has found.
    from: String,
    sql: String,
    params: Vec<Value>,
}

impl Condition {
    fn of(filter: &CredentialFilter) -> Self {
        let mut condition = Self {
            from: "credentials i".to_owned(),
            sql: "i.org_id = $1 AND i.revoked_at IS NULL".to_owned(),
            params: params![filter.org],
        };
        match filter.other_kind {
            None => condition.and("i.kind =", Some(filter.kind)),
            Some(other) => condition.any_of("i.kind", &[filter.kind, other]),
        }
        condition.and("i.owner_id =", filter.owner);
        if let Some(owners) = &filter.owners {
            condition.any_of("i.owner_id", owners);
        }
        if let Some(text) = &filter.text {
            let like = condition.push(format!("%{}%", escaped(&search_key(text))));
            let is_token = matches!(
                filter.kind,
                CredentialKind::PersonalAccessToken
                    | CredentialKind::ServiceAccessToken
                    | CredentialKind::IntegrationToken
                    | CredentialKind::Session
            );
            let found = match is_token {
                // Of tokens nothing of the secret's end is shown, and so nothing of it is told.
                true => format!(" AND i.name_search LIKE {like} ESCAPE '\\'"),
                false => {
                    let last4 = condition.push(text.as_bytes().to_vec());
                    format!(" AND (i.name_search LIKE {like} ESCAPE '\\' OR i.last4 = {last4})")
                }
            };
            condition.sql += &found;
        }
        condition.and("i.created_at >=", filter.created_from);
        condition.and("i.created_at <=", filter.created_to);
        condition.and("i.modified_at >=", filter.modified_from);
        condition.and("i.modified_at <=", filter.modified_to);
        condition.and("i.category =", filter.category.clone());
        condition.and("i.remote_config_read =", filter.remote_config_read);
        condition.and("i.external_id =", filter.external_id.clone());
        condition
    }

    /// Looks only at what an index finds for a question. CROSS JOIN tells SQLite where to begin.
    fn narrow(&mut self, question: String) {
        let question = self.push(question);
        self.from = format!("{} x CROSS JOIN credentials i ON i.id = x.id", search::candidates(&question));
    }

    fn push(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }

    fn and(&mut self, comparison: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let place = self.push(value);
            self.sql += &format!(" AND {comparison} {place}");
        }
    }

    /// Of none of them, nothing is one.
    fn any_of<T: Copy + Into<Value>>(&mut self, column: &str, values: &[T]) {
        let places: Vec<_> = values.iter().map(|value| self.push(*value)).collect();
        match places.is_empty() {
            false => self.sql += &format!(" AND {column} IN ({})", places.join(", ")),
            true => self.sql += " AND 1 = 0",
        }
    }
}

/// What of a name is compared when one is looked for: each character in lower case by itself, and the final
/// sigma as any other, so that a part of a name is found whatever stands around it.
pub(crate) fn search_key(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase);
    folded.map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// The longest search key of a name: no character becomes more than three.
const SEARCH_KEY_CHARS_MAX: usize = 3 * NAME_CHARS_MAX;

/// Whether there can be a credential that the filter lets through. What no name can hold is not asked for:
/// PostgreSQL takes no NUL, SQLite reads only up to it, and takes no endless pattern.
fn is_possible(filter: &CredentialFilter) -> bool {
    let holds_nul = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\0'));
    let text = filter.text.as_deref().unwrap_or_default();
    let fits = text.chars().nth(SEARCH_KEY_CHARS_MAX).is_none();
    fits && [&filter.text, &filter.category, &filter.external_id].into_iter().all(|text| !holds_nul(text))
}

/// A text in which the wildcards of LIKE stand for themselves.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

impl CredentialSort {
    /// In a query that has the credentials as `table` and their last uses as `used`. Where there are nulls it is said
    /// where they go: the engines think differently of it.
    fn sql(self, table: &str, used: &str) -> String {
        let (place, column) = match self.key {
            SortKey::Name => (table, "name_sort"),
            SortKey::CreatedAt => (table, "created_at"),
            SortKey::ModifiedAt => (table, "modified_at"),
            SortKey::Last4 => (table, "last4"),
            SortKey::ExpiresAt => (table, "expires_at"),
            SortKey::LastUsedAt => (used, "at"),
        };
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = match (self.key, self.descending) {
            (SortKey::ExpiresAt, false) | (SortKey::LastUsedAt, true) => " NULLS LAST",
            (SortKey::ExpiresAt, true) | (SortKey::LastUsedAt, false) => " NULLS FIRST",
            _ => "",
        };
        format!("{place}.{column} {direction}{nulls}, {table}.id {direction}")
    }
}

impl Store {
    /// A page of live credentials, and how many there are in all.
    pub async fn list_credentials(
        &self,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, StoreError> {
        if !is_possible(filter) {
            return Ok(CredentialPage { items: Vec::new(), total: 0 });
        }
        let mut condition = Condition::of(filter);
        if let Some(question) = self.narrowing(filter).await? {
            condition.narrow(question);
        }
        let total = self.count_credentials(filter, &condition).await?;
        if sort.key == SortKey::LastUsedAt {
            condition.from += " LEFT JOIN last_used u ON u.credential_id = i.id";
        }
        let limit = condition.push(page.limit);
        let offset = condition.push(page.offset);
        // The page is found on an index alone; only its rows are then read whole and joined.
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT i.id FROM {} WHERE {} ORDER BY {} LIMIT {limit} OFFSET {offset}) p
             JOIN credentials c ON c.id = p.id LEFT JOIN last_used l ON l.credential_id = c.id ORDER BY {}",
            condition.from,
            condition.sql,
            sort.sql("i", "u"),
            sort.sql("c", "l"),
        );
        let items = self.long_rows(sql, condition.params, read_credential).await?;
        Ok(CredentialPage { items, total })
    }

    /// What to ask SQLite's index of names for a filter; none where every name is to be read: the text is too short,
    /// too many have it, or PostgreSQL's planner knows what to do.
    async fn narrowing(&self, filter: &CredentialFilter) -> Result<Option<String>, StoreError> {
        let text = filter.text.as_deref().unwrap_or_default();
        let (Readers::Sqlite(_), Some(question)) = (self.readers(), search::question(&search_key(text)))
        else {
            return Ok(None);
        };
        let params = params![question.as_str(), search::CANDIDATES_MAX + 1];
        let found =
            self.long_rows(search::COUNT_CANDIDATES.to_owned(), params, |row| row.get::<i64>(0)).await?;
        let is_few = found.first().is_some_and(|count| *count <= search::CANDIDATES_MAX);
        Ok(is_few.then_some(question))
    }

    async fn count_credentials(
        &self,
        filter: &CredentialFilter,
        condition: &Condition,
    ) -> Result<i64, StoreError> {
        let CredentialFilter { org, kind, other_kind, owner, .. } = *filter;
        if *filter == (CredentialFilter { other_kind, owner, ..CredentialFilter::all(org, kind) }) {
            let sql = "SELECT live FROM credential_counts WHERE org_id = $1 AND kind = $2 AND owner_id = $3";
            let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
            let mut total = 0;
            for kind in [Some(kind), other_kind].into_iter().flatten() {
                let params = params![org, kind, owner.as_str()];
                total += self.row(sql, &params, |row| row.get::<i64>(0)).await?.unwrap_or(0);
            }
            return Ok(total);
        }
        let sql = format!("SELECT COUNT(*) FROM {} WHERE {}", condition.from, condition.sql);
        let counts = self.long_rows(sql, condition.params.clone(), |row| row.get(0)).await?;
        Ok(counts.first().copied().unwrap_or(0))
    }
}
