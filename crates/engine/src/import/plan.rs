//! What an import would do: the file set against what exists, org by org.
//!
//! What is there already and equal is left out; what is there and differs is a fault. The people of an org are
//! in [`super::people`], its keys in [`super::keys`],
//! its connections in [`super::connections`]
//! and [`super::zis`], with what these have in common in [`super::common`].

use std::collections::{HashMap, HashSet};

use claviger_catalog::Secrets;
use claviger_model::{
    Connection, Credential, CredentialId, Org, OrgId, OrgSettings, Role, RoleId, Timestamp, User,
    ZisIntegration,
};
use claviger_store::Store;
use claviger_vault::{IssuedSecret, Vault};

use super::document::OrgEntry;
use super::fault::Fault;
use crate::Error;
use crate::connections::ConnectionOptions;

/// What an import brings to one org.
pub(super) struct PlannedOrg<'d> {
    pub(super) org: Org,
    pub(super) is_new: bool,
    /// Those that exist, then those that are new.
    pub(super) roles: Vec<Role>,
    pub(super) existing_roles: usize,
    /// Likewise.
    pub(super) users: Vec<User>,
    pub(super) existing_users: usize,
    pub(super) credentials: Vec<PlannedCredential<'d>>,
    pub(super) registrations: Vec<CredentialId>,
    pub(super) zis_integrations: Vec<ZisIntegration>,
    pub(super) connections: Vec<PlannedConnection>,
}

/// A new connection, its secrets not sealed yet.
pub(super) struct PlannedConnection {
    pub(super) connection: Connection,
    pub(super) secrets: Secrets,
}

/// A new credential. The last characters of its secret are filled in with the secret.
pub(super) struct PlannedCredential<'d> {
    pub(super) credential: Credential,
    /// Its secret; none where one is to be generated.
    pub(super) secret: Option<&'d IssuedSecret>,
}

/// What an entry turns out to mean.
pub(super) enum Meant<T> {
    /// Something that exists.
    Existing(Box<T>),
    /// Something that does not.
    New,
    /// Something that is a fault, and was noted.
    Faulty,
}

impl PlannedOrg<'_> {
    pub(super) fn new_roles(&self) -> &[Role] {
        &self.roles[self.existing_roles..]
    }

    pub(super) fn new_users(&self) -> &[User] {
        &self.users[self.existing_users..]
    }

    /// Whether there is anything to import.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_new
            && self.new_roles().is_empty()
            && self.new_users().is_empty()
            && self.credentials.is_empty()
            && self.registrations.is_empty()
            && self.zis_integrations.is_empty()
            && self.connections.is_empty()
    }
}

/// Draws up an import.
pub(super) struct Planner<'e> {
    pub(super) store: &'e Store,
    pub(super) vault: &'e Vault,
    pub(super) options: &'e ConnectionOptions,
    pub(super) now: Timestamp,
    pub(super) faults: Vec<Fault>,
    /// Everything that exists, of every org: an id is taken whoever has it.
    orgs: Vec<Org>,
    pub(super) all_roles: Vec<Role>,
    /// Ids that are never given again.
    pub(super) removed_roles: HashSet<RoleId>,
    pub(super) all_users: Vec<User>,
    /// What the file has given already, and where.
    given: HashMap<(&'static str, String), String>,
}

