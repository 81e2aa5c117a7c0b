//! Integration tokens: each is bound to one ZIS integration, acts for the admin who made it, and may do with that
//! integration's connections what both its scopes and the admin's roles allow.
//!
//! Nobody makes a token that may do what they may not do themselves. A token dies with its integration, with the user
//! for whom it acts, and when it is revoked; it is good for nothing but its integration's endpoints.

use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, Expiry, Guards, Name, OrgId, Random,
    ZisScopes,
};
use claviger_store::{CredentialFilter, CredentialPage, CredentialSort, Names, Page, Refusal, SortKey};

use crate::credentials::{Draft, IssueError, KeyRef, Target};
use crate::permit::rights::ZisRegistry;
use crate::{Caller, Changed, Engine, Error, Permit, Shown, Thing};

/// A number by which clients name something, and of which nothing else follows: 48 bits, so that every client's
/// numbers hold it.
pub(crate) fn generate_number(random: &dyn Random) -> i64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes[2..]);
    i64::from_be_bytes(bytes).max(1)
}

impl Engine {
    /// Makes a token for the integration whose OAuth client has a number. It is in this answer and never again.
    ///
    /// # Errors
    /// [`Error::Absent`] where no integration of the org has such a client, [`Error::Refused`] where the token would
    /// have a right that the caller lacks, [`Error::LimitReached`] beyond as many as the org allows each user of
    /// application keys.
    pub async fn create_integration_token(
        &self,
        permit: &Permit<ZisRegistry>,
        client_number: i64,
        scopes: ZisScopes,
    ) -> Result<Changed<Shown>, Error> {
        let found = self.store.find_zis_integration_by_client(permit.org(), client_number).await?;
        let integration = found.ok_or(Error::Absent(Thing::ZisIntegration))?;
        if !permit.caller().may_all(&scopes.rights()) {
            return Err(Error::Refused(&[]));
        }
        let draft = Draft {
            org: permit.org(),
            detail: CredentialDetail::IntegrationToken {
                owner: permit.user(),
                integration: integration.id,
                scopes,
                number: generate_number(self.vault.random()),
                public_portion: String::new(),
            },
            name: Name::parse(integration.name.as_str()).map_err(|error| Error::Internal(error.into()))?,
            by: permit.user(),
            expiry: Expiry::Never,
            guards: Guards::NONE,
        };
        match self.issue(draft, Names::Any, &permit.actor()).await {
            Ok(issued) => Ok(issued),
            Err(IssueError::Refused(Refusal::NameTaken)) => Err(Error::Unavailable(None)),
            Err(IssueError::Refused(_)) => {
                let max = self.org(permit.org()).await?.settings.application_keys_per_user_max;
                Err(Error::LimitReached { thing: Thing::IntegrationToken, max })
            }
            Err(IssueError::Other(error)) => Err(error),
        }
    }

    /// A page of the org's live tokens, oldest first.
    pub async fn list_integration_tokens(
        &self,
        permit: &Permit<ZisRegistry>,
        page: Page,
    ) -> Result<CredentialPage, Error> {
        let filter = CredentialFilter::all(permit.org(), CredentialKind::IntegrationToken);
        let sort = CredentialSort { key: SortKey::CreatedAt, descending: false };
        Ok(self.store.list_credentials(&filter, sort, page).await?)
    }

    /// One live token by its number.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub async fn find_integration_token(
        &self,
        permit: &Permit<ZisRegistry>,
        number: i64,
    ) -> Result<Credential, Error> {
        let found = self.store.find_integration_token(permit.org(), number).await?;
        found.ok_or(Error::Absent(Thing::IntegrationToken))
    }

    /// The token that a caller presents.
    ///
    /// # Errors
    /// [`Error::Absent`] where it died while the request was under way.
    pub async fn current_integration_token(&self, caller: &Caller) -> Result<Credential, Error> {
        let found = self.find_live(&target(caller.org(), caller.acting())).await?;
        found.ok_or(Error::Absent(Thing::IntegrationToken))
    }

    /// Which OAuth client each integration of an org has, by the integrations' ids.
    pub async fn zis_clients(
        &self,
        org: OrgId,
    ) -> Result<std::collections::HashMap<claviger_model::ZisIntegrationId, i64>, Error> {
        let all = self.store.list_zis_integrations(org).await?;
        Ok(all.into_iter().map(|integration| (integration.id, integration.client_number)).collect())
    }

    /// Kills a token for good.
    ///
    /// # Errors
    /// [`Error::Absent`] where no live one has that number.
    pub async fn revoke_integration_token(
        &self,
        permit: &Permit<ZisRegistry>,
        number: i64,
    ) -> Result<Changed<Credential>, Error> {
        let Some(found) = self.store.find_integration_token(permit.org(), number).await? else {
            self.settle().await?;
            return Err(Error::Absent(Thing::IntegrationToken));
        };
        self.revoke(&target(permit.org(), found.id), permit.user(), &permit.actor()).await
    }
}

fn target(org: OrgId, id: CredentialId) -> Target<'static> {
    Target { org, kind: CredentialKind::IntegrationToken, key: KeyRef::Id(id), owner: None }
}
