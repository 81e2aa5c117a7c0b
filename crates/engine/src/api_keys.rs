//! API keys: they belong to an org and say which org a request is for.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Expiry, Guards, Name, Timestamp,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page, SortKey};
use serde_json::json;

use crate::credentials::{Draft, IssueError, KeyRef, Target};
use crate::permit::rights::{ApiKeysDelete, ApiKeysRead, ApiKeysWrite};
use crate::{Changed, Engine, Error, Permit, Right, Shown, Thing};

/// The category of API keys for which none is given.
pub(crate) const DEFAULT_CATEGORY: &str = "default";

/// A new API key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its name.
    pub name: Name,
    /// Its category; none for the usual one.
    pub category: Option<String>,
    /// Whether it may read remote configuration.
    pub remote_config_read: bool,
    /// Until when it is valid.
    pub expires_at: Option<Timestamp>,
    /// From where and how often it may be used.
    pub guards: Guards,
}

/// Changes of an API key; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyPatch {
    /// The name.
    pub name: Option<Name>,
    /// The category.
    pub category: Option<String>,
    /// Whether it may read remote configuration.
    pub remote_config_read: Option<bool>,
}

impl Engine {
    /// Makes an API key.
    ///
    /// # Errors
    /// [`Error::LimitReached`] beyond the org's limit.
    pub async fn create_api_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        new: NewApiKey,
    ) -> Result<Changed<Shown>, Error> {
        let draft = Draft {
            org: permit.org(),
            detail: CredentialDetail::ApiKey {
                category: new.category.unwrap_or_else(|| DEFAULT_CATEGORY.to_owned()),
                remote_config_read: new.remote_config_read,
            },
            name: new.name,
            by: permit.user(),
            expiry: Expiry::from(new.expires_at),
            guards: new.guards,
        };
        match self.issue(draft, Names::Any, &permit.actor()).await {
            Ok(issued) => Ok(issued),
            Err(IssueError::Refused(_)) => {
                let max = self.org(permit.org()).await?.settings.api_keys_max;
                Err(Error::LimitReached { thing: Thing::ApiKey, max })
            }
            Err(IssueError::Other(error)) => Err(error),
        }
    }

    /// A page of the org's live API keys, without secrets.
    pub async fn list_api_keys(
        &self,
        permit: &Permit<ApiKeysRead>,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        self.list_unowned(permit.org(), CredentialKind::ApiKey, filter, sort, page).await
    }

    /// All of the org's live API keys by name, with their secrets.
    pub async fn list_api_keys_shown(&self, permit: &Permit<ApiKeysRead>) -> Result<Vec<Shown>, Error> {
        let filter = CredentialFilter::all(permit.org(), CredentialKind::ApiKey);
        let by_name = CredentialSort { key: SortKey::Name, descending: false };
        let page = self.list_api_keys(permit, &filter, by_name, Page::ALL).await?;
        let ids: Vec<_> = page.items.iter().map(|credential| credential.id).collect();
        self.record_shown(permit.org(), &ids, &permit.actor()).await?;
        let mut shown = Vec::with_capacity(page.items.len());
        for credential in page.items {
            shown.push(Shown { secret: self.open_secret(&credential).await?, credential });
        }
        Ok(shown)
    }

    /// One API key with its secret, dead or alive; a dead one has no secret any more.
    pub async fn find_api_key(&self, permit: &Permit<ApiKeysRead>, id: CredentialId) -> Result<Shown, Error> {
        let found = self.store.find_credential(permit.org(), id).await?;
        let credential = found
            .filter(|found| found.kind() == CredentialKind::ApiKey)
            .ok_or(Error::Absent(Thing::ApiKey))?;
        self.show_api_key(permit, credential).await
    }

    /// The live API key that has this secret.
    pub async fn find_api_key_by_secret(
        &self,
        permit: &Permit<ApiKeysRead>,
        secret: &str,
    ) -> Result<Shown, Error> {
        let found = self.find_live(&target(permit, KeyRef::Secret(secret))).await?;
        self.show_api_key(permit, found.ok_or(Error::Absent(Thing::ApiKey))?).await
    }

    async fn show_api_key(
        &self,
        permit: &Permit<ApiKeysRead>,
        credential: Credential,
    ) -> Result<Shown, Error> {
        let secret = self.open_secret(&credential).await?;
        if secret.is_some() {
            self.record_shown(permit.org(), &[credential.id], &permit.actor()).await?;
        }
        Ok(Shown { credential, secret })
    }

    /// Changes an API key, and shows it. Nothing to change leaves it as it is, its time of change too.
    pub async fn update_api_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        key: KeyRef<'_>,
        patch: &ApiKeyPatch,
    ) -> Result<Changed<Shown>, Error> {
        let actor = permit.actor();
        let edit = |credential: &mut Credential| patch.apply(credential);
        let (credential, position) =
            self.edit(&target(permit, key), &edit, Names::Any, permit.user(), &actor).await?;
        let secret = self.open_secret(&credential).await?;
        let position = match position {
            Some(position) => position,
            None => self.record_shown(permit.org(), &[credential.id], &actor).await?,
        };
        Ok(Changed { value: Shown { credential, secret }, position })
    }

    /// Kills an API key for good.
    ///
    /// # Errors
    /// [`Error::LastOne`] for the org's last.
    pub async fn revoke_api_key(
        &self,
        permit: &Permit<ApiKeysDelete>,
        key: KeyRef<'_>,
    ) -> Result<Changed<Credential>, Error> {
        self.revoke(&target(permit, key), permit.user(), &permit.actor()).await
    }
}

fn target<'a, R: Right>(permit: &Permit<R>, key: KeyRef<'a>) -> Target<'a> {
    Target { org: permit.org(), kind: CredentialKind::ApiKey, key, owner: None }
}

impl ApiKeyPatch {
    /// Applies it, and names what changed; none where nothing does.
    fn apply(&self, credential: &mut Credential) -> Option<serde_json::Value> {
        let before = credential.clone();
        if let Some(name) = &self.name {
            credential.name = name.to_string();
        }
        if let CredentialDetail::ApiKey { category, remote_config_read } = &mut credential.detail {
            if let Some(wanted) = &self.category {
                category.clone_from(wanted);
            }
            *remote_config_read = self.remote_config_read.unwrap_or(*remote_config_read);
        }
        (*credential != before).then(|| json!({ "name": credential.name, "was": before.name, "shown": true }))
    }
}
