//! Making and changing connections.

use claviger_catalog::{Created, Host, Updated, Warning};
use claviger_model::{
    Connection, ConnectionId, ConnectionSecrets, ConnectionStanding, OrgId, Relation, Timestamp, UserId,
};
use claviger_store::{Change, CommitError, ConnectionSecret, Refusal};

use super::judging::{all_told, judge_end, judge_hosts};
use super::{
    CATALOGUED, ConnectionKey, ConnectionPatch, NewConnection, ShownConnection, internal, kept, settings_of,
};
use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::ConnectionsWrite;
use crate::{Changed, Engine, Error, FieldError, Permit, Thing};

/// A connection's first revision: one that no connection of the same id had before, so that no secret of one that is gone
/// opens in its place.
pub(crate) fn first_revision(now: Timestamp) -> i64 {
    now.micros()
}

/// Of a connection whose type came from a file of the operator's that is not there any more.
const NO_ENTRY: &str =
    "The catalog does not have the type of this connection any more: it can only be deleted";

/// Why a change that speaks of the catalog's fields is refused.
const OTHER_DIALECT: &str =
    "The connection was made by another API, and is changed by that alone, but for its terms";

/// A connection that is ready to be stored.
pub(crate) struct Drafted {
    pub(crate) connection: Connection,
    pub(crate) secrets: Vec<ConnectionSecret>,
    pub(crate) warnings: Vec<Warning>,
}

/// A change that is ready to be stored.
struct Edited {
    connection: Connection,
    written: Vec<ConnectionSecret>,
    erased: Vec<String>,
    /// What else changes, in words that hold no value.
    changed: Vec<String>,
    warnings: Vec<Warning>,
}

