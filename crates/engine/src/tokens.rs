//! What personal and service access tokens have in common: their changes, and their end, which may be asked for again.

use claviger_model::{Credential, CredentialDetail, Name, Scopes, Timestamp};
use claviger_store::Names;
use serde_json::{Value as Json, json};

use crate::credentials::Target;
use crate::{Changed, Engine, Error, FieldError, Permit, Right};

/// Changes of a token; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct TokenPatch {
    /// The name.
    pub name: Option<Name>,
    /// The scopes of the fixed list.
    pub scopes: Option<Scopes>,
    /// What the caller believes its end to be (none within for no end): it cannot be changed.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Engine {
    /// Changes a token.
    pub(crate) async fn update_token<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
        patch: &TokenPatch,
    ) -> Result<Changed<Credential>, Error> {
        if let Some(scopes) = &patch.scopes {
            self.check_scopes(permit, target, Some(scopes)).await?;
        }
        if let (Some(end), Some(token)) = (patch.expires_at, self.find_live(target).await?)
            && token.expiry.timestamp() != end
        {
            let reason = "cannot be changed".to_owned();
            return Err(Error::Invalid(vec![FieldError { field: "expires_at".to_owned(), reason }]));
        }
        let edit = |credential: &mut Credential| patch.apply(credential);
        let (value, position) = self.edit(target, &edit, Names::Any, permit.user(), &permit.actor()).await?;
        Ok(Changed { value, position: position.unwrap_or_else(|| self.applied()) })
    }

    /// Kills a token for good, if there is one in reach. Where there is none, nothing is left to do, and that is said
    /// as soon as whatever may have killed it is in effect.
    pub(crate) async fn revoke_token<R: Right>(
        &self,
        permit: &Permit<R>,
        target: &Target<'_>,
    ) -> Result<Changed<()>, Error> {
        match self.revoke(target, permit.user(), &permit.actor()).await {
            Ok(gone) => Ok(Changed { value: (), position: gone.position }),
            Err(Error::Absent(_)) => Ok(Changed { value: (), position: self.applied() }),
            Err(error) => Err(error),
        }
    }
}

impl TokenPatch {
    /// Applies it, and names what changed; none where nothing does.
    fn apply(&self, credential: &mut Credential) -> Option<Json> {
        let before = credential.clone();
        if let Some(name) = &self.name {
            credential.name = name.to_string();
        }
        if let CredentialDetail::PersonalAccessToken { scopes, .. }
        | CredentialDetail::ServiceAccessToken { scopes, .. } = &mut credential.detail
            && let Some(wanted) = &self.scopes
        {
            // The org's own permissions are not the vendor's to change.
            if let Some(joined) = Scopes::join(Some(wanted), Some(scopes)) {
                *scopes = joined;
            }
        }
        (*credential != before).then(|| json!({ "name": credential.name, "was": before.name }))
    }
}
