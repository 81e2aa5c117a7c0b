//! Rotation: a credential gets a new secret, and the old one goes on for a while or dies at once.
//!
//! The secrets of a credential are counted by their revision. The newest is the one without an end of its own; at
//! most one older one is alive beside it. What was sealed of the older one is erased as soon as it is replaced:
//! whoever may see the secret again is shown the newest.

use claviger_model::{Credential, Timestamp};
use serde_json::json;

use crate::credentials::subject;
use crate::value::params;
use crate::{Actor, Change, LiveSecret, NewSecret, Refusal, Store, StoreError, state};

/// A new secret for a credential.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a> {
    /// The credential with what follows from its new secret, and with the revision that was read.
    pub credential: &'a Credential,
    /// The last characters of the old secret, for the record.
    pub last4_before: &'a str,
    /// The secret that is replaced.
    pub replaced: &'a LiveSecret,
    /// Until when that one goes on; none where it dies at once.
    pub valid_until: Option<Timestamp>,
    /// The new secret.
    pub secret: &'a NewSecret,
    /// The number of the new secret.
    pub secret_revision: i64,
    /// When it is done.
    pub at: Timestamp,
}

impl Change {
    /// Replaces the secret of a live credential. An older one that still went on dies.
    ///
    /// Refused with [`Refusal::Stale`] where the credential has another revision by now, or is dead.
    pub fn rotate_secret(rotation: &Rotation<'_>, actor: &Actor) -> Self {
        let Rotation { credential, secret, valid_until, at, .. } = *rotation;
        let detail = json!({
            "kind": credential.kind().as_str(),
            "name": credential.name,
            "last4": credential.last4,
            "was": rotation.last4_before,
            "old_valid_until": valid_until.map(Timestamp::micros),
            "shown": true,
        });
        let replaced = valid_until.map(|_| LiveSecret { valid_until, ..*rotation.replaced });
        let live: Vec<_> = replaced.into_iter().chain([secret.digest.into()]).collect();
        let detail = state::with_states(detail, [state::credential(credential, &live)]);
        let dead_at = match valid_until {
            Some(_) => None,
            None => Some(at),
        };
        Self::new(credential.org, actor, "credential.rotated", subject(credential.id), detail)
            .one(
                "UPDATE credentials SET last4 = $1, public_portion = $2, modified_at = $3, modified_by = $4,
                     revision = revision + 1
                 WHERE id = $5 AND org_id = $6 AND revision = $7 AND revoked_at IS NULL",
                params![
                    credential.last4.as_bytes().to_vec(),
                    credential.detail.public_portion(),
                    credential.modified_at,
                    credential.modified_by,
                    credential.id,
                    credential.org,
                    credential.revision,
                ],
                Refusal::Stale,
            )
            .any(
                "UPDATE secrets SET dead_at = $1, sealed = NULL
                 WHERE credential_id = $2 AND org_id = $3 AND dead_at IS NULL AND digest <> $4",
                params![at, credential.id, credential.org, &rotation.replaced.digest],
            )
            .one(
                "UPDATE secrets SET dead_at = $1, valid_until = $2, sealed = NULL
                 WHERE credential_id = $3 AND org_id = $4 AND dead_at IS NULL AND digest = $5",
                params![dead_at, valid_until, credential.id, credential.org, &rotation.replaced.digest],
                Refusal::Stale,
            )
            .with_secret(credential, secret, rotation.secret_revision, at)
    }

    /// Buries the replaced secrets of a live credential whose time is over. `left` are the live ones that remain.
    ///
    /// Refused with [`Refusal::Stale`] where the credential has another revision by now, or is dead.
    pub fn end_rotation(credential: &Credential, left: &[LiveSecret], at: Timestamp, actor: &Actor) -> Self {
        let detail = json!({ "kind": credential.kind().as_str(), "name": credential.name });
        let detail = state::with_states(detail, [state::credential(credential, left)]);
        Self::new(credential.org, actor, "credential.rotation_ended", subject(credential.id), detail)
            .one(
                "UPDATE credentials SET revision = revision + 1
                 WHERE id = $1 AND org_id = $2 AND revision = $3 AND revoked_at IS NULL",
                params![credential.id, credential.org, credential.revision],
                Refusal::Stale,
            )
            .any(
                "UPDATE secrets SET dead_at = $1, sealed = NULL
                 WHERE credential_id = $2 AND org_id = $3 AND dead_at IS NULL AND valid_until <= $1",
                params![at, credential.id, credential.org],
            )
    }
}

impl Store {
    /// The number of a credential's newest secret, dead or alive; 0 where it has none.
    pub async fn find_secret_revision(&self, credential: &Credential) -> Result<i64, StoreError> {
        let sql = "SELECT MAX(revision) FROM secrets WHERE credential_id = $1 AND org_id = $2";
        let newest = self.row(sql, &params![credential.id, credential.org], |row| row.opt(0)).await?;
        Ok(newest.flatten().unwrap_or(0))
    }
}
