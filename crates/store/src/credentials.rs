//! Credentials and their secrets: making, changing, revoking.
//!
//! Listing is in [`crate::credential_list`].

mod columns;
mod counts;
mod find;
mod known;

pub(crate) use columns::{COLUMN_COUNT, COLUMNS, read_credential};
pub use counts::SESSIONS_PER_USER_MAX;
pub use find::SealedSecret;
pub use known::{KnownBinding, KnownSecret};
pub(crate) use known::{SELECT_KNOWN, read_known};

use claviger_model::{
    Credential, CredentialId, CredentialKind, CredentialState, OrgId, Scopes, Timestamp, UserId,
    collation_key,
};
use claviger_vault::Digest;
use columns::{api_key_columns, binding_columns, guard_columns, native_key_columns};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::credential_list::search_key;
use crate::value::params;
use crate::{Actor, Change, Refusal, state};

/// A new credential's secret, as the database keeps it.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The digest by which it is found.
    pub digest: Digest,
    /// The key of the digest.
    pub digest_key: Uuid,
    /// The secret, sealed for its place; none where it is never to be shown again.
    pub sealed: Option<Vec<u8>>,
}

/// A live secret, as the record of a credential names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveSecret {
    /// Its digest.
    pub digest: Digest,
    /// Until when it goes on, where a newer secret has replaced it.
    pub valid_until: Option<Timestamp>,
}

impl From<Digest> for LiveSecret {
    fn from(digest: Digest) -> Self {
        Self { digest, valid_until: None }
    }
}

/// Whether names must be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They need not be.
    Any,
    /// No two live credentials of a kind and an owner may share one.
    UniquePerOwner,
}

/// The revision of a credential's first secret.
pub const FIRST_SECRET_REVISION: i64 = 1;

pub(crate) fn subject(id: CredentialId) -> (&'static str, String) {
    ("credential", id.to_string())
}

impl Change {
    /// Makes a credential with its first secret, within the limits of its org.
    ///
    /// Refused with [`Refusal::LimitReached`], [`Refusal::OwnerDisabled`], [`Refusal::NameTaken`], or
    /// [`Refusal::Conflict`] where the secret is, or was ever, somebody's.
    pub fn create_credential(
        credential: &Credential,
        secret: &NewSecret,
        names: Names,
        actor: &Actor,
    ) -> Self {
        let detail = json!({
            "kind": credential.kind().as_str(),
            "name": credential.name,
            "last4": credential.last4,
            "shown": true,
        });
        let detail = state::with_states(detail, [state::credential(credential, &[secret.digest.into()])]);
        let change = Self::new(credential.org, actor, "credential.created", subject(credential.id), detail)
            .checking_name(credential, names)
            .with_credential(credential, secret);
        match credential.detail.owner().filter(|owner| *owner != credential.created_by) {
            None => change,
            // Whoever was given a key is not waited for any more.
            Some(owner) => change.any(
                "UPDATE users SET verified = 1 WHERE id = $1 AND org_id = $2 AND verified = 0",
                params![owner, credential.org],
            ),
        }
    }

