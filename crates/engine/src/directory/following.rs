//! How the directory is kept current: the rows that an entry names are read again.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use claviger_model::{
    CredentialId, Guards, Org, OrgId, OwnPermission, OwnPermissions, Position, Role, Timestamp, User,
};
use claviger_store::{Entry, KnownSecret, Store, StoreError};
use claviger_vault::Digest;

use super::Directory;
use super::known::{Known, KnownUser, NEVER, SpecialDetail};
use crate::guarding::KnownGuards;

impl Directory {
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
            "connection" => {
                if let Ok(id) = id.parse() {
                    self.used.forget(id);
                }
            }
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
    pub(super) fn put_secret(&self, secret: KnownSecret) -> bool {
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

    pub(super) fn put_user(&self, user: &User) {
        let known = KnownUser { is_disabled: user.disabled_at.is_some(), roles: user.roles.clone().into() };
        self.users.pin().insert(user.id, known);
    }

    pub(super) fn put_role(&self, role: &Role) {
        self.roles.pin().insert(role.id, role.rights());
    }

    pub(super) fn put_own_permissions(&self, org: OrgId, permissions: Vec<OwnPermission>) {
        let own: OwnPermissions = permissions.into_iter().map(|it| (it.name, it.number)).collect();
        self.own_permissions.pin().insert(org, Arc::new(own));
    }

    pub(super) fn put_org(&self, org: &Org) {
        self.orgs.pin().insert(org.id, org.disabled_at.is_some());
        self.tenants.put(org);
        let reach = &org.private_reach;
        match reach.is_empty() {
            true => drop(self.private_reach.pin().remove(&org.id)),
            false => drop(self.private_reach.pin().insert(org.id, Arc::new(reach.clone()))),
        }
    }
}
