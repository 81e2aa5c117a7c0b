//! Import: orgs with their people, keys and connections from one file, all of it or nothing.
//!
//! The file is read ([`document`]), set against what exists ([`plan`]), and what is new of it is committed in one
//! change. Whatever the file gives (ids, secrets, times) is kept; whatever it leaves out is made. What is there
//! already is found by id, else by its natural key, so that importing a file again finds nothing to do.

mod connection_entry;
mod connections;
mod document;
mod fault;
mod keys;
mod people;
mod plan;
mod reader;

use claviger_model::{Connection, Credential, CredentialId, CredentialKind, OrgId, Position};
use claviger_store::{
    Actor, Change, CommitError, ConnectionSecret, FIRST_SECRET_REVISION, ImportedOrg, NewSecret,
};
use claviger_vault::{IssuedSecret, WrappedKey};
use serde_json::Value;

use crate::credentials::{STALE_RETRIES_MAX, place};
use crate::{Engine, Error};
use document::OrgEntry;
use fault::Faults;
use plan::{PlannedCredential, PlannedOrg, Planner};

pub use fault::Fault;

/// What an import brought.
#[derive(Debug, Default)]
pub struct Imported {
    /// New orgs.
    pub orgs: usize,
    /// New roles, without the built-in ones of new orgs.
    pub roles: usize,
    /// New users.
    pub users: usize,
    /// New API keys.
    pub api_keys: usize,
    /// New application keys.
    pub application_keys: usize,
    /// New personal and service access tokens.
    pub access_tokens: usize,
    /// New registrations.
    pub registrations: usize,
    /// New connections.
    pub connections: usize,
    /// The secrets that the file did not give.
    pub secrets: Vec<GeneratedSecret>,
    /// Where the change stands in the ledger; none where there was nothing to import.
    pub position: Option<Position>,
}

/// A secret that was made for an imported key.
#[derive(Debug)]
pub struct GeneratedSecret {
    /// The key's org.
    pub org: OrgId,
    /// The key's kind.
    pub kind: CredentialKind,
    /// The key's id.
    pub id: CredentialId,
    /// The key's name.
    pub name: String,
    /// The secret.
    pub secret: IssuedSecret,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has faults: all of them.
    #[error("the file has {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

/// What is new in one org, ready to be stored.
struct Drawn {
    plan_index: usize,
    data_key: Option<WrappedKey>,
    credentials: Vec<(Credential, NewSecret)>,
    connections: Vec<(Connection, Vec<ConnectionSecret>)>,
}

impl Engine {
    /// Imports a file's document. Imports follow one another; other changes may come in between, and are then
    /// taken into account.
    ///
    /// # Errors
    /// [`ImportError::Faults`] with everything in it that cannot be imported. Nothing was changed then.
    pub async fn import(&self, document: &Value) -> Result<Imported, ImportError> {
        let faults = Faults::default();
        let entries = document::read(document, &faults);
        let shape_faults = faults.into_vec();
        let _alone = self.administration.lock().await;
        for _ in 0..STALE_RETRIES_MAX {
            let plans = self.plan(&entries, &shape_faults).await?;
            if plans.iter().all(PlannedOrg::is_empty) {
                self.settle().await?;
                return Ok(Imported::default());
            }
            let (drawn, imported) = self.draw(&plans)?;
            match self.store.commit(change(&plans, &drawn, self.clock.now())).await {
                Ok(position) => return Ok(Imported { position: Some(position), ..imported }),
                // Somebody else changed something in between: what that means, the next plan tells.
                Err(CommitError::Refused(_)) => {}
                Err(error) => return Err(Error::from(error).into()),
            }
        }
        Err(Error::Unavailable(None).into())
    }

