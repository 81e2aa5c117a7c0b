//! Connections and their sealed secrets: making, changing, restricting, deleting and finding them. Lists are in
//! [`crate::connection_list`].

use claviger_model::{Connection, ConnectionDialect, ConnectionId, ConnectionStanding, OrgId, collation_key};
use claviger_vault::Place;
use serde_json::{Value as Json, json};

use crate::credential_list::search_key;
use crate::read::Map;
use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

/// A sealed secret of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSecret {
    /// A field, or a list and the name of one of its items.
    pub name: String,
    /// The connection's revision at which it was sealed.
    pub revision: i64,
    /// The value.
    pub sealed: Vec<u8>,
}

/// Where a secret of a connection is sealed: it opens nowhere else, and with no other revision.
pub fn connection_secret_place(org: OrgId, id: ConnectionId, name: &str, revision: i64) -> Place<'_> {
    Place { org, table: "connection_secrets", row: id.uuid(), column: name, revision }
}

macro_rules! columns {
    () => {
        "i.id, i.org_id, i.dialect, i.container, i.name, i.integration, i.credentials, \
         i.settings, i.hosts, i.tags, i.secrets, i.restriction, i.revision, i.created_at, i.created_by, i.modified_at, \
         i.modified_by, i.expires_at, i.terms"
    };
}
macro_rules! standing {
    () => {
        "s.last_used_at, s.health, s.health_reason, s.health_at"
    };
}
/// The columns of a connection; read by [`read_connection`].
pub(crate) const COLUMNS: &str = columns!();
/// How many [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 19;
/// The columns of a connection's standing, if it has one: read by [`read_standing`].
pub(crate) const STANDING: &str = standing!();
const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    ", ",
    standing!(),
    " FROM connections i LEFT JOIN connection_standings s ON s.connection_id = i.id",
    " WHERE i.id = $1 AND i.org_id = $2"
);

pub(crate) fn read_connection(row: &dyn Row) -> Result<Connection, StoreError> {
    Ok(Connection {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        dialect: row.parsed(2)?,
        container: row.opt(3)?,
        name: row.get(4)?,
        integration: row.get(5)?,
        credentials: row.get(6)?,
        settings: row.get(7)?,
        hosts: row.get::<String>(8)?.split_ascii_whitespace().map(str::to_owned).collect(),
        tags: row.opt_parsed(9)?,
        secrets: row.parsed(10)?,
        restriction: row.opt_parsed(11)?,
        revision: row.get(12)?,
        created_at: row.get(13)?,
        created_by: row.parsed(14)?,
        modified_at: row.get(15)?,
        modified_by: row.parsed(16)?,
        expires_at: row.opt(17)?,
        terms: row.parsed(18)?,
    })
}

pub(crate) fn read_standing(row: &dyn Row, at: usize) -> Result<ConnectionStanding, StoreError> {
    let health = match (row.opt_parsed(at + 1)?, row.opt(at + 3)?) {
        (Some(health), Some(moment)) => Some((health, row.opt(at + 2)?, moment)),
        _ => None,
    };
    Ok(ConnectionStanding { last_used_at: row.opt(at)?, health })
}

fn read_both(row: &dyn Row) -> Result<(Connection, ConnectionStanding), StoreError> {
    Ok((read_connection(row)?, read_standing(row, COLUMN_COUNT)?))
}

pub(crate) const READ_BOTH: Map<(Connection, ConnectionStanding)> = read_both;

pub(crate) fn subject(id: ConnectionId) -> (&'static str, String) {
    ("connection", id.to_string())
}

/// What the record tells people of a change, beside the state.
pub(crate) fn told(connection: &Connection) -> Json {
    json!({
        "name": connection.name,
        "integration": connection.integration,
        "credentials": connection.credentials,
    })
}

/// A connection as it is once a change of it, made from what was read, is stored.
fn revised(connection: &Connection) -> Connection {
    Connection { revision: connection.revision + 1, ..connection.clone() }
}

