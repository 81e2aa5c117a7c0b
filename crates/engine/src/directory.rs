//! The directory: whose a secret is, complete in memory and current to a position of the ledger.
//!
//! Readers take no lock. One task follows the store's feed, re-reads the rows that each entry names, and lets
//! the answers go only then; applying an entry twice does no harm. Roles are held by reference, so that a change
//! of a role reaches every user who has it at once.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use claviger_model::{
    CredentialId, CredentialKind, Guards, Org, OrgId, OwnPermission, OwnPermissions, Permission,
    PermissionSet, Position, Role, RoleId, Scopes, Timestamp, User, UserId,
};
use claviger_store::{Entry, KnownSecret, Store, StoreError};
use claviger_vault::Digest;
use tokio::sync::watch;

use crate::AuthReason;
use crate::guarding::{KnownGuards, Source};
use crate::open_sessions::{OpenSessions, is_idle_too_long};
use crate::tenants::Tenants;
use crate::usage::Usage;

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

/// What only some kinds of credential have.
#[derive(Debug)]
pub(crate) enum SpecialDetail {
    /// Native keys, as they were given it.
    Native { external_id: Option<Box<str>>, metadata: Option<Box<str>> },
    /// Integration tokens.
    Bound { integration: Box<str>, rights: PermissionSet },
}

impl SpecialDetail {
    fn of(secret: &KnownSecret) -> Option<Arc<Self>> {
        let boxed = |text: &Option<String>| text.as_deref().map(Into::into);
        let special = match (&secret.binding, &secret.external_id, &secret.metadata) {
            (Some(binding), ..) => {
                Self::Bound { integration: binding.name.as_str().into(), rights: binding.scopes.rights() }
            }
            (None, None, None) => return None,
            (None, external_id, metadata) => {
                Self::Native { external_id: boxed(external_id), metadata: boxed(metadata) }
            }
        };
        Some(Arc::new(special))
    }
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

/// The end of what has none.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

/// What is kept of one secret. There may be millions: small, and one allocation.
struct Known {
    credential: CredentialId,
    org: OrgId,
    owner: Option<UserId>,
    kind: CredentialKind,
    remote_config_read: bool,
    /// Of an application key: whether it is registered. It takes up what was padding.
    is_registered: bool,
    /// [`NEVER`] for no end: an [`claviger_model::Expiry`] is twice as large.
    end: Timestamp,
    scopes: Option<Arc<Scopes>>,
    /// None for most: verifying those costs no more than this being looked at.
    guards: Option<Arc<KnownGuards>>,
    /// One word for all others.
    special: Option<Arc<SpecialDetail>>,
    /// In microseconds; 0 for never.
    last_used: AtomicI64,
}

impl Known {
    /// What it has of its owner's rights.
    fn narrowed(&self, owners: PermissionSet) -> PermissionSet {
        match (self.kind, self.special.as_deref(), &self.scopes) {
            (_, Some(SpecialDetail::Bound { rights, .. }), _) => owners & *rights,
            // Bound to nothing that is there.
            (CredentialKind::IntegrationToken, ..) => PermissionSet::EMPTY,
            (.., Some(scopes)) => owners & *scopes.set(),
            (.., None) => owners,
        }
    }
}

struct KnownUser {
    is_disabled: bool,
    roles: Box<[RoleId]>,
}

/// Digests are pseudorandom already: eight of their bytes are a hash.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length of the digest, which is always the same.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
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

    /// Whether a user who is not disabled has a role.
    pub(crate) fn has_role(&self, user: UserId, role: RoleId) -> bool {
        let (users, roles) = (self.users.pin(), self.roles.pin());
        let held = users.get(&user).is_some_and(|user| !user.is_disabled && user.roles.contains(&role));
        held && roles.contains_key(&role)
    }

    /// Brings the directory up to date with entries, by reading again what they name. What died by them is added
    /// to `dead`; after an error, give the same list again.
    pub(crate) async fn apply(
        &self,
        store: &Store,
        entries: &[Entry],
        dead: &mut Vec<Digest>,
    ) -> Result<(), StoreError> {
        // Most of what is touched is credentials, so that these are read together.
        let mut credentials = Vec::new();
        for entry in entries {
            for (kind, id) in entry.touched() {
                match (kind.as_str(), id.parse()) {
                    // A registration has the id of its application key, and is read with it.
                    ("credential" | "registration", Ok(id)) => credentials.push(id),
                    _ => self.refresh(store, entry.org, &kind, &id).await?,
                }
            }
        }
        credentials.sort_unstable();
        credentials.dedup();
        let secrets = store.list_known_secrets_of(&credentials).await?;
        let living: HashSet<_> = secrets.iter().filter(|it| it.is_live).map(|it| it.credential).collect();
        for gone in credentials.iter().filter(|id| !living.contains(*id)) {
            self.guards.pin().remove(gone);
        }
        for secret in secrets {
            let (digest, is_live) = (secret.digest, secret.is_live);
            let was_known = self.put_secret(secret);
            // One that was made and died within these entries never was in the directory.
            let died = !is_live && (was_known || entries.iter().any(|entry| entry.names(&digest)));
            if died && !dead.contains(&digest) {
                dead.push(digest);
            }
        }
        Ok(())
    }

    /// From now on everything up to a position counts as applied.
    pub(crate) fn advance(&self, position: Position) {
        self.applied.send_replace(position);
    }

