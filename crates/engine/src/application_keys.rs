//! Application keys: they belong to a user and say who a request is from.
//!
//! Reach: `user_app_keys` reaches the caller's own keys, `org_app_keys_read` and `org_app_keys_write` everybody's
//! in the org; what is out of reach answers as absent. Containment: a narrowed credential neither makes nor
//! learns a key that may do what it may not itself.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Guards, Name, OrgId, Permission, Position,
    Scopes, Timestamp, UserId,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page, SortKey};
use serde_json::json;

use crate::credentials::{KeyRef, Target};
use crate::permit::rights::{
    ApplicationKeysInReachRead, ApplicationKeysInReachWrite, OrgApplicationKeysRead, OrgApplicationKeysWrite,
    OwnApplicationKeys,
};
use crate::{Caller, Changed, Engine, Error, Permit, Right, Shown, Thing};

/// A new application key.
#[derive(Debug, Clone)]
pub struct NewApplicationKey {
    /// Its name.
    pub name: Name,
    /// What it is narrowed to; none for all that its owner may do.
    pub scopes: Option<Scopes>,
    /// Until when it is valid.
    pub expires_at: Option<Timestamp>,
    /// From where and how often it may be used.
    pub guards: Guards,
    /// Whether its name must be the only such among the owner's live keys, as in version 1 of the vendor's API.
    pub names: Names,
}

/// Changes of an application key; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct ApplicationKeyPatch {
    /// The name.
    pub name: Option<Name>,
    /// The scopes of the fixed list: `Some(None)` takes all of them away, so that it may do what its owner may, unless
    /// it is narrowed to permissions of the org's own.
    pub scopes: Option<Option<Scopes>>,
}

impl Engine {
    /// Makes an application key of the caller's own.
    ///
    /// # Errors
    /// [`Error::Refused`] where it would have a right that a narrowed caller lacks, [`Error::LimitReached`] beyond
    /// the limit per user, [`Error::Conflict`] for a name that is taken and must be unique.
    pub async fn create_application_key(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        new: NewApplicationKey,
    ) -> Result<Changed<Shown>, Error> {
        let NewApplicationKey { name, scopes, expires_at, guards, names } = new;
        let detail = CredentialDetail::ApplicationKey { owner: permit.user(), scopes };
        self.issue_owned(permit, detail, name, expires_at.into(), guards, names).await
    }

    /// A page of the caller's own application keys, without secrets.
    pub async fn list_own_application_keys(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let filter = CredentialFilter { owner: Some(permit.user()), ..filter.clone() };
        self.list_application_keys(permit.org(), filter, sort, page).await
    }

    /// A page of everybody's application keys, without secrets.
    pub async fn list_org_application_keys(
        &self,
        permit: &Permit<OrgApplicationKeysRead>,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        self.list_application_keys(permit.org(), filter.clone(), sort, page).await
    }

    pub(crate) async fn list_application_keys(
        &self,
        org: OrgId,
        filter: CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let filter = CredentialFilter { org, kind: CredentialKind::ApplicationKey, ..filter };
        Ok(self.store.list_credentials(&filter, sort, page).await?)
    }

