//! The ZIS integrations and ZIS connections of an imported org.

use std::collections::BTreeMap;

use claviger_catalog::{Secrets, ZIS_INTEGRATION, ZisType};
use claviger_model::{
    Connection, ConnectionDialect, ConnectionId, ConnectionSecrets, UserId, ZisIntegration, ZisIntegrationId,
    ZisName,
};
use claviger_store::{ZIS_INTEGRATIONS_PER_ORG_MAX, connection_secret_place};
use claviger_vault::{Digest, IssuedSecret};

use super::document::OrgEntry;
use super::plan::{PlannedConnection, PlannedOrg, Planner};
use super::zis_entry::{ZisConnectionEntry, ZisIntegrationEntry};
use super::{GeneratedSecret, Imported};
use crate::connections::{first_revision, internal};
use crate::integration_tokens::generate_number;
use crate::{Engine, Error};

/// What an entry turns out to mean.
enum Meant {
    Existing(Box<Connection>),
    New,
    /// Something that is a fault, and was noted.
    Faulty,
}

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
            let maker = self.maker(plan, &given.created_by, &given.at, first_user);
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
            let maker = self.maker(plan, &given.created_by, &given.at, first_user);
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

    /// Who made something: whom the file names, else the first user.
    fn maker(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &Option<String>,
        at: &str,
        first_user: Option<UserId>,
    ) -> Option<UserId> {
        let at = format!("{at}/created_by");
        match given {
            Some(text) => self.find_user(plan, at, text),
            None => first_user,
        }
    }

    /// Notes what is wrong with when and by whom something new was made.
    fn check_making(&mut self, at: &str, given: (bool, Option<UserId>, Option<claviger_model::Timestamp>)) {
        let (names_maker, maker, created_at) = given;
        if maker.is_none() && !names_maker {
            let reason = "is missing, and the org has no user who could have made it";
            self.fault(format!("{at}/created_by"), reason);
        }
        if created_at.is_some_and(|created_at| created_at > self.now) {
            self.fault(format!("{at}/created_at"), "is in the future");
        }
    }

    fn compare_zis_integration(
        &mut self,
        there: &ZisIntegration,
        given: &ZisIntegrationEntry,
        maker: Option<UserId>,
    ) {
        for (is_equal, member) in [
            (given.description.as_ref().is_none_or(|text| *text == there.description), "description"),
            (given.created_by.is_none() || maker.is_none_or(|id| id == there.created_by), "created_by"),
            (given.created_at.is_none_or(|at| at == there.created_at), "created_at"),
        ] {
            if !is_equal {
                self.differs(&given.at, member);
            }
        }
    }

    fn new_zis_integration(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ZisIntegrationEntry,
        name: &ZisName,
        maker: Option<UserId>,
    ) -> Option<ZisIntegration> {
        self.check_making(&given.at, (given.created_by.is_some(), maker, given.created_at));
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
    ) -> Result<Meant, Error> {
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
        let at = format!("{}/id", given.at);
        if !self.claim("connection", id, &at) {
            return Ok(Meant::Faulty);
        }
        Ok(match self.store.find_org_of_connection(id).await? {
            None => match by_name {
                None => Meant::New,
                Some(_) => {
                    self.fault(
                        format!("{}/name", given.at),
                        "is taken: another connection of the integration has it",
                    );
                    Meant::Faulty
                }
            },
            Some(owner) if owner != org => {
                self.fault(at, "is taken: another org has a connection of this id");
                Meant::Faulty
            }
            Some(_) => match self.store.find_connection(org, id).await? {
                Some((there, _)) if there.dialect == ConnectionDialect::Zendesk => {
                    Meant::Existing(Box::new(there))
                }
                Some(_) => {
                    self.fault(at, "is taken: a connection of another kind has it");
                    Meant::Faulty
                }
                None => Meant::New,
            },
        })
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
        for (is_equal, member) in [
            (container == there.container.as_deref(), "integration"),
            (given.of.map(ZisType::as_str) == Some(&there.credentials), "type"),
            (given.name.as_ref() == Some(&there.name), "name"),
            (given.restriction == there.restriction, "restriction"),
            (given.created_by.is_none() || maker.is_none_or(|id| id == there.created_by), "created_by"),
            (given.created_at.is_none_or(|at| at == there.created_at), "created_at"),
        ] {
            if !is_equal {
                self.differs(&given.at, member);
            }
        }
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
        let kept = sealed.iter().find(|kept| kept.name == of.secret());
        let is_same = kept.map(|kept| {
            let place = connection_secret_place(there.org, there.id, &kept.name, kept.revision);
            self.vault.is_sealed(&place, &kept.sealed, secret.reveal().as_bytes())
        });
        if is_same.transpose().map_err(|error| Error::Internal(error.into()))? != Some(true) {
            self.differs(&given.at, of.secret());
        }
        Ok(())
    }

    fn note(&mut self, at: &str, faults: &claviger_catalog::Faults) {
        for fault in faults.iter() {
            self.fault(format!("{at}{}", fault.pointer), &fault.reason);
        }
    }

    /// A new connection; none where it cannot be one, which was noted.
    fn new_zis_connection(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ZisConnectionEntry,
        maker: Option<UserId>,
    ) -> Result<Option<PlannedConnection>, Error> {
        let before = self.faults.len();
        self.check_making(&given.at, (given.created_by.is_some(), maker, given.created_at));
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
