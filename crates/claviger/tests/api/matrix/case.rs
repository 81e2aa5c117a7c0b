//! The ways in which credentials can be wrong.

/// A way in which the credentials of a request are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Case {
    NoCredential,
    UnknownApiKey,
    RevokedApiKey,
    ExpiredApiKey,
    ApplicationKeyAsApiKey,
    DisabledOrg,
    NoApplicationKey,
    UnknownApplicationKey,
    RevokedApplicationKey,
    ExpiredApplicationKey,
    ApiKeyAsApplicationKey,
    DisabledOwner,
    /// The application key is another org's.
    ForeignApplicationKey,
    /// The API key is another org's.
    ForeignApiKey,
    /// No role of the owner has any of the permissions, but all others.
    MissingPermission,
    /// The application key's scopes are all but these permissions.
    MissingScope,
    /// A bearer token that is nobody's, beside good keys.
    BearerGarbage,
    /// A personal access token that was revoked, beside good keys.
    RevokedToken,
    /// The same in an application key's place, beside a good API key.
    RevokedTokenAsApplicationKey,
    ExpiredToken,
    /// A service access token whose account was disabled through the API.
    DisabledAccountsToken,
    /// A token whose scopes are all but the permissions.
    TokenWithoutScope,
    /// The owner had a role that allows everything; it was taken away through the API.
    RoleTaken,
    /// The owner had a role that allows everything; the role was removed through the API.
    RoleRemoved,
    /// The owner was disabled through the API: the key is dead for good.
    UserDisabled,
    /// The same of a service account.
    ServiceAccountDisabled,
    /// The owner was disabled and enabled again: the key stays dead.
    UserEnabledAgain,
}

/// Which credential such a request fails by, and the native APIs' word for why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    ApiKey(&'static str),
    ApplicationKey(&'static str),
    Token(&'static str),
    Right,
}

impl Case {
    pub(super) const ALL: [Self; 27] = [
        Self::NoCredential,
        Self::UnknownApiKey,
        Self::RevokedApiKey,
        Self::ExpiredApiKey,
        Self::ApplicationKeyAsApiKey,
        Self::DisabledOrg,
        Self::NoApplicationKey,
        Self::UnknownApplicationKey,
        Self::RevokedApplicationKey,
        Self::ExpiredApplicationKey,
        Self::ApiKeyAsApplicationKey,
        Self::DisabledOwner,
        Self::ForeignApplicationKey,
        Self::ForeignApiKey,
        Self::MissingPermission,
        Self::MissingScope,
        Self::BearerGarbage,
        Self::RevokedToken,
        Self::RevokedTokenAsApplicationKey,
        Self::ExpiredToken,
        Self::DisabledAccountsToken,
        Self::TokenWithoutScope,
        Self::RoleTaken,
        Self::RoleRemoved,
        Self::UserDisabled,
        Self::ServiceAccountDisabled,
        Self::UserEnabledAgain,
    ];

    pub(super) fn fault(self) -> Fault {
        match self {
            Self::NoCredential => Fault::Nothing,
            Self::UnknownApiKey | Self::RevokedApiKey => Fault::ApiKey("unknown"),
            Self::ExpiredApiKey => Fault::ApiKey("expired"),
            Self::ApplicationKeyAsApiKey => Fault::ApiKey("wrong_kind"),
            Self::DisabledOrg => Fault::ApiKey("disabled"),
            Self::NoApplicationKey => Fault::ApplicationKey("missing"),
            Self::UnknownApplicationKey
            | Self::RevokedApplicationKey
            | Self::UserDisabled
            | Self::ServiceAccountDisabled
            | Self::UserEnabledAgain => Fault::ApplicationKey("unknown"),
            Self::ExpiredApplicationKey => Fault::ApplicationKey("expired"),
            Self::ApiKeyAsApplicationKey => Fault::ApplicationKey("wrong_kind"),
            Self::DisabledOwner => Fault::ApplicationKey("disabled"),
            // Both keys are good, but not together.
            Self::ForeignApplicationKey | Self::ForeignApiKey => Fault::ApplicationKey("other_org"),
            Self::MissingPermission
            | Self::MissingScope
            | Self::TokenWithoutScope
            | Self::RoleTaken
            | Self::RoleRemoved => Fault::Right,
            Self::BearerGarbage
            | Self::RevokedToken
            | Self::RevokedTokenAsApplicationKey
            | Self::DisabledAccountsToken => Fault::Token("unknown"),
            Self::ExpiredToken => Fault::Token("expired"),
        }
    }
}
