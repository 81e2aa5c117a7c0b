//! Who renews the token of an OAuth connection. A fence is a number that grows: whoever takes one has committed it before
//! asking the authorization server for anything, and only the holder of the last one may store what came of it.

use claviger_model::{Connection, ConnectionId, Health, OrgId, Timestamp, ZisOAuthClientId};
use serde_json::json;

use crate::connections::{self, told};
use crate::value::params;
use crate::{Actor, Change, ConnectionSecret, Refusal, Store, StoreError};

/// How a reason begins that only a refused grant leaves.
const REASON: &str = "oauth: ";

/// A number, and what was said of the connection before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZisOAuthFence {
    /// The last one that was taken; 0 where none ever was.
    pub number: i64,
    /// Until when nobody else takes the next; none where nobody holds it.
    pub until: Option<Timestamp>,
    /// What the authorization server refused for good, and when.
    pub refused: Option<RefusedGrant>,
}

/// A refusal that stands until something changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedGrant {
    /// The connection's revision then.
    pub revision: i64,
    /// The client's grant revision then.
    pub grant_revision: i64,
    /// The authorization server's code.
    pub code: String,
}

/// Who holds a fence, and for which grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FenceHolder {
    /// The fence.
    pub fence: i64,
    /// The client.
    pub client: ZisOAuthClientId,
    /// Its grant revision when the fence was taken.
    pub grant_revision: i64,
}

impl Change {
    /// Takes the next fence, after `read`; not recorded, since nothing of the connection changes.
    ///
    /// Refused with [`Refusal::Superseded`] where somebody else took it, or holds the last one still.
    pub fn take_zis_oauth_fence(
        org: OrgId,
        connection: ConnectionId,
        read: i64,
        now: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self::unrecorded().one(
            "INSERT INTO zis_oauth_refreshes (connection_id, org_id, fence, until) VALUES ($1, $2, CAST($3 AS BIGINT) + 1, $4)
             ON CONFLICT (connection_id) DO UPDATE SET fence = excluded.fence, until = excluded.until
             WHERE zis_oauth_refreshes.fence = CAST($3 AS BIGINT) AND zis_oauth_refreshes.until <= $5",
            params![connection, org, read, until, now],
            Refusal::Superseded,
        )
    }

    /// Lets a fence go: whoever comes next need not wait for its end.
    pub fn release_zis_oauth_fence(connection: ConnectionId, fence: i64) -> Self {
        Self::unrecorded().any(
            "UPDATE zis_oauth_refreshes SET until = 0 WHERE connection_id = $1 AND fence = $2",
            params![connection, fence],
        )
    }

    /// Stores what the holder of a fence came by. `connection` is the new state, with the revision that was read.
    ///
    /// Refused with [`Refusal::Superseded`] where somebody else took the next fence, or the client is another one by now,
    /// and with [`Refusal::Stale`] where the connection has another revision.
    pub fn renew_connection(
        connection: &Connection,
        written: &[ConnectionSecret],
        erased: &[String],
        holder: FenceHolder,
    ) -> Self {
        Self::changing_connection("connection.refreshed", connection, written, erased, &[], &Actor::SERVER)
            .with_changed_connection(connection, written, erased)
            .holding_fence(connection, holder)
            .any(
                "UPDATE zis_oauth_refreshes SET until = 0, refused_revision = NULL, refused_grant_revision = NULL,
                     refused_code = NULL
                 WHERE connection_id = $1",
                params![connection.id],
            )
            .forgiving_refusal(connection.id)
    }

    fn holding_fence(self, connection: &Connection, holder: FenceHolder) -> Self {
        self.require(
            "SELECT 1 FROM zis_oauth_refreshes WHERE connection_id = $1 AND org_id = $2 AND fence = $3",
            params![connection.id, connection.org, holder.fence],
            Refusal::Superseded,
        )
        .requiring_grant(connection.org, holder.client, holder.grant_revision)
    }

    /// Records that the authorization server refused for good, lets the fence go, and marks the connection's health.
    ///
    /// Refused with [`Refusal::Superseded`] as [`Change::renew_connection`] is.
    pub fn refuse_renewal(connection: &Connection, code: &str, holder: FenceHolder, now: Timestamp) -> Self {
        let mut detail = told(connection);
        detail["error"] = json!(code);
        let subject = connections::subject(connection.id);
        Self::new(connection.org, &Actor::SERVER, "connection.refresh_refused", subject, detail)
            .holding_fence(connection, holder)
            .any(
                "UPDATE zis_oauth_refreshes SET until = 0, refused_revision = $1, refused_grant_revision = $2,
                     refused_code = $3
                 WHERE connection_id = $4",
                params![connection.revision, holder.grant_revision, code, connection.id],
            )
            .any(
                "INSERT INTO connection_standings (connection_id, health, health_reason, health_at)
                 SELECT id, CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS BIGINT) FROM connections WHERE id = $1
                 ON CONFLICT (connection_id) DO UPDATE SET health = excluded.health,
                     health_reason = excluded.health_reason, health_at = excluded.health_at",
                params![connection.id, Health::Bad.as_str(), format!("{REASON}{code}"), now],
            )
    }

    /// Takes back what a refused grant said of a connection's health, and nothing that a test said.
    pub(crate) fn forgiving_refusal(self, connection: ConnectionId) -> Self {
        self.any(
            "UPDATE connection_standings SET health = NULL, health_reason = NULL, health_at = NULL
             WHERE connection_id = $1 AND health_reason LIKE $2",
            params![connection, format!("{REASON}%")],
        )
    }
}

impl Store {
    /// The last fence of a connection.
    pub async fn find_zis_oauth_fence(
        &self,
        org: OrgId,
        connection: ConnectionId,
    ) -> Result<ZisOAuthFence, StoreError> {
        let sql = "SELECT fence, until, refused_revision, refused_grant_revision, refused_code
                   FROM zis_oauth_refreshes WHERE connection_id = $1 AND org_id = $2";
        let params = params![connection, org];
        let found = self.row(sql, &params, |row| {
            let until: i64 = row.get(1)?;
            let refused = match (row.opt(2)?, row.opt(3)?, row.opt(4)?) {
                (Some(revision), Some(grant_revision), Some(code)) => {
                    Some(RefusedGrant { revision, grant_revision, code })
                }
                _ => None,
            };
            let until = (until != 0).then(|| Timestamp::from_micros(until));
            Ok(ZisOAuthFence { number: row.get(0)?, until, refused })
        });
        Ok(found.await?.unwrap_or_default())
    }
}
