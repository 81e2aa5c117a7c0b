//! Sessions: beginning one, and ending those of a user. Each is a credential of its own kind.

use claviger_model::{Credential, CredentialKind, OrgId, Timestamp, User, UserId};
use serde_json::json;

use crate::credentials::{COLUMNS, NewSecret, read_credential, subject};
use crate::passwords::dead;
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError, state};

impl Change {
    /// Begins a session of a user who has shown a password, the one of that revision, and ends some of the user's others.
    ///
    /// Refused with [`Refusal::Stale`] where user or password were changed in between, or one of those that it ends is
    /// dead already, with [`Refusal::LimitReached`] beyond [`crate::SESSIONS_PER_USER_MAX`], and with
    /// [`Refusal::Conflict`] where the secret is, or was ever, somebody's.
    pub fn begin_session(
        session: &Credential,
        secret: &NewSecret,
        user: &User,
        password_revision: i64,
        ended: &[Credential],
        actor: &Actor,
    ) -> Self {
        let at = session.created_at;
        let detail = json!({
            "kind": session.kind().as_str(),
            "name": session.name,
            "last4": session.last4,
            "ended": ended.len(),
        });
        let states = dead(ended, at).chain([state::credential(session, &[secret.digest.into()])]);
        let detail = state::with_states(detail, states);
        Self::new(session.org, actor, "credential.created", subject(session.id), detail)
            .requiring_password(user, password_revision)
            .killing_sessions(ended, at, user.id)
            .with_credential(session, secret)
    }

    /// Ends all sessions of a user: `killed`, and no others.
    ///
    /// Refused with [`Refusal::Stale`] where there are others by now.
    pub(crate) fn ending_sessions(self, user: &User, killed: &[Credential], at: Timestamp) -> Self {
        self.killing_sessions(killed, at, user.id).require(
            "SELECT 1 WHERE NOT EXISTS (
                 SELECT 1 FROM credentials WHERE owner_id = $1 AND org_id = $2 AND kind = $3 AND revoked_at IS NULL)",
            params![user.id, user.org, CredentialKind::Session],
            Refusal::Stale,
        )
    }

    fn killing_sessions(self, killed: &[Credential], at: Timestamp, by: UserId) -> Self {
        killed.iter().fold(self, |change, session| {
            change.killing_credential(session, at, by).counting_even_the_last_less(session)
        })
    }
}

impl Store {
    /// The live sessions of a user, the oldest first.
    pub async fn list_sessions_of(&self, org: OrgId, owner: UserId) -> Result<Vec<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.owner_id = $1 AND c.org_id = $2 AND c.kind = $3 AND c.revoked_at IS NULL
             ORDER BY c.created_at, c.id"
        );
        self.long_rows(sql, params![owner, org, CredentialKind::Session], read_credential).await
    }
}