impl<'e> Planner<'e> {
    pub(super) async fn new(
        store: &'e Store,
        vault: &'e Vault,
        options: &'e ConnectionOptions,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            store,
            vault,
            options,
            now,
            faults: Vec::new(),
            orgs: store.list_orgs().await?,
            all_roles: store.list_all_roles().await?,
            removed_roles: store.list_removed_roles().await?,
            all_users: store.list_all_users().await?,
            given: HashMap::new(),
        })
    }

    pub(super) fn fault(&mut self, at: impl Into<String>, reason: impl Into<String>) {
        self.faults.push(Fault { pointer: at.into(), reason: reason.into() });
    }

    /// Notes that a member is not what exists.
    pub(super) fn differs(&mut self, at: &str, member: &str) {
        self.fault(format!("{at}/{member}"), "differs from what is there");
    }

    /// The same of each member that is not equal.
    pub(super) fn differing(&mut self, at: &str, members: impl IntoIterator<Item = (bool, &'static str)>) {
        for (_, member) in members.into_iter().filter(|(is_equal, _)| !is_equal) {
            self.differs(at, member);
        }
    }

    /// Notes that the file gives something that must be given once. Tells whether it was the first time.
    pub(super) fn claim(&mut self, what: &'static str, key: impl ToString, at: impl Into<String>) -> bool {
        let at = at.into();
        match self.given.get(&(what, key.to_string())) {
            Some(first) => {
                let reason = format!("is given already at {first}");
                self.fault(at, reason);
                false
            }
            None => {
                self.given.insert((what, key.to_string()), at);
                true
            }
        }
    }

    /// What one entry would bring.
    pub(super) async fn plan<'d>(&mut self, entry: &'d OrgEntry) -> Result<PlannedOrg<'d>, Error> {
        let existing = self.find_org(entry);
        let is_new = existing.is_none();
        let org = existing.unwrap_or_else(|| self.new_org(entry));
        let roles: Vec<_> = self.all_roles.iter().filter(|role| role.org == org.id).cloned().collect();
        let mut users: Vec<_> = self.all_users.iter().filter(|user| user.org == org.id).cloned().collect();
        users.sort_by_key(|user| (user.created_at, user.id));
        let mut plan = PlannedOrg {
            org,
            is_new,
            existing_roles: roles.len(),
            roles,
            existing_users: users.len(),
            users,
            credentials: Vec::new(),
            registrations: Vec::new(),
            zis_integrations: Vec::new(),
            connections: Vec::new(),
        };
        self.plan_roles(&mut plan, entry);
        self.plan_users(&mut plan, entry);
        self.plan_keys(&mut plan, entry).await?;
        self.plan_zis(&mut plan, entry).await?;
        self.plan_connections(&mut plan, entry).await?;
        Ok(plan)
    }

    /// The org that an entry means, if it exists.
    fn find_org(&mut self, entry: &OrgEntry) -> Option<Org> {
        let is_meant = |org: &&Org| match (entry.id, &entry.name) {
            (Some(id), _) => org.id == id,
            (None, name) => name.as_ref() == Some(&org.name),
        };
        let found: Vec<Org> = self.orgs.iter().filter(is_meant).cloned().collect();
        let [org] = found.as_slice() else {
            match (found.is_empty(), entry.id, &entry.name) {
                (false, ..) => {
                    self.fault(format!("{}/name", entry.at), "is the name of several orgs: give an id")
                }
                (true, ..) if entry.must_exist => self.fault(&entry.at, "no such org exists"),
                (true, Some(id), name) => {
                    self.claim("org", id, format!("{}/id", entry.at));
                    if name.is_none() {
                        self.fault(format!("{}/name", entry.at), "is missing: no org has this id yet");
                    }
                }
                (true, None, Some(name)) => drop(self.claim("org name", name, format!("{}/name", entry.at))),
                (true, None, None) => {}
            }
            return None;
        };
        self.claim("org", org.id, &entry.at);
        self.compare_org(org, entry);
        Some(org.clone())
    }

    fn compare_org(&mut self, org: &Org, entry: &OrgEntry) {
        if entry.name.as_ref().is_some_and(|name| *name != org.name) {
            self.differs(&entry.at, "name");
        }
        let OrgSettings { one_time_read, api_keys_max, application_keys_per_user_max, .. } = org.settings;
        let settings = format!("{}/settings", entry.at);
        if entry.one_time_read.is_some_and(|given| given != one_time_read) {
            self.differs(&settings, "one_time_read");
        }
        if entry.api_keys_max.is_some_and(|given| given != api_keys_max) {
            self.differs(&settings, "api_keys_max");
        }
        if entry.application_keys_per_user_max.is_some_and(|given| given != application_keys_per_user_max) {
            self.differs(&settings, "application_keys_per_user_max");
        }
    }

    fn new_org(&self, entry: &OrgEntry) -> Org {
        let usual = OrgSettings::default();
        Org {
            id: entry.id.unwrap_or_else(|| OrgId::generate(self.vault.random())),
            number: 0,
            name: entry.name.clone().unwrap_or_default(),
            subdomain: None,
            private_reach: Default::default(),
            settings: OrgSettings {
                one_time_read: entry.one_time_read.unwrap_or(usual.one_time_read),
                api_keys_max: entry.api_keys_max.unwrap_or(usual.api_keys_max),
                application_keys_per_user_max: entry
                    .application_keys_per_user_max
                    .unwrap_or(usual.application_keys_per_user_max),
                // What is imported has no native keys, and says nothing of leaks.
                ..usual
            },
            created_at: self.now,
            modified_at: self.now,
            disabled_at: None,
        }
    }
}
