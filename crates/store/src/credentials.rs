//! Credentials and their secrets: making, changing, revoking, finding.
//!
//! Listing is in [`crate::credential_list`].

use claviger_model::{
    AllowList, Credential, CredentialDetail, CredentialId, CredentialKind, CredentialState, Expiry, Guards,
    OrgId, RequestLimit, Scopes, Timestamp, UserId, ZisIntegrationId, ZisScopes, collation_key,
};
use claviger_vault::Digest;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::credential_list::search_key;
use crate::value::{Row, Value, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

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

/// The most sessions that a user may have: a person with a few browsers on a few machines. Whoever signs in beyond it
/// ends the oldest.
pub const SESSIONS_PER_USER_MAX: u32 = 16;

/// The revision of a credential's first secret.
pub const FIRST_SECRET_REVISION: i64 = 1;

/// A secret that can be shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Which of the credential's secrets it is; the sealed value is bound to it.
    pub revision: i64,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

/// What the directory knows of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSecret {
    /// Its digest.
    pub digest: Digest,
    /// Its credential.
    pub credential: CredentialId,
    /// The credential's org.
    pub org: OrgId,
    /// The credential's kind.
    pub kind: CredentialKind,
    /// Whom it acts for.
    pub owner: Option<UserId>,
    /// What it is narrowed to.
    pub scopes: Option<Scopes>,
    /// Until when it is valid: as its credential, or not as long.
    pub expiry: Expiry,
    /// Until when it goes on, where a newer secret has replaced it.
    pub valid_until: Option<Timestamp>,
    /// What guards its credential.
    pub guards: Guards,
    /// Whether it may read remote configuration.
    pub remote_config_read: bool,
    /// Of an application key: whether it is registered for the management of connections.
    pub is_registered: bool,
    /// Whether secret and credential are both alive.
    pub is_live: bool,
    /// When the credential was last used.
    pub last_used: Option<Timestamp>,
    /// Of a native key: whose it is.
    pub external_id: Option<String>,
    /// Of a native key: what its org wants to know.
    pub metadata: Option<String>,
    /// Of an integration token: what it is bound to, and what it may do there.
    pub binding: Option<KnownBinding>,
}

/// What an integration token is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBinding {
    /// The integration.
    pub integration: ZisIntegrationId,
    /// Its name, which never changes.
    pub name: String,
    /// What the token may do there.
    pub scopes: ZisScopes,
}

/// The columns of a credential, joined with its last use; read by [`read_credential`].
pub(crate) const COLUMNS: &str = "c.id, c.org_id, c.kind, c.owner_id, c.name, c.last4, c.scopes, c.category,
     c.remote_config_read, c.revision, c.created_at, c.created_by, c.modified_at, c.modified_by, c.expires_at,
     c.revoked_at, l.at, c.public_portion, c.external_id, c.metadata, c.allow_list, c.requests_max,
     c.requests_period, c.zis_integration_id, c.zis_scopes, c.token_number";

/// How many columns [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 26;

