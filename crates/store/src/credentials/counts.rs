//! How many live credentials there are, of an org and of an owner, counted by the statement that checks the limit.

use claviger_model::{Credential, CredentialDetail, CredentialKind, UserId};

use crate::value::params;
use crate::{Change, Refusal};

/// The most sessions that a user may have: a person with a few browsers on a few machines. Whoever signs in beyond it
/// ends the oldest.
pub const SESSIONS_PER_USER_MAX: u32 = 16;

impl Change {
    /// Counts the credential in, refusing beyond the limit and for a disabled owner.
    pub(super) fn counting_one_more(self, credential: &Credential) -> Self {
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

    /// Counts a dead credential out; the last API key of an org is refused.
    pub(super) fn counting_one_less(self, credential: &Credential) -> Self {
        match credential.kind() {
            CredentialKind::ApiKey => self.one(
                "UPDATE credential_counts SET live = live - 1
                 WHERE org_id = $1 AND kind = $2 AND owner_id = $3 AND live > 1",
                params![credential.org, credential.kind(), String::new()],
                Refusal::LastOne,
            ),
            CredentialKind::ApplicationKey
            | CredentialKind::PersonalAccessToken
            | CredentialKind::ServiceAccessToken
            | CredentialKind::NativeKey
            | CredentialKind::IntegrationToken
            | CredentialKind::Session => self.counting_even_the_last_less(credential),
        }
    }
}
