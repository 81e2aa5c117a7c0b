//! Calls of connections that want each call written down before it is made.
//!
//! What is written first says that the call began; how it ended takes its place, with the others' lines. A server that is
//! killed between the two leaves the first.

use claviger_engine::CallBatch;
use claviger_model::Timestamp;
use uuid::Uuid;

use super::Noted;
use crate::refusal::Refusal;

/// What was written when a call began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    pub(super) row: Uuid,
    pub(super) at: Timestamp,
}

impl Noted {
    /// Writes down that the call begins; once this returns, that is kept.
    ///
    /// # Errors
    /// [`Refusal::Unrecorded`].
    pub(crate) async fn begin(&mut self) -> Result<(), Refusal> {
        let engine = self.app.engine();
        let begun = Begun { row: engine.new_batch_id(), at: engine.clock().now() };
        // Before it is written: whoever is told that it was not may have been told wrongly.
        self.begun = Some(begun);
        let batch = CallBatch {
            id: begun.row,
            org: self.line.org,
            connection: self.line.connection,
            begun_at: None,
            first_at: begun.at,
            last_at: begun.at,
            calls: 1,
            lines: self.line.written(begun.at, None) + "\n",
        };
        engine.record_calls(&[batch]).await.map_err(|error| {
            let error = claviger_model::chain(&error);
            tracing::error!(error, "a call cannot be recorded: it is not made");
            Refusal::Unrecorded
        })
    }
}
