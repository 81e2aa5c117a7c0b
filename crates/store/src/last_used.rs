//! When credentials and connections were last used, and what tests said of connections: narrow tables of their own, written in batches, never in the
//! ledger.

use claviger_model::{Connection, ConnectionId, CredentialId, Health, Timestamp};

use crate::value::params;
use crate::{Change, CommitError, Store};

impl Store {
    /// Records when credentials were used; of two moments for the same one, the later stays.
    pub async fn record_last_used(&self, used: &[(CredentialId, Timestamp)]) -> Result<(), CommitError> {
        let upsert = |change: Change, (id, at): &(CredentialId, Timestamp)| {
            change.any(
                "INSERT INTO last_used (credential_id, at) VALUES ($1, $2)
                 ON CONFLICT (credential_id) DO UPDATE SET at = excluded.at WHERE excluded.at > last_used.at",
                params![*id, *at],
            )
        };
        self.commit(used.iter().fold(Change::unrecorded(), upsert)).await.map(|_| ())
    }

    /// The same of connections. Of those that are gone by now, nothing is kept.
    pub async fn record_connections_used(
        &self,
        used: &[(ConnectionId, Timestamp)],
    ) -> Result<(), CommitError> {
        let upsert = |change: Change, (id, at): &(ConnectionId, Timestamp)| {
            change.any(
                "INSERT INTO connection_standings (connection_id, last_used_at)
                 SELECT id, CAST($2 AS BIGINT) FROM connections WHERE id = $1
                 ON CONFLICT (connection_id) DO UPDATE SET last_used_at = excluded.last_used_at
                 WHERE connection_standings.last_used_at IS NULL
                     OR excluded.last_used_at > connection_standings.last_used_at",
                params![*id, *at],
            )
        };
        self.commit(used.iter().fold(Change::unrecorded(), upsert)).await.map(|_| ())
    }

    /// Keeps what a test said of a connection. Of one that was changed since it was tested, or is gone, nothing is kept.
    pub async fn record_connection_health(
        &self,
        tested: &Connection,
        health: Health,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let change = Change::unrecorded().any(
            "INSERT INTO connection_standings (connection_id, health, health_reason, health_at)
             SELECT id, CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT) FROM connections
             WHERE id = $1 AND revision = $2
             ON CONFLICT (connection_id) DO UPDATE SET health = excluded.health,
                 health_reason = excluded.health_reason, health_at = excluded.health_at",
            params![tested.id, tested.revision, health.as_str(), reason, now],
        );
        self.commit(change).await.map(|_| ())
    }
}
