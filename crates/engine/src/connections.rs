//! Connections: third parties' credentials, made, seen, changed and deleted by those who may, and never shown.
//!
//! What a body must hold and how a change is merged is the catalog's; here secrets are sealed, each on its own and
//! bound to its connection, name and revision, and restrictions are kept. Using a connection is the broker's.

mod editing;
mod exporting;
mod history;
mod judging;
mod restricting;
mod terms;

use std::collections::BTreeSet;
use std::sync::Arc;

use claviger_catalog::{
    Catalog, Host, SecretJson, SecretName, SecretText, ServerValues, Settings, UnknownType, Warning,
    ZisSettings,
};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionStanding, Name, Permission, Random, Relation,
    Restriction, Tags, Terms, Timestamp,
};
use claviger_store::{
    Change, CommitError, ConnectionFilter, ConnectionSecret, ConnectionSort, Page, PeoplePage, Refusal,
    SortBy, connection_secret_place,
};
use serde_json::{Value as Json, json};

use crate::permit::rights::{ConnectionsRead, ConnectionsWrite};
use crate::{Caller, Changed, Engine, Error, Permit, Thing};

pub(crate) use editing::first_revision;
pub use exporting::{ExportedConnection, ExportedZis};
pub use history::HistoryEntry;
pub use judging::CONNECTION_HOSTS_MAX;
pub(crate) use judging::judge_hosts;
pub use restricting::{RESTRICTION_PRINCIPALS_MAX, SelfLockout};
pub use terms::{read_terms, shown_terms, terms_schema};

/// The AWS account that connections are told to trust where the operator has configured none.
const NO_PRINCIPAL: &str = "000000000000";

/// What connections may be made to, and as whom.
#[derive(Clone)]
pub struct ConnectionOptions {
    /// The integrations.
    pub catalog: Arc<Catalog>,
    /// As whom the server assumes the roles of AWS connections; none, and it assumes none.
    pub aws: Option<Arc<AwsPrincipal>>,
    /// How many connections a ZIS integration may have; none for as many as the org.
    pub zis_connections_max: Option<u32>,
}

/// The server's own credentials at AWS.
#[derive(Debug)]
pub struct AwsPrincipal {
    /// Their account, which roles are to trust.
    pub principal_id: String,
    /// The region whose STS they go to.
    pub region: String,
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: SecretText,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        let catalog = Catalog::embedded().expect("a test of the catalog reads the embedded one");
        Self { catalog: Arc::new(catalog), aws: None, zis_connections_max: None }
    }
}

impl ConnectionOptions {
    /// What the server puts into connections by itself.
    pub(crate) fn server_values<'o>(&'o self, random: &'o dyn Random) -> ServerValues<'o> {
        let principal_id = self.aws.as_ref().map_or(NO_PRINCIPAL, |aws| &aws.principal_id);
        ServerValues { principal_id, random }
    }
}

/// A new connection.
#[derive(Debug)]
pub struct NewConnection {
    /// Its name.
    pub name: Name,
    /// Its type, settings and secrets, as the vendor's API takes them.
    pub integration: SecretJson,
    /// Its tags.
    pub tags: Option<Tags>,
    /// Hosts that it names by itself.
    pub hosts: Vec<Host>,
    /// When its owner means to have replaced its secrets.
    pub expires_at: Option<Timestamp>,
    /// On what terms it is used.
    pub terms: Terms,
}

/// Which connection a use case is about.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionKey {
    /// Its id.
    pub id: ConnectionId,
    /// Only if it was made by this API; none for any.
    pub dialect: Option<ConnectionDialect>,
}

impl From<ConnectionId> for ConnectionKey {
    fn from(id: ConnectionId) -> Self {
        Self { id, dialect: None }
    }
}

/// Changes of a connection; what is none stays.
#[derive(Debug, Default)]
pub struct ConnectionPatch {
    /// Its name.
    pub name: Option<Name>,
    /// Settings and secrets that change.
    pub integration: Option<SecretJson>,
    /// All of its tags.
    pub tags: Option<Tags>,
    /// All of the hosts that it names by itself.
    pub hosts: Option<Vec<Host>>,
    /// When its owner means to have replaced its secrets; within, none for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// All of the terms on which it is used.
    pub terms: Option<Terms>,
}

