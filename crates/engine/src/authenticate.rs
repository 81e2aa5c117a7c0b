//! Authentication: from what a request presents to who it is, from memory alone.
//!
//! The rules of the pair of API key and application key, and of tokens that stand alone, are the vendor's, from its
//! API reference ("Authentication") and its guide on access tokens; which status a failure becomes is the dialect's.

use claviger_model::{CredentialKind, OrgId, Permission, Timestamp};
use claviger_vault::{Digest, claims_to_be_token};

use crate::directory::{ApiKeyIdentity, Identity};
use crate::guarding::{Exhausted, Source};
use crate::{Caller, Engine, Proof};

/// The credentials of a request, as they stand in its headers.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    /// The API key.
    pub api_key: Option<&'a [u8]>,
    /// The application key, or a token in its place.
    pub application_key: Option<&'a [u8]>,
    /// The bearer token. It decides alone: a bad one is not rescued by keys beside it.
    pub bearer: Option<&'a [u8]>,
}

impl<'a> Presented<'a> {
    /// The token, wherever it stands. What says of itself that it is one is judged as one.
    fn token(self) -> Option<&'a [u8]> {
        self.bearer.or(self.application_key.filter(|key| claims_to_be_token(key)))
    }
}

/// Which credential failed, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFailure {
    /// No API key and no token.
    NothingPresented,
    /// The API key.
    ApiKey(AuthReason),
    /// The application key, beside a good API key.
    ApplicationKey(AuthReason),
    /// The token, or whatever stood in a place where any credential may.
    Token(AuthReason),
    /// The session, in its cookie.
    Session(AuthReason),
    /// The password of whoever signs in.
    Password(AuthReason),
    /// A credential is good, and has been used as often as it may be in this period.
    Limited(Exhausted),
    /// This server cannot know at present.
    Unavailable,
}

/// What is wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthReason {
    /// It is not there.
    Missing,
    /// Nobody's: never issued, or revoked.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its owner or its org is disabled.
    Disabled,
    /// It is another kind of credential than its place is for.
    WrongKind,
    /// It belongs to another org than the API key beside it.
    OtherOrg,
    /// It may not be used from where the request comes from, or nobody knows where that is.
    AddressNotAllowed,
    /// It is good, but the request does not prove that it comes from a page of the session's own.
    Forged,
    /// It is good, but its owner is no admin.
    NotAdmin,
    /// So many were tried that this one was not looked at.
    TooOften,
}

impl AuthReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Unknown,
        Self::Expired,
        Self::Disabled,
        Self::WrongKind,
        Self::OtherOrg,
        Self::AddressNotAllowed,
        Self::Forged,
        Self::NotAdmin,
        Self::TooOften,
    ];

    /// A stable word for metrics, logs and `/verify`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::WrongKind => "wrong_kind",
            Self::OtherOrg => "other_org",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::Forged => "forged",
            Self::NotAdmin => "not_admin",
            Self::TooOften => "too_often",
        }
    }
}

