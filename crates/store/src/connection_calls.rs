//! What was called through connections: written in batches, kept for a while, and never in the ledger.

use claviger_model::{ConnectionId, OrgId, Timestamp};
use uuid::Uuid;

use crate::value::{Row, params};
use crate::{Change, CommitError, Store, StoreError};

/// Some calls of one connection, in the order in which they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBatch {
    /// Tells it apart from others that end at the same moment.
    pub id: Uuid,
    /// The org.
    pub org: OrgId,
    /// The connection.
    pub connection: ConnectionId,
    /// Of one call that takes the place of what was kept when it began: when that was.
    pub begun_at: Option<Timestamp>,
    /// When the first ended, or began if it has not ended.
    pub first_at: Timestamp,
    /// The same of the last.
    pub last_at: Timestamp,
    /// How many they are.
    pub calls: u32,
    /// A JSON array for each, a line each.
    pub lines: String,
}

/// Batches that are erased at once, so that nobody waits long behind it.
const ERASED_AT_ONCE: i64 = 200;

fn read(row: &dyn Row) -> Result<CallBatch, StoreError> {
    Ok(CallBatch {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        connection: row.parsed(2)?,
        begun_at: None,
        first_at: row.get(3)?,
        last_at: row.get(4)?,
        calls: u32::try_from(row.get::<i64>(5)?).unwrap_or(u32::MAX),
        lines: row.get(6)?,
    })
}

impl Store {
    /// Keeps what was called: all of it, or none. What is kept already is not kept twice.
    pub async fn record_calls(&self, batches: &[CallBatch]) -> Result<(), CommitError> {
        let insert = |change: Change, batch: &CallBatch| {
            let change = match batch.begun_at {
                Some(begun_at) => change.any(
                    "DELETE FROM connection_calls WHERE connection_id = $1 AND last_at = $2 AND id = $3",
                    params![batch.connection, begun_at, batch.id.to_string()],
                ),
                None => change,
            };
            change.any(
                "INSERT INTO connection_calls (connection_id, org_id, id, first_at, last_at, calls, lines)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (connection_id, last_at, id) DO NOTHING",
                params![
                    batch.connection,
                    batch.org,
                    batch.id.to_string(),
                    batch.first_at,
                    batch.last_at,
                    batch.calls,
                    batch.lines.as_str(),
                ],
            )
        };
        self.commit(batches.iter().fold(Change::unrecorded(), insert)).await.map(|_| ())
    }

    /// Up to `limit` batches of a connection's calls, the latest first: those that ended before the one named, if one is.
    pub async fn list_calls(
        &self,
        org: OrgId,
        connection: ConnectionId,
        before: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<CallBatch>, StoreError> {
        let (at, id) = match before {
            Some((at, id)) => (at.micros(), id.to_string()),
            None => (i64::MAX, String::new()),
        };
        let sql = "SELECT id, org_id, connection_id, first_at, last_at, calls, lines FROM connection_calls
                   WHERE connection_id = $1 AND org_id = $2 AND (last_at < $3 OR (last_at = $3 AND id < $4))
                   ORDER BY last_at DESC, id DESC LIMIT $5";
        self.rows(sql, &params![connection, org, at, id, limit], read).await
    }

    /// Erases some of what ended before a moment. Tells whether that was all of it.
    pub async fn forget_calls(&self, before: Timestamp) -> Result<bool, CommitError> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM connection_calls WHERE last_at < $1 LIMIT $2) AS old";
        let found =
            self.row(sql, &params![before, ERASED_AT_ONCE], |row| row.get::<i64>(0)).await?.unwrap_or(0);
        if found > 0 {
            let change = Change::unrecorded().any(
                "DELETE FROM connection_calls WHERE (connection_id, last_at, id) IN (
                     SELECT connection_id, last_at, id FROM connection_calls WHERE last_at < $1 LIMIT $2)",
                params![before, ERASED_AT_ONCE],
            );
            self.commit(change).await?;
        }
        Ok(found < ERASED_AT_ONCE)
    }
}
