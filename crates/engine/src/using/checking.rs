//! Connections that the server tests by itself, as their terms say: nobody asks for it, so nobody's right is looked at.

use std::sync::Arc;

use claviger_model::{Connection, ConnectionId, OrgId};

use super::{UsableConnection, UseKey};
use crate::{Engine, Error};

/// A connection that its terms say is to be tested by now. Only [`Engine::connections_to_check`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueConnection {
    org: OrgId,
    id: ConnectionId,
}

impl DueConnection {
    /// Whose it is.
    pub fn org(self) -> OrgId {
        self.org
    }

    /// The connection.
    pub fn id(self) -> ConnectionId {
        self.id
    }
}

impl Engine {
    /// Up to `limit` connections that are to be tested by now, the orgs in turns, and of each those first that wait longest;
    /// none while this server may not answer.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn connections_to_check(&self, limit: u32) -> Result<Vec<DueConnection>, Error> {
        if !self.is_available() {
            return Ok(Vec::new());
        }
        let found = self.store.list_connections_to_check(self.clock.now(), limit).await?;
        Ok(found.into_iter().map(|(org, id)| DueConnection { org, id }).collect())
    }

    /// Such a connection, opened.
    ///
    /// # Errors
    /// [`Error::Absent`] where it is gone meanwhile.
    pub async fn connection_to_check(&self, due: DueConnection) -> Result<Arc<UsableConnection>, Error> {
        let DueConnection { org, id } = due;
        let usable = match self.directory.used.get(org, id) {
            Some(kept) => kept,
            None => self.read_usable(org, UseKey::Id(id)).await?,
        };
        usable.note_use(self.clock.now());
        Ok(usable)
    }

    /// Whether the server may go on with a test of its own: the org is not disabled, and the connection not at its end.
    pub fn may_check(&self, connection: &Connection) -> bool {
        let now = self.clock.now();
        self.is_available() && self.directory.is_enabled(connection.org) && !connection.is_over(now)
    }
}
