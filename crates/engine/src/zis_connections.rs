//! ZIS connections: made, seen, changed and deleted within one integration, and never shown.
//!
//! They are the model's connections, sealed, restricted and recorded like the others; what they hold is the catalog's
//! ([`claviger_catalog::ZisType`]). A name is unique within its integration, whatever the type; to requests for
//! another type it is absent. Name and allowed domain never change, so that no secret is aimed elsewhere.

use claviger_catalog::{SecretText, Secrets, ZIS_INTEGRATION, ZisSettings, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, OrgId, Relation, Terms, ZisConnectionName,
};
use claviger_store::{Change, CommitError, ConnectionCursor, ConnectionFilter, ConnectionSecret, Refusal};

use crate::connections::{first_revision, internal};
use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::{ConnectionsRead, ConnectionsWrite};
use crate::{Caller, Changed, Engine, Error, FieldError, Permit, Thing};

/// A new ZIS connection.
#[derive(Debug)]
pub struct NewZisConnection {
    /// Its name.
    pub name: ZisConnectionName,
    /// Its type.
    pub of: ZisType,
    /// What is no secret.
    pub settings: ZisSettings,
    /// Its secret.
    pub secret: SecretText,
}

/// Changes of a ZIS connection; what is none stays.
#[derive(Debug, Default)]
pub struct ZisConnectionPatch {
    /// What the caller believes its name to be: it cannot be changed.
    pub name: Option<String>,
    /// What the caller believes its allowed domain to be: it cannot be changed.
    pub allowed_domain: Option<String>,
    /// The header that its key goes in.
    pub header: Option<claviger_model::InjectedHeader>,
    /// Whose its password is.
    pub username: Option<String>,
    /// Its secret.
    pub secret: Option<SecretText>,
}

/// A ZIS connection as it may be shown.
#[derive(Debug)]
pub struct ShownZisConnection {
    /// What is kept in clear.
    pub connection: Connection,
    /// Its type.
    pub of: ZisType,
    /// What is no secret.
    pub settings: ZisSettings,
}

/// Which ZIS connection a use case is about.
#[derive(Debug, Clone, Copy)]
pub struct ZisConnectionKey<'a> {
    /// The name of its integration.
    pub integration: &'a str,
    /// Its type.
    pub of: ZisType,
    /// Its name.
    pub name: &'a str,
}

