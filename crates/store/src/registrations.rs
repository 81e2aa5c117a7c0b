//! Registrations: which application keys may manage connections.
//!
//! A row names an id, of which there need be no key: then it gives nobody anything, until there is one.

use claviger_model::{Credential, CredentialId, CredentialKind, OrgId, Timestamp};
use serde_json::json;

use crate::state::State;
use crate::value::params;
use crate::{Actor, Change, Page, Refusal, Store, StoreError, state};

/// The most registrations that an org may have. They may be of ids that no key has, so that the number of keys bounds
/// them not; and each new one counts them all.
pub const REGISTRATIONS_PER_ORG_MAX: u32 = 10_000;

fn subject(id: CredentialId) -> (&'static str, String) {
    ("registration", id.to_string())
}

/// What dies with a credential beside it: the registration that an application key may have.
pub(crate) fn gone_with(credential: &Credential) -> Option<State> {
    (credential.kind() == CredentialKind::ApplicationKey).then(|| state::gone(subject(credential.id)))
}

/// The statement that takes a registration away, for a restore, which kills without drawing up a change.
pub(crate) const DELETE: &str =
    "DELETE FROM app_key_registrations WHERE org_id = $1 AND application_key_id = $2";

impl Change {
    /// Registers an id. `key` is the live application key of that id, where the org has one.
    ///
    /// Refused with [`Refusal::Stale`] where it is registered by now or the key is dead, and with
    /// [`Refusal::LimitReached`] beyond [`REGISTRATIONS_PER_ORG_MAX`].
    pub fn register(
        org: OrgId,
        id: CredentialId,
        key: Option<&Credential>,
        at: Timestamp,
        actor: &Actor,
    ) -> Self {
        let detail = json!({ "name": key.map(|key| key.name.as_str()) });
        let detail = state::with_states(detail, [state::registration(org, id)]);
        let change = Self::new(org, actor, "registration.created", subject(id), detail);
        let change = match key {
            None => change,
            Some(key) => change.require(
                "SELECT 1 FROM credentials WHERE id = $1 AND org_id = $2 AND kind = $3 AND revoked_at IS NULL",
                params![key.id, org, CredentialKind::ApplicationKey],
                Refusal::Stale,
            ),
        };
        change
            .require(
                "SELECT 1 WHERE (SELECT COUNT(*) FROM app_key_registrations WHERE org_id = $1) < $2",
                params![org, REGISTRATIONS_PER_ORG_MAX],
                Refusal::LimitReached,
            )
            .one(INSERT, params![org, id, at], Refusal::Stale)
    }

    /// Takes a registration away.
    ///
    /// Refused with [`Refusal::Absent`] where there is none.
    pub fn unregister(org: OrgId, id: CredentialId, actor: &Actor) -> Self {
        let detail = state::with_states(json!({}), [state::gone(subject(id))]);
        Self::new(org, actor, "registration.deleted", subject(id), detail).one(
            DELETE,
            params![org, id],
            Refusal::Absent,
        )
    }

    /// Adds the row of a registration, which may be there.
    pub(crate) fn with_registration(self, org: OrgId, id: CredentialId, at: Timestamp) -> Self {
        self.any(INSERT, params![org, id, at])
    }

    /// Takes away the registration of an application key that dies.
    pub(crate) fn without_registration(self, credential: &Credential) -> Self {
        match credential.kind() {
            CredentialKind::ApplicationKey => self.any(DELETE, params![credential.org, credential.id]),
            _ => self,
        }
    }
}

const INSERT: &str =
    "INSERT INTO app_key_registrations (org_id, application_key_id, created_at) VALUES ($1, $2, $3)
     ON CONFLICT (org_id, application_key_id) DO NOTHING";

impl Store {
    /// Whether an actor of an org may still do what it was asked to do: as the changes of its own would find it.
    pub async fn may_still_act(&self, org: OrgId, actor: &Actor) -> Result<bool, StoreError> {
        for (sql, params) in actor.guards(Some(org)) {
            if self.row(sql, &params, |_| Ok(())).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A page of the ids that are registered in an org, oldest registration first, and how many there are in all. No
    /// key may have such an id.
    pub async fn list_registrations(
        &self,
        org: OrgId,
        page: Page,
    ) -> Result<(Vec<CredentialId>, i64), StoreError> {
        let sql = "SELECT COUNT(*) FROM app_key_registrations WHERE org_id = $1";
        let total = self.row(sql, &params![org], |row| row.get(0)).await?.unwrap_or(0);
        let sql = "SELECT application_key_id FROM app_key_registrations WHERE org_id = $1
                   ORDER BY created_at, application_key_id LIMIT $2 OFFSET $3";
        let ids = self.rows(sql, &params![org, page.limit, page.offset], |row| row.parsed(0)).await?;
        Ok((ids, total))
    }

    /// Whether an id is registered in an org.
    pub async fn is_registered(&self, org: OrgId, id: CredentialId) -> Result<bool, StoreError> {
        let sql = "SELECT application_key_id FROM app_key_registrations
                   WHERE org_id = $1 AND application_key_id = $2";
        let found: Option<CredentialId> = self.row(sql, &params![org, id], |row| row.parsed(0)).await?;
        Ok(found.is_some())
    }
}
