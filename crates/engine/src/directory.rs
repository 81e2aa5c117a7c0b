//! The directory: whose a secret is, complete in memory and current to a position of the ledger.
//!
//! Readers take no lock. One task follows the store's feed, re-reads the rows that each entry names, and lets
//! the answers go only then; applying an entry twice does no harm. Roles are held by reference, so that a change
//! of a role reaches every user who has it at once.

mod following;
mod known;
mod replaced;
mod scope_sets;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use claviger_model::{
    CredentialId, CredentialKind, OrgId, OwnPermission, OwnPermissions, Permission, PermissionSet, Position,
    PrivateReach, RoleId, Scopes, Timestamp, UserId,
};
use claviger_store::{Store, StoreError};
use claviger_vault::Digest;
use tokio::sync::watch;

use crate::AuthReason;
use crate::guarding::{KnownGuards, Source};
use crate::open_sessions::{OpenSessions, is_idle_too_long};
use crate::tenants::Tenants;
use crate::usage::Usage;
use crate::using::UsedConnections;
use known::{DigestHasher, Known, KnownUser};
use replaced::ReplacedSecrets;
use scope_sets::ScopeSets;

pub(crate) use known::SpecialDetail;

/// Who a live secret belongs to, and what it may do now.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) credential: CredentialId,
    pub(crate) org: OrgId,
    pub(crate) kind: CredentialKind,
    pub(crate) owner: Option<UserId>,
    pub(crate) rights: PermissionSet,
    pub(crate) scopes: Option<Arc<Scopes>>,
    pub(crate) remote_config_read: bool,
    pub(crate) is_registered: bool,
    pub(crate) guards: Option<Arc<KnownGuards>>,
    pub(crate) special: Option<Arc<SpecialDetail>>,
}

/// Whose a lone API key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyIdentity {
    /// The org.
    pub org: OrgId,
    /// The key's id.
    pub credential: CredentialId,
    /// Whether it may read remote configuration.
    pub remote_config_read: bool,
}

/// See the module's documentation.
pub(crate) struct Directory {
    secrets: papaya::HashMap<Digest, Known, BuildHasherDefault<DigestHasher>>,
    users: papaya::HashMap<UserId, KnownUser>,
    roles: papaya::HashMap<RoleId, PermissionSet>,
    /// Whether each org is disabled.
    orgs: papaya::HashMap<OrgId, bool>,
    tenants: Tenants,
    /// What the orgs' own permissions are called; of orgs that have some.
    own_permissions: papaya::HashMap<OrgId, Arc<OwnPermissions>>,
    scopes: ScopeSets,
    /// Of every live credential that has any, the guards, shared by its secrets.
    guards: papaya::HashMap<CredentialId, Arc<KnownGuards>>,
    replaced: ReplacedSecrets,
    /// Of orgs whose calls may reach more than the Internet, what that is.
    private_reach: papaya::HashMap<OrgId, Arc<PrivateReach>>,
    /// Connections that are in use, opened.
    pub(crate) used: UsedConnections,
    sessions: OpenSessions,
    applied: watch::Sender<Position>,
    is_current: AtomicBool,
}

impl Directory {
    /// Everything that is live, as of the ledger's head at the beginning of the reading or later.
    pub(crate) async fn load(store: &Store) -> Result<Self, StoreError> {
        let head = store.head().await?;
        let directory = Self {
            secrets: papaya::HashMap::default(),
            users: papaya::HashMap::default(),
            roles: papaya::HashMap::default(),
            orgs: papaya::HashMap::default(),
            tenants: Tenants::default(),
            own_permissions: papaya::HashMap::default(),
            scopes: ScopeSets::default(),
            guards: papaya::HashMap::default(),
            replaced: ReplacedSecrets::default(),
            private_reach: papaya::HashMap::default(),
            used: UsedConnections::default(),
            sessions: OpenSessions::default(),
            applied: watch::Sender::new(head),
            is_current: AtomicBool::new(true),
        };
        store.list_orgs().await?.iter().for_each(|org| directory.put_org(org));
        let mut own: HashMap<OrgId, Vec<OwnPermission>> = HashMap::new();
        store
            .list_all_own_permissions()
            .await?
            .into_iter()
            .for_each(|it| own.entry(it.org).or_default().push(it));
        own.into_iter().for_each(|(org, permissions)| directory.put_own_permissions(org, permissions));
        store.list_all_roles().await?.iter().for_each(|role| directory.put_role(role));
        store.list_all_users().await?.iter().for_each(|user| directory.put_user(user));
        store.each_live_secret(|secret| _ = directory.put_secret(secret)).await?;
        Ok(directory)
    }

