//! Native keys: an org issues them to callers of its own API, and verifies them here.
//!
//! They belong to the org and stand with its API keys: who may see, make and delete these may do so with native keys.
//! What they may do are permissions that the org has defined, and no others: a gateway that asks for a right within
//! Claviger must not get a yes from a key that anybody's customer holds. Containment: a narrowed credential gives no
//! permission that it does not have itself.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Expiry, ExternalId, KeyPrefix, Name, Scopes,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page};
use serde_json::{Map, Value, json};

use crate::credentials::{Draft, IssueError, KeyRef, Target};
use crate::guards::{check_end, check_future, check_loosening};
use crate::permit::rights::{ApiKeysDelete, ApiKeysRead, ApiKeysWrite};
use crate::{
    Caller, Changed, Engine, Error, Grace, Guarded, GuardsPatch, Permit, Right, Rotated, Shown, Thing,
};

/// The most that the metadata of a key may take, as text without spaces. It is kept in memory.
pub const METADATA_BYTES_MAX: usize = 4096;

/// What an org wants to know when a key is verified: a JSON object, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata(String);

/// An object that is too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most {METADATA_BYTES_MAX} bytes as JSON")]
pub struct MetadataError;

impl Metadata {
    /// Checks an object and keeps it.
    pub fn of(object: &Map<String, Value>) -> Result<Self, MetadataError> {
        let text = Value::Object(object.clone()).to_string();
        if text.len() <= METADATA_BYTES_MAX { Ok(Self(text)) } else { Err(MetadataError) }
    }
}

/// A new native key.
#[derive(Debug, Clone)]
pub struct NewNativeKey {
    /// Its name.
    pub name: Name,
    /// What its secret begins with; none for the org's usual prefix.
    pub prefix: Option<KeyPrefix>,
    /// The own permissions that it has, if any.
    pub permissions: Option<Scopes>,
    /// Whose it is.
    pub external_id: Option<ExternalId>,
    /// What the org wants to know when it is verified.
    pub metadata: Option<Metadata>,
    /// From where and how often it may be used, and until when.
    pub guards: GuardsPatch,
}

/// Changes of a native key; what is none stays, and what is none within is taken away.
#[derive(Debug, Clone, Default)]
pub struct NativeKeyPatch {
    /// The name.
    pub name: Option<Name>,
    /// The permissions.
    pub permissions: Option<Option<Scopes>>,
    /// Whose it is.
    pub external_id: Option<Option<ExternalId>>,
    /// The metadata.
    pub metadata: Option<Option<Metadata>>,
    /// From where and how often it may be used, and until when.
    pub guards: GuardsPatch,
}

