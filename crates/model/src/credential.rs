//! The credentials that Claviger issues: everything about them but the secret itself.

use std::fmt;
use std::str::FromStr;

use crate::{CredentialId, Guards, KeyPrefix, OrgId, Scopes, Timestamp, UserId, ZisIntegrationId, ZisScopes};

/// A credential, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its org.
    pub org: OrgId,
    /// What only its kind has.
    pub detail: CredentialDetail,
    /// Its name.
    pub name: String,
    /// The last four characters of its secret, to tell keys apart by.
    pub last4: String,
    /// Grows with each change.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// By whom.
    pub modified_by: UserId,
    /// Until when it is valid.
    pub expiry: Expiry,
    /// From where and how often it may be used.
    pub guards: Guards,
    /// Whether it may still be used.
    pub state: CredentialState,
    /// When it was last used, to the minute and somewhat behind; none if never.
    pub last_used: Option<Timestamp>,
}

/// What only one kind of credential has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialDetail {
    /// Of an API key.
    ApiKey {
        /// The vendor's category; only `default` was ever seen.
        category: String,
        /// Whether it may read remote configuration: the one scope that the vendor shows for API keys.
        remote_config_read: bool,
    },
    /// Of an application key.
    ApplicationKey {
        /// The user whom it acts for.
        owner: UserId,
        /// What it is narrowed to; none for all that its owner may do.
        scopes: Option<Scopes>,
    },
    /// Of a personal access token.
    PersonalAccessToken {
        /// The person whom it acts for.
        owner: UserId,
        /// What it is narrowed to.
        scopes: Scopes,
        /// The part of the secret by which people tell tokens apart.
        public_portion: String,
    },
    /// Of a service access token.
    ServiceAccessToken {
        /// The service account that it acts for.
        owner: UserId,
        /// What it is narrowed to.
        scopes: Scopes,
        /// The part of the secret by which people tell tokens apart.
        public_portion: String,
    },
    /// Of a native key.
    NativeKey {
        /// What its secret begins with.
        prefix: KeyPrefix,
        /// What its bearer may do; none for nothing but being known.
        permissions: Option<Scopes>,
        /// Whose key it is, in the words of the org that issued it.
        external_id: Option<String>,
        /// What the org wants to know when the key is verified: a JSON object as text.
        metadata: Option<String>,
    },
    /// Of an integration token.
    IntegrationToken {
        /// The admin who made it, and for whom it acts.
        owner: UserId,
        /// The integration that it is bound to.
        integration: ZisIntegrationId,
        /// What it is narrowed to.
        scopes: ZisScopes,
        /// The number by which requests name it. It says nothing of how many there are.
        number: i64,
        /// The beginning of the secret, by which people tell tokens apart.
        public_portion: String,
    },
    /// Of a session.
    Session {
        /// The admin who signed in, and for whom it acts.
        owner: UserId,
    },
}

impl Credential {
    /// Its kind.
    pub const fn kind(&self) -> CredentialKind {
        self.detail.kind()
    }
}

impl CredentialDetail {
    /// The kind that has this.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::ApiKey { .. } => CredentialKind::ApiKey,
            Self::ApplicationKey { .. } => CredentialKind::ApplicationKey,
            Self::PersonalAccessToken { .. } => CredentialKind::PersonalAccessToken,
            Self::ServiceAccessToken { .. } => CredentialKind::ServiceAccessToken,
            Self::NativeKey { .. } => CredentialKind::NativeKey,
            Self::IntegrationToken { .. } => CredentialKind::IntegrationToken,
            Self::Session { .. } => CredentialKind::Session,
        }
    }

    /// The user whom it acts for; none for what belongs to the org.
    pub const fn owner(&self) -> Option<UserId> {
        match self {
            Self::ApiKey { .. } | Self::NativeKey { .. } => None,
            Self::ApplicationKey { owner, .. }
            | Self::PersonalAccessToken { owner, .. }
            | Self::ServiceAccessToken { owner, .. }
            | Self::IntegrationToken { owner, .. }
            | Self::Session { owner } => Some(*owner),
        }
    }

    /// What it is narrowed to, if it is; of a native key, all that it may do. An integration token is narrowed in
    /// words of its own.
    pub const fn scopes(&self) -> Option<&Scopes> {
        match self {
            Self::ApiKey { .. } | Self::IntegrationToken { .. } | Self::Session { .. } => None,
            Self::ApplicationKey { scopes, .. } => scopes.as_ref(),
            Self::PersonalAccessToken { scopes, .. } | Self::ServiceAccessToken { scopes, .. } => {
                Some(scopes)
            }
            Self::NativeKey { permissions, .. } => permissions.as_ref(),
        }
    }

    /// Gives it other own permissions beside what it has of the fixed list; no scopes at all is what it may become
    /// only if it had none. Tells whether it could be done.
    pub fn set_own_scopes(&mut self, own: Option<&Scopes>) -> bool {
        let joined = Scopes::join(self.scopes(), own);
        match (self, joined) {
            (Self::ApplicationKey { scopes, .. }, joined) if joined.is_some() || scopes.is_none() => {
                *scopes = joined;
                true
            }
            (
                Self::PersonalAccessToken { scopes, .. } | Self::ServiceAccessToken { scopes, .. },
                Some(joined),
            ) => {
                *scopes = joined;
                true
            }
            _ => false,
        }
    }

    /// Where the part of the secret that is no secret, and is only known once the secret is made, is kept, if its
    /// kind has one.
    pub fn public_portion_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::PersonalAccessToken { public_portion, .. }
            | Self::ServiceAccessToken { public_portion, .. }
            | Self::IntegrationToken { public_portion, .. } => Some(public_portion),
            Self::ApiKey { .. }
            | Self::ApplicationKey { .. }
            | Self::NativeKey { .. }
            | Self::Session { .. } => None,
        }
    }

    /// The part of the secret that is no secret, where its kind has one.
    pub fn public_portion(&self) -> Option<&str> {
        match self {
            Self::PersonalAccessToken { public_portion, .. }
            | Self::ServiceAccessToken { public_portion, .. }
            | Self::IntegrationToken { public_portion, .. } => Some(public_portion),
            Self::NativeKey { prefix, .. } => Some(prefix.as_str()),
            Self::ApiKey { .. } | Self::ApplicationKey { .. } | Self::Session { .. } => None,
        }
    }
}

