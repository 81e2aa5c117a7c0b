//! Lists of connections.

use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionStanding, Health, OrgId, Timestamp, UserId,
    collation_key,
};

use crate::connections::{COLUMNS, READ_BOTH, STANDING, read_connection};
use crate::credential_list::Page;
use crate::people_list::{Condition, PLACES, PeoplePage, SortBy, order};
use crate::{Store, StoreError};

/// Which connections of an org. What is none does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectionFilter {
    /// Only those that this user may see, by their restrictions.
    pub seen_by: Option<UserId>,
    /// A part of the name, in any case.
    pub text: Option<String>,
    /// By which API they were made.
    pub dialect: Option<ConnectionDialect>,
    /// Of this type of integration.
    pub integration: Option<String>,
    /// Within this container.
    pub container: Option<String>,
    /// Used since then.
    pub used_since: Option<Timestamp>,
    /// Not used since then.
    pub unused_since: Option<Timestamp>,
    /// Whose last test said this.
    pub health: Option<Health>,
}

/// What connections are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionSort {
    /// The name, in the vendor's collation.
    Name,
    /// When it was made.
    CreatedAt,
}

/// From where a list by name goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionCursor {
    /// From its beginning.
    First,
    /// With what comes after a name, which need be nobody's.
    After(String),
    /// With what comes before a name, which need be nobody's; the nearest to it.
    Before(String),
}

impl Condition {
    fn of_connections(org: OrgId, filter: &ConnectionFilter) -> Self {
        let mut condition = Self::in_org(org);
        condition.search(filter.text.as_deref());
        if let Some(user) = filter.seen_by {
            let (user, org) = (condition.push(user), condition.push(org));
            condition.sql += &format!(
                " AND (i.restriction IS NULL OR i.restriction LIKE '%:user:' || {user} || '%'
                     OR i.restriction LIKE '%:org:' || {org} || '%'
                     OR EXISTS (SELECT 1 FROM user_roles r JOIN roles g ON g.id = r.role_id
                         WHERE r.user_id = {user} AND g.removed_at IS NULL
                         AND i.restriction LIKE '%:role:' || r.role_id || '%'))"
            );
        }
        let texts = [
            ("i.dialect", filter.dialect.map(ConnectionDialect::as_str)),
            ("i.integration", filter.integration.as_deref()),
            ("i.container", filter.container.as_deref()),
            ("s.health", filter.health.map(Health::as_str)),
        ];
        for (column, wanted) in texts {
            let Some(wanted) = wanted else { continue };
            let place = condition.push(wanted);
            condition.sql += &format!(" AND {column} = {place}");
        }
        if let Some(since) = filter.used_since {
            let place = condition.push(since);
            condition.sql += &format!(" AND s.last_used_at >= {place}");
        }
        if let Some(since) = filter.unused_since {
            let place = condition.push(since);
            condition.sql += &format!(" AND (s.last_used_at IS NULL OR s.last_used_at < {place})");
        }
        condition
    }
}

impl ConnectionSort {
    const fn column(self) -> &'static str {
        match self {
            Self::Name => "i.name_sort",
            Self::CreatedAt => "i.created_at",
        }
    }
}

const FROM: &str = "connections i LEFT JOIN connection_standings s ON s.connection_id = i.id";

impl Store {
    /// A page of an org's connections, and how many there are that a filter without all but `seen_by` would show.
    pub async fn list_connections(
        &self,
        org: OrgId,
        filter: &ConnectionFilter,
        sort: SortBy<ConnectionSort>,
        page: Page,
    ) -> Result<PeoplePage<(Connection, ConnectionStanding)>, StoreError> {
        let visible = ConnectionFilter { seen_by: filter.seen_by, ..ConnectionFilter::default() };
        let total = self.count_connections(Condition::of_connections(org, &visible)).await?;
        let total_filtered = match *filter == visible {
            true => total,
            false => self.count_connections(Condition::of_connections(org, filter)).await?,
        };
        let mut condition = Condition::of_connections(org, filter);
        let order = order(sort.key.column(), "i.id", sort.descending);
        let sql = condition.page(FROM, &order, page);
        let ids: Vec<ConnectionId> = self.long_rows(sql, condition.params, |row| row.parsed(0)).await?;
        let found = self.connections_of(&ids).await?;
        Ok(PeoplePage { items: found, total_filtered, total })
    }

    /// Up to so many of an org's connections by name, from a cursor on, and whether there are more on its side.
    pub async fn list_connections_from(
        &self,
        org: OrgId,
        filter: &ConnectionFilter,
        cursor: &ConnectionCursor,
        limit: usize,
    ) -> Result<(Vec<Connection>, bool), StoreError> {
        let mut condition = Condition::of_connections(org, filter);
        let (sign, name) = match cursor {
            ConnectionCursor::First => ("", None),
            ConnectionCursor::After(name) => (">", Some(name)),
            ConnectionCursor::Before(name) => ("<", Some(name)),
        };
        if let Some(name) = name {
            let place = condition.push(collation_key(name));
            condition.sql += &format!(" AND i.name_sort {sign} {place}");
        }
        let is_backward = matches!(cursor, ConnectionCursor::Before(_));
        let order = order(ConnectionSort::Name.column(), "i.id", is_backward);
        // One more than is asked for tells whether there are more. All of it is one reading: what is deleted between two
        // would leave a page short, or empty and without a cursor to go on from.
        let asked = condition.push(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1));
        let sql =
            format!("SELECT {COLUMNS} FROM {FROM} WHERE {} ORDER BY {order} LIMIT {asked}", condition.sql);
        let mut found = self.long_rows(sql, condition.params, read_connection).await?;
        let has_more = found.len() > limit;
        found.truncate(limit);
        if is_backward {
            found.reverse();
        }
        Ok((found, has_more))
    }

    /// The connections with these ids, in their order.
    async fn connections_of(
        &self,
        ids: &[ConnectionId],
    ) -> Result<Vec<(Connection, ConnectionStanding)>, StoreError> {
        let sql = format!("SELECT {COLUMNS}, {STANDING} FROM {FROM} WHERE i.id IN ({PLACES})");
        let mut found = self.rows_of(&sql, ids, READ_BOTH).await?;
        let place = |connection: &Connection| ids.iter().position(|id| *id == connection.id);
        found.sort_by_key(|(connection, _)| place(connection));
        Ok(found)
    }

    /// Up to `limit` connections that a filter lets through, in the order of their ids, from the one after `after` on:
    /// what changes meanwhile makes nobody be passed over.
    pub async fn list_connections_after(
        &self,
        org: OrgId,
        filter: &ConnectionFilter,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        let mut condition = Condition::of_connections(org, filter);
        if let Some(after) = after {
            let place = condition.push(after);
            condition.sql += &format!(" AND i.id > {place}");
        }
        let limit = condition.push(limit);
        let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE {} ORDER BY i.id LIMIT {limit}", condition.sql);
        self.long_rows(sql, condition.params, read_connection).await
    }

    async fn count_connections(&self, condition: Condition) -> Result<i64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM {FROM} WHERE {}", condition.sql);
        self.count(sql, condition.params).await
    }
}