pub(crate) fn read_credential(row: &dyn Row) -> Result<Credential, StoreError> {
    let detail = match row.parsed(2)? {
        CredentialKind::ApiKey => {
            CredentialDetail::ApiKey { category: row.get(7)?, remote_config_read: row.get(8)? }
        }
        CredentialKind::ApplicationKey => {
            CredentialDetail::ApplicationKey { owner: row.parsed(3)?, scopes: read_scopes(row, 6)? }
        }
        CredentialKind::PersonalAccessToken => CredentialDetail::PersonalAccessToken {
            owner: row.parsed(3)?,
            scopes: read_some_scopes(row, 6)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::ServiceAccessToken => CredentialDetail::ServiceAccessToken {
            owner: row.parsed(3)?,
            scopes: read_some_scopes(row, 6)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::NativeKey => CredentialDetail::NativeKey {
            prefix: row.parsed(17)?,
            permissions: read_scopes(row, 6)?,
            external_id: row.opt(18)?,
            metadata: row.opt(19)?,
        },
        CredentialKind::IntegrationToken => CredentialDetail::IntegrationToken {
            owner: row.parsed(3)?,
            integration: row.parsed(23)?,
            scopes: row.parsed(24)?,
            number: row.get(25)?,
            public_portion: row.get(17)?,
        },
        CredentialKind::Session => CredentialDetail::Session { owner: row.parsed(3)? },
    };
    Ok(Credential {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        detail,
        name: row.get(4)?,
        last4: String::from_utf8(row.get(5)?).map_err(|_| StoreError::damaged("column 5 is not UTF-8"))?,
        revision: row.get(9)?,
        created_at: row.get(10)?,
        created_by: row.parsed(11)?,
        modified_at: row.get(12)?,
        modified_by: row.parsed(13)?,
        expiry: Expiry::from(row.opt(14)?),
        guards: read_guards(row, 20)?,
        state: row.opt(15)?.map_or(CredentialState::Live, |at| CredentialState::Revoked { at }),
        last_used: row.opt(16)?,
    })
}

fn read_scopes(row: &dyn Row, column: usize) -> Result<Option<Scopes>, StoreError> {
    match row.text(column)? {
        None => Ok(None),
        Some(list) => Scopes::parse_stored(list.split_ascii_whitespace())
            .map_err(|_| StoreError::damaged("a credential has an unknown scope")),
    }
}

/// What guards a credential, in three columns from this one on.
fn read_guards(row: &dyn Row, column: usize) -> Result<Guards, StoreError> {
    let allow_list = row.text(column)?.map(AllowList::parse_list).transpose();
    let request_limit = match (row.opt(column + 1)?, row.opt(column + 2)?) {
        (None, None) => None,
        (Some(requests), Some(period)) => Some(RequestLimit::new(requests, period)),
        _ => return Err(StoreError::damaged("a credential has half of a limit")),
    };
    Ok(Guards {
        allow_list: allow_list
            .map_err(|_| StoreError::damaged("a credential's allow-list does not parse"))?,
        request_limit: request_limit
            .transpose()
            .map_err(|_| StoreError::damaged("a credential's limit is out of bounds"))?,
    })
}

/// The scopes of a kind that always has some.
fn read_some_scopes(row: &dyn Row, column: usize) -> Result<Scopes, StoreError> {
    read_scopes(row, column)?.ok_or_else(|| StoreError::damaged("a token has no scopes"))
}

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

    /// Counts the credential in, refusing beyond the limit and for a disabled owner.
    fn counting_one_more(self, credential: &Credential) -> Self {
        let (org, kind) = (credential.org, credential.kind());
        let row = |owner: String| params![org, kind, owner];
        let insert = "INSERT INTO credential_counts (org_id, kind, owner_id, live) VALUES ($1, $2, $3, 0)
             ON CONFLICT (org_id, kind, owner_id) DO NOTHING";
        // Both counts of what has an owner are kept: the org's without a limit.
        let of_owner = |change: Self, owner: UserId| {
            change
                .require(
                    "SELECT 1 FROM users WHERE id = $1 AND org_id = $2 AND disabled_at IS NULL",
                    params![owner, org],
                    Refusal::OwnerDisabled,
                )
                .any(insert, row(String::new()))
                .any(insert, row(owner.to_string()))
                .one(
                    "UPDATE credential_counts SET live = live + 1
                     WHERE org_id = $1 AND kind = $2 AND owner_id = $3",
                    row(String::new()),
                    Refusal::Absent,
                )
        };
        match &credential.detail {
            CredentialDetail::ApiKey { .. } => self.any(insert, row(String::new())).one(
                "UPDATE credential_counts SET live = live + 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3
                 AND live < (SELECT api_keys_max FROM orgs WHERE id = $1)",
                row(String::new()),
                Refusal::LimitReached,
            ),
            CredentialDetail::NativeKey { .. } => self.any(insert, row(String::new())).one(
                "UPDATE credential_counts SET live = live + 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3
                 AND live < (SELECT native_keys_max FROM orgs WHERE id = $1)",
                row(String::new()),
                Refusal::LimitReached,
            ),
            CredentialDetail::ApplicationKey { owner, .. }
            | CredentialDetail::PersonalAccessToken { owner, .. }
            | CredentialDetail::ServiceAccessToken { owner, .. }
            | CredentialDetail::IntegrationToken { owner, .. } => of_owner(self, *owner).one(
                "UPDATE credential_counts SET live = live + 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3
                 AND live < (SELECT application_keys_per_user_max FROM orgs WHERE id = $1)",
                row(owner.to_string()),
                Refusal::LimitReached,
            ),
            CredentialDetail::Session { owner } => of_owner(self, *owner).one(
                "UPDATE credential_counts SET live = live + 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3
                 AND live < $4",
                params![org, kind, owner.to_string(), SESSIONS_PER_USER_MAX],
                Refusal::LimitReached,
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

    /// Counts a dead credential out, be it the last of its kind.
    pub(crate) fn counting_even_the_last_less(self, credential: &Credential) -> Self {
        let row = |owner: String| params![credential.org, credential.kind(), owner];
        let count =
            "UPDATE credential_counts SET live = live - 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3";
        let change = self.any(count, row(String::new()));
        match credential.detail.owner() {
            None => change,
            Some(owner) => change.any(count, row(owner.to_string())),
        }
    }

    fn counting_one_less(self, credential: &Credential) -> Self {
        let row = |owner: String| params![credential.org, credential.kind(), owner];
        let count =
            "UPDATE credential_counts SET live = live - 1 WHERE org_id = $1 AND kind = $2 AND owner_id = $3";
        match &credential.detail {
            CredentialDetail::ApiKey { .. } => self.one(
                "UPDATE credential_counts SET live = live - 1
                 WHERE org_id = $1 AND kind = $2 AND owner_id = $3 AND live > 1",
                row(String::new()),
                Refusal::LastOne,
            ),
            CredentialDetail::NativeKey { .. } => self.any(count, row(String::new())),
            CredentialDetail::ApplicationKey { owner, .. }
            | CredentialDetail::PersonalAccessToken { owner, .. }
            | CredentialDetail::ServiceAccessToken { owner, .. }
            | CredentialDetail::IntegrationToken { owner, .. }
            | CredentialDetail::Session { owner } => {
                self.any(count, row(String::new())).any(count, row(owner.to_string()))
            }
        }
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

fn api_key_columns(detail: &CredentialDetail) -> (String, bool) {
    match detail {
        CredentialDetail::ApiKey { category, remote_config_read } => (category.clone(), *remote_config_read),
        CredentialDetail::ApplicationKey { .. }
        | CredentialDetail::PersonalAccessToken { .. }
        | CredentialDetail::ServiceAccessToken { .. }
        | CredentialDetail::NativeKey { .. }
        | CredentialDetail::IntegrationToken { .. }
        | CredentialDetail::Session { .. } => (String::new(), false),
    }
}

/// `external_id` and `metadata`.
fn native_key_columns(detail: &CredentialDetail) -> (Option<&str>, Option<&str>) {
    match detail {
        CredentialDetail::NativeKey { external_id, metadata, .. } => {
            (external_id.as_deref(), metadata.as_deref())
        }
        CredentialDetail::ApiKey { .. }
        | CredentialDetail::ApplicationKey { .. }
        | CredentialDetail::PersonalAccessToken { .. }
        | CredentialDetail::ServiceAccessToken { .. }
        | CredentialDetail::IntegrationToken { .. }
        | CredentialDetail::Session { .. } => (None, None),
    }
}

/// `zis_integration_id`, `zis_scopes` and `token_number`.
fn binding_columns(detail: &CredentialDetail) -> (Option<ZisIntegrationId>, Option<String>, Option<i64>) {
    match detail {
        CredentialDetail::IntegrationToken { integration, scopes, number, .. } => {
            (Some(*integration), Some(scopes.to_string()), Some(*number))
        }
        _ => (None, None, None),
    }
}

/// `allow_list`, `requests_max` and `requests_period`.
fn guard_columns(guards: &Guards) -> (Option<String>, Option<u32>, Option<u32>) {
    (
        guards.allow_list.as_ref().map(AllowList::to_list),
        guards.request_limit.map(RequestLimit::requests),
        guards.request_limit.map(RequestLimit::period_seconds),
    )
}

pub(crate) const SELECT_KNOWN: &str = "SELECT s.digest, c.id, c.org_id, c.kind, c.owner_id, c.scopes, c.expires_at,
     c.remote_config_read, s.dead_at, c.revoked_at, l.at, s.valid_until, c.allow_list, c.requests_max,
     c.requests_period, c.external_id, c.metadata, r.application_key_id, z.id, z.name, c.zis_scopes
     FROM secrets s JOIN credentials c ON c.id = s.credential_id LEFT JOIN last_used l ON l.credential_id = c.id
     LEFT JOIN app_key_registrations r ON r.org_id = c.org_id AND r.application_key_id = c.id
     LEFT JOIN zis_integrations z ON z.id = c.zis_integration_id";

/// How many credentials [`Store::list_known_secrets_of`] asks for in one statement.
const ASKED_AT_ONCE: usize = 16;

pub(crate) fn read_known(row: &dyn Row) -> Result<KnownSecret, StoreError> {
    let valid_until: Option<Timestamp> = row.opt(11)?;
    Ok(KnownSecret {
        digest: row.get(0)?,
        credential: row.parsed(1)?,
        org: row.parsed(2)?,
        kind: row.parsed(3)?,
        owner: row.opt_parsed(4)?,
        scopes: read_scopes(row, 5)?,
        expiry: Expiry::from(row.opt(6)?).earlier(Expiry::from(valid_until)),
        valid_until,
        guards: read_guards(row, 12)?,
        remote_config_read: row.get(7)?,
        is_registered: row.text(17)?.is_some(),
        is_live: row.opt::<Timestamp>(8)?.is_none() && row.opt::<Timestamp>(9)?.is_none(),
        last_used: row.opt(10)?,
        external_id: row.opt(15)?,
        metadata: row.opt(16)?,
        binding: match (row.opt_parsed(18)?, row.opt(19)?, row.opt_parsed(20)?) {
            (Some(integration), Some(name), Some(scopes)) => Some(KnownBinding { integration, name, scopes }),
            _ => None,
        },
    })
}

impl Store {
    /// One credential of an org, dead or alive.
    pub async fn find_credential(
        &self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.find_one("c.id = $1 AND c.org_id = $2", params![id, org]).await
    }

    /// The credential of an org to which a secret belongs, dead or alive.
    pub async fn find_credential_by_digest(
        &self,
        org: OrgId,
        digest: &Digest,
    ) -> Result<Option<Credential>, StoreError> {
        let condition = "c.id = (SELECT credential_id FROM secrets WHERE digest = $1) AND c.org_id = $2";
        self.find_one(condition, params![digest, org]).await
    }

    async fn find_one(&self, condition: &str, params: Vec<Value>) -> Result<Option<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id WHERE {condition}"
        );
        let mut found = None;
        self.each(&sql, &params, |row| Ok(found = Some(read_credential(row)?))).await?;
        Ok(found)
    }

    /// The newest live secret of a credential that can be shown again.
    pub async fn find_sealed_secret(
        &self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Option<SealedSecret>, StoreError> {
        let sql = "SELECT revision, sealed FROM secrets WHERE credential_id = $1 AND org_id = $2 AND dead_at IS NULL
                   AND sealed IS NOT NULL ORDER BY revision DESC LIMIT 1";
        let read = |row: &dyn Row| Ok(SealedSecret { revision: row.get(0)?, sealed: row.get(1)? });
        self.row(sql, &params![id, org], read).await
    }

    /// Every live secret of every org: what a directory starts from. There may be millions, so that each is
    /// handed over and none is kept.
    pub async fn each_live_secret(
        &self,
        mut visit: impl FnMut(KnownSecret) + Send,
    ) -> Result<(), StoreError> {
        let sql = format!("{SELECT_KNOWN} WHERE s.dead_at IS NULL AND c.revoked_at IS NULL");
        self.scan(&sql, |row| Ok(visit(read_known(row)?))).await
    }

    /// Every secret, dead or alive, of many credentials.
    pub async fn list_known_secrets_of(&self, ids: &[CredentialId]) -> Result<Vec<KnownSecret>, StoreError> {
        let mut known = Vec::with_capacity(ids.len());
        let sql = format!(
            "{SELECT_KNOWN} WHERE s.credential_id IN
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        );
        for some in ids.chunks(ASKED_AT_ONCE) {
            // What is missing to the full number is filled up with the last: a row comes once, however often it is
            // asked for.
            let last = some.last().map(|last| Value::from(*last)).unwrap_or(Value::Null);
            let mut params: Vec<_> = some.iter().map(|id| Value::from(*id)).collect();
            params.resize(ASKED_AT_ONCE, last);
            self.each(&sql, &params, |row| Ok(known.push(read_known(row)?))).await?;
        }
        Ok(known)
    }

    /// The digest of every secret that is known to be dead.
    pub async fn each_dead_digest(&self, mut visit: impl FnMut(Digest) + Send) -> Result<(), StoreError> {
        for sql in ["SELECT digest FROM secrets WHERE dead_at IS NOT NULL", "SELECT digest FROM tombstones"] {
            self.each(sql, &[], |row| Ok(visit(row.get(0)?))).await?;
        }
        Ok(())
    }

    /// Every secret, dead or alive, of a credential.
    pub async fn list_known_secrets(&self, id: CredentialId) -> Result<Vec<KnownSecret>, StoreError> {
        let mut known = Vec::new();
        let sql = format!("{SELECT_KNOWN} WHERE s.credential_id = $1");
        self.each(&sql, &params![id], |row| Ok(known.push(read_known(row)?))).await?;
        Ok(known)
    }
}
