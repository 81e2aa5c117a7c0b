//! Application keys and access tokens of service accounts, as whoever manages these makes and sees them.
//!
//! An account that is none, another org's, or a person answers as absent.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Expiry, Guards, Name, Scopes, TokenExpiry,
    UserId,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page};

use crate::credentials::{KeyRef, Target};
use crate::permit::rights::ServiceAccounts;
use crate::tokens::TokenPatch;
use crate::{ApplicationKeyPatch, Changed, Engine, Error, Permit, Shown, Thing};

/// A new service access token.
#[derive(Debug, Clone)]
pub struct NewServiceAccessToken {
    /// Its name.
    pub name: Name,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// Its end; none for no end.
    pub expiry: Option<TokenExpiry>,
}

impl Engine {
    /// Makes an application key of a service account.
    ///
    /// # Errors
    /// As for one's own, and [`Error::Invalid`] where the account is disabled.
    pub async fn create_service_account_application_key(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        name: Name,
        scopes: Option<Scopes>,
    ) -> Result<Changed<Shown>, Error> {
        let owner = self.active_service_account(permit, account).await?.id;
        let detail = CredentialDetail::ApplicationKey { owner, scopes };
        self.issue_owned(permit, detail, name, Expiry::Never, Guards::NONE, Names::Any).await
    }

    /// A page of a service account's application keys, without secrets.
    pub async fn list_service_account_application_keys(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        filter: CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let owner = self.service_account(permit, account).await?.id;
        let filter = CredentialFilter { owner: Some(owner), ..filter };
        self.list_application_keys(permit.org(), filter, sort, page).await
    }

    /// One application key of a service account, without its secret.
    pub async fn find_service_account_application_key(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Credential, Error> {
        let target = self.application_key_of(permit, account, id).await?;
        self.find_live(&target).await?.ok_or(Error::Absent(Thing::ApplicationKey))
    }

    /// Changes an application key of a service account; its secret is not shown.
    pub async fn update_service_account_application_key(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
        patch: &ApplicationKeyPatch,
    ) -> Result<Changed<Credential>, Error> {
        let target = self.application_key_of(permit, account, id).await?;
        self.update_unshown(permit, &target, patch).await
    }

    /// Kills an application key of a service account for good.
    pub async fn revoke_service_account_application_key(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Changed<Credential>, Error> {
        let target = self.application_key_of(permit, account, id).await?;
        self.revoke(&target, permit.user(), &permit.actor()).await
    }

    /// Makes an access token of a service account.
    ///
    /// # Errors
    /// As for a personal one, and [`Error::Invalid`] where the account is disabled.
    pub async fn create_service_access_token(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        new: NewServiceAccessToken,
    ) -> Result<Changed<Shown>, Error> {
        let owner = self.active_service_account(permit, account).await?.id;
        let NewServiceAccessToken { name, scopes, expiry } = new;
        let detail = CredentialDetail::ServiceAccessToken { owner, scopes, public_portion: String::new() };
        let expiry = expiry.map_or(Expiry::Never, Expiry::from);
        self.issue_owned(permit, detail, name, expiry, Guards::NONE, Names::Any).await
    }

    /// A page of a service account's access tokens.
    pub async fn list_service_access_tokens(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        filter: CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let owner = self.service_account(permit, account).await?.id;
        let kind = CredentialKind::ServiceAccessToken;
        let filter = CredentialFilter { org: permit.org(), kind, owner: Some(owner), ..filter };
        Ok(self.store.list_credentials(&filter, sort, page).await?)
    }

    /// One access token of a service account.
    pub async fn find_service_access_token(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Credential, Error> {
        let target = self.access_token_of(permit, account, id).await?;
        self.find_live(&target).await?.ok_or(Error::Absent(Thing::ServiceAccessToken))
    }

    /// Changes an access token of a service account.
    pub async fn update_service_access_token(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
        patch: &TokenPatch,
    ) -> Result<Changed<Credential>, Error> {
        let target = self.access_token_of(permit, account, id).await?;
        self.update_token(permit, &target, patch).await
    }

    /// Kills an access token of a service account for good; doing so again, or to what never was, is no error.
    pub async fn revoke_service_access_token(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Changed<()>, Error> {
        let target = self.access_token_of(permit, account, id).await?;
        self.revoke_token(permit, &target).await
    }

    async fn application_key_of(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Target<'static>, Error> {
        let owner = self.service_account(permit, account).await?.id;
        let kind = CredentialKind::ApplicationKey;
        Ok(Target { org: permit.org(), kind, key: KeyRef::Id(id), owner: Some(owner) })
    }

    async fn access_token_of(
        &self,
        permit: &Permit<ServiceAccounts>,
        account: UserId,
        id: CredentialId,
    ) -> Result<Target<'static>, Error> {
        let target = self.application_key_of(permit, account, id).await?;
        Ok(Target { kind: CredentialKind::ServiceAccessToken, ..target })
    }
}
