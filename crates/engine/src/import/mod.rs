//! Import: orgs with their people, keys and connections from one file, all of it or nothing.
//!
//! The file is read ([`document`]), set against what exists ([`plan`]), and what is new of it is committed in one
//! change. Whatever the file gives (ids, secrets, times) is kept; whatever it leaves out is made. What is there
//! already is found by id, else by its natural key, so that importing a file again finds nothing to do.

mod common;
mod connection_entry;
mod connections;
mod document;
mod fault;
mod keys;
mod people;
mod plan;
mod reader;
mod zis;
mod zis_entry;

use claviger_model::{Connection, Credential, CredentialKind, OrgId, Position, ZisIntegration};
use claviger_store::{
    Actor, Change, CommitError, ConnectionSecret, FIRST_SECRET_REVISION, ImportedOrg, NewSecret,
};
use claviger_vault::{Digest, IssuedSecret, WrappedKey};
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
    /// New connections, ZIS connections included.
    pub connections: usize,
    /// New ZIS integrations.
    pub zis_integrations: usize,
    /// The secrets that the file did not give.
    pub secrets: Vec<GeneratedSecret>,
    /// Where the change stands in the ledger; none where there was nothing to import.
    pub position: Option<Position>,
}

/// A secret that was made for an imported key, or for the OAuth client of an imported ZIS integration.
#[derive(Debug)]
pub struct GeneratedSecret {
    /// Its org.
    pub org: OrgId,
    /// Its kind: a key's, or `zis_integration`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its name.
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
    zis_integrations: Vec<(ZisIntegration, Digest)>,
    connections: Vec<(Connection, Vec<ConnectionSecret>)>,
}

impl Imported {
    /// Counts what is new in one org.
    fn count(&mut self, plan: &PlannedOrg<'_>) {
        self.orgs += usize::from(plan.is_new);
        self.roles += plan.new_roles().iter().filter(|role| role.managed.is_none()).count();
        self.users += plan.new_users().len();
        self.registrations += plan.registrations.len();
        for planned in &plan.credentials {
            match planned.credential.kind() {
                CredentialKind::ApiKey | CredentialKind::NativeKey => self.api_keys += 1,
                CredentialKind::ApplicationKey => self.application_keys += 1,
                CredentialKind::PersonalAccessToken
                | CredentialKind::ServiceAccessToken
                | CredentialKind::IntegrationToken => self.access_tokens += 1,
                // No document has any.
                CredentialKind::Session => {}
            }
        }
        self.zis_integrations += plan.zis_integrations.len();
        self.connections += plan.connections.len();
    }
}

fn read(document: &Value) -> (Vec<OrgEntry>, Vec<Fault>) {
    let faults = Faults::default();
    let entries = document::read(document, &faults);
    (entries, faults.into_vec())
}

impl Engine {
    /// Imports a file's document. Imports follow one another; other changes may come in between, and are then
    /// taken into account.
    ///
    /// # Errors
    /// [`ImportError::Faults`] with everything in it that cannot be imported. Nothing was changed then.
    pub async fn import(&self, document: &Value) -> Result<Imported, ImportError> {
        let (entries, shape_faults) = read(document);
        let _alone = self.administration.lock().await;
        for _ in 0..STALE_RETRIES_MAX {
            let plans = self.plan(&entries, &shape_faults).await?;
            if plans.iter().all(PlannedOrg::is_empty) {
                self.settle().await?;
                return Ok(Imported::default());
            }
            let (drawn, imported) = self.draw(&plans)?;
            let max = self.connections.zis_connections_max;
            match self.store.commit(change(&plans, &drawn, self.clock.now(), max)).await {
                Ok(position) => return Ok(Imported { position: Some(position), ..imported }),
                // Somebody else changed something in between: what that means, the next plan tells.
                Err(CommitError::Refused(_)) => {}
                Err(error) => return Err(Error::from(error).into()),
            }
        }
        Err(Error::Unavailable(None).into())
    }

    /// What [`Engine::import`] would bring, without bringing it: no secret is made, and no change.
    ///
    /// # Errors
    /// As there.
    pub async fn try_import(&self, document: &Value) -> Result<Imported, ImportError> {
        let (entries, shape_faults) = read(document);
        let plans = self.plan(&entries, &shape_faults).await?;
        let mut imported = Imported::default();
        plans.iter().filter(|plan| !plan.is_empty()).for_each(|plan| imported.count(plan));
        Ok(imported)
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
            imported.count(plan);
            let mut credentials = Vec::with_capacity(plan.credentials.len());
            for planned in &plan.credentials {
                let (credential, stored, generated) = self.draw_credential(planned)?;
                imported.secrets.extend(generated.map(|secret| GeneratedSecret {
                    org: credential.org,
                    kind: credential.kind().as_str(),
                    id: credential.id.to_string(),
                    name: credential.name.clone(),
                    secret,
                }));
                credentials.push((credential, stored));
            }
            let zis_integrations = self.draw_zis_integrations(plan, &mut imported);
            let connections = plan.connections.iter().map(|planned| self.draw_imported(planned));
            let connections = connections.collect::<Result<_, _>>()?;
            drawn.push(Drawn { plan_index, data_key, credentials, zis_integrations, connections });
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

fn change(
    plans: &[PlannedOrg<'_>],
    drawn: &[Drawn],
    at: claviger_model::Timestamp,
    zis_connections_max: Option<u32>,
) -> Change {
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
                zis_integrations: &drawn.zis_integrations,
                zis_connections_max,
                connections: &drawn.connections,
                at,
            }
        })
        .collect();
    Change::import(&orgs, &Actor::SERVER)
}