    /// Whose a secret is: none if nobody's; an error if it may not be used now.
    pub(crate) fn identify(
        &self,
        digest: &Digest,
        now: Timestamp,
        from: &dyn Source,
        usage: &Usage,
    ) -> Option<Result<Identity, AuthReason>> {
        let secrets = self.secrets.pin();
        let known = secrets.get(digest)?;
        if now >= known.end {
            return Some(Err(AuthReason::Expired));
        }
        if known.kind == CredentialKind::Session {
            let last_used = Timestamp::from_micros(known.last_used.load(Ordering::Relaxed));
            if is_idle_too_long(last_used, known.end, now) {
                return Some(Err(AuthReason::Expired));
            }
        }
        if self.orgs.pin().get(&known.org).is_none_or(|is_disabled| *is_disabled) {
            return Some(Err(AuthReason::Disabled));
        }
        let rights = match known.owner {
            // A native key's scopes are all that it has; an API key has none.
            None => known.scopes.as_ref().map_or(PermissionSet::EMPTY, |scopes| *scopes.set()),
            Some(owner) => match self.rights(owner) {
                Some(rights) => known.narrowed(rights),
                None => return Some(Err(AuthReason::Disabled)),
            },
        };
        if known.guards.as_ref().is_some_and(|guards| !guards.admits(from)) {
            return Some(Err(AuthReason::AddressNotAllowed));
        }
        usage.note(known.credential, now, &known.last_used);
        Some(Ok(Identity {
            credential: known.credential,
            org: known.org,
            kind: known.kind,
            owner: known.owner,
            rights,
            scopes: known.scopes.clone(),
            remote_config_read: known.remote_config_read,
            is_registered: known.is_registered,
            guards: known.guards.clone(),
            special: known.special.clone(),
        }))
    }

    /// Of a secret that lives, what kind it is and what its owner may do with it: none for one that may not be used at
    /// all any more. Nothing is counted or noted: nobody presents it.
    pub(crate) fn living_rights(
        &self,
        digest: &Digest,
        now: Timestamp,
    ) -> Option<(CredentialKind, PermissionSet)> {
        let secrets = self.secrets.pin();
        let known = secrets.get(digest).filter(|known| now < known.end)?;
        let is_disabled = *self.orgs.pin().get(&known.org)?;
        if is_disabled {
            return None;
        }
        let rights = match known.owner {
            None => PermissionSet::EMPTY,
            Some(owner) => known.narrowed(self.rights(owner)?),
        };
        Some((known.kind, rights))
    }

    /// What an org's own permissions are called.
    pub(crate) fn own_permissions(&self, org: OrgId) -> Option<Arc<OwnPermissions>> {
        self.own_permissions.pin().get(&org).cloned()
    }

    /// The union of a user's roles; none for a user who is disabled or gone.
    fn rights(&self, user: UserId) -> Option<PermissionSet> {
        let users = self.users.pin();
        let user = users.get(&user).filter(|user| !user.is_disabled)?;
        let roles = self.roles.pin();
        let union = |set, role| set | roles.get(role).copied().unwrap_or(PermissionSet::EMPTY);
        Some(user.roles.iter().fold(PermissionSet::EMPTY, union))
    }

    /// Whether a user is an admin: one who is not disabled and may manage the org.
    pub(crate) fn is_admin(&self, user: UserId) -> bool {
        self.rights(user).is_some_and(|rights| rights.contains(Permission::ORG_MANAGEMENT))
    }

    /// Whether an org is there and not disabled.
    pub(crate) fn is_enabled(&self, org: OrgId) -> bool {
        self.orgs.pin().get(&org).is_some_and(|is_disabled| !is_disabled)
    }

    /// The sessions whose time is over, or whose owners are no admins any more.
    pub(crate) fn ended_sessions(&self, now: Timestamp) -> Vec<(OrgId, CredentialId)> {
        self.sessions.ended(now, |owner| self.is_admin(owner))
    }

    /// Whether a user of an org may do something, by their roles; neither may be disabled.
    pub(crate) fn allows(&self, org: OrgId, user: UserId, permission: Permission) -> bool {
        let is_org_alive = self.orgs.pin().get(&org).is_some_and(|is_disabled| !*is_disabled);
        is_org_alive && self.rights(user).is_some_and(|rights| rights.contains(permission))
    }

    /// Whether a user who is not disabled has a role.
    pub(crate) fn has_role(&self, user: UserId, role: RoleId) -> bool {
        let (users, roles) = (self.users.pin(), self.roles.pin());
        let held = users.get(&user).is_some_and(|user| !user.is_disabled && user.roles.contains(&role));
        held && roles.contains_key(&role)
    }

    /// The credentials with a replaced secret whose time is over.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<(OrgId, CredentialId)> {
        self.replaced.over(now)
    }

    /// Which private places calls of an org may reach; none for the Internet alone.
    pub(crate) fn private_reach(&self, org: OrgId) -> Option<Arc<PrivateReach>> {
        self.private_reach.pin().get(&org).cloned()
    }

    /// The org that was made first.
    pub(crate) fn founding_org(&self) -> Option<OrgId> {
        self.tenants.founding_org()
    }

    /// The org that has a subdomain.
    pub(crate) fn org_at(&self, subdomain: &str) -> Option<OrgId> {
        self.tenants.org_at(subdomain)
    }

    /// How many secrets it knows.
    pub(crate) fn len(&self) -> usize {
        self.secrets.len()
    }

    /// The last position that it has applied.
    pub(crate) fn applied(&self) -> Position {
        *self.applied.borrow()
    }

    /// Changes whenever more is applied.
    pub(crate) fn watch(&self) -> watch::Receiver<Position> {
        self.applied.subscribe()
    }

    pub(crate) fn set_current(&self, is_current: bool) {
        self.is_current.store(is_current, Ordering::Release);
    }

    /// Whether everything that was committed is applied, as far as this server knows.
    pub(crate) fn is_current(&self) -> bool {
        self.is_current.load(Ordering::Acquire)
    }
}
