//! Everything of connections but their secrets, for bringing them in elsewhere.

use claviger_model::{Connection, ConnectionId};
use claviger_store::ConnectionFilter;
use serde_json::Value as Json;

use super::CATALOGUED;
use crate::permit::rights::ConnectionsRead;
use crate::{Engine, Error, Permit};

/// A connection as an export has it.
#[derive(Debug)]
pub struct ExportedConnection {
    /// What is kept in clear.
    pub connection: Connection,
    /// Its `integration` value, with every secret empty.
    pub integration: Json,
}

impl Engine {
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
        if !self.store.may_still_act(permit.org(), &permit.actor()).await? {
            return Err(Error::CallerGone);
        }
        let filter = ConnectionFilter {
            seen_by: Some(permit.user()),
            dialect: Some(CATALOGUED),
            ..ConnectionFilter::default()
        };
        let found = self.store.list_connections_after(permit.org(), &filter, after, limit).await?;
        let shown = found.into_iter().map(|connection| {
            let shown = self.show(permit.caller(), connection, Default::default(), Vec::new())?;
            Ok(ExportedConnection { connection: shown.connection, integration: shown.integration })
        });
        shown.collect()
    }
}
