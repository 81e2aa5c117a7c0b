//! Guards of a credential: expiry, allow-list and limit, and who may change them.
//!
//! Whoever may change a credential may guard it. A narrowed caller never loosens what it does not have itself: not
//! its own guards, and not those of a credential that may do what the caller may not.

use claviger_model::{
    AllowList, Credential, CredentialId, CredentialKind, Expiry, Guards, Permission, RequestLimit, Timestamp,
    TokenExpiry, UserKind,
};
use claviger_store::Names;
use serde_json::json;

use crate::credentials::{KeyRef, Target};
use crate::native_keys::check_containment;
use crate::permit::rights::{
    ApiKeysRead, ApiKeysWrite, OwnedKeysInReachRead, OwnedKeysInReachWrite, OwnedKeysRotate,
};
use crate::{Caller, Changed, Engine, Error, FieldError, Grace, Permit, Right, Rotated, Thing};

/// Changes of a credential's guards; what is none stays, `Some(None)` takes a guard away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardsPatch {
    /// From where it may be used.
    pub allow_list: Option<Option<AllowList>>,
    /// How often it may be used.
    pub request_limit: Option<Option<RequestLimit>>,
    /// Until when it is valid.
    pub expires_at: Option<Option<Timestamp>>,
}

impl GuardsPatch {
    /// What it is about, for the record.
    fn names(&self) -> Vec<&'static str> {
        let named = [
            ("allow_list", self.allow_list.is_some()),
            ("request_limit", self.request_limit.is_some()),
            ("expires_at", self.expires_at.is_some()),
        ];
        named.into_iter().filter_map(|(name, is_there)| is_there.then_some(name)).collect()
    }

    /// As what a new credential begins with: its guards and its end.
    pub fn into_parts(self) -> (Guards, Option<Timestamp>) {
        let guards =
            Guards { allow_list: self.allow_list.flatten(), request_limit: self.request_limit.flatten() };
        (guards, self.expires_at.flatten())
    }

    /// Changes a credential's guards.
    pub(crate) fn apply(&self, credential: &mut Credential) {
        if let Some(allow_list) = &self.allow_list {
            credential.guards.allow_list.clone_from(allow_list);
        }
        if let Some(request_limit) = self.request_limit {
            credential.guards.request_limit = request_limit;
        }
        if let Some(expires_at) = self.expires_at {
            credential.expiry = Expiry::from(expires_at);
        }
    }
}

/// A credential with its guards, and with what a rotation left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The credential.
    pub credential: Credential,
    /// Until when an old secret goes on beside the newest; none where there is none.
    pub old_valid_until: Option<Timestamp>,
}

/// Which of the credentials that belong to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnedKind {
    /// Application keys.
    ApplicationKey,
    /// Tokens, personal and service accounts'.
    Token,
}

impl OwnedKind {
    fn is(self, kind: CredentialKind) -> bool {
        match self {
            Self::ApplicationKey => kind == CredentialKind::ApplicationKey,
            Self::Token => {
                matches!(kind, CredentialKind::PersonalAccessToken | CredentialKind::ServiceAccessToken)
            }
        }
    }

    const fn thing(self) -> Thing {
        match self {
            Self::ApplicationKey => Thing::ApplicationKey,
            Self::Token => Thing::PersonalAccessToken,
        }
    }
}

impl Engine {
    /// A live API key and its guards.
    pub async fn find_guarded_api_key(
        &self,
        permit: &Permit<ApiKeysRead>,
        id: CredentialId,
    ) -> Result<Guarded, Error> {
        let found = self.find_live(&api_key(permit, id)).await?;
        self.guarded(found.ok_or(Error::Absent(Thing::ApiKey))?).await
    }

