//! Connections that are to be tested again by the server itself.

use claviger_model::{ConnectionId, OrgId, Timestamp};

use crate::value::params;
use crate::{Store, StoreError};

impl Store {
    /// Up to `limit` connections that nobody tested yet, or not for as long as their terms say: the orgs in turns, so that
    /// one with many does not keep the others waiting, and of each those first that wait longest. None of an org that is
    /// disabled, and none whose time is over.
    ///
    /// What they wait is up to a tenth longer than said, each by a part of its own, taken from the microseconds at which it was
    /// made: what was tested at once, after a time without a server, comes apart.
    pub async fn list_connections_to_check(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(OrgId, ConnectionId)>, StoreError> {
        let sql = "SELECT org_id, id FROM (
                       SELECT i.org_id, i.id, COALESCE(s.health_at, 0) AS since, ROW_NUMBER() OVER (
                           PARTITION BY i.org_id ORDER BY COALESCE(s.health_at, 0), i.id) AS turn
                       FROM connections i JOIN orgs o ON o.id = i.org_id
                       LEFT JOIN connection_standings s ON s.connection_id = i.id
                       WHERE i.check_seconds IS NOT NULL AND o.disabled_at IS NULL
                       AND (i.expires_at IS NULL OR i.expires_at > $1)
                       AND (s.health_at IS NULL
                           OR s.health_at + i.check_seconds * (1000000 + i.created_at % 100000) <= $1)) due
                   ORDER BY turn, since, id LIMIT $2";
        self.rows(sql, &params![now, limit], |row| Ok((row.parsed(0)?, row.parsed(1)?))).await
    }
}