/// A connection as it may be shown.
#[derive(Debug)]
pub struct ShownConnection {
    /// What is kept in clear.
    pub connection: Connection,
    /// How its uses go.
    pub standing: ConnectionStanding,
    /// Its `integration` value, with every secret empty; the types alone where the catalog does not have them any more.
    pub integration: Json,
    /// The hosts that its secrets may go to, as [`AllowedHosts::shown`](claviger_catalog::AllowedHosts::shown) has
    /// them; none where the catalog does not have its type any more.
    pub allowed_hosts: Vec<String>,
    /// Whether the caller could use it.
    pub is_resolvable: bool,
    /// What is unusual about the body that was just given.
    pub warnings: Vec<Warning>,
}

impl Engine {
    /// The integrations that connections can be made to.
    pub fn catalog(&self) -> &Catalog {
        &self.connections.catalog
    }

    /// The server's own credentials at AWS, if it has any.
    pub fn aws_principal(&self) -> Option<&AwsPrincipal> {
        self.connections.aws.as_deref()
    }

    /// One connection, for whoever may see it.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its viewer.
    pub async fn find_connection(
        &self,
        permit: &Permit<ConnectionsRead>,
        key: impl Into<ConnectionKey>,
    ) -> Result<ShownConnection, Error> {
        let (connection, standing) =
            self.connection_for(permit.caller(), key.into(), Relation::Viewer).await?;
        self.show(permit.caller(), connection, standing, Vec::new())
    }

    /// A page of the connections that the caller may see.
    pub async fn list_connections(
        &self,
        permit: &Permit<ConnectionsRead>,
        filter: ConnectionFilter,
        sort: SortBy<ConnectionSort>,
        page: Page,
    ) -> Result<PeoplePage<ShownConnection>, Error> {
        let filter = ConnectionFilter { seen_by: Some(permit.user()), ..filter };
        let found = self.store.list_connections(permit.org(), &filter, sort, page).await?;
        let show = |(connection, standing)| self.show(permit.caller(), connection, standing, Vec::new());
        Ok(PeoplePage {
            items: found.items.into_iter().map(show).collect::<Result<_, _>>()?,
            total_filtered: found.total_filtered,
            total: found.total,
        })
    }