impl Engine {
    /// Makes a connection.
    ///
    /// # Errors
    /// [`Error::BadConnection`] with every fault; [`Error::LimitReached`].
    pub async fn create_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        new: NewConnection,
    ) -> Result<Changed<ShownConnection>, Error> {
        let Drafted { connection, secrets, warnings } = self.draft_new(permit, new)?;
        let change = Change::create_connection(&connection, &secrets, &permit.actor());
        match self.store.commit(change).await {
            Ok(position) => {
                let standing = ConnectionStanding::default();
                let value = self.show(permit.caller(), connection, standing, warnings)?;
                Ok(Changed { value, position })
            }
            Err(CommitError::Refused(Refusal::LimitReached)) => {
                let max = self.org(permit.org()).await?.settings.connections_max;
                Err(Error::LimitReached { thing: Thing::Connection, max })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What [`Engine::create_connection`] would make, without making it.
    ///
    /// # Errors
    /// As there, but for the limit.
    pub fn try_create_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        new: NewConnection,
    ) -> Result<ShownConnection, Error> {
        let drafted = self.draft_new(permit, new)?;
        self.show(permit.caller(), drafted.connection, ConnectionStanding::default(), drafted.warnings)
    }

    fn draft_new(&self, permit: &Permit<ConnectionsWrite>, new: NewConnection) -> Result<Drafted, Error> {
        let id = ConnectionId::generate_at(self.vault.random(), self.clock.now());
        let mut own: Vec<_> = judge_end(new.expires_at, self.clock.now()).into_iter().collect();
        let hosts = new.hosts.clone();
        let drafted = self.draft_connection(id, permit.org(), permit.user(), new);
        if let Ok(drafted) = &drafted {
            own.extend(self.judge_named_hosts(&drafted.connection, &hosts)?);
        }
        all_told(drafted, own)
    }

    fn judge_named_hosts(&self, connection: &Connection, hosts: &[Host]) -> Result<Vec<FieldError>, Error> {
        let settings = settings_of(connection)?;
        let entry = self.catalog().connection(&settings).map_err(internal)?;
        Ok(judge_hosts(&entry, hosts))
    }

    /// A connection with its secrets sealed, not stored yet.
    pub(crate) fn draft_connection(
        &self,
        id: ConnectionId,
        org: OrgId,
        by: UserId,
        new: NewConnection,
    ) -> Result<Drafted, Error> {
        let NewConnection { name, integration, tags, hosts, expires_at, terms } = new;
        let created = self.catalog().create(integration.take(), &self.server_values());
        let Created { settings, secrets, warnings } = created.map_err(Error::BadConnection)?;
        let now = self.clock.now();
        let revision = first_revision(now);
        let connection = Connection {
            id,
            org,
            dialect: CATALOGUED,
            container: None,
            name: name.as_str().to_owned(),
            integration: settings.integration().to_owned(),
            credentials: settings.credentials().to_owned(),
            settings: serde_json::to_string(&settings).map_err(internal)?,
            hosts: hosts.iter().map(ToString::to_string).collect(),
            tags,
            secrets: ConnectionSecrets(
                secrets.keys().map(|name| (name.as_str().to_owned(), revision)).collect(),
            ),
            restriction: None,
            revision,
            created_at: now,
            created_by: by,
            modified_at: now,
            modified_by: by,
            expires_at,
            terms,
        };
        let secrets = self.seal_secrets(&connection, &secrets, revision)?;
        Ok(Drafted { connection, secrets, warnings })
    }

    /// Changes a connection. One that asks for nothing changes nothing.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor;
    /// [`Error::BadConnection`] with every fault, among them secrets that are missing though the change aims the
    /// connection elsewhere.
    pub async fn update_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        key: impl Into<ConnectionKey>,
        patch: ConnectionPatch,
    ) -> Result<Changed<ShownConnection>, Error> {
        let key = key.into();
        for _ in 0..STALE_RETRIES_MAX {
            let (read, standing) = self.connection_for(permit.caller(), key, Relation::Editor).await?;
            if patch.is_empty() {
                let value = self.show(permit.caller(), read, standing, Vec::new())?;
                return Ok(Changed { value, position: self.applied() });
            }
            let Edited { mut connection, written, erased, changed, warnings } =
                self.edit_connection(&read, permit.user(), &patch)?;
            let change = Change::update_connection(&connection, &written, &erased, &changed, &permit.actor());
            let change = match read.terms.probe == connection.terms.probe {
                true => change,
                false => change.with_health_forgotten(&connection),
            };
            match self.store.commit(change).await {
                Ok(position) => {
                    connection.revision += 1;
                    let standing = standing_after(standing, &read, &connection);
                    let value = self.show(permit.caller(), connection, standing, warnings)?;
                    return Ok(Changed { value, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// What [`Engine::update_connection`] would make of a connection, without changing it.
    ///
    /// # Errors
    /// As there.
    pub async fn try_update_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        key: impl Into<ConnectionKey>,
        patch: ConnectionPatch,
    ) -> Result<ShownConnection, Error> {
        let (read, standing) = self.connection_for(permit.caller(), key.into(), Relation::Editor).await?;
        let edited = self.edit_connection(&read, permit.user(), &patch)?;
        let standing = standing_after(standing, &read, &edited.connection);
        self.show(permit.caller(), edited.connection, standing, edited.warnings)
    }

    fn edit_connection(
        &self,
        read: &Connection,
        by: UserId,
        patch: &ConnectionPatch,
    ) -> Result<Edited, Error> {
        if read.dialect != CATALOGUED {
            return self.edit_terms(read, by, patch);
        }
        let end = patch.expires_at.flatten().filter(|end| Some(*end) != read.expires_at);
        let mut own: Vec<_> = judge_end(end, self.clock.now()).into_iter().collect();
        let edited = self.merge_connection(read, by, patch);
        if let (Ok(edited), Some(hosts)) = (&edited, &patch.hosts) {
            own.extend(self.judge_named_hosts(&edited.connection, hosts)?);
        }
        all_told(edited, own)
    }

    /// A change of a connection whose own API knows nothing of terms: nothing but those.
    fn edit_terms(&self, read: &Connection, by: UserId, patch: &ConnectionPatch) -> Result<Edited, Error> {
        let Some(terms) = patch.only_terms() else { return Err(Error::Protected(OTHER_DIALECT)) };
        let modified_at = self.clock.now().max(read.modified_at);
        let connection = Connection { terms: terms.clone(), modified_at, modified_by: by, ..read.clone() };
        let changed = changed_members(read, &connection);
        Ok(Edited { connection, written: Vec::new(), erased: Vec::new(), changed, warnings: Vec::new() })
    }

    /// Merges a change into a connection as it was read.
    fn merge_connection(
        &self,
        read: &Connection,
        by: UserId,
        patch: &ConnectionPatch,
    ) -> Result<Edited, Error> {
        let (settings, kept) = (settings_of(read)?, kept(read)?);
        let entry = self.catalog().connection(&settings).map_err(|_| Error::Protected(NO_ENTRY))?;
        let merged = match &patch.integration {
            None => None,
            Some(integration) => {
                let merged = entry.update(&kept, integration.clone().take(), &self.server_values());
                Some(merged.map_err(Error::BadConnection)?)
            }
        };
        let mut connection = read.clone();
        if let Some(hosts) = &patch.hosts {
            connection.hosts = hosts.iter().map(ToString::to_string).collect();
        }
        let is_settled = |name| {
            let updated = merged.as_ref();
            updated.is_some_and(|it: &Updated| it.write.contains_key(name) || it.delete.contains(name))
        };
        // Hosts lead somewhere as much as the settings do: whoever adds one brings the secrets that will go there.
        let missing = kept.iter().filter(|name| connection.hosts != read.hosts && !is_settled(name));
        let missing: Vec<_> = missing.map(|name| name.as_str()).collect();
        if !missing.is_empty() {
            let reason = format!("change where secrets are sent: bring anew {}", missing.join(", "));
            return Err(Error::Invalid(vec![FieldError { field: "hosts".to_owned(), reason }]));
        }
        if let Some(name) = &patch.name {
            connection.name = name.as_str().to_owned();
        }
        if let Some(tags) = &patch.tags {
            connection.tags = Some(tags.clone());
        }
        if let Some(expires_at) = patch.expires_at {
            connection.expires_at = expires_at;
        }
        if let Some(terms) = &patch.terms {
            connection.terms = terms.clone();
        }
        let mut changed = changed_members(read, &connection);
        let (mut written, mut erased, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(updated) = merged {
            // The revision that the row will have once this is stored: each value opens with its own alone.
            let revision = read.revision + 1;
            changed.extend(updated.settings.changed_from(&settings).into_iter().map(str::to_owned));
            connection.settings = serde_json::to_string(&updated.settings).map_err(internal)?;
            erased = updated.delete.iter().map(|name| name.as_str().to_owned()).collect();
            connection.secrets.0.retain(|name, _| !erased.contains(name));
            let names = updated.write.keys().map(|name| (name.as_str().to_owned(), revision));
            connection.secrets.0.extend(names);
            written = self.seal_secrets(&connection, &updated.write, revision)?;
            warnings = updated.warnings;
        }
        connection.modified_at = self.clock.now().max(read.modified_at);
        connection.modified_by = by;
        Ok(Edited { connection, written, erased, changed, warnings })
    }
}

/// What a test said is forgotten where what it tested is another, as the change itself does in the database.
fn standing_after(
    standing: ConnectionStanding,
    before: &Connection,
    after: &Connection,
) -> ConnectionStanding {
    let is_as_tested = before.secrets == after.secrets
        && before.settings == after.settings
        && before.hosts == after.hosts
        && before.terms.probe == after.terms.probe;
    ConnectionStanding { health: standing.health.filter(|_| is_as_tested), ..standing }
}

/// Which members beside the `integration` value differ.
fn changed_members(before: &Connection, after: &Connection) -> Vec<String> {
    let members = [
        ("name", before.name != after.name),
        ("tags", before.tags != after.tags),
        ("hosts", before.hosts != after.hosts),
        ("expires_at", before.expires_at != after.expires_at),
        ("terms", before.terms != after.terms),
    ];
    members.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()).collect()
}