    /// Changes an API key's guards.
    pub async fn guard_api_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        id: CredentialId,
        patch: &GuardsPatch,
    ) -> Result<Changed<Guarded>, Error> {
        self.guard(permit, &api_key(permit, id), patch).await
    }

    /// Gives an API key a new secret.
    pub async fn rotate_api_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        id: CredentialId,
        grace: Grace,
    ) -> Result<Changed<Rotated>, Error> {
        let target = api_key(permit, id);
        self.rotate(permit, &target, grace).await
    }

    /// A live credential of the caller's own, of a service account's, or of anybody's with the permission to read
    /// everybody's; and its guards.
    pub async fn find_guarded(
        &self,
        permit: &Permit<OwnedKeysInReachRead>,
        kind: OwnedKind,
        id: CredentialId,
    ) -> Result<Guarded, Error> {
        let found = self.owned(permit, kind, id, Some(Permission::ORG_APP_KEYS_READ)).await?;
        self.guarded(found.ok_or(Error::Absent(kind.thing()))?).await
    }

    /// Changes the guards of such a credential, in the same reach.
    pub async fn guard_owned(
        &self,
        permit: &Permit<OwnedKeysInReachWrite>,
        kind: OwnedKind,
        id: CredentialId,
        patch: &GuardsPatch,
    ) -> Result<Changed<Guarded>, Error> {
        let target = self.owned_target(permit, kind, id, Some(Permission::ORG_APP_KEYS_WRITE)).await?;
        self.guard(permit, &target, patch).await
    }

    /// Gives a credential of the caller's own, or of a service account's, a new secret. Nobody else's: who learned
    /// that could act as its owner.
    pub async fn rotate_owned(
        &self,
        permit: &Permit<OwnedKeysRotate>,
        kind: OwnedKind,
        id: CredentialId,
        grace: Grace,
    ) -> Result<Changed<Rotated>, Error> {
        let target = self.owned_target(permit, kind, id, None).await?;
        self.rotate(permit, &target, grace).await
    }

    /// The credential as a target; where there is none in reach, that is only said once everything that may have
    /// removed it is applied.
    async fn owned_target<R: Right>(
        &self,
        permit: &Permit<R>,
        kind: OwnedKind,
        id: CredentialId,
        whole_org: Option<Permission>,
    ) -> Result<Target<'static>, Error> {
        match self.owned(permit, kind, id, whole_org).await? {
            Some(found) => Ok(Target {
                org: permit.org(),
                kind: found.kind(),
                key: KeyRef::Id(id),
                owner: found.detail.owner(),
            }),
            None => {
                self.settle().await?;
                Err(Error::Absent(kind.thing()))
            }
        }
    }

    /// The live credential of that id, if it is in reach.
    pub(crate) async fn owned<R: Right>(
        &self,
        permit: &Permit<R>,
        kind: OwnedKind,
        id: CredentialId,
        whole_org: Option<Permission>,
    ) -> Result<Option<Credential>, Error> {
        let found = self.store.find_credential(permit.org(), id).await?;
        let Some(found) = found.filter(|found| kind.is(found.kind()) && found.state.is_live()) else {
            return Ok(None);
        };
        let Some(owner) = found.detail.owner() else { return Ok(None) };
        let may = |permission| permit.caller().may(permission);
        if (owner == permit.user() && may(Permission::USER_APP_KEYS)) || whole_org.is_some_and(may) {
            return Ok(Some(found));
        }
        if !may(Permission::SERVICE_ACCOUNT_WRITE) {
            return Ok(None);
        }
        let owner = self.store.find_user(permit.org(), owner).await?;
        Ok(owner.filter(|owner| owner.kind == UserKind::ServiceAccount).map(|_| found))
    }

    async fn guard<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        patch: &GuardsPatch,
    ) -> Result<Changed<Guarded>, Error> {
        let edit = |credential: &mut Credential| {
            let before = credential.clone();
            patch.apply(credential);
            if *credential == before {
                return Ok(None);
            }
            check_loosening(permit.caller(), &before, credential)?;
            if credential.expiry != before.expiry {
                check_end(credential, self.clock.now())?;
            }
            Ok(Some(json!({ "guards": patch.names(), "name": before.name })))
        };
        let (credential, position) =
            self.try_edit(target, &edit, Names::Any, permit.user(), &permit.actor()).await?;
        let position = position.unwrap_or_else(|| self.applied());
        Ok(Changed { value: self.guarded(credential).await?, position })
    }

    pub(crate) async fn guarded(&self, credential: Credential) -> Result<Guarded, Error> {
        let (live, now) = (self.live_secrets(credential.id).await?, self.clock.now());
        let old_valid_until = live.into_iter().filter_map(|secret| secret.valid_until).find(|end| *end > now);
        Ok(Guarded { credential, old_valid_until })
    }
}

fn api_key<R: Right>(permit: &Permit<R>, id: CredentialId) -> Target<'static> {
    Target { org: permit.org(), kind: CredentialKind::ApiKey, key: KeyRef::Id(id), owner: None }
}

/// Refuses a narrowed caller that would loosen what it may not.
pub(crate) fn check_loosening(caller: &Caller, before: &Credential, after: &Credential) -> Result<(), Error> {
    let is_tighter =
        after.guards.are_within(&before.guards) && after.expiry.earlier(before.expiry) == after.expiry;
    // An API key says which org a request is for, and has no rights that it could pass on.
    let contains = match before.kind() {
        CredentialKind::ApiKey => true,
        // Without scopes it may nothing, and not everything.
        CredentialKind::NativeKey => check_containment(caller, before.detail.scopes()).is_ok(),
        _ => caller.contains(before.detail.scopes()),
    };
    let is_free = caller.scopes().is_none() || (contains && caller.acting() != before.id);
    if is_tighter || is_free { Ok(()) } else { Err(Error::Refused(&[])) }
}

/// Refuses an end that a credential of its kind may not have. What has ended already is revoked, not left to expire;
/// and a personal token lives no longer than its issuer allows ([`TokenExpiry`]), however often its end is moved.
pub(crate) fn check_end(credential: &Credential, now: Timestamp) -> Result<(), Error> {
    check_future(credential.expiry, now)?;
    let fault = |reason: String| Err(bad_end(reason));
    match (credential.kind(), credential.expiry.timestamp()) {
        (CredentialKind::PersonalAccessToken, None) => fault("must be there for a personal token".to_owned()),
        (CredentialKind::PersonalAccessToken, Some(end)) => {
            match TokenExpiry::check(end, credential.created_at) {
                Ok(_) => Ok(()),
                Err(error) => fault(format!("{error} of the token's creation")),
            }
        }
        _ => Ok(()),
    }
}

/// Refuses an end that has come: what has ended already is revoked, not left to expire.
pub(crate) fn check_future(end: Expiry, now: Timestamp) -> Result<(), Error> {
    match end.is_over(now) {
        true => Err(bad_end("must be in the future".to_owned())),
        false => Ok(()),
    }
}

fn bad_end(reason: String) -> Error {
    Error::Invalid(vec![FieldError { field: "expires_at".to_owned(), reason }])
}