    /// Deletes a connection and erases its secrets.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor.
    pub async fn delete_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        key: impl Into<ConnectionKey>,
    ) -> Result<Changed<()>, Error> {
        let key = key.into();
        for _ in 0..crate::credentials::STALE_RETRIES_MAX {
            let (connection, _) = self.connection_for(permit.caller(), key, Relation::Editor).await?;
            match self.store.commit(Change::delete_connection(&connection, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Notes that a connection was used, to be written in a moment with others; of uses that follow one another
    /// closely, the first counts.
    pub fn note_connection_used(&self, id: ConnectionId) {
        self.connection_usage.note(id, self.clock.now());
    }

    /// A connection of the caller's org, if its restriction lets the caller come so close.
    pub(crate) async fn connection_for(
        &self,
        caller: &Caller,
        key: ConnectionKey,
        wanted: Relation,
    ) -> Result<(Connection, ConnectionStanding), Error> {
        let found = self.store.find_connection(caller.org, key.id).await?;
        let is_meant = |it: &Connection| key.dialect.is_none_or(|dialect| dialect == it.dialect);
        let Some(found) = found.filter(|(connection, _)| is_meant(connection)) else {
            self.settle().await?;
            return Err(Error::Absent(Thing::Connection));
        };
        match self.relation_to(caller, &found.0) >= Some(wanted) {
            true => Ok(found),
            false => Err(Error::Restricted(wanted)),
        }
    }

    /// How close a caller may come to a connection, whatever its permissions.
    pub(crate) fn relation_to(&self, caller: &Caller, connection: &Connection) -> Option<Relation> {
        match &connection.restriction {
            None => Some(Relation::Editor),
            Some(restriction) => self.relation_by(caller, restriction),
        }
    }

    /// How close a restriction lets a caller come.
    fn relation_by(&self, caller: &Caller, restriction: &Restriction) -> Option<Relation> {
        let user = caller.user?;
        restriction.relation_of(caller.org, user, |role| self.directory.has_role(user, role))
    }

    fn show(
        &self,
        caller: &Caller,
        connection: Connection,
        standing: ConnectionStanding,
        warnings: Vec<Warning>,
    ) -> Result<ShownConnection, Error> {
        let (integration, allowed_hosts) = match connection.dialect {
            ConnectionDialect::Datadog => self.shown_by_catalog(&connection)?,
            // The catalog knows nothing of these: what they keep in clear is all that there is to show.
            ConnectionDialect::Zendesk => {
                let settings: ZisSettings = serde_json::from_str(&connection.settings).map_err(internal)?;
                (json!(settings), vec![settings.allowed_domain().to_owned()])
            }
        };
        let is_resolvable = caller.may(Permission::CONNECTIONS_RESOLVE)
            && self.relation_to(caller, &connection) >= Some(Relation::Resolver);
        Ok(ShownConnection { connection, standing, integration, allowed_hosts, is_resolvable, warnings })
    }

    /// The `integration` value of a connection that the catalog describes, and where its secrets may go.
    fn shown_by_catalog(&self, connection: &Connection) -> Result<(Json, Vec<String>), Error> {
        match self.catalog().connection(&settings_of(connection)?) {
            Ok(entry) => {
                let allowed = entry.allowed_hosts(&hosts_of(connection)?);
                Ok((entry.shown(&kept(connection)?), allowed.shown()))
            }
            // Its entry was in a file of the operator's that is not there any more: one such connection must not make
            // lists unreadable.
            Err(UnknownType { integration, credentials }) => {
                Ok((json!({ "type": integration, "credentials": { "type": credentials } }), Vec::new()))
            }
        }
    }

    fn server_values(&self) -> ServerValues<'_> {
        self.connections.server_values(self.vault.random())
    }

    pub(crate) fn seal_secrets(
        &self,
        connection: &Connection,
        secrets: &claviger_catalog::Secrets,
        revision: i64,
    ) -> Result<Vec<ConnectionSecret>, Error> {
        let seal = |(name, secret): (&SecretName, &claviger_catalog::SecretText)| {
            let place = connection_secret_place(connection.org, connection.id, name.as_str(), revision);
            let sealed = self.vault.seal(&place, secret.reveal().as_bytes())?;
            Ok(ConnectionSecret { name: name.as_str().to_owned(), revision, sealed })
        };
        secrets.iter().map(seal).collect()
    }
}

/// A fault of ours: what is stored is not what we store.
pub(crate) fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Internal(Box::new(error))
}

pub(crate) fn settings_of(connection: &Connection) -> Result<Settings, Error> {
    serde_json::from_str(&connection.settings).map_err(internal)
}

/// The hosts that a connection names by itself.
pub(crate) fn hosts_of(connection: &Connection) -> Result<Vec<Host>, Error> {
    connection.hosts.iter().map(|host| host.parse().map_err(internal)).collect()
}

/// The names under which a connection keeps secrets.
pub(crate) fn kept(connection: &Connection) -> Result<BTreeSet<SecretName>, Error> {
    connection.secrets.0.keys().map(|name| SecretName::parse(name).map_err(internal)).collect()
}

impl ConnectionPatch {
    /// Whether it asks for nothing.
    fn is_empty(&self) -> bool {
        self.is_about_terms_alone() && self.terms.is_none()
    }

    /// The terms, where nothing else is asked for.
    fn only_terms(&self) -> Option<&Terms> {
        self.terms.as_ref().filter(|_| self.is_about_terms_alone())
    }

    fn is_about_terms_alone(&self) -> bool {
        let Self { name, integration, tags, hosts, expires_at, terms: _ } = self;
        name.is_none() && integration.is_none() && tags.is_none() && hosts.is_none() && expires_at.is_none()
    }
}

/// The dialect whose connections the catalog describes.
pub(crate) const CATALOGUED: ConnectionDialect = ConnectionDialect::Datadog;
