//! The org itself: its settings, and the people in it as far as answers about keys include them.

use std::time::Duration;

use claviger_model::{KeyPrefix, LeakPolicy, Name, Org, OrgId, Role, RoleId, User, UserId};
use claviger_store::{Change, CommitError, Refusal};

use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::OrgManagement;
use crate::{Changed, Engine, Error, Permit, Thing};

/// Changes of an org's settings; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct OrgPatch {
    /// The name.
    pub name: Option<Name>,
    /// Whether application keys are shown once only. Turning it on erases what could be shown again; turning it
    /// off does not bring that back.
    pub one_time_read: Option<bool>,
    /// How many live API keys there may be. Fewer than there are only stops new ones.
    pub api_keys_max: Option<u32>,
    /// How many live application keys each user may have, and as many access tokens of either kind.
    pub application_keys_per_user_max: Option<u32>,
    /// How many live native keys there may be.
    pub native_keys_max: Option<u32>,
    /// What native keys begin with where nothing else is asked for.
    pub native_key_prefix: Option<KeyPrefix>,
    /// How many connections there may be.
    pub connections_max: Option<u32>,
    /// What becomes of a credential whose secret leaked.
    pub leaks: Option<LeakPolicy>,
}

impl OrgPatch {
    pub(crate) fn apply(&self, org: &mut Org) {
        if let Some(name) = &self.name {
            org.name = name.to_string();
        }
        let settings = &mut org.settings;
        settings.one_time_read = self.one_time_read.unwrap_or(settings.one_time_read);
        settings.api_keys_max = self.api_keys_max.unwrap_or(settings.api_keys_max);
        settings.leaks = self.leaks.unwrap_or(settings.leaks);
        settings.application_keys_per_user_max =
            self.application_keys_per_user_max.unwrap_or(settings.application_keys_per_user_max);
        settings.native_keys_max = self.native_keys_max.unwrap_or(settings.native_keys_max);
        settings.connections_max = self.connections_max.unwrap_or(settings.connections_max);
        settings.native_key_prefix = self.native_key_prefix.unwrap_or(settings.native_key_prefix);
    }
}

impl Engine {
    /// Changes the settings of the caller's org.
    pub async fn update_org(
        &self,
        permit: &Permit<OrgManagement>,
        patch: &OrgPatch,
    ) -> Result<Changed<Org>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let read = self.org(permit.org()).await?;
            let mut org = read.clone();
            patch.apply(&mut org);
            if org == read {
                return Ok(Changed { value: org, position: self.applied() });
            }
            // Always later than before: that is how a change in between is noticed.
            org.modified_at = self.clock.now().max(read.modified_at + Duration::from_micros(1));
            match self.store.commit(Change::update_org(&org, &read, org.id, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: org, position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// An org, for a caller that belongs to it.
    pub async fn org(&self, org: OrgId) -> Result<Org, Error> {
        self.store.find_org(org).await?.ok_or(Error::Absent(Thing::Org))
    }

    /// Users of an org by id, for answers that include them; those that are gone are left out.
    pub async fn users(&self, org: OrgId, ids: &[UserId]) -> Result<Vec<User>, Error> {
        let mut users = Vec::with_capacity(ids.len());
        for id in ids {
            users.extend(self.store.find_user(org, *id).await?);
        }
        Ok(users)
    }

    /// The roles of a user, in the user's order.
    pub async fn roles_of(&self, user: &User) -> Result<Vec<Role>, Error> {
        self.roles(user.org, &user.roles).await
    }

    /// Roles of an org by id, for answers that include them; those that are gone are left out.
    pub async fn roles(&self, org: OrgId, ids: &[RoleId]) -> Result<Vec<Role>, Error> {
        let mut roles = Vec::with_capacity(ids.len());
        for id in ids {
            roles.extend(self.store.find_role(org, *id).await?);
        }
        Ok(roles)
    }
}
