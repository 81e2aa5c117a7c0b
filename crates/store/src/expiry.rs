//! Credentials whose time is nearly over, and that somebody was warned of it.

use std::time::Duration;

use claviger_model::{Credential, OrgId, Timestamp};
use serde_json::json;

use crate::credentials::{COLUMNS, read_credential};
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError};

impl Change {
    /// Records that a credential's time is nearly over. Warnings of what is over are forgotten with it.
    ///
    /// Refused with [`Refusal::Conflict`] where that was done before, and with [`Refusal::Stale`] where the
    /// credential is dead by now, or ends at another time.
    pub fn warn_of_expiry(credential: &Credential, within: Duration, now: Timestamp) -> Self {
        let (id, org) = (credential.id, credential.org);
        let ends = credential.expiry.timestamp();
        let seconds = seconds(within);
        let detail = json!({
            "kind": credential.kind().as_str(),
            "name": credential.name,
            "last4": credential.last4,
            "expires_at": ends.map(Timestamp::micros),
            "within_seconds": seconds,
        });
        let subject = ("credential", id.to_string());
        Self::new(org, &Actor::SERVER, "credential.expiring", subject, detail)
            .require(
                "SELECT 1 FROM credentials WHERE id = $1 AND org_id = $2 AND expires_at = $3 AND revoked_at IS NULL",
                params![id, org, ends],
                Refusal::Stale,
            )
            .one(
                "INSERT INTO expiry_warnings (credential_id, expires_at, within_seconds) VALUES ($1, $2, $3)",
                params![id, ends, seconds],
                Refusal::Conflict,
            )
            .any("DELETE FROM expiry_warnings WHERE expires_at < $1", params![now])
    }
}

impl Store {
    /// Up to `limit` live credentials of an org that end after `now` and within so long, of whose end nobody was
    /// warned as late as that; the first to end first. Sessions are not among them: they always end soon, and nobody
    /// replaces them.
    pub async fn list_expiring(
        &self,
        org: OrgId,
        now: Timestamp,
        within: Duration,
        limit: u32,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.org_id = $1 AND c.revoked_at IS NULL AND c.expires_at IS NOT NULL
             AND c.kind <> 'session' AND c.expires_at > $2 AND c.expires_at <= $3
             AND NOT EXISTS (SELECT 1 FROM expiry_warnings w WHERE w.credential_id = c.id
                 AND w.expires_at = c.expires_at AND w.within_seconds <= $4)
             ORDER BY c.expires_at, c.id LIMIT $5"
        );
        let params = params![org, now, now + within, seconds(within), limit];
        let mut found = Vec::new();
        self.each(&sql, &params, |row| Ok(found.push(read_credential(row)?))).await?;
        Ok(found)
    }
}

pub(crate) fn seconds(within: Duration) -> i64 {
    i64::try_from(within.as_secs()).unwrap_or(i64::MAX)
}
