//! The ZIS integrations and ZIS connections of an imported org.

use std::collections::BTreeMap;

use claviger_catalog::{Secrets, ZIS_INTEGRATION, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, UserId, ZisIntegration, ZisIntegrationId,
    ZisName,
};
use claviger_store::ZIS_INTEGRATIONS_PER_ORG_MAX;
use claviger_vault::{Digest, IssuedSecret};

use super::document::OrgEntry;
use super::plan::{Meant, PlannedConnection, PlannedOrg, Planner};
use super::zis_entry::{ZisConnectionEntry, ZisIntegrationEntry};
use super::{GeneratedSecret, Imported};
use crate::connections::{first_revision, internal};
use crate::integration_tokens::generate_number;
use crate::{Engine, Error};

impl Planner<'_> {
    pub(super) async fn plan_zis(
        &mut self,
        plan: &mut PlannedOrg<'_>,
        entry: &OrgEntry,
    ) -> Result<(), Error> {
        let there = match entry.zis_integrations.is_empty() && entry.zis_connections.is_empty() {
            true => return Ok(()),
            false => self.store.list_zis_integrations(plan.org.id).await?,
        };
        let first_user = self.first_user(plan, entry);
        // Whatever the file names is known, so that what is in it is not taken for a fault too.
        let mut known: Vec<ZisName> = there.iter().map(|integration| integration.name.clone()).collect();
        for given in &entry.zis_integrations {
            known.extend(given.name.clone());
            let maker = self.maker(plan, given.created_by.as_deref(), &given.at, first_user);
            let Some(name) = &given.name else { continue };
            let at = format!("{}/name", given.at);
            if !self.claim("ZIS integration", format!("{} {name}", plan.org.id), at) {
                continue;
            }
            match there.iter().find(|integration| integration.name == *name) {
                Some(there) => self.compare_zis_integration(there, given, maker),
                None => {
                    let new = self.new_zis_integration(plan, given, name, maker);
                    plan.zis_integrations.extend(new);
                }
            }
        }
        let (new, max) = (plan.zis_integrations.len(), ZIS_INTEGRATIONS_PER_ORG_MAX as usize);
        if new > 0 && there.len() + new > max {
            let reason = format!("would make {} integrations; an org may have {max}", there.len() + new);
            self.fault(format!("{}/zis_integrations", entry.at), reason);
        }
        for given in &entry.zis_connections {
            if let Some(name) = given.integration.as_ref().filter(|name| !known.contains(name)) {
                let reason = format!("names no integration of this org: add {name} to zis_integrations");
                self.fault(format!("{}/integration", given.at), reason);
            }
            let maker = self.maker(plan, given.created_by.as_deref(), &given.at, first_user);
            match self.find_zis_connection(plan, given).await? {
                Meant::Faulty => {}
                Meant::Existing(there) => self.compare_zis_connection(&there, given, maker).await?,
                Meant::New => {
                    let new = self.new_zis_connection(plan, given, maker)?;
                    plan.connections.extend(new);
                }
            }
        }
        self.check_zis_quota(plan, entry).await
    }

    fn compare_zis_integration(
        &mut self,
        there: &ZisIntegration,
        given: &ZisIntegrationEntry,
        maker: Option<UserId>,
    ) {
        let members = [
            (given.description.as_ref().is_none_or(|text| *text == there.description), "description"),
            (given.created_by.is_none() || maker.is_none_or(|id| id == there.created_by), "created_by"),
            (given.created_at.is_none_or(|at| at == there.created_at), "created_at"),
        ];
        self.differing(&given.at, members);
    }

    fn new_zis_integration(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ZisIntegrationEntry,
        name: &ZisName,
        maker: Option<UserId>,
    ) -> Option<ZisIntegration> {
        self.check_making(&given.at, given.created_by.as_deref(), maker, given.created_at);
        let (maker, random) = (maker.filter(|_| given.is_sound)?, self.vault.random());
        let created_at = given.created_at.unwrap_or(self.now);
        Some(ZisIntegration {
            id: ZisIntegrationId::generate_at(random, self.now),
            org: plan.org.id,
            name: name.clone(),
            description: given.description.clone().unwrap_or_default(),
            client_number: generate_number(random),
            redirect_origins: Default::default(),
            jwt_public_key: None,
            revision: 1,
            created_at,
            created_by: maker,
            modified_at: created_at,
            modified_by: maker,
        })
    }

    /// What an entry means: by its id, else by its name within its integration.
    async fn find_zis_connection(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ZisConnectionEntry,
    ) -> Result<Meant<Connection>, Error> {
        let org = plan.org.id;
        let by_name = match (&given.integration, &given.name) {
            (Some(integration), Some(name)) => {
                let at = format!("{}/name", given.at);
                if !self.claim("ZIS connection", format!("{org} {integration} {name}"), at) {
                    return Ok(Meant::Faulty);
                }
                // What is no name is nobody's, and not every database can be asked for it.
                match claviger_model::ZisConnectionName::parse(name) {
                    Err(_) => None,
                    Ok(_) => {
                        let zendesk = ConnectionDialect::Zendesk;
                        self.store.find_connection_in(org, zendesk, integration.as_str(), name).await?
                    }
                }
            }
            _ => None,
        };
        let Some(id) = given.id else {
            return Ok(by_name.map_or(Meant::New, |there| Meant::Existing(Box::new(there))));
        };
        let found = self.find_connection_by_id(plan, ConnectionDialect::Zendesk, id, &given.at).await?;
        if matches!((&found, by_name), (Meant::New, Some(_))) {
            let reason = "is taken: another connection of the integration has it";
            self.fault(format!("{}/name", given.at), reason);
            return Ok(Meant::Faulty);
        }
        Ok(found)
    }

    async fn compare_zis_connection(
        &mut self,
        there: &Connection,
        given: &ZisConnectionEntry,
        maker: Option<UserId>,
    ) -> Result<(), Error> {
        if !given.is_sound {
            return Ok(());
        }
        let container = given.integration.as_ref().map(ZisName::as_str);
        let members = [
            (container == there.container.as_deref(), "integration"),
            (given.of.map(ZisType::as_str) == Some(&there.credentials), "type"),
            (given.name.as_ref() == Some(&there.name), "name"),
            (given.restriction == there.restriction, "restriction"),
            (given.created_by.is_none() || maker.is_none_or(|id| id == there.created_by), "created_by"),
            (given.created_at.is_none_or(|at| at == there.created_at), "created_at"),
        ];
        self.differing(&given.at, members);
        let Some(of) = given.of.filter(|of| of.as_str() == there.credentials) else { return Ok(()) };
        let kept = serde_json::from_str(&there.settings).map_err(internal)?;
        let compared = match of.compare(&kept, given.body.clone()) {
            Ok(compared) => compared,
            Err(faults) => {
                self.note(&given.at, &faults);
                return Ok(());
            }
        };
        for pointer in &compared.differing {
            self.fault(format!("{}{pointer}", given.at), "differs from what is there");
        }
        let Some(secret) = compared.secret.filter(|_| compared.differing.is_empty()) else { return Ok(()) };
        let sealed = self.store.list_connection_secrets(there.org, there.id).await?;
        if !self.is_kept(there, &sealed, of.secret(), &secret)? {
            self.differs(&given.at, of.secret());
        }
        Ok(())
    }

    /// A new connection; none where it cannot be one, which was noted.
    fn new_zis_connection(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ZisConnectionEntry,
        maker: Option<UserId>,
    ) -> Result<Option<PlannedConnection>, Error> {
        let before = self.faults.len();
        self.check_making(&given.at, given.created_by.as_deref(), maker, given.created_at);
        if let Some(restriction) = &given.restriction {
            self.check_principals(plan, restriction, &given.at);
        }
        let Some(of) = given.of else { return Ok(None) };
        let new = match of.adopt(given.body.clone()) {
            Ok(new) => new,
            Err(faults) => {
                self.note(&given.at, &faults);
                return Ok(None);
            }
        };
        let is_right = given.is_sound && self.faults.len() == before;
        let (Some(maker), Some(container), true) = (maker, &given.integration, is_right) else {
            return Ok(None);
        };
        let (created_at, revision) = (given.created_at.unwrap_or(self.now), first_revision(self.now));
        let connection = Connection {
            id: given.id.unwrap_or_else(|| ConnectionId::generate_at(self.vault.random(), self.now)),
            org: plan.org.id,
            dialect: ConnectionDialect::Zendesk,
            container: Some(container.to_string()),
            name: new.name.as_str().to_owned(),
            integration: ZIS_INTEGRATION.to_owned(),
            credentials: of.as_str().to_owned(),
            settings: serde_json::to_string(&new.settings).map_err(internal)?,
            hosts: Vec::new(),
            tags: None,
            secrets: ConnectionSecrets([(of.secret().to_owned(), revision)].into()),
            restriction: given.restriction.clone(),
            revision,
            created_at,
            created_by: maker,
            modified_at: created_at,
            modified_by: maker,
            expires_at: None,
            terms: given.terms.clone(),
        };
        Ok(Some(PlannedConnection { connection, secrets: Secrets::from([(of.secret_name(), new.secret)]) }))
    }

    async fn check_zis_quota(&mut self, plan: &PlannedOrg<'_>, entry: &OrgEntry) -> Result<(), Error> {
        let Some(max) = self.options.zis_connections_max else { return Ok(()) };
        let mut new = BTreeMap::<&str, i64>::new();
        for container in plan.connections.iter().filter_map(|planned| planned.connection.container.as_deref())
        {
            *new.entry(container).or_default() += 1;
        }
        for (name, new) in new {
            let Ok(integration) = ZisName::parse(name) else { continue };
            let all = self.store.count_zis_connections(plan.org.id, &integration).await? + new;
            if all > i64::from(max) {
                let reason = format!("would make {all} connections in {name}; an integration may have {max}");
                self.fault(format!("{}/zis_connections", entry.at), reason);
            }
        }
        Ok(())
    }
}

impl Engine {
    /// The new integrations of a plan, each with an OAuth client's secret that is made now, told and kept as a digest.
    pub(super) fn draw_zis_integrations(
        &self,
        plan: &PlannedOrg<'_>,
        imported: &mut Imported,
    ) -> Vec<(ZisIntegration, Digest)> {
        let draw = |integration: &ZisIntegration| {
            let secret = IssuedSecret::generate_client_secret(self.vault.random());
            let digest = self.vault.digest(secret.bytes());
            imported.secrets.push(GeneratedSecret {
                org: integration.org,
                kind: "zis_integration",
                id: integration.id.to_string(),
                name: integration.name.to_string(),
                secret,
            });
            (integration.clone(), digest)
        };
        plan.zis_integrations.iter().map(draw).collect()
    }
}