impl Engine {
    /// Makes a connection in an integration.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the integration has one of that name, of whichever type; [`Error::Absent`] where
    /// there is no such integration; [`Error::LimitReached`] beyond the org's limit, or that of each integration.
    pub async fn create_zis_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        new: NewZisConnection,
    ) -> Result<Changed<ShownZisConnection>, Error> {
        let now = self.clock.now();
        let secret_name = new.of.secret_name();
        let revision = first_revision(now);
        let connection = Connection {
            id: ConnectionId::generate_at(self.vault.random(), now),
            org: permit.org(),
            dialect: ConnectionDialect::Zendesk,
            container: Some(integration.to_owned()),
            name: new.name.as_str().to_owned(),
            integration: ZIS_INTEGRATION.to_owned(),
            credentials: new.of.as_str().to_owned(),
            settings: serde_json::to_string(&new.settings).map_err(internal)?,
            hosts: Vec::new(),
            tags: None,
            secrets: ConnectionSecrets([(secret_name.as_str().to_owned(), revision)].into()),
            restriction: None,
            revision,
            created_at: now,
            created_by: permit.user(),
            modified_at: now,
            modified_by: permit.user(),
            expires_at: None,
            terms: Terms::default(),
        };
        let secrets = self.seal_one(&connection, new.of, new.secret, revision)?;
        let mut change = Change::create_connection(&connection, &secrets, &permit.actor());
        if let Some(max) = self.connections.zis_connections_max {
            change = change.within_zis_quota(permit.org(), integration, max);
        }
        match self.store.commit(change).await {
            Ok(position) => {
                let value = ShownZisConnection { connection, of: new.of, settings: new.settings };
                Ok(Changed { value, position })
            }
            Err(CommitError::Refused(Refusal::NameTaken)) => {
                self.settle().await?;
                Err(Error::Conflict { thing: Thing::Connection, name: connection.name })
            }
            Err(CommitError::Refused(Refusal::Absent)) => {
                self.settle().await?;
                Err(Error::Absent(Thing::ZisIntegration))
            }
            Err(CommitError::Refused(Refusal::LimitReached)) => {
                let max = self.org(permit.org()).await?.settings.connections_max;
                Err(Error::LimitReached { thing: Thing::Connection, max })
            }
            Err(CommitError::Refused(Refusal::QuotaReached)) => {
                let max = self.connections.zis_connections_max.unwrap_or_default();
                Err(Error::LimitReached { thing: Thing::ZisConnection, max })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// One connection, for whoever may see it.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its viewer.
    pub async fn find_zis_connection(
        &self,
        permit: &Permit<ConnectionsRead>,
        key: ZisConnectionKey<'_>,
    ) -> Result<ShownZisConnection, Error> {
        self.zis_connection(permit.caller(), key, Relation::Viewer).await
    }

    /// Changes a connection. One that asks for nothing new changes nothing.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor;
    /// [`Error::Invalid`] for another name or another allowed domain.
    pub async fn update_zis_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        key: ZisConnectionKey<'_>,
        patch: ZisConnectionPatch,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.zis_connection(permit.caller(), key, Relation::Editor).await?;
            let settings = patch.applied_to(&read)?;
            if settings == read.settings && patch.secret.is_none() {
                self.settle().await?;
                return Ok(Changed { value: (), position: self.applied() });
            }
            let changed = settings.differing_from(&read.settings);
            let mut connection = read.connection;
            connection.settings = serde_json::to_string(&settings).map_err(internal)?;
            connection.modified_at = self.later_than(connection.modified_at);
            connection.modified_by = permit.user();
            let mut written = Vec::new();
            if let Some(secret) = &patch.secret {
                // The revision that the row will have once this is stored.
                let revision = connection.revision + 1;
                connection.secrets.0.insert(key.of.secret().to_owned(), revision);
                let secret = SecretText::new(secret.reveal().to_owned());
                written = self.seal_one(&connection, key.of, secret, revision)?;
            }
            let change = Change::update_connection(&connection, &written, &[], &changed, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Deletes a connection and erases its secret; its name is free at once.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its editor.
    pub async fn delete_zis_connection(
        &self,
        permit: &Permit<ConnectionsWrite>,
        key: ZisConnectionKey<'_>,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.zis_connection(permit.caller(), key, Relation::Editor).await?;
            let change = Change::delete_connection(&read.connection, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Up to so many of an integration's connections that the caller may see, by name, on the side of the cursor that
    /// it says; and whether there are more on that side.
    pub async fn list_zis_connections(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
        cursor: &ConnectionCursor,
        limit: usize,
    ) -> Result<(Vec<ShownZisConnection>, bool), Error> {
        let filter = ConnectionFilter {
            seen_by: Some(permit.user()),
            dialect: Some(ConnectionDialect::Zendesk),
            container: Some(integration.to_owned()),
            ..ConnectionFilter::default()
        };
        let (found, has_more) =
            self.store.list_connections_from(permit.org(), &filter, cursor, limit).await?;
        Ok((found.into_iter().map(shown).collect::<Result<_, _>>()?, has_more))
    }

    async fn zis_connection(
        &self,
        caller: &Caller,
        key: ZisConnectionKey<'_>,
        wanted: Relation,
    ) -> Result<ShownZisConnection, Error> {
        let found = self.find_in(caller.org(), key).await?;
        let Some(found) = found else {
            self.settle().await?;
            return Err(Error::Absent(Thing::Connection));
        };
        match self.relation_to(caller, &found) >= Some(wanted) {
            true => shown(found),
            false => Err(Error::Restricted(wanted)),
        }
    }

    async fn find_in(&self, org: OrgId, key: ZisConnectionKey<'_>) -> Result<Option<Connection>, Error> {
        // What is no name is nobody's, and not every database can be asked for it.
        if ZisConnectionName::parse(key.name).is_err() {
            return Ok(None);
        }
        let found =
            self.store.find_connection_in(org, ConnectionDialect::Zendesk, key.integration, key.name).await?;
        Ok(found.filter(|connection| connection.credentials == key.of.as_str()))
    }

    fn seal_one(
        &self,
        connection: &Connection,
        of: ZisType,
        secret: SecretText,
        revision: i64,
    ) -> Result<Vec<ConnectionSecret>, Error> {
        self.seal_secrets(connection, &Secrets::from([(of.secret_name(), secret)]), revision)
    }
}

pub(crate) fn shown(connection: Connection) -> Result<ShownZisConnection, Error> {
    let settings = serde_json::from_str(&connection.settings).map_err(internal)?;
    let of = ZisType::parse(&connection.credentials)
        .ok_or_else(|| Error::Internal("a ZIS connection is of no known type".into()))?;
    Ok(ShownZisConnection { connection, of, settings })
}

impl ZisConnectionPatch {
    /// The settings that a connection then has. Every member that cannot be changed and would be is named.
    fn applied_to(&self, read: &ShownZisConnection) -> Result<ZisSettings, Error> {
        let fixed = [
            ("name", self.name.as_deref(), read.connection.name.as_str()),
            ("allowed_domain", self.allowed_domain.as_deref(), read.settings.allowed_domain()),
        ];
        let differs = |(field, wanted, is): (&str, Option<&str>, &str)| {
            let reason = "cannot be changed".to_owned();
            wanted.filter(|wanted| *wanted != is).map(|_| FieldError { field: field.to_owned(), reason })
        };
        let faults: Vec<_> = fixed.into_iter().filter_map(differs).collect();
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let mut settings = read.settings.clone();
        if let Some(header) = &self.header {
            settings.set_header(header);
        }
        if let Some(username) = &self.username {
            settings.set_username(username);
        }
        Ok(settings)
    }
}