impl Change {
    /// Makes a connection with its secrets.
    ///
    /// Refused with [`Refusal::LimitReached`] beyond the org's limit, with [`Refusal::NameTaken`] where its container
    /// has one of that name, with [`Refusal::Absent`] where that is an integration that is not there, and with [`Refusal::Conflict`] where its id is taken.
    pub fn create_connection(connection: &Connection, secrets: &[ConnectionSecret], actor: &Actor) -> Self {
        Self::bring_connection("connection.created", connection, secrets, actor)
    }

    /// The same of a connection that an import brings.
    pub(crate) fn import_connection(
        connection: &Connection,
        secrets: &[ConnectionSecret],
        actor: &Actor,
    ) -> Self {
        Self::bring_connection("connection.imported", connection, secrets, actor)
    }

    fn bring_connection(
        action: &'static str,
        connection: &Connection,
        secrets: &[ConnectionSecret],
        actor: &Actor,
    ) -> Self {
        let detail = state::with_states(told(connection), [state::connection(connection)]);
        let change = Self::new(connection.org, actor, action, subject(connection.id), detail);
        change.with_connection(connection, secrets)
    }

    /// Adds the rows of a new connection.
    pub(crate) fn with_connection(self, connection: &Connection, secrets: &[ConnectionSecret]) -> Self {
        let Connection { id, org, .. } = *connection;
        let change = self
            .requiring_its_integration(connection)
            .one(
                "UPDATE orgs SET connections = connections + 1 WHERE id = $1 AND connections < connections_max",
                params![org],
                Refusal::LimitReached,
            )
            .requiring_free_name(connection)
            .one(
                "INSERT INTO connections (id, org_id, dialect, container, name, name_sort, search, integration,
                     credentials, settings, hosts, tags, secrets, restriction, revision, created_at, created_by,
                     modified_at, modified_by, expires_at, terms, check_seconds)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                     $22)",
                params![
                    id,
                    org,
                    connection.dialect.as_str(),
                    connection.container.as_deref(),
                    connection.name.as_str(),
                    collation_key(&connection.name),
                    search_key(&connection.name),
                    connection.integration.as_str(),
                    connection.credentials.as_str(),
                    connection.settings.as_str(),
                    connection.hosts.join(" "),
                    connection.tags.as_ref().map(ToString::to_string),
                    connection.secrets.to_string(),
                    connection.restriction.as_ref().map(ToString::to_string),
                    connection.revision,
                    connection.created_at,
                    connection.created_by,
                    connection.modified_at,
                    connection.modified_by,
                    connection.expires_at,
                    connection.terms.to_string(),
                    connection.terms.check_seconds.map(i64::from),
                ],
                Refusal::Conflict,
            );
        secrets.iter().fold(change, |change, secret| change.with_connection_secret(connection, secret))
    }

    fn with_connection_secret(self, connection: &Connection, secret: &ConnectionSecret) -> Self {
        self.one(
            "INSERT INTO connection_secrets (connection_id, name, org_id, revision, sealed)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (connection_id, name) DO UPDATE SET revision = excluded.revision, sealed = excluded.sealed",
            params![
                connection.id,
                secret.name.as_str(),
                connection.org,
                secret.revision,
                secret.sealed.clone(),
            ],
            Refusal::Conflict,
        )
    }

    /// Refuses a connection in an integration that is not there.
    fn requiring_its_integration(self, connection: &Connection) -> Self {
        match (connection.dialect, &connection.container) {
            (ConnectionDialect::Zendesk, Some(integration)) => self.require(
                "SELECT 1 FROM zis_integrations WHERE org_id = $1 AND name = $2",
                params![connection.org, integration.as_str()],
                Refusal::Absent,
            ),
            _ => self,
        }
    }

    /// Refuses the name of another connection in the same container.
    fn requiring_free_name(self, connection: &Connection) -> Self {
        match &connection.container {
            None => self,
            Some(container) => self.require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM connections
                 WHERE org_id = $1 AND container = $2 AND name = $3 AND id <> $4)",
                params![connection.org, container.as_str(), connection.name.as_str(), connection.id],
                Refusal::NameTaken,
            ),
        }
    }

    /// Changes a connection. `connection` is the new state, with the revision that was read; `written` are its new
    /// secrets, `erased` the names of those that go, and `changed` is what else changes, in words.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is gone, and with
    /// [`Refusal::NameTaken`].
    pub fn update_connection(
        connection: &Connection,
        written: &[ConnectionSecret],
        erased: &[String],
        changed: &[String],
        actor: &Actor,
    ) -> Self {
        Self::changing_connection("connection.updated", connection, written, erased, changed, actor)
            .forgetting_health(connection)
            .with_changed_connection(connection, written, erased)
    }

    /// The entry of such a change, under whichever name.
    pub(crate) fn changing_connection(
        action: &'static str,
        connection: &Connection,
        written: &[ConnectionSecret],
        erased: &[String],
        changed: &[String],
        actor: &Actor,
    ) -> Self {
        let mut detail = told(connection);
        // Whoever reads the record sees which secrets were replaced, and never what they are.
        detail["secrets_written"] = written.iter().map(|secret| secret.name.as_str()).collect();
        detail["secrets_erased"] = json!(erased);
        detail["changed"] = json!(changed);
        let detail = state::with_states(detail, [state::connection(&revised(connection))]);
        Self::new(connection.org, actor, action, subject(connection.id), detail)
    }

    /// Takes back what a test said of a connection whose secrets, or what they are aimed at, become others than those that
    /// were tested. To be said before they do.
    fn forgetting_health(self, connection: &Connection) -> Self {
        self.any(
            "UPDATE connection_standings SET health = NULL, health_reason = NULL, health_at = NULL
             WHERE connection_id = $1 AND EXISTS (SELECT 1 FROM connections
                 WHERE id = $1 AND org_id = $2 AND (secrets <> $3 OR settings <> $4 OR hosts <> $5))",
            params![
                connection.id,
                connection.org,
                connection.secrets.to_string(),
                connection.settings.as_str(),
                connection.hosts.join(" "),
            ],
        )
    }

    /// Takes back what a test said of a connection that is to be tested by another request from then on.
    pub fn with_health_forgotten(self, connection: &Connection) -> Self {
        self.any(
            "UPDATE connection_standings SET health = NULL, health_reason = NULL, health_at = NULL
             WHERE connection_id = $1",
            params![connection.id],
        )
    }

    /// Changes the rows of a connection.
    pub(crate) fn with_changed_connection(
        self,
        connection: &Connection,
        written: &[ConnectionSecret],
        erased: &[String],
    ) -> Self {
        let change = self
            .requiring_free_name(connection)
            .one(
                "UPDATE connections SET name = $1, name_sort = $2, search = $3, settings = $4, hosts = $5, tags = $6,
                     secrets = $7, modified_at = $8, modified_by = $9, expires_at = $10, terms = $11,
                     check_seconds = $12, revision = revision + 1
                 WHERE id = $13 AND org_id = $14 AND revision = $15",
                params![
                    connection.name.as_str(),
                    collation_key(&connection.name),
                    search_key(&connection.name),
                    connection.settings.as_str(),
                    connection.hosts.join(" "),
                    connection.tags.as_ref().map(ToString::to_string),
                    connection.secrets.to_string(),
                    connection.modified_at,
                    connection.modified_by,
                    connection.expires_at,
                    connection.terms.to_string(),
                    connection.terms.check_seconds.map(i64::from),
                    connection.id,
                    connection.org,
                    connection.revision,
                ],
                Refusal::Stale,
            );
        let change = erased.iter().fold(change, |change, name| {
            change.one(
                "DELETE FROM connection_secrets WHERE connection_id = $1 AND org_id = $2 AND name = $3",
                params![connection.id, connection.org, name.as_str()],
                Refusal::Stale,
            )
        });
        written.iter().fold(change, |change, secret| change.with_connection_secret(connection, secret))
    }

    /// Says who may do what with a connection, or that the permission alone decides. `connection` is the new state,
    /// with the revision that was read.
    ///
    /// Refused with [`Refusal::Stale`].
    pub fn restrict_connection(connection: &Connection, actor: &Actor) -> Self {
        let restriction = connection.restriction.as_ref().map(ToString::to_string);
        let detail = json!({ "name": connection.name, "restriction": restriction });
        let detail = state::with_states(detail, [state::connection(&revised(connection))]);
        Self::new(connection.org, actor, "connection.restricted", subject(connection.id), detail).one(
            "UPDATE connections SET restriction = $1, revision = revision + 1
             WHERE id = $2 AND org_id = $3 AND revision = $4",
            params![restriction, connection.id, connection.org, connection.revision],
            Refusal::Stale,
        )
    }

    /// Records that secrets of a connection were shown; changes nothing else.
    pub fn show_connection_secrets(connection: &Connection, names: &[&str], actor: &Actor) -> Self {
        let mut detail = told(connection);
        detail["secrets_shown"] = json!(names);
        Self::new(connection.org, actor, "connection.shown", subject(connection.id), detail)
    }

    /// Deletes a connection and erases its secrets.
    ///
    /// Refused with [`Refusal::Stale`] where it is not as it was read any more.
    pub fn delete_connection(connection: &Connection, actor: &Actor) -> Self {
        let Connection { id, org, revision, .. } = *connection;
        let detail = state::with_states(told(connection), [state::gone(subject(id))]);
        Self::new(org, actor, "connection.deleted", subject(id), detail)
            .any("DELETE FROM connection_secrets WHERE connection_id = $1 AND org_id = $2", params![id, org])
            .any("DELETE FROM connection_standings WHERE connection_id = $1", params![id])
            .any("DELETE FROM zis_oauth_refreshes WHERE connection_id = $1", params![id])
            .one(
                "DELETE FROM connections WHERE id = $1 AND org_id = $2 AND revision = $3",
                params![id, org, revision],
                Refusal::Stale,
            )
            .one(
                "UPDATE orgs SET connections = connections - 1 WHERE id = $1 AND connections > 0",
                params![org],
                Refusal::Conflict,
            )
    }
}