/// What kind of credential. The text form stands in the database and in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// Belongs to an org; says which org a request is for.
    ApiKey,
    /// Belongs to a user; says who a request is from. Valid beside an API key of the same org.
    ApplicationKey,
    /// Belongs to a person; says who a request is from, alone.
    PersonalAccessToken,
    /// Belongs to a service account; says who a request is from, alone.
    ServiceAccessToken,
    /// Belongs to an org that issues it to a caller of its own API.
    NativeKey,
    /// Belongs to a ZIS integration and acts for the admin who made it; says both, alone.
    IntegrationToken,
    /// Belongs to an admin who signed in with a password, and is kept by a browser in a cookie; says who a request is
    /// from, alone, and is taken nowhere but from that cookie.
    Session,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ApiKey,
        Self::ApplicationKey,
        Self::PersonalAccessToken,
        Self::ServiceAccessToken,
        Self::NativeKey,
        Self::IntegrationToken,
        Self::Session,
    ];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api_key",
            Self::ApplicationKey => "application_key",
            Self::PersonalAccessToken => "personal_access_token",
            Self::ServiceAccessToken => "service_access_token",
            Self::NativeKey => "native_key",
            Self::IntegrationToken => "integration_token",
            Self::Session => "session",
        }
    }
}

impl CredentialKind {
    /// Whether the vendor's API shows the secret again after the answer that issued it, so that it must be kept
    /// sealed; of the others only a digest is kept.
    pub const fn is_shown_again(self) -> bool {
        match self {
            Self::ApiKey | Self::ApplicationKey => true,
            Self::PersonalAccessToken
            | Self::ServiceAccessToken
            | Self::NativeKey
            | Self::IntegrationToken
            | Self::Session => false,
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseKindError;

impl fmt::Display for ParseKindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such kind of credential")
    }
}

impl std::error::Error for ParseKindError {}

impl FromStr for CredentialKind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, ParseKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(ParseKindError)
    }
}

/// Whether a credential may still be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// Usable until its expiry.
    Live,
    /// Dead for good since that moment.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

impl CredentialState {
    /// Whether it is live; expiry is another question ([`Expiry`]).
    pub fn is_live(self) -> bool {
        matches!(self, Self::Live)
    }
}

/// Until when a credential is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// No end.
    Never,
    /// Valid before that moment, not at it and not after.
    At(Timestamp),
}

impl Expiry {
    /// Whether the end has come.
    pub fn is_over(self, now: Timestamp) -> bool {
        match self {
            Self::Never => false,
            Self::At(end) => now >= end,
        }
    }

    /// Whichever end comes first.
    pub fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, end) | (end, Self::Never) => end,
            (Self::At(one), Self::At(other)) => Self::At(one.min(other)),
        }
    }

    /// As a column: nothing for no end.
    pub fn timestamp(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::At(end) => Some(end),
        }
    }
}

impl From<Option<Timestamp>> for Expiry {
    fn from(end: Option<Timestamp>) -> Self {
        end.map_or(Self::Never, Self::At)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_over_at_its_very_moment() {
        let end = Timestamp::from_micros(10);
        assert!(!Expiry::At(end).is_over(Timestamp::from_micros(9)));
        assert!(Expiry::At(end).is_over(end));
        assert!(!Expiry::Never.is_over(Timestamp::from_micros(i64::MAX)));
    }

    #[test]
    fn the_earlier_of_two_ends_counts() {
        let end = |micros| Expiry::At(Timestamp::from_micros(micros));
        assert_eq!(Expiry::Never.earlier(Expiry::Never), Expiry::Never);
        assert_eq!(Expiry::Never.earlier(end(1)), end(1));
        assert_eq!(end(2).earlier(Expiry::Never), end(2));
        assert_eq!(end(2).earlier(end(1)), end(1));
    }

    #[test]
    fn kinds_survive_their_text() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("password".parse::<CredentialKind>(), Err(ParseKindError));
    }
}