    /// All application keys in reach by name, each with its secret as far as it may be shown.
    pub async fn list_application_keys_shown(
        &self,
        permit: &Permit<ApplicationKeysInReachRead>,
    ) -> Result<Vec<Shown>, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_READ);
        let filter =
            CredentialFilter { owner, ..CredentialFilter::all(permit.org(), CredentialKind::ApplicationKey) };
        let by_name = CredentialSort { key: SortKey::Name, descending: false };
        let page = self.store.list_credentials(&filter, by_name, Page::ALL).await?;
        let mut shown = Vec::with_capacity(page.items.len());
        for credential in page.items {
            shown.push(self.shown_to(permit.caller(), credential).await?);
        }
        let ids: Vec<_> = shown.iter().filter(|s| s.secret.is_some()).map(|s| s.credential.id).collect();
        if !ids.is_empty() {
            self.record_shown(permit.org(), &ids, &permit.actor()).await?;
        }
        Ok(shown)
    }

    /// One of the caller's own application keys, with its secret as far as it may be shown.
    pub async fn find_own_application_key(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        id: CredentialId,
    ) -> Result<Shown, Error> {
        self.find_and_show(permit, &target(permit, KeyRef::Id(id), Some(permit.user()))).await
    }

    /// One application key of anybody in the org, without its secret.
    pub async fn find_org_application_key(
        &self,
        permit: &Permit<OrgApplicationKeysRead>,
        id: CredentialId,
    ) -> Result<Credential, Error> {
        let found = self.find_live(&target(permit, KeyRef::Id(id), None)).await?;
        found.ok_or(Error::Absent(Thing::ApplicationKey))
    }

    /// The application key in reach that has this secret.
    pub async fn find_application_key_by_secret(
        &self,
        permit: &Permit<ApplicationKeysInReachRead>,
        secret: &str,
    ) -> Result<Shown, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_READ);
        self.find_and_show(permit, &target(permit, KeyRef::Secret(secret), owner)).await
    }

    /// Changes one of the caller's own application keys, and shows it as far as it may be shown.
    pub async fn update_own_application_key(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        id: CredentialId,
        patch: &ApplicationKeyPatch,
    ) -> Result<Changed<Shown>, Error> {
        let target = target(permit, KeyRef::Id(id), Some(permit.user()));
        self.update_and_show(permit, &target, patch, Names::Any).await
    }

    /// Changes an application key of anybody in the org; its secret is not shown.
    pub async fn update_org_application_key(
        &self,
        permit: &Permit<OrgApplicationKeysWrite>,
        id: CredentialId,
        patch: &ApplicationKeyPatch,
    ) -> Result<Changed<Credential>, Error> {
        let target = target(permit, KeyRef::Id(id), None);
        self.update_unshown(permit, &target, patch).await
    }

    /// Changes an application key; its secret is not shown.
    pub(crate) async fn update_unshown<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        patch: &ApplicationKeyPatch,
    ) -> Result<Changed<Credential>, Error> {
        let (value, position) = self.update(permit, target, patch, Names::Any, false).await?;
        Ok(Changed { value, position: position.unwrap_or_else(|| self.applied()) })
    }

    /// Renames the application key in reach that has this secret, and shows it as far as it may be shown.
    pub async fn rename_application_key_by_secret(
        &self,
        permit: &Permit<ApplicationKeysInReachWrite>,
        secret: &str,
        name: Name,
    ) -> Result<Changed<Shown>, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_WRITE);
        let patch = ApplicationKeyPatch { name: Some(name), scopes: None };
        let target = target(permit, KeyRef::Secret(secret), owner);
        self.update_and_show(permit, &target, &patch, Names::UniquePerOwner).await
    }

    /// Kills one of the caller's own application keys for good.
    pub async fn revoke_own_application_key(
        &self,
        permit: &Permit<OwnApplicationKeys>,
        id: CredentialId,
    ) -> Result<Changed<Credential>, Error> {
        let target = target(permit, KeyRef::Id(id), Some(permit.user()));
        self.revoke(&target, permit.user(), &permit.actor()).await
    }

    /// Kills an application key of anybody in the org for good.
    pub async fn revoke_org_application_key(
        &self,
        permit: &Permit<OrgApplicationKeysWrite>,
        id: CredentialId,
    ) -> Result<Changed<Credential>, Error> {
        self.revoke(&target(permit, KeyRef::Id(id), None), permit.user(), &permit.actor()).await
    }

    /// Kills the application key in reach that has this secret, for good.
    pub async fn revoke_application_key_by_secret(
        &self,
        permit: &Permit<ApplicationKeysInReachWrite>,
        secret: &str,
    ) -> Result<Changed<Credential>, Error> {
        let owner = permit.reach(Permission::ORG_APP_KEYS_WRITE);
        let target = target(permit, KeyRef::Secret(secret), owner);
        self.revoke(&target, permit.user(), &permit.actor()).await
    }

    async fn update_and_show<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        patch: &ApplicationKeyPatch,
        names: Names,
    ) -> Result<Changed<Shown>, Error> {
        let (credential, position) = self.update(permit, target, patch, names, true).await?;
        let shown = self.shown_to(permit.caller(), credential).await?;
        let position = match position {
            Some(position) => position,
            None => self.record_shown(permit.org(), &[shown.credential.id], &permit.actor()).await?,
        };
        Ok(Changed { value: shown, position })
    }

    async fn update<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        patch: &ApplicationKeyPatch,
        names: Names,
        shown: bool,
    ) -> Result<(Credential, Option<Position>), Error> {
        if let Some(scopes) = &patch.scopes {
            self.check_scopes(permit, target, scopes.as_ref()).await?;
        }
        let edit = |credential: &mut Credential| patch.apply(credential, shown);
        self.edit(target, &edit, names, permit.user(), &permit.actor()).await
    }

    async fn find_and_show<R: Right>(&self, permit: &Permit<R>, target: &Target<'_>) -> Result<Shown, Error> {
        let found = self.find_live(target).await?.ok_or(Error::Absent(Thing::ApplicationKey))?;
        let shown = self.shown_to(permit.caller(), found).await?;
        if shown.secret.is_some() {
            self.record_shown(permit.org(), &[shown.credential.id], &permit.actor()).await?;
        }
        Ok(shown)
    }

    /// The key with its secret; without, where it may do what a narrowed caller may not.
    async fn shown_to(&self, caller: &Caller, credential: Credential) -> Result<Shown, Error> {
        let secret = match caller.contains(credential.detail.scopes()) {
            true => self.open_secret(&credential).await?,
            false => None,
        };
        Ok(Shown { credential, secret })
    }
}

fn target<'a, R: Right>(permit: &Permit<R>, key: KeyRef<'a>, owner: Option<UserId>) -> Target<'a> {
    Target { org: permit.org(), kind: CredentialKind::ApplicationKey, key, owner }
}

impl ApplicationKeyPatch {
    /// Applies it, and names what changed; none where nothing does.
    fn apply(&self, credential: &mut Credential, shown: bool) -> Option<serde_json::Value> {
        let before = credential.clone();
        if let Some(name) = &self.name {
            credential.name = name.to_string();
        }
        if let (CredentialDetail::ApplicationKey { scopes, .. }, Some(wanted)) =
            (&mut credential.detail, &self.scopes)
        {
            // The org's own permissions are not the vendor's to change: whoever sets scopes does not see them.
            *scopes = Scopes::join(wanted.as_ref(), scopes.as_ref());
        }
        (*credential != before)
            .then(|| json!({ "name": credential.name, "was": before.name, "shown": shown }))
    }
}
