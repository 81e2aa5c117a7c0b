//! What can go wrong in a use case, in words that know no HTTP.

use std::fmt;

use claviger_model::{CredentialKind, Permission};
use claviger_store::{CommitError, Refusal, StoreError};
use claviger_vault::SealError;

/// Why a use case did not do what was asked. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or not the caller's to know of: both answer alike.
    #[error("{0} not found")]
    Absent(Thing),
    /// The caller lacks the right; any one of these would do. Empty where no permission would help.
    #[error("permission denied")]
    Refused(&'static [Permission]),
    /// The caller may do it by permission, but not with an application key that is not registered.
    #[error("the application key is not registered")]
    Unregistered,
    /// The caller may do it by permission, but only with a token that names one of these among its scopes.
    #[error("the token does not name the scope that is needed")]
    ScopeNotNamed(&'static [Permission]),
    /// What was asked is not valid; every bad field is named.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldError>),
    /// A connection's settings or secrets are not valid; every fault has its place in the `integration` value.
    #[error("invalid connection: {0}")]
    BadConnection(claviger_catalog::Faults),
    /// A restriction keeps the caller this far from a connection.
    #[error("the connection's restriction does not make the caller its {0}")]
    Restricted(claviger_model::Relation),
    /// Something of that name exists already.
    #[error("a {thing} with the name {name} already exists")]
    Conflict {
        /// What.
        thing: Thing,
        /// The name that is taken.
        name: String,
    },
    /// There may be no more of these.
    #[error("at most {max} of {thing} are allowed")]
    LimitReached {
        /// What there are too many of.
        thing: Thing,
        /// How many there may be.
        max: u32,
    },
    /// The org must keep one.
    #[error("the last {thing} cannot be deleted")]
    LastOne {
        /// The last of what.
        thing: Thing,
        /// The org's number.
        org_number: i64,
        /// How many there may be.
        max: u32,
    },
    /// Something that is alive still names it.
    #[error("{thing} {name} is used by {keys} keys and {roles} roles")]
    InUse {
        /// What.
        thing: Thing,
        /// Its name.
        name: String,
        /// How many credentials name it.
        keys: u32,
        /// How many roles name it.
        roles: u32,
    },
    /// What must stay as it is, whoever asks; the sentence says what that is.
    #[error("{0}")]
    Protected(&'static str),
    /// The caller's own credential died while the request was under way.
    #[error("the credential was revoked")]
    CallerGone,
    /// It cannot be known or done now; trying again later may help.
    #[error("unavailable")]
    Unavailable(#[source] Option<StoreError>),
    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A field of a request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What is wrong, to be read after the field's name.
    pub reason: String,
}

/// What an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// An API key.
    ApiKey,
    /// An application key.
    ApplicationKey,
    /// A personal access token.
    PersonalAccessToken,
    /// A service access token.
    ServiceAccessToken,
    /// A native key.
    NativeKey,
    /// An integration token.
    IntegrationToken,
    /// A session.
    Session,
    /// A ZIS integration.
    ZisIntegration,
    /// A permission of the org's own.
    OwnPermission,
    /// A credential of some kind.
    Credential,
    /// A service account.
    ServiceAccount,
    /// An org.
    Org,
    /// The subdomain of an org.
    Subdomain,
    /// A user or service account.
    User,
    /// A role.
    Role,
    /// An invitation.
    Invitation,
    /// A webhook.
    Webhook,
    /// A connection.
    Connection,
    /// The registration of an application key.
    Registration,
}

impl Thing {
    pub(crate) const fn of(kind: CredentialKind) -> Self {
        match kind {
            CredentialKind::ApiKey => Self::ApiKey,
            CredentialKind::ApplicationKey => Self::ApplicationKey,
            CredentialKind::PersonalAccessToken => Self::PersonalAccessToken,
            CredentialKind::ServiceAccessToken => Self::ServiceAccessToken,
            CredentialKind::NativeKey => Self::NativeKey,
            CredentialKind::IntegrationToken => Self::IntegrationToken,
            CredentialKind::Session => Self::Session,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey => "API key",
            Self::ApplicationKey => "Application key",
            Self::PersonalAccessToken => "Personal access token",
            Self::ServiceAccessToken => "Service access token",
            Self::NativeKey => "Key",
            Self::IntegrationToken => "Integration token",
            Self::Session => "Session",
            Self::ZisIntegration => "Integration",
            Self::OwnPermission => "Permission",
            Self::Credential => "Credential",
            Self::ServiceAccount => "Service account",
            Self::Org => "Org",
            Self::Subdomain => "Subdomain",
            Self::User => "User",
            Self::Role => "Role",
            Self::Invitation => "Invitation",
            Self::Webhook => "Webhook",
            Self::Connection => "Connection",
            Self::Registration => "Registration",
        })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(Some(error)),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::Internal(error.into())
    }
}

/// What the general refusals mean; those with a meaning of their own are told apart where they can occur.
impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(Refusal::ActorGone | Refusal::OwnerDisabled) => Self::CallerGone,
            CommitError::Refused(Refusal::PermissionGone) => Self::Invalid(vec![FieldError {
                field: "permissions".to_owned(),
                reason: "names a permission that was deleted".to_owned(),
            }]),
            // So many others changed the same thing that this change never got its turn.
            CommitError::Refused(Refusal::Stale) => Self::Unavailable(None),
            CommitError::Refused(_) => Self::Internal(error.into()),
            CommitError::Failed(error) => error.into(),
        }
    }
}
