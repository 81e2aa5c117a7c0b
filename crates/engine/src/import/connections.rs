//! The connections of an imported org.

use claviger_catalog::{SecretName, SecretText};
use claviger_model::{Connection, ConnectionId, ConnectionSecrets, Principal, Restriction, UserId};
use claviger_store::ConnectionSecret;

use super::connection_entry::ConnectionEntry;
use super::document::OrgEntry;
use super::plan::{Meant, PlannedConnection, PlannedOrg, Planner};
use crate::connections::{CATALOGUED, first_revision, hosts_of, judge_hosts, kept, settings_of};
use crate::{Engine, Error};

impl Planner<'_> {
    pub(super) async fn plan_connections(
        &mut self,
        plan: &mut PlannedOrg<'_>,
        entry: &OrgEntry,
    ) -> Result<(), Error> {
        let first_user = self.first_user(plan, entry);
        for given in &entry.connections {
            let maker = self.maker(plan, given.created_by.as_deref(), &given.at, first_user);
            match self.find_connection(plan, given).await? {
                Meant::Faulty => {}
                Meant::Existing(there) => {
                    if given.is_sound {
                        self.compare_connection(&there, given, maker).await?;
                    }
                }
                Meant::New => {
                    let new = self.new_connection(plan, given, maker)?;
                    plan.connections.extend(new);
                }
            }
        }
        self.check_connection_limit(plan, entry).await
    }

    /// What an entry means: by its id, else by its name.
    async fn find_connection(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ConnectionEntry,
    ) -> Result<Meant<Connection>, Error> {
        let org = plan.org.id;
        if let Some(id) = given.id {
            return self.find_connection_by_id(plan, CATALOGUED, id, &given.at).await;
        }
        let Some(name) = &given.name else { return Ok(Meant::Faulty) };
        let at = format!("{}/name", given.at);
        if !self.claim("connection name", format!("{org} {name}"), &at) {
            return Ok(Meant::Faulty);
        }
        let found = self.store.list_connections_named(org, name).await?;
        let mut found = found.into_iter().filter(|there| there.dialect == CATALOGUED);
        Ok(match (found.next(), found.next()) {
            (None, _) => Meant::New,
            (Some(there), None) => Meant::Existing(Box::new(there)),
            (Some(_), Some(_)) => {
                self.fault(at, "is the name of several connections: give an id");
                Meant::Faulty
            }
        })
    }

    async fn compare_connection(
        &mut self,
        there: &Connection,
        given: &ConnectionEntry,
        maker: Option<UserId>,
    ) -> Result<(), Error> {
        let hosts: Vec<_> = given.hosts.iter().cloned().collect();
        let mut kept_hosts = hosts_of(there)?;
        kept_hosts.sort();
        let members = [
            (given.name.as_ref() == Some(&there.name), "name"),
            (given.tags.clone().unwrap_or_default() == there.tags.clone().unwrap_or_default(), "tags"),
            (hosts == kept_hosts, "hosts"),
            (given.expires_at == there.expires_at, "expires_at"),
            (given.restriction == there.restriction, "restriction"),
            (given.terms == there.terms, "terms"),
            (given.created_by.is_none() || maker.is_none_or(|id| id == there.created_by), "created_by"),
            (given.created_at.is_none_or(|at| at == there.created_at), "created_at"),
        ];
        self.differing(&given.at, members);
        let Some(integration) = &given.integration else { return Ok(()) };
        let at = format!("{}/integration", given.at);
        let settings = settings_of(there)?;
        let Ok(entry) = self.options.catalog.connection(&settings) else {
            self.fault(at, "is there, but the catalog does not have its type any more");
            return Ok(());
        };
        let compared = entry.compare(&kept(there)?, integration.clone().take());
        for pointer in &compared.differing {
            self.fault(format!("{at}{pointer}"), "differs from what is there");
        }
        if compared.differing.is_empty() {
            self.compare_secrets(there, &at, &compared.secrets).await?;
        }
        Ok(())
    }

    /// A secret that the file gives must be the one that is kept.
    async fn compare_secrets(
        &mut self,
        there: &Connection,
        at: &str,
        given: &[(SecretName, String, SecretText)],
    ) -> Result<(), Error> {
        if given.is_empty() {
            return Ok(());
        }
        let sealed = self.store.list_connection_secrets(there.org, there.id).await?;
        for (name, pointer, secret) in given {
            if !self.is_kept(there, &sealed, name.as_str(), secret)? {
                self.fault(format!("{at}{pointer}"), "differs from what is there");
            }
        }
        Ok(())
    }

    /// A new connection; none where it cannot be one, which was noted.
    fn new_connection(
        &mut self,
        plan: &PlannedOrg<'_>,
        given: &ConnectionEntry,
        maker: Option<UserId>,
    ) -> Result<Option<PlannedConnection>, Error> {
        let before = self.faults.len();
        self.check_making(&given.at, given.created_by.as_deref(), maker, given.created_at);
        if let Some(restriction) = &given.restriction {
            self.check_principals(plan, restriction, &given.at);
        }
        let Some(integration) = &given.integration else { return Ok(None) };
        let server = self.options.server_values(self.vault.random());
        let created = match self.options.catalog.adopt(integration.clone().take(), &server) {
            Ok(created) => created,
            Err(faults) => {
                self.note(&format!("{}/integration", given.at), &faults);
                return Ok(None);
            }
        };
        let hosts: Vec<_> = given.hosts.iter().cloned().collect();
        let entry = self.options.catalog.connection(&created.settings);
        let entry = entry.map_err(|error| Error::Internal(error.into()))?;
        for fault in judge_hosts(&entry, &hosts) {
            self.fault(format!("{}/{}", given.at, fault.field), fault.reason);
        }
        let (Some(name), Some(maker), true) =
            (&given.name, maker, given.is_sound && self.faults.len() == before)
        else {
            return Ok(None);
        };
        let created_at = given.created_at.unwrap_or(self.now);
        let settings = &created.settings;
        let revision = first_revision(self.now);
        let connection = Connection {
            id: given.id.unwrap_or_else(|| ConnectionId::generate_at(self.vault.random(), self.now)),
            org: plan.org.id,
            dialect: CATALOGUED,
            container: None,
            name: name.clone(),
            integration: settings.integration().to_owned(),
            credentials: settings.credentials().to_owned(),
            settings: serde_json::to_string(settings).map_err(|error| Error::Internal(error.into()))?,
            hosts: hosts.iter().map(ToString::to_string).collect(),
            tags: given.tags.clone(),
            secrets: ConnectionSecrets(
                created.secrets.keys().map(|name| (name.to_string(), revision)).collect(),
            ),
            restriction: given.restriction.clone(),
            revision,
            created_at,
            created_by: maker,
            modified_at: created_at,
            modified_by: maker,
            expires_at: given.expires_at,
            terms: given.terms.clone(),
        };
        Ok(Some(PlannedConnection { connection, secrets: created.secrets }))
    }

    /// Whoever is given something must be of the org.
    pub(super) fn check_principals(&mut self, plan: &PlannedOrg<'_>, restriction: &Restriction, at: &str) {
        for (relation, principal) in restriction.iter() {
            let is_known = match principal {
                Principal::Org(id) => id == plan.org.id,
                Principal::Role(id) => plan.roles.iter().any(|role| role.id == id),
                Principal::User(id) => plan.users.iter().any(|user| user.id == id),
            };
            if !is_known {
                let reason = format!("names {principal}, which is not of this org");
                self.fault(format!("{at}/restriction/{relation}"), reason);
            }
        }
    }

    async fn check_connection_limit(&mut self, plan: &PlannedOrg<'_>, entry: &OrgEntry) -> Result<(), Error> {
        let new = plan.connections.len() as i64;
        let there = self.store.count_connections_of(plan.org.id).await?;
        let max = i64::from(plan.org.settings.connections_max);
        if new > 0 && there + new > max {
            let reason = format!("would make {} connections; this org may have {max}", there + new);
            self.fault(format!("{}/connections", entry.at), reason);
        }
        Ok(())
    }
}

impl Engine {
    /// Seals the secrets of a planned connection.
    pub(super) fn draw_imported(
        &self,
        planned: &PlannedConnection,
    ) -> Result<(Connection, Vec<ConnectionSecret>), Error> {
        let secrets =
            self.seal_secrets(&planned.connection, &planned.secrets, planned.connection.revision)?;
        Ok((planned.connection.clone(), secrets))
    }
}
