//! Personal access tokens: each acts for one user, alone, within its scopes and until its end.
//!
//! Reach is that of application keys: `user_app_keys` reaches the caller's own, `org_app_keys_read` and
//! `org_app_keys_write` everybody's in the org, service accounts' tokens among them. What is out of reach answers as
//! absent.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Guards, Name, Permission, Scopes,
    TokenExpiry, UserId,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page};

use crate::credentials::{KeyRef, Target};
use crate::permit::rights::{ApplicationKeysInReachRead, ApplicationKeysInReachWrite, OwnApplicationKeys};
use crate::tokens::TokenPatch;
use crate::{Changed, Engine, Error, Permit, Right, Shown, Thing};

/// A new personal access token.
#[derive(Debug, Clone)]
pub struct NewPersonalAccessToken {
    /// Its name.
    pub name: Name,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// Its end.
    pub expiry: TokenExpiry,
}

impl Engine {
    /// Makes a token of the caller's own.
    ///
    /// # Errors
    /// [`Error::Refused`] where it would have a right that a narrowed caller lacks, [`Error::LimitReached`] beyond as
    /// many as the org allows each user of application keys.
    pub async fn create_personal_access_token(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        new: NewPersonalAccessToken,
    ) -> Result<Changed<Shown>, Error> {
        let detail = CredentialDetail::PersonalAccessToken {
            owner: permit.user(),
            scopes: new.scopes,
            public_portion: String::new(),
        };
        self.issue_owned(permit, detail, new.name, new.expiry.into(), Guards::NONE, Names::Any).await
    }

    /// A page of the tokens in reach, service accounts' among them.
    pub async fn list_access_tokens(
        &self,
        permit: &Permit<ApplicationKeysInReachRead>,
        filter: CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let filter = CredentialFilter {
            org: permit.org(),
            kind: CredentialKind::PersonalAccessToken,
            other_kind: Some(CredentialKind::ServiceAccessToken),
            owner: permit.reach(Permission::ORG_APP_KEYS_READ),
            ..filter
        };
        Ok(self.store.list_credentials(&filter, sort, page).await?)
    }

    /// One token in reach.
    pub async fn find_access_token(
        &self,
        permit: &Permit<ApplicationKeysInReachRead>,
        id: CredentialId,
    ) -> Result<Credential, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_READ);
        let found = self.find_live(&self.access_token(permit, id, owner).await?).await?;
        found.ok_or(Error::Absent(Thing::PersonalAccessToken))
    }

    /// Changes a token in reach.
    pub async fn update_access_token(
        &self,
        permit: &Permit<ApplicationKeysInReachWrite>,
        id: CredentialId,
        patch: &TokenPatch,
    ) -> Result<Changed<Credential>, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_WRITE);
        let target = self.access_token(permit, id, owner).await?;
        self.update_token(permit, &target, patch).await.map_err(|error| match error {
            Error::Absent(_) => Error::Absent(Thing::PersonalAccessToken),
            other => other,
        })
    }

    /// Kills a token in reach for good; doing so again, or to what never was, is no error.
    pub async fn revoke_access_token(
        &self,
        permit: &Permit<ApplicationKeysInReachWrite>,
        id: CredentialId,
    ) -> Result<Changed<()>, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_WRITE);
        let target = self.access_token(permit, id, owner).await?;
        self.revoke_token(permit, &target).await
    }

    /// The token of that id, of whichever of the two kinds it is.
    async fn access_token<R: Right>(
        &self,
        permit: &Permit<R>,
        id: CredentialId,
        owner: Option<UserId>,
    ) -> Result<Target<'static>, Error> {
        let found = self.store.find_credential(permit.org(), id).await?;
        let kind = match found.map(|credential| credential.kind()) {
            Some(CredentialKind::ServiceAccessToken) => CredentialKind::ServiceAccessToken,
            _ => CredentialKind::PersonalAccessToken,
        };
        Ok(Target { org: permit.org(), kind, key: KeyRef::Id(id), owner })
    }
}