    async fn plan<'d>(
        &self,
        entries: &'d [OrgEntry],
        shape_faults: &[Fault],
    ) -> Result<Vec<PlannedOrg<'d>>, ImportError> {
        let mut planner = Planner::new(&self.store, &self.vault, &self.connections, self.clock.now()).await?;
        let mut plans = Vec::with_capacity(entries.len());
        for entry in entries {
            plans.push(planner.plan(entry).await?);
        }
        let faults = [shape_faults, &planner.faults].concat();
        if faults.is_empty() { Ok(plans) } else { Err(ImportError::Faults(faults)) }
    }

    /// Makes what has to be made: data keys for new orgs, secrets where none is given, and everything sealed.
    fn draw(&self, plans: &[PlannedOrg<'_>]) -> Result<(Vec<Drawn>, Imported), Error> {
        let (mut drawn, mut imported) = (Vec::with_capacity(plans.len()), Imported::default());
        for (plan_index, plan) in plans.iter().enumerate().filter(|(_, plan)| !plan.is_empty()) {
            let data_key = plan.is_new.then(|| self.vault.generate_org_key(plan.org.id, self.clock.now()));
            if let Some(key) = &data_key {
                self.vault.add_org_key(key).map_err(|error| Error::Internal(error.into()))?;
            }
            imported.orgs += usize::from(plan.is_new);
            imported.roles += plan.new_roles().iter().filter(|role| role.managed.is_none()).count();
            imported.users += plan.new_users().len();
            imported.registrations += plan.registrations.len();
            let mut credentials = Vec::with_capacity(plan.credentials.len());
            for planned in &plan.credentials {
                let (credential, stored, generated) = self.draw_credential(planned)?;
                match credential.kind() {
                    CredentialKind::ApiKey | CredentialKind::NativeKey => imported.api_keys += 1,
                    CredentialKind::ApplicationKey => imported.application_keys += 1,
                    CredentialKind::PersonalAccessToken
                    | CredentialKind::ServiceAccessToken
                    | CredentialKind::IntegrationToken => {
                        imported.access_tokens += 1;
                    }
                    // No document has any.
                    CredentialKind::Session => {}
                }
                imported.secrets.extend(generated.map(|secret| GeneratedSecret {
                    org: credential.org,
                    kind: credential.kind(),
                    id: credential.id,
                    name: credential.name.clone(),
                    secret,
                }));
                credentials.push((credential, stored));
            }
            imported.connections += plan.connections.len();
            let connections = plan.connections.iter().map(|planned| self.draw_imported(planned));
            let connections = connections.collect::<Result<_, _>>()?;
            drawn.push(Drawn { plan_index, data_key, credentials, connections });
        }
        Ok((drawn, imported))
    }

    fn draw_credential(
        &self,
        planned: &PlannedCredential<'_>,
    ) -> Result<(Credential, NewSecret, Option<IssuedSecret>), Error> {
        let kind = planned.credential.kind();
        let generated = match planned.secret {
            Some(_) => None,
            None => Some(IssuedSecret::generate(kind, self.vault.random())),
        };
        let Some(secret) = planned.secret.or(generated.as_ref()) else {
            unreachable!("it is given or was just generated")
        };
        let mut credential = Credential { last4: secret.last4().to_owned(), ..planned.credential.clone() };
        if let (Some(portion), Some(shown)) =
            (credential.detail.public_portion_mut(), secret.public_portion(kind))
        {
            *portion = shown.to_owned();
        }
        let place = place(credential.org, credential.id, FIRST_SECRET_REVISION);
        let stored = NewSecret {
            digest: self.vault.digest(secret.bytes()),
            digest_key: self.vault.digest_key_id(),
            sealed: match kind.is_shown_again() {
                true => Some(self.vault.seal(&place, secret.bytes())?),
                false => None,
            },
        };
        Ok((credential, stored, generated))
    }
}

fn change(plans: &[PlannedOrg<'_>], drawn: &[Drawn], at: claviger_model::Timestamp) -> Change {
    let orgs: Vec<_> = drawn
        .iter()
        .map(|drawn| {
            let plan = &plans[drawn.plan_index];
            ImportedOrg {
                org: &plan.org,
                data_key: drawn.data_key.as_ref(),
                roles: plan.new_roles(),
                users: plan.new_users(),
                credentials: &drawn.credentials,
                registrations: &plan.registrations,
                connections: &drawn.connections,
                at,
            }
        })
        .collect();
    Change::import(&orgs, &Actor::SERVER)
}