impl Engine {
    /// Who presents a personal or service access token, or else an API key together with an application key. A token
    /// decides alone: what stands beside it is not looked at.
    pub fn authenticate(&self, presented: Presented<'_>, from: &dyn Source) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| {
            if let Some(token) = presented.token() {
                return self.token(token, on);
            }
            let api_key = self.api_key(presented.api_key, on)?;
            let key = self
                .identify_kind(presented.application_key, CredentialKind::ApplicationKey, on)
                .map_err(AuthFailure::ApplicationKey)?;
            if key.org != api_key.org {
                return Err(AuthFailure::ApplicationKey(AuthReason::OtherOrg));
            }
            self.caller(&key, Some(&api_key), on)
        })
    }

    /// Whose a lone API key is; anything beside it is not looked at.
    pub fn authenticate_api_key(
        &self,
        api_key: Option<&[u8]>,
        from: &dyn Source,
    ) -> Result<ApiKeyIdentity, AuthFailure> {
        self.with_directory(from, |on| {
            let identity = self.api_key(api_key, on)?;
            on.count(&identity)?;
            Ok(ApiKeyIdentity {
                org: identity.org,
                credential: identity.credential,
                remote_config_read: identity.remote_config_read,
            })
        })
    }

    /// Who presents a lone API key: an org, and nobody in it.
    pub fn authenticate_lone_api_key(
        &self,
        api_key: Option<&[u8]>,
        from: &dyn Source,
    ) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| self.caller(&self.api_key(api_key, on)?, None, on))
    }

    /// Who presents any issued credential, by itself; an integration token is good for its integration alone, and a
    /// session in its cookie alone.
    pub fn authenticate_any(&self, secret: &[u8], from: &dyn Source) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| {
            let identity = self.identify(Some(secret), on).map_err(AuthFailure::Token)?;
            if matches!(identity.kind, CredentialKind::IntegrationToken | CredentialKind::Session) {
                return Err(AuthFailure::Token(AuthReason::WrongKind));
            }
            self.caller(&identity, None, on)
        })
    }

    /// Who presents an integration token of an org.
    pub fn authenticate_integration_token(
        &self,
        org: OrgId,
        token: &[u8],
        from: &dyn Source,
    ) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| {
            let found = self.identify_kind(Some(token), CredentialKind::IntegrationToken, on);
            let identity = found.and_then(|found| of_org(found, org)).map_err(AuthFailure::Token)?;
            self.caller(&identity, None, on)
        })
    }

    /// Which admin presents a session; where an org is named, one of that org's.
    ///
    /// # Errors
    /// [`AuthFailure::Session`], with [`AuthReason::NotAdmin`] where the owner is no admin any more.
    pub fn authenticate_session(
        &self,
        org: Option<OrgId>,
        token: &[u8],
        from: &dyn Source,
    ) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| {
            let found = self.identify_kind(Some(token), CredentialKind::Session, on);
            let found = found.and_then(|found| match org {
                Some(org) => of_org(found, org),
                None => Ok(found),
            });
            let caller = self.caller(&found.map_err(AuthFailure::Session)?, None, on)?;
            match caller.may(Permission::ORG_MANAGEMENT) {
                true => Ok(caller),
                false => Err(AuthFailure::Session(AuthReason::NotAdmin)),
            }
        })
    }

    /// Who presents a personal or service access token of an org.
    pub fn authenticate_token_of(
        &self,
        org: OrgId,
        token: &[u8],
        from: &dyn Source,
    ) -> Result<Caller, AuthFailure> {
        self.with_directory(from, |on| {
            let found = self.identify(Some(token), on);
            found.and_then(|found| of_org(found, org)).map_err(AuthFailure::Token)?;
            self.token(token, on)
        })
    }

    /// Who presents a personal access token of an org together with the address of the person whom it acts for.
    /// Whoever has no such token learns nothing of addresses.
    pub async fn authenticate_personal(
        &self,
        org: OrgId,
        email: &str,
        token: &[u8],
        from: &(dyn Source + Sync),
    ) -> Result<Caller, AuthFailure> {
        const UNKNOWN: AuthFailure = AuthFailure::Token(AuthReason::Unknown);
        let identity = self.with_directory(from, |on| {
            let found = self.identify_kind(Some(token), CredentialKind::PersonalAccessToken, on);
            found.and_then(|found| of_org(found, org)).map_err(AuthFailure::Token)
        })?;
        let owner = identity.owner.ok_or(UNKNOWN)?;
        let user = self.store.find_user(org, owner).await.map_err(|_| AuthFailure::Unavailable)?;
        if user.is_none_or(|user| user.email != email.to_lowercase()) {
            return Err(UNKNOWN);
        }
        // Looked up again: it may have died while the address was read.
        self.authenticate_token_of(org, token, from)
    }

    /// Who means to use a connection: as [`Engine::authenticate`], and whoever presents an integration token as bearer.
    /// Beside the caller, what it proved itself by.
    pub fn authenticate_for_use(
        &self,
        presented: Presented<'_>,
        from: &dyn Source,
    ) -> Result<(Caller, Proof), AuthFailure> {
        self.with_directory(from, |on| {
            if let Some(token) = presented.token() {
                let (identity, digest) = self.identify_by(Some(token), on).map_err(AuthFailure::Token)?;
                return match identity.kind {
                    CredentialKind::PersonalAccessToken
                    | CredentialKind::ServiceAccessToken
                    | CredentialKind::IntegrationToken => {
                        Ok((self.caller(&identity, None, on)?, Proof([Some(digest), None])))
                    }
                    CredentialKind::ApiKey
                    | CredentialKind::ApplicationKey
                    | CredentialKind::NativeKey
                    | CredentialKind::Session => Err(AuthFailure::Token(AuthReason::WrongKind)),
                };
            }
            let (api_key, first) =
                self.identify_by(presented.api_key, on).map_err(|reason| match reason {
                    AuthReason::Missing => AuthFailure::NothingPresented,
                    reason => AuthFailure::ApiKey(reason),
                })?;
            if api_key.kind != CredentialKind::ApiKey {
                return Err(AuthFailure::ApiKey(AuthReason::WrongKind));
            }
            let (key, second) =
                self.identify_by(presented.application_key, on).map_err(AuthFailure::ApplicationKey)?;
            match () {
                () if key.kind != CredentialKind::ApplicationKey => {
                    Err(AuthFailure::ApplicationKey(AuthReason::WrongKind))
                }
                () if key.org != api_key.org => Err(AuthFailure::ApplicationKey(AuthReason::OtherOrg)),
                () => Ok((self.caller(&key, Some(&api_key), on)?, Proof([Some(first), Some(second)]))),
            }
        })
    }

    /// Of secrets by which somebody has just proved who they are, what it takes to ask again whether they still live. One
    /// that lives no more by now is no proof of anything.
    pub fn proof_of(&self, presented: [Option<&[u8]>; 2]) -> Proof {
        let now = self.clock.now();
        Proof(presented.map(|secret| {
            let digests: Vec<_> = self.vault.digests(secret?).collect();
            let living = digests.iter().position(|it| self.directory.living_rights(it, now).is_some());
            digests.into_iter().nth(living.unwrap_or_default())
        }))
    }

    /// Does nothing but ask whether this server may answer from its directory, then tells the time.
    fn with_directory<T>(
        &self,
        from: &dyn Source,
        answer: impl FnOnce(Occasion<'_>) -> Result<T, AuthFailure>,
    ) -> Result<T, AuthFailure> {
        if !self.is_available() {
            return Err(AuthFailure::Unavailable);
        }
        answer(Occasion { now: self.clock.now(), from })
    }

    /// Other kinds are not accepted in a token's place.
    fn token(&self, token: &[u8], on: Occasion<'_>) -> Result<Caller, AuthFailure> {
        let identity = self.identify(Some(token), on).map_err(AuthFailure::Token)?;
        match identity.kind {
            CredentialKind::PersonalAccessToken | CredentialKind::ServiceAccessToken => {
                self.caller(&identity, None, on)
            }
            CredentialKind::ApiKey
            | CredentialKind::ApplicationKey
            | CredentialKind::NativeKey
            | CredentialKind::IntegrationToken
            | CredentialKind::Session => Err(AuthFailure::Token(AuthReason::WrongKind)),
        }
    }

    fn api_key(&self, secret: Option<&[u8]>, on: Occasion<'_>) -> Result<Identity, AuthFailure> {
        self.identify_kind(secret, CredentialKind::ApiKey, on).map_err(|reason| match reason {
            AuthReason::Missing => AuthFailure::NothingPresented,
            reason => AuthFailure::ApiKey(reason),
        })
    }

    fn identify_kind(
        &self,
        secret: Option<&[u8]>,
        kind: CredentialKind,
        on: Occasion<'_>,
    ) -> Result<Identity, AuthReason> {
        let identity = self.identify(secret, on)?;
        if identity.kind == kind { Ok(identity) } else { Err(AuthReason::WrongKind) }
    }

    fn identify(&self, secret: Option<&[u8]>, on: Occasion<'_>) -> Result<Identity, AuthReason> {
        Ok(self.identify_by(secret, on)?.0)
    }

    /// Beside the identity, the digest by which it was found.
    fn identify_by(&self, secret: Option<&[u8]>, on: Occasion<'_>) -> Result<(Identity, Digest), AuthReason> {
        let secret = secret.filter(|secret| !secret.is_empty()).ok_or(AuthReason::Missing)?;
        for digest in self.vault.digests(secret) {
            if let Some(found) = self.directory.identify(&digest, on.now, on.from, &self.usage) {
                return Ok((found?, digest));
            }
        }
        Err(AuthReason::Unknown)
    }

    /// The caller, once nothing but a limit can refuse it: only then is a request taken from that.
    fn caller(
        &self,
        identity: &Identity,
        api_key: Option<&Identity>,
        on: Occasion<'_>,
    ) -> Result<Caller, AuthFailure> {
        if let Some(api_key) = api_key {
            on.count(api_key)?;
        }
        on.count(identity)?;
        Ok(Caller {
            kind: identity.kind,
            org: identity.org,
            user: identity.owner,
            rights: identity.rights,
            scopes: identity.scopes.clone(),
            is_registered: identity.is_registered,
            api_key: api_key.map(|key| key.credential),
            acting: identity.credential,
            special: identity.special.clone(),
        })
    }
}

fn of_org(identity: Identity, org: OrgId) -> Result<Identity, AuthReason> {
    if identity.org == org { Ok(identity) } else { Err(AuthReason::OtherOrg) }
}

/// When and from where a request comes.
#[derive(Clone, Copy)]
struct Occasion<'a> {
    now: Timestamp,
    from: &'a dyn Source,
}

impl Occasion<'_> {
    /// Takes a request from the limit of a credential that has one.
    fn count(self, identity: &Identity) -> Result<(), AuthFailure> {
        match &identity.guards {
            None => Ok(()),
            Some(guards) => guards.take(self.now).map_err(AuthFailure::Limited),
        }
    }
}