    /// Refuses a name that another live credential of the same owner has, where names are to be unique.
    fn checking_name(self, credential: &Credential, names: Names) -> Self {
        match names {
            Names::Any => self,
            Names::UniquePerOwner => self.require(
                "SELECT 1 WHERE NOT EXISTS (
                     SELECT 1 FROM credentials WHERE owner_id = $1 AND kind = $2 AND name = $3 AND id <> $4
                     AND org_id = $5 AND revoked_at IS NULL)",
                params![
                    credential.detail.owner(),
                    credential.kind(),
                    credential.name.as_str(),
                    credential.id,
                    credential.org,
                ],
                Refusal::NameTaken,
            ),
        }
    }

    /// Adds the rows of a new credential.
    pub(crate) fn with_credential(self, credential: &Credential, secret: &NewSecret) -> Self {
        let Credential { id, org, .. } = *credential;
        let (category, remote_config_read) = api_key_columns(&credential.detail);
        let (external_id, metadata) = native_key_columns(&credential.detail);
        let (allow_list, requests_max, requests_period) = guard_columns(&credential.guards);
        let (zis_integration, zis_scopes, number) = binding_columns(&credential.detail);
        let change = match zis_integration {
            None => self,
            Some(integration) => self.requiring_zis_integration(org, integration),
        };
        change
            .counting_one_more(credential)
            .naming(credential)
            .one(
                "INSERT INTO credentials (id, org_id, kind, owner_id, name, name_sort, name_search, last4, scopes,
                     category, remote_config_read, revision, created_at, created_by, modified_at, modified_by,
                     expires_at, public_portion, external_id, metadata, allow_list, requests_max, requests_period,
                     zis_integration_id, zis_scopes, token_number)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                     $20, $21, $22, $23, $24, $25, $26)",
                params![
                    id,
                    org,
                    credential.kind(),
                    credential.detail.owner(),
                    credential.name.as_str(),
                    collation_key(&credential.name),
                    search_key(&credential.name),
                    credential.last4.as_bytes().to_vec(),
                    credential.detail.scopes().map(Scopes::to_list),
                    category,
                    remote_config_read,
                    credential.revision,
                    credential.created_at,
                    credential.created_by,
                    credential.modified_at,
                    credential.modified_by,
                    credential.expiry,
                    credential.detail.public_portion(),
                    external_id,
                    metadata,
                    allow_list,
                    requests_max,
                    requests_period,
                    zis_integration,
                    zis_scopes,
                    number,
                ],
                Refusal::Conflict,
            )
            .with_secret(credential, secret, FIRST_SECRET_REVISION, credential.created_at)
    }

    /// Adds the row of a new secret, the first or a later one.
    pub(crate) fn with_secret(
        self,
        credential: &Credential,
        secret: &NewSecret,
        revision: i64,
        at: Timestamp,
    ) -> Self {
        let Credential { id, org, .. } = *credential;
        let change = self.one(
            "INSERT INTO secrets (digest, digest_key, org_id, credential_id, revision, sealed, created_at)
             SELECT $1, $2, $3, $4, $5, $6, $7
             WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE digest = $1)",
            params![&secret.digest, secret.digest_key, org, id, revision, secret.sealed.clone(), at],
            Refusal::Conflict,
        );
        match credential.kind() {
            CredentialKind::ApiKey
            | CredentialKind::PersonalAccessToken
            | CredentialKind::ServiceAccessToken
            | CredentialKind::NativeKey
            | CredentialKind::IntegrationToken
            | CredentialKind::Session => change,
            // Decided here and not by whoever asked, so that turning one-time read on misses none.
            CredentialKind::ApplicationKey => change.any(
                "UPDATE secrets SET sealed = NULL
                 WHERE credential_id = $1 AND (SELECT one_time_read FROM orgs WHERE id = $2) = 1",
                params![id, org],
            ),
        }
    }

    /// Changes what can be changed of a live credential: name, category, flags, scopes, guards. `credential` is the new
    /// state, with the revision that was read; `live` its live secrets.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is dead.
    pub fn update_credential(
        credential: &Credential,
        live: &[LiveSecret],
        changed: Json,
        names: Names,
        actor: &Actor,
    ) -> Self {
        let detail = json!({ "kind": credential.kind().as_str(), "changed": changed });
        let detail = state::with_states(detail, [state::credential(credential, live)]);
        let (category, remote_config_read) = api_key_columns(&credential.detail);
        let (external_id, metadata) = native_key_columns(&credential.detail);
        let (allow_list, requests_max, requests_period) = guard_columns(&credential.guards);
        let change = Self::new(credential.org, actor, "credential.updated", subject(credential.id), detail);
        change.checking_name(credential, names).no_longer_naming(credential).naming(credential).one(
            "UPDATE credentials SET name = $1, name_sort = $2, name_search = $3, scopes = $4, category = $5,
                 remote_config_read = $6, modified_at = $7, modified_by = $8, external_id = $9, metadata = $10,
                 expires_at = $11, allow_list = $12, requests_max = $13, requests_period = $14,
                 revision = revision + 1
             WHERE id = $15 AND org_id = $16 AND revision = $17 AND revoked_at IS NULL",
            params![
                credential.name.as_str(),
                collation_key(&credential.name),
                search_key(&credential.name),
                credential.detail.scopes().map(Scopes::to_list),
                category,
                remote_config_read,
                credential.modified_at,
                credential.modified_by,
                external_id,
                metadata,
                credential.expiry,
                allow_list,
                requests_max,
                requests_period,
                credential.id,
                credential.org,
                credential.revision,
            ],
            Refusal::Stale,
        )
    }

    /// Kills a live credential and its secrets for good; what was sealed is erased, the digests stay as
    /// tombstones. `credential` is what was read.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is dead, and with
    /// [`Refusal::LastOne`] for the org's last API key.
    pub fn revoke_credential(credential: &Credential, at: Timestamp, by: UserId, actor: &Actor) -> Self {
        let dead = Credential { state: CredentialState::Revoked { at }, ..credential.clone() };
        let detail = json!({ "kind": credential.kind().as_str(), "name": credential.name });
        let detail = state::with_states(detail, state::dead(&dead));
        Self::new(credential.org, actor, "credential.revoked", subject(credential.id), detail)
            .killing_credential(credential, at, by)
            .counting_one_less(credential)
    }

    /// Adds the statements that kill a live credential and its secrets, take its registration away, and count off the
    /// org's own permissions that it named; the credential itself is counted out apart.
    pub(crate) fn killing_credential(self, credential: &Credential, at: Timestamp, by: UserId) -> Self {
        self.naming_no_more(credential).one(
            "UPDATE credentials SET revoked_at = $1, modified_at = $1, modified_by = $2, revision = revision + 1
             WHERE id = $3 AND org_id = $4 AND revision = $5 AND revoked_at IS NULL",
            params![at, by, credential.id, credential.org, credential.revision],
            Refusal::Stale,
        )
        .any(
            "UPDATE secrets SET dead_at = $1, sealed = NULL
             WHERE credential_id = $2 AND org_id = $3 AND dead_at IS NULL",
            params![at, credential.id, credential.org],
        )
        .without_registration(credential)
    }

    /// Records that secrets of an org were shown, by name of the answer that showed them; changes nothing else.
    pub fn show_secrets(org: OrgId, shown: &[CredentialId], actor: &Actor) -> Self {
        let ids: Vec<_> = shown.iter().map(ToString::to_string).collect();
        let subject = match ids.as_slice() {
            [id] => ("credential", id.clone()),
            _ => ("org", org.to_string()),
        };
        Self::new(org, actor, "credential.shown", subject, json!({ "credentials": ids }))
    }
}