impl Store {
    /// One connection of an org.
    pub async fn find_connection(
        &self,
        org: OrgId,
        id: ConnectionId,
    ) -> Result<Option<(Connection, ConnectionStanding)>, StoreError> {
        self.row(FIND, &params![id, org], read_both).await
    }

    /// The connection of an org that has a name within a container.
    pub async fn find_connection_in(
        &self,
        org: OrgId,
        dialect: ConnectionDialect,
        container: &str,
        name: &str,
    ) -> Result<Option<Connection>, StoreError> {
        const FIND_IN: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM connections i WHERE i.org_id = $1 AND i.dialect = $2 AND i.container = $3 AND i.name = $4"
        );
        self.row(FIND_IN, &params![org, dialect.as_str(), container, name], read_connection).await
    }

    /// How many connections an org has.
    pub async fn count_connections_of(&self, org: OrgId) -> Result<i64, StoreError> {
        let sql = "SELECT connections FROM orgs WHERE id = $1";
        Ok(self.row(sql, &params![org], |row| row.get(0)).await?.unwrap_or(0))
    }

    /// The org of a connection.
    pub async fn find_org_of_connection(&self, id: ConnectionId) -> Result<Option<OrgId>, StoreError> {
        self.row("SELECT org_id FROM connections WHERE id = $1", &params![id], |row| row.parsed(0)).await
    }

    /// The connections of an org that have exactly this name.
    pub async fn list_connections_named(
        &self,
        org: OrgId,
        name: &str,
    ) -> Result<Vec<Connection>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connections i WHERE i.org_id = $1 AND i.name_sort = $2 AND i.name = $3"
        );
        let mut found = Vec::new();
        let params = params![org, collation_key(name), name];
        self.each(&sql, &params, |row| Ok(found.push(read_connection(row)?))).await?;
        Ok(found)
    }

    /// The sealed secrets of a connection.
    pub async fn list_connection_secrets(
        &self,
        org: OrgId,
        id: ConnectionId,
    ) -> Result<Vec<ConnectionSecret>, StoreError> {
        let sql = "SELECT name, revision, sealed FROM connection_secrets
                   WHERE connection_id = $1 AND org_id = $2 ORDER BY name";
        let read: Map<ConnectionSecret> =
            |row| Ok(ConnectionSecret { name: row.get(0)?, revision: row.get(1)?, sealed: row.get(2)? });
        self.rows(sql, &params![id, org], read).await
    }
}