impl Engine {
    /// Makes a native key. Its secret is in this answer and never again.
    ///
    /// # Errors
    /// [`Error::LimitReached`] beyond the org's limit, [`Error::Refused`] where it would have a permission that a
    /// narrowed caller lacks.
    pub async fn create_native_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        new: NewNativeKey,
    ) -> Result<Changed<Shown>, Error> {
        check_containment(permit.caller(), new.permissions.as_ref())?;
        let (guards, expires_at) = new.guards.into_parts();
        let expiry = Expiry::from(expires_at);
        check_future(expiry, self.clock.now())?;
        let settings = self.org(permit.org()).await?.settings;
        let draft = Draft {
            org: permit.org(),
            detail: CredentialDetail::NativeKey {
                prefix: new.prefix.unwrap_or(settings.native_key_prefix),
                permissions: new.permissions,
                external_id: new.external_id.map(String::from),
                metadata: new.metadata.map(|metadata| metadata.0),
            },
            name: new.name,
            by: permit.user(),
            expiry,
            guards,
        };
        match self.issue(draft, Names::Any, &permit.actor()).await {
            Ok(issued) => Ok(issued),
            Err(IssueError::Refused(_)) => {
                Err(Error::LimitReached { thing: Thing::NativeKey, max: settings.native_keys_max })
            }
            Err(IssueError::Other(error)) => Err(error),
        }
    }

    /// A page of the org's live native keys.
    pub async fn list_native_keys(
        &self,
        permit: &Permit<ApiKeysRead>,
        filter: &CredentialFilter,
        sort: CredentialSort,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        self.list_unowned(permit.org(), CredentialKind::NativeKey, filter, sort, page).await
    }

    /// One live native key.
    pub async fn find_native_key(
        &self,
        permit: &Permit<ApiKeysRead>,
        id: CredentialId,
    ) -> Result<Guarded, Error> {
        let found = self.find_live(&target(permit, id)).await?;
        self.guarded(found.ok_or(Error::Absent(Thing::NativeKey))?).await
    }

    /// Changes a native key. Nothing to change leaves it as it is, its time of change too.
    pub async fn update_native_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        id: CredentialId,
        patch: &NativeKeyPatch,
    ) -> Result<Changed<Guarded>, Error> {
        check_containment(permit.caller(), patch.permissions.as_ref().and_then(Option::as_ref))?;
        let edit = |credential: &mut Credential| {
            let before = credential.clone();
            let Some(changed) = patch.apply(credential) else { return Ok(None) };
            check_loosening(permit.caller(), &before, credential)?;
            if credential.expiry != before.expiry {
                check_end(credential, self.clock.now())?;
            }
            Ok(Some(changed))
        };
        let (value, position) =
            self.try_edit(&target(permit, id), &edit, Names::Any, permit.user(), &permit.actor()).await?;
        let value = self.guarded(value).await?;
        Ok(Changed { value, position: position.unwrap_or_else(|| self.applied()) })
    }

    /// Gives a native key a new secret, with the prefix that it has.
    pub async fn rotate_native_key(
        &self,
        permit: &Permit<ApiKeysWrite>,
        id: CredentialId,
        grace: Grace,
    ) -> Result<Changed<Rotated>, Error> {
        self.rotate(permit, &target(permit, id), grace).await
    }

    /// Kills a native key for good.
    pub async fn revoke_native_key(
        &self,
        permit: &Permit<ApiKeysDelete>,
        id: CredentialId,
    ) -> Result<Changed<Credential>, Error> {
        self.revoke(&target(permit, id), permit.user(), &permit.actor()).await
    }
}

fn target<R: Right>(permit: &Permit<R>, id: CredentialId) -> Target<'static> {
    Target { org: permit.org(), kind: CredentialKind::NativeKey, key: KeyRef::Id(id), owner: None }
}

/// Refuses to give what a narrowed caller does not have itself. To give nothing is always allowed.
pub(crate) fn check_containment(caller: &Caller, permissions: Option<&Scopes>) -> Result<(), Error> {
    if permissions.is_none() || caller.contains(permissions) { Ok(()) } else { Err(Error::Refused(&[])) }
}

impl NativeKeyPatch {
    /// Applies it, and names what changed; none where nothing does.
    fn apply(&self, credential: &mut Credential) -> Option<Value> {
        let before = credential.clone();
        if let Some(name) = &self.name {
            credential.name = name.to_string();
        }
        self.guards.apply(credential);
        if let CredentialDetail::NativeKey { permissions, external_id, metadata, .. } = &mut credential.detail
        {
            if let Some(wanted) = &self.permissions {
                permissions.clone_from(wanted);
            }
            if let Some(wanted) = &self.external_id {
                *external_id = wanted.clone().map(String::from);
            }
            if let Some(wanted) = &self.metadata {
                *metadata = wanted.clone().map(|metadata| metadata.0);
            }
        }
        (*credential != before).then(|| json!({ "name": credential.name, "was": before.name }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_bounded_as_it_is_kept() {
        let object = |length: usize| Map::from_iter([("a".to_owned(), json!("x".repeat(length)))]);
        let frame = r#"{"a":""}"#.len();
        assert!(Metadata::of(&object(METADATA_BYTES_MAX - frame)).is_ok());
        assert_eq!(Metadata::of(&object(METADATA_BYTES_MAX - frame + 1)), Err(MetadataError));
    }
}
