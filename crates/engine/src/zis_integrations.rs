//! ZIS integrations: named containers of connections, each with an OAuth client of its own.
//!
//! Whoever manages the org makes them. A name is unique within the org, and not across orgs as it is at the vendor:
//! that would tell orgs of each other. The client's secret is shown once and kept as a digest. Deleting an integration
//! kills its tokens; one that still has connections stays, so that nobody loses secrets by it.

use claviger_model::{
    OrgId, RedirectOrigins, ZIS_DESCRIPTION_CHARS_MAX, ZisIntegration, ZisIntegrationId, ZisName,
};
use claviger_store::{Change, CommitError, Refusal, ZIS_INTEGRATIONS_PER_ORG_MAX};
use claviger_vault::IssuedSecret;

use crate::credentials::STALE_RETRIES_MAX;
use crate::integration_tokens::generate_number;
use crate::permit::rights::ZisRegistry;
use crate::zis_signing::KeyTurn;
use crate::{Changed, Engine, Error, FieldError, Permit, Right, Thing};

/// Why an integration that has connections, or OAuth clients, stays.
const HAS_CONNECTIONS: &str = "The integration has connections or OAuth clients: delete these first";

/// An integration as the answer to a request for it to be there shows it.
#[derive(Debug)]
pub struct ShownZisIntegration {
    /// The integration.
    pub integration: ZisIntegration,
    /// Its OAuth client's secret, where it was made just now.
    pub client_secret: Option<IssuedSecret>,
}

impl Engine {
    /// Whether the caller's org has an integration of this name; who asks is not asked for more than a permit.
    pub async fn has_zis_integration<R: Right>(
        &self,
        permit: &Permit<R>,
        name: &ZisName,
    ) -> Result<bool, Error> {
        let found = self.store.find_zis_integration(permit.org(), name).await?;
        if found.is_none() {
            self.settle().await?;
        }
        Ok(found.is_some())
    }

