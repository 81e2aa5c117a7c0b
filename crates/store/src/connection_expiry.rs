//! Connections whose time is nearly over, and that somebody was warned of it.

use std::time::Duration;

use claviger_model::{Connection, OrgId, Timestamp};
use serde_json::json;

use crate::connections::{COLUMNS, read_connection, subject};
use crate::expiry::seconds;
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError};

impl Change {
    /// Records that a connection's time is nearly over. Warnings of what is over are forgotten with it.
    ///
    /// Refused with [`Refusal::Conflict`] where that was done before, and with [`Refusal::Stale`] where the
    /// connection is gone by now, or ends at another time.
    pub fn warn_of_connection_expiry(connection: &Connection, within: Duration, now: Timestamp) -> Self {
        let (id, org, ends) = (connection.id, connection.org, connection.expires_at);
        let seconds = seconds(within);
        let detail = json!({
            "name": connection.name,
            "integration": connection.integration,
            "credentials": connection.credentials,
            "expires_at": ends.map(Timestamp::micros),
            "within_seconds": seconds,
        });
        Self::new(org, &Actor::SERVER, "connection.expiring", subject(id), detail)
            .require(
                "SELECT 1 FROM connections WHERE id = $1 AND org_id = $2 AND expires_at = $3",
                params![id, org, ends],
                Refusal::Stale,
            )
            .one(
                "INSERT INTO connection_expiry_warnings (connection_id, expires_at, within_seconds)
                 VALUES ($1, $2, $3)",
                params![id, ends, seconds],
                Refusal::Conflict,
            )
            .any("DELETE FROM connection_expiry_warnings WHERE expires_at < $1", params![now])
    }
}

impl Store {
    /// Up to `limit` connections of an org that end after `now` and within so long, of whose end nobody was warned as
    /// late as that; the first to end first.
    pub async fn list_expiring_connections(
        &self,
        org: OrgId,
        now: Timestamp,
        within: Duration,
        limit: u32,
    ) -> Result<Vec<Connection>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM connections i
             WHERE i.org_id = $1 AND i.expires_at IS NOT NULL AND i.expires_at > $2 AND i.expires_at <= $3
             AND NOT EXISTS (SELECT 1 FROM connection_expiry_warnings w WHERE w.connection_id = i.id
                 AND w.expires_at = i.expires_at AND w.within_seconds <= $4)
             ORDER BY i.expires_at, i.id LIMIT $5"
        );
        let params = params![org, now, now + within, seconds(within), limit];
        let mut found = Vec::new();
        self.each(&sql, &params, |row| Ok(found.push(read_connection(row)?))).await?;
        Ok(found)
    }
}
