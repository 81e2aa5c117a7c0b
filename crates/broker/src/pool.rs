//! Connections to third parties, kept open between calls: each org has its own.
//!
//! A connection that one org opened is never another's: what the address guard allowed the one, the other may not have.
//! HTTP/1.1 only; a connection serves one call at a time, and is taken back once the answer was read to its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{OrgId, Origin, PrivateReach};
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::outbody::OutBody;

/// How many are kept for one org and target. More may be open: those are closed after their call.
const IDLE_PER_TARGET_MAX: usize = 128;
/// How long one is kept: less than the usual patience of servers, which close at 60 seconds and more.
const IDLE_MAX: Duration = Duration::from_secs(50);
/// How long the rest of a request may take after its answer is over. Nobody looks any more whether the caller may go on:
/// no longer than what goes on by a right may outlive it.
pub(crate) const LINGER: Duration = Duration::from_secs(1);
/// Targets that are kept track of; beyond that, those without idle connections are forgotten.
const TARGETS_MAX: usize = 4096;

/// The idle connections of all orgs.
#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<Key, Arc<Slot>>>);

/// Whose connections, to whom, and what the org may reach: once that is another, so are its connections.
pub(crate) type Key = (OrgId, Origin, Option<Arc<PrivateReach>>);

/// The idle connections of one org to one target.
pub(crate) struct Slot {
    key: Key,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    link: Link,
    since: Instant,
}

/// An open connection.
pub(crate) struct Link {
    pub(crate) sender: SendRequest<OutBody>,
    /// The task that does its work.
    pub(crate) work: AbortHandle,
}

/// What nobody holds any more is closed, whatever its peer still does: one that does not read could keep it open, and the
/// caller's body with it.
impl Drop for Link {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl Pool {
    /// The slot of an org and a target.
    pub(crate) fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= TARGETS_MAX {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || !slot.is_empty());
        }
        slots.entry(key.clone()).or_insert_with(|| Arc::new(Slot::new(key))).clone()
    }

    /// Closes what has been idle for too long.
    pub(crate) fn sweep(&self) {
        let slots: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        slots.iter().for_each(|slot| slot.sweep());
    }
}

impl Slot {
    fn new(key: Key) -> Self {
        Self { key, idle: Mutex::default() }
    }

    /// One of the same org to another target, which is in no pool.
    #[cfg(feature = "faults")]
    pub(crate) fn apart(&self, origin: Origin) -> Self {
        let (org, _, reach) = self.key.clone();
        Self::new((org, origin, reach))
    }

    /// Whether it is what these have.
    pub(crate) fn is_of(&self, org: OrgId, origin: &Origin, reach: Option<&Arc<PrivateReach>>) -> bool {
        let (own_org, own_origin, own_reach) = &self.key;
        *own_org == org && own_origin == origin && own_reach.as_ref() == reach
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.key.1
    }

    /// What the org may reach.
    pub(crate) fn reach(&self) -> Option<&PrivateReach> {
        self.key.2.as_deref()
    }

    /// The connection that was used last, if it is open still.
    pub(crate) fn take(&self) -> Option<Link> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Idle { link, since }) = idle.pop() {
            if !link.sender.is_closed() && since.elapsed() < IDLE_MAX {
                return Some(link);
            }
        }
        None
    }

    /// Keeps one for the next call once the rest of its request is out, if that is soon: an answer may come before the
    /// request that it is for is over, and whoever took the connection then would wait for somebody else's body.
    pub(crate) fn put_later(self: Arc<Self>, mut link: Link) {
        tokio::spawn(async move {
            if let Ok(Ok(())) = tokio::time::timeout(LINGER, link.sender.ready()).await {
                self.put(link);
            }
        });
    }

    /// Keeps one for the next call.
    pub(crate) fn put(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_PER_TARGET_MAX && !link.sender.is_closed() {
            idle.push(Idle { link, since: Instant::now() });
        }
    }

    fn is_empty(&self) -> bool {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|it| it.since.elapsed() < IDLE_MAX && !it.link.sender.is_closed());
    }
}
