//! The connections that are in use, opened.
//!
//! A change of a connection takes it out before the change is answered, so that no use that begins afterwards has the
//! old one. What was read before such a change, and comes only after it, is not kept. Those who read one at the same time
//! share what was read first, so that the next change finds it in the hands of all of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{ConnectionId, OrgId, Timestamp};

use super::UsableConnection;

/// How many are kept, each with a few kilobytes of secrets and settings. Beyond that, each use reads anew.
const KEPT_MAX: usize = 4096;
/// What is not used for so long is wiped.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct UsedConnections {
    by_id: papaya::HashMap<ConnectionId, Arc<UsableConnection>>,
    /// ZIS connections, by `{integration}:{name}`: neither has a colon.
    by_name: papaya::HashMap<(OrgId, Box<str>), Arc<UsableConnection>>,
    /// Grows with each change of any connection.
    generation: AtomicU64,
    /// Held by whoever puts in or takes out.
    changing: Mutex<()>,
}

impl UsedConnections {
    pub(crate) fn get(&self, org: OrgId, id: ConnectionId) -> Option<Arc<UsableConnection>> {
        self.by_id.pin().get(&id).filter(|kept| kept.connection.org == org).cloned()
    }

    pub(crate) fn get_named(
        &self,
        org: OrgId,
        integration: &str,
        name: &str,
    ) -> Option<Arc<UsableConnection>> {
        self.by_name.pin().get(&(org, named(integration, name))).cloned()
    }

    /// To be asked before reading what is then put in.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Keeps one that was read at a generation, unless there was a change since. Gives what is to be used: where another
    /// reader was first, what that one read.
    pub(crate) fn put(&self, usable: Arc<UsableConnection>, as_of: u64) -> Arc<UsableConnection> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, is_current) = (usable.connection.id, self.generation() == as_of);
        if let Some(kept) = self.by_id.pin().get(&id).filter(|_| is_current) {
            if kept.connection == usable.connection {
                return kept.clone();
            }
            // A change came between the two readings, and is told of later: then it finds the one that is kept.
            self.take_out(id, |_| true);
        }
        if !is_current || self.by_id.len() >= KEPT_MAX {
            // No change would find it here: whoever goes on with it must look again.
            usable.mark_changed();
            return usable;
        }
        if let Some(name) = name_of(&usable) {
            self.by_name.pin().insert(name, usable.clone());
        }
        self.by_id.pin().insert(id, usable.clone());
        usable
    }

    /// Takes one out: it was changed, or is gone.
    pub(crate) fn forget(&self, id: ConnectionId) {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.take_out(id, |_| true);
    }

    /// Takes out what is not used any more.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let is_idle = |usable: &UsableConnection| usable.used_at() + IDLE_MAX <= now;
        let idle: Vec<ConnectionId> =
            self.by_id.pin().iter().filter(|(_, usable)| is_idle(usable)).map(|(id, _)| *id).collect();
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        idle.into_iter().for_each(|id| self.take_out(id, is_idle));
    }

    fn take_out(&self, id: ConnectionId, applies: impl Fn(&UsableConnection) -> bool) {
        let by_id = self.by_id.pin();
        let Some(usable) = by_id.get(&id).filter(|usable| applies(usable)) else { return };
        usable.mark_changed();
        if let Some(name) = name_of(usable) {
            self.by_name.pin().remove(&name);
        }
        by_id.remove(&id);
    }
}

fn name_of(usable: &UsableConnection) -> Option<(OrgId, Box<str>)> {
    let connection = &usable.connection;
    let container = connection.container.as_deref()?;
    Some((connection.org, named(container, &connection.name)))
}

fn named(integration: &str, name: &str) -> Box<str> {
    format!("{integration}:{name}").into()
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicI64};

    use claviger_catalog::{Secrets, ZisSettings, ZisType};
    use claviger_model::{Connection, ConnectionDialect, ConnectionSecrets, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::UsableSettings;

    fn usable() -> Arc<UsableConnection> {
        usable_at(1)
    }

    fn usable_at(revision: i64) -> Arc<UsableConnection> {
        let at = Timestamp::from_micros(0);
        let somebody = UserId::from_uuid(Uuid::from_u128(3));
        let settings: ZisSettings = serde_json::from_str(r#"{"allowed_domain":"api.example.com"}"#).unwrap();
        let connection = Connection {
            id: ConnectionId::from_uuid(Uuid::from_u128(1)),
            org: OrgId::from_uuid(Uuid::from_u128(2)),
            dialect: ConnectionDialect::Zendesk,
            container: Some("one".to_owned()),
            name: "mine".to_owned(),
            integration: String::new(),
            credentials: String::new(),
            settings: String::new(),
            hosts: Vec::new(),
            tags: None,
            secrets: ConnectionSecrets::default(),
            restriction: None,
            terms: claviger_model::Terms::default(),
            revision,
            created_at: at,
            created_by: somebody,
            modified_at: at,
            modified_by: somebody,
            expires_at: None,
        };
        Arc::new(UsableConnection {
            connection,
            settings: UsableSettings::Zis(ZisType::BearerToken, settings),
            secrets: Secrets::new(),
            prepared: OnceLock::new(),
            is_changed: AtomicBool::new(false),
            used_at: AtomicI64::new(0),
        })
    }

    #[test]
    fn what_is_not_kept_is_looked_at_again() {
        let used = UsedConnections::default();
        let kept = usable();
        used.put(kept.clone(), used.generation());
        assert!(!kept.is_changed());
        used.forget(kept.connection.id);
        assert!(kept.is_changed(), "a change finds it");
        // Read before a change of whichever connection: nothing would tell whoever goes on with it of the next.
        let as_of = used.generation();
        used.forget(ConnectionId::from_uuid(Uuid::from_u128(9)));
        let unkept = usable();
        used.put(unkept.clone(), as_of);
        assert!(used.get(unkept.connection.org, unkept.connection.id).is_none() && unkept.is_changed());
    }

    #[test]
    fn a_change_finds_whatever_was_read_before_it() {
        let used = UsedConnections::default();
        for (one, other) in [(1, 1), (1, 2), (2, 1)] {
            let as_of = used.generation();
            let [one, other] = [one, other].map(usable_at);
            let shared = used.put(one.clone(), as_of);
            assert!(Arc::ptr_eq(&shared, &one) && !one.is_changed());
            let used_by_other = used.put(other.clone(), as_of);
            let is_alike = one.connection == other.connection;
            assert_eq!(Arc::ptr_eq(&used_by_other, &one), is_alike, "who comes later shares what is alike");
            assert_eq!(one.is_changed(), !is_alike, "who has what is not kept any more looks again");
            let Connection { id, org, .. } = one.connection;
            let kept = [used.get(org, id), used.get_named(org, "one", "mine")];
            assert!(kept.iter().all(|kept| kept.as_ref().is_some_and(|it| Arc::ptr_eq(it, &used_by_other))));
            used.forget(id);
            assert!(one.is_changed() && used_by_other.is_changed());
            assert!(used.get(org, id).is_none() && used.get_named(org, "one", "mine").is_none());
        }
    }
}
