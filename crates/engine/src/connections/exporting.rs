//! Everything of connections but their secrets, for bringing them in elsewhere.

use claviger_catalog::ZisType;
use claviger_model::{Connection, ConnectionDialect, ConnectionId, Permission, ZisName};
use claviger_store::ConnectionFilter;
use serde_json::Value as Json;

use super::CATALOGUED;
use crate::permit::rights::ConnectionsRead;
use crate::zis_connections::{self, ShownZisConnection};
use crate::{Engine, Error, Permit};

/// A connection as an export has it.
#[derive(Debug)]
pub struct ExportedConnection {
    /// What is kept in clear.
    pub connection: Connection,
    /// Its `integration` value, with every secret empty.
    pub integration: Json,
}

/// A page of an export of ZIS connections.
#[derive(Debug, Default)]
pub struct ExportedZis {
    /// The connections.
    pub connections: Vec<ShownZisConnection>,
    /// Behind which connection the next page begins; none where this was the last.
    pub next: Option<ConnectionId>,
}

impl Engine {
    /// ZIS connections as [`Engine::export_connections`] has the others: those of types that an import takes.
    ///
    /// # Errors
    /// As there.
    pub async fn export_zis_connections(
        &self,
        permit: &Permit<ConnectionsRead>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<ExportedZis, Error> {
        let found = self.exported(permit, ConnectionDialect::Zendesk, after, limit).await?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|last| last.id);
        let is_taken = |connection: &Connection| {
            ZisType::parse(&connection.credentials).is_some_and(|of| ZisType::BY_BODY.contains(&of))
        };
        let connections = found.into_iter().filter(is_taken).map(zis_connections::shown);
        Ok(ExportedZis { connections: connections.collect::<Result<_, _>>()?, next })
    }

    /// What an integration is for, for whoever may manage integrations.
    ///
    /// # Errors
    /// As those of any reading.
    pub async fn exported_description(
        &self,
        permit: &Permit<ConnectionsRead>,
        integration: &str,
    ) -> Result<Option<String>, Error> {
        let Ok(name) = ZisName::parse(integration) else { return Ok(None) };
        if !permit.caller().may(Permission::ORG_MANAGEMENT) {
            return Ok(None);
        }
        let found = self.store.find_zis_integration(permit.org(), &name).await?;
        Ok(found.map(|integration| integration.description))
    }

    /// Up to `limit` connections that the caller may see, in the order of their ids, from the one after `after` on.
    /// Only those that an import takes. Whoever takes their time to read an export is asked again who they are: without
    /// living credentials it goes no further.
    ///
    /// # Errors
    /// [`Error::CallerGone`].
    pub async fn export_connections(
        &self,
        permit: &Permit<ConnectionsRead>,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ExportedConnection>, Error> {
        let found = self.exported(permit, CATALOGUED, after, limit).await?;
        let shown = found.into_iter().map(|connection| {
            let shown = self.show(permit.caller(), connection, Default::default(), Vec::new())?;
            Ok(ExportedConnection { connection: shown.connection, integration: shown.integration })
        });
        shown.collect()
    }

    async fn exported(
        &self,
        permit: &Permit<ConnectionsRead>,
        dialect: ConnectionDialect,
        after: Option<ConnectionId>,
        limit: u32,
    ) -> Result<Vec<Connection>, Error> {
        if !self.store.may_still_act(permit.org(), &permit.actor()).await? {
            return Err(Error::CallerGone);
        }
        let filter = ConnectionFilter {
            seen_by: Some(permit.user()),
            dialect: Some(dialect),
            ..ConnectionFilter::default()
        };
        Ok(self.store.list_connections_after(permit.org(), &filter, after, limit).await?)
    }
}
