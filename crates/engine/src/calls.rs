//! What was called through connections.

use claviger_model::{ConnectionId, Relation, Timestamp};
use claviger_store::CallBatch;
use uuid::Uuid;

use crate::permit::rights::ConnectionsRead;
use crate::{Engine, Error, Permit};

impl Engine {
    /// An id for some calls.
    pub fn new_batch_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.vault.random().fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// Keeps what was called: all of it, or none. Giving the same batches again does no harm.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn record_calls(&self, batches: &[CallBatch]) -> Result<(), Error> {
        Ok(self.store.record_calls(batches).await?)
    }

    /// Up to `limit` batches of what was called through a connection, the latest first, for whoever may see it. A
    /// connection that is gone shows nothing any more.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Restricted`] where its restriction does not make the caller its viewer.
    pub async fn list_calls(
        &self,
        permit: &Permit<ConnectionsRead>,
        id: ConnectionId,
        before: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<CallBatch>, Error> {
        self.connection_for(permit.caller(), id.into(), Relation::Viewer).await?;
        Ok(self.store.list_calls(permit.org(), id, before, limit).await?)
    }

    /// Erases some of what was called before a moment. Tells whether that was all of it.
    ///
    /// # Errors
    /// When it cannot be done.
    pub async fn forget_calls(&self, before: Timestamp) -> Result<bool, Error> {
        Ok(self.store.forget_calls(before).await?)
    }
}