    async fn refresh(
        &self,
        store: &Store,
        org: Option<OrgId>,
        kind: &str,
        id: &str,
    ) -> Result<(), StoreError> {
        let Some(org) = org else { return Ok(()) };
        match kind {
            "user" => {
                let Ok(id) = id.parse() else { return Ok(()) };
                match store.find_user(org, id).await? {
                    Some(user) => self.put_user(&user),
                    None => drop(self.users.pin().remove(&id)),
                }
            }
            "role" => {
                let Ok(id) = id.parse() else { return Ok(()) };
                match store.find_role(org, id).await? {
                    Some(role) => self.put_role(&role),
                    None => drop(self.roles.pin().remove(&id)),
                }
            }
            "permission" => self.put_own_permissions(org, store.list_own_permissions(org).await?),
            "org" => {
                if let Some(org) = store.find_org(org).await? {
                    self.put_org(&org);
                }
            }
            // What is to come is not the directory's.
            _ => {}
        }
        Ok(())
    }

    /// Whether it was there before.
    fn put_secret(&self, secret: KnownSecret) -> bool {
        let secrets = self.secrets.pin();
        self.replaced.put(&secret);
        self.sessions.put(&secret);
        if !secret.is_live {
            return secrets.remove(&secret.digest).is_some();
        }
        // What the directory knows of the last use may be newer than what is stored.
        let before = secrets.get(&secret.digest).map_or(0, |known| known.last_used.load(Ordering::Relaxed));
        let stored = secret.last_used.map_or(0, Timestamp::micros);
        let special = SpecialDetail::of(&secret);
        let known = Known {
            credential: secret.credential,
            org: secret.org,
            owner: secret.owner,
            kind: secret.kind,
            remote_config_read: secret.remote_config_read,
            is_registered: secret.is_registered,
            end: secret.expiry.timestamp().unwrap_or(NEVER),
            scopes: secret.scopes.map(|scopes| self.scopes.shared(scopes)),
            guards: self.shared_guards(secret.credential, secret.guards),
            special,
            last_used: AtomicI64::new(before.max(stored)),
        };
        secrets.insert(secret.digest, known).is_some()
    }

    fn shared_guards(&self, credential: CredentialId, guards: Guards) -> Option<Arc<KnownGuards>> {
        let known = self.guards.pin();
        if guards.is_empty() {
            if !known.is_empty() {
                known.remove(&credential);
            }
            return None;
        }
        let before = known.get(&credential);
        if let Some(same) = before.filter(|before| before.are(&guards)) {
            return Some(same.clone());
        }
        let guards = Arc::new(KnownGuards::new(guards, before.map(Arc::as_ref)));
        known.insert(credential, guards.clone());
        Some(guards)
    }

    /// The credentials with a replaced secret whose time is over.
    pub(crate) fn over(&self, now: Timestamp) -> Vec<(OrgId, CredentialId)> {
        self.replaced.over(now)
    }

    fn put_user(&self, user: &User) {
        let known = KnownUser { is_disabled: user.disabled_at.is_some(), roles: user.roles.clone().into() };
        self.users.pin().insert(user.id, known);
    }

    fn put_role(&self, role: &Role) {
        self.roles.pin().insert(role.id, role.rights());
    }

    fn put_own_permissions(&self, org: OrgId, permissions: Vec<OwnPermission>) {
        let own: OwnPermissions = permissions.into_iter().map(|it| (it.name, it.number)).collect();
        self.own_permissions.pin().insert(org, Arc::new(own));
    }

    fn put_org(&self, org: &Org) {
        self.orgs.pin().insert(org.id, org.disabled_at.is_some());
        self.tenants.put(org);
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

/// One copy of each set of scopes, shared by all credentials that have it.
#[derive(Default)]
struct ScopeSets(Mutex<SharedScopes>);

#[derive(Default)]
struct SharedScopes {
    sets: HashMap<String, Arc<Scopes>>,
    /// At so many sets, those that nobody has any more are dropped.
    sweep_at: usize,
}

/// The fewest sets at which it is worth looking for unused ones.
const SCOPE_SETS_MIN: usize = 1024;

impl ScopeSets {
    fn shared(&self, scopes: Scopes) -> Arc<Scopes> {
        let mut shared = self.0.lock().expect("nothing panics while it holds this lock");
        if shared.sets.len() >= shared.sweep_at.max(SCOPE_SETS_MIN) {
            shared.sets.retain(|_, set| Arc::strong_count(set) > 1);
            shared.sweep_at = 2 * shared.sets.len();
        }
        shared.sets.entry(scopes.to_list()).or_insert_with(|| Arc::new(scopes)).clone()
    }
}

/// The live secrets that a newer one has replaced, and until when each goes on. They are few: rotation leaves one at
/// most of each credential, for a while.
#[derive(Default)]
struct ReplacedSecrets(Mutex<HashMap<Digest, Replaced>>);

struct Replaced {
    valid_until: Timestamp,
    org: OrgId,
    credential: CredentialId,
}

impl ReplacedSecrets {
    fn put(&self, secret: &KnownSecret) {
        let mut replaced = self.0.lock().expect("nothing panics while it holds this lock");
        match secret.valid_until.filter(|_| secret.is_live) {
            // A start asks for every secret there is, before anything is here.
            None if replaced.is_empty() => {}
            None => drop(replaced.remove(&secret.digest)),
            Some(valid_until) => {
                let (org, credential) = (secret.org, secret.credential);
                replaced.insert(secret.digest, Replaced { valid_until, org, credential });
            }
        }
    }

    fn over(&self, now: Timestamp) -> Vec<(OrgId, CredentialId)> {
        let replaced = self.0.lock().expect("nothing panics while it holds this lock");
        let over = replaced.values().filter(|secret| secret.valid_until <= now);
        over.map(|secret| (secret.org, secret.credential)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be millions: whoever adds a field should know what it costs.
    #[test]
    fn what_is_known_of_a_secret_is_small() {
        assert!(size_of::<Known>() <= 96, "{}", size_of::<Known>());
    }
}