    /// Makes an integration, or describes the one of that name anew. A new one's secret is in this answer and never
    /// again.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a description that is too long, [`Error::LimitReached`] beyond
    /// [`ZIS_INTEGRATIONS_PER_ORG_MAX`], [`Error::Unavailable`] where too many wait for keys to be made.
    pub async fn put_zis_integration(
        &self,
        permit: &Permit<ZisRegistry>,
        name: &ZisName,
        description: &str,
    ) -> Result<Changed<ShownZisIntegration>, Error> {
        check_description(description)?;
        let mut turn = None;
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.store.find_zis_integration(permit.org(), name).await?;
            let (shown, change) = match (found, &turn) {
                (Some(found), _) => {
                    // Whoever waits here for its own turn must not be the one who has it.
                    turn = None;
                    let Some(found) = self.with_signing_key(found, &permit.actor()).await? else { continue };
                    if found.description == description {
                        self.settle().await?;
                        let value = ShownZisIntegration { integration: found, client_secret: None };
                        return Ok(Changed { value, position: self.applied() });
                    }
                    self.described(permit, found, description)
                }
                // Looked for again then: of many who make one at once, one makes its key.
                (None, None) => {
                    turn = Some(self.key_making.turn().await?);
                    continue;
                }
                (None, Some(turn)) => self.drawn(permit, turn, name, description).await?,
            };
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: shown, position }),
                // Somebody else made, described or deleted it in between.
                Err(CommitError::Refused(Refusal::Stale | Refusal::NameTaken)) => {}
                Err(CommitError::Refused(Refusal::LimitReached)) => {
                    let max = ZIS_INTEGRATIONS_PER_ORG_MAX;
                    return Err(Error::LimitReached { thing: Thing::ZisIntegration, max });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// The org's integrations, in the order in which they were made. Some that have no signing key yet are given one.
    pub async fn list_zis_integrations(
        &self,
        permit: &Permit<ZisRegistry>,
    ) -> Result<Vec<ZisIntegration>, Error> {
        let found = self.store.list_zis_integrations(permit.org()).await?;
        self.with_signing_keys(found, &permit.actor()).await
    }

    /// Says to which origins browsers may be sent once a third party has sent them back; where nothing is said, they stay.
    ///
    /// # Errors
    /// [`Error::Absent`].
    pub async fn change_redirect_origins(
        &self,
        permit: &Permit<ZisRegistry>,
        name: &ZisName,
        origins: Option<&RedirectOrigins>,
    ) -> Result<Changed<ZisIntegration>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let Some(mut integration) = self.store.find_zis_integration(permit.org(), name).await? else {
                self.settle().await?;
                return Err(Error::Absent(Thing::ZisIntegration));
            };
            let Some(origins) = origins.filter(|origins| **origins != integration.redirect_origins) else {
                self.settle().await?;
                return Ok(Changed { value: integration, position: self.applied() });
            };
            let secret = self.store.find_zis_client_secret(permit.org(), integration.id).await?;
            let Some(secret) = secret else { continue };
            integration.redirect_origins = origins.clone();
            integration.modified_at = self.later_than(integration.modified_at);
            integration.modified_by = permit.user();
            let change = Change::change_redirect_origins(&integration, &secret, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: integration, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// To which origins an integration may send browsers; none where there is no such integration.
    pub async fn redirect_origins(&self, org: OrgId, name: &str) -> Result<RedirectOrigins, Error> {
        let Ok(name) = ZisName::parse(name) else { return Ok(RedirectOrigins::default()) };
        let found = self.store.find_zis_integration(org, &name).await?;
        Ok(found.map(|integration| integration.redirect_origins).unwrap_or_default())
    }

    /// Deletes an integration, and kills its tokens for good.
    ///
    /// # Errors
    /// [`Error::Absent`]; [`Error::Protected`] where it still has connections or OAuth clients.
    pub async fn delete_zis_integration(
        &self,
        permit: &Permit<ZisRegistry>,
        name: &ZisName,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let Some(found) = self.store.find_zis_integration(permit.org(), name).await? else {
                self.settle().await?;
                return Err(Error::Absent(Thing::ZisIntegration));
            };
            let tokens = self.store.list_integration_tokens(permit.org(), found.id).await?;
            let at = self.clock.now();
            let change = Change::delete_zis_integration(&found, &tokens, at, permit.user(), &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::InUse)) => return Err(Error::Protected(HAS_CONNECTIONS)),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    async fn drawn(
        &self,
        permit: &Permit<ZisRegistry>,
        turn: &KeyTurn,
        name: &ZisName,
        description: &str,
    ) -> Result<(ShownZisIntegration, Change), Error> {
        let (random, now) = (self.vault.random(), self.clock.now());
        let mut integration = ZisIntegration {
            id: ZisIntegrationId::generate_at(random, now),
            org: permit.org(),
            name: name.clone(),
            description: description.to_owned(),
            client_number: generate_number(random),
            redirect_origins: RedirectOrigins::default(),
            jwt_public_key: None,
            revision: 1,
            created_at: now,
            created_by: permit.user(),
            modified_at: now,
            modified_by: permit.user(),
        };
        let secret = IssuedSecret::generate_client_secret(random);
        let digest = self.vault.digest(secret.bytes());
        let signing_key = self.make_signing_key(turn, &mut integration).await?;
        let change = Change::create_zis_integration(&integration, &digest, signing_key, &permit.actor());
        Ok((ShownZisIntegration { integration, client_secret: Some(secret) }, change))
    }

    fn described(
        &self,
        permit: &Permit<ZisRegistry>,
        found: ZisIntegration,
        description: &str,
    ) -> (ShownZisIntegration, Change) {
        let read_at = found.modified_at;
        let integration = ZisIntegration {
            description: description.to_owned(),
            modified_at: self.clock.now().max(read_at),
            modified_by: permit.user(),
            ..found
        };
        let change = Change::describe_zis_integration(&integration, &permit.actor());
        (ShownZisIntegration { integration, client_secret: None }, change)
    }
}

fn check_description(description: &str) -> Result<(), Error> {
    match description_fault(description) {
        None => Ok(()),
        Some(reason) => Err(Error::Invalid(vec![FieldError { field: "description".to_owned(), reason }])),
    }
}

/// What is wrong with a description, if anything is.
pub(crate) fn description_fault(description: &str) -> Option<String> {
    // Not every database keeps a NUL in a text.
    if description.chars().count() > ZIS_DESCRIPTION_CHARS_MAX {
        Some(format!("must have at most {ZIS_DESCRIPTION_CHARS_MAX} characters"))
    } else if description.contains('\0') {
        Some("must not contain a NUL".to_owned())
    } else {
        None
    }
}
