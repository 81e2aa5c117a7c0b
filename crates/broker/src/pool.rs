//! Connections to third parties, kept open between calls: each of an org's connections to integrations has its own.
//!
//! What is open is never another org's: what the address guard allowed the one, the other may not have. Nor is it that of
//! another connection of the same org, which others may use: a third party that does not read a request's body takes that for
//! the next request, and gives its answer to whoever calls next. Within a connection, what shows that this may have
//! happened is closed ([`Draft::may_be_unread`](crate::draft::Draft::may_be_unread)).
//! HTTP/1.1 only; a connection serves one call at a time, and is taken back once the answer was read to its end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{ConnectionId, OrgId, Origin, PrivateReach};
use tokio::time::Instant;

use crate::link::Link;

/// How many are kept for one connection and target. More may be open: those are closed after their call.
const IDLE_PER_TARGET_MAX: usize = 128;
/// How many are kept for one org: a caller who may name many hosts of a family must not use up what all share, which is
/// the process's open files.
const IDLE_PER_ORG_MAX: usize = 1024;
/// How many are kept for all orgs, likewise.
pub(crate) const IDLE_MAX: usize = 3072;
/// How long one is kept: less than the usual patience of servers, which close at 60 seconds and more.
const IDLE_TIME_MAX: Duration = Duration::from_secs(50);
/// How long the rest of a request may take after its answer is over. Nobody looks any more whether the caller may go on:
/// no longer than what goes on by a right may outlive it.
const LINGER: Duration = Duration::from_secs(1);
/// Targets that are kept track of; beyond that, those without idle connections are forgotten that nobody uses. Twice as many
/// as there are connections whose last target is known.
const TARGETS_MAX: usize = 8192;

/// The idle connections of all orgs.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Slots>);

#[derive(Default)]
struct Slots {
    by_target: HashMap<Key, Arc<Slot>>,
    /// How many connections each org has idle.
    idle: HashMap<OrgId, Arc<AtomicUsize>>,
    /// And all orgs.
    idle_of_all: Arc<AtomicUsize>,
}

/// Whose connections, to whom, and what the org may reach: once that is another, so are its connections.
pub(crate) type Key = (OrgId, ConnectionId, Origin, Option<Arc<PrivateReach>>);

/// The idle connections to one target.
pub(crate) struct Slot {
    key: Key,
    idle: Mutex<Vec<Idle>>,
    idle_now: IdleNow,
}

/// How many are idle.
#[derive(Clone)]
struct IdleNow {
    of_org: Arc<AtomicUsize>,
    of_all: Arc<AtomicUsize>,
}

struct Idle {
    link: Link,
    since: Instant,
    _counted: Counted,
}

/// Counted for as long as it is there.
struct Counted(IdleNow);

impl Counted {
    /// One more, where that is not one too many.
    fn new(now: &IdleNow) -> Option<Self> {
        let counted = Self(now.clone());
        let of_org = now.of_org.fetch_add(1, Relaxed);
        let of_all = now.of_all.fetch_add(1, Relaxed);
        (of_org < IDLE_PER_ORG_MAX && of_all < IDLE_MAX).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.of_org.fetch_sub(1, Relaxed);
        self.0.of_all.fetch_sub(1, Relaxed);
    }
}

impl Pool {
    /// The slot of a connection and a target.
    pub(crate) fn slot(&self, key: Key) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Slots { by_target, idle, idle_of_all } = &mut *slots;
        if by_target.len() >= TARGETS_MAX {
            by_target.retain(|_, slot| Arc::strong_count(slot) > 1 || !slot.is_empty());
            // Each slot of an org holds its count too.
            idle.retain(|_, count| Arc::strong_count(count) > 1);
        }
        let (of_org, of_all) = (idle.entry(key.0).or_default(), idle_of_all);
        let new = || {
            let idle_now = IdleNow { of_org: of_org.clone(), of_all: of_all.clone() };
            Arc::new(Slot::new(key.clone(), idle_now))
        };
        by_target.entry(key.clone()).or_insert_with(new).clone()
    }

    /// Anybody's slot of a target that has a connection: the mistake that the tests exist to catch.
    #[cfg(feature = "faults")]
    pub(crate) fn slot_in_use(&self, origin: &Origin) -> Option<Arc<Slot>> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.by_target.values().find(|slot| slot.origin() == origin && !slot.is_empty()).cloned()
    }

    /// Closes what has been idle for too long, or was closed by its peer.
    pub(crate) fn sweep(&self) {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slots: Vec<_> = slots.by_target.values().cloned().collect();
        slots.iter().for_each(|slot| slot.sweep());
    }
}

impl Slot {
    fn new(key: Key, idle_now: IdleNow) -> Self {
        Self { key, idle: Mutex::default(), idle_now }
    }

    /// One to another target, which is in no pool.
    pub(crate) fn apart(&self, origin: Origin) -> Self {
        let (org, connection, _, reach) = self.key.clone();
        Self::new((org, connection, origin, reach), self.idle_now.clone())
    }

    /// Whether it leads there, as far as its org may reach by now.
    pub(crate) fn is_to(&self, origin: &Origin, reach: Option<&Arc<PrivateReach>>) -> bool {
        let (_, _, own_origin, own_reach) = &self.key;
        own_origin == origin && own_reach.as_ref() == reach
    }

    /// Whether an org that may reach this by now may still reach all that its own might when it was made.
    pub(crate) fn is_reached_by(&self, reach: Option<&Arc<PrivateReach>>) -> bool {
        match (&self.key.3, reach) {
            (None, _) => true,
            (Some(then), Some(now)) => now == then || now.covers(then),
            (Some(then), None) => then.is_empty(),
        }
    }

    /// Whose it is.
    pub(crate) fn org(&self) -> OrgId {
        self.key.0
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.key.2
    }

    /// What the org may reach.
    pub(crate) fn reach(&self) -> Option<&PrivateReach> {
        self.key.3.as_deref()
    }

    /// The connection that was used last. Whether it is open still is seen when it is used: what came over it meanwhile is
    /// looked at before the next request is written.
    pub(crate) fn take(&self) -> Option<Link> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let last = idle.pop()?;
        // Those below were used before it.
        (last.since.elapsed() < IDLE_TIME_MAX).then_some(last.link)
    }

    /// Takes one back whose answer is over, for the next call, once the rest of its request is out, if that is soon: an
    /// answer may come before the request that it is for is over, and whoever took the connection then would wait for
    /// somebody else's body.
    pub(crate) fn take_back(self: Arc<Self>, mut link: Link) {
        if link.is_free() {
            self.put(link);
        } else if link.is_open() {
            tokio::spawn(async move {
                if let Ok(true) = tokio::time::timeout(LINGER, link.free()).await {
                    self.put(link);
                }
            });
        }
    }

    /// Keeps one that is free.
    fn put(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_PER_TARGET_MAX
            && let Some(_counted) = Counted::new(&self.idle_now)
        {
            link.rest();
            idle.push(Idle { link, since: Instant::now(), _counted });
        }
    }

    fn is_empty(&self) -> bool {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|it| it.since.elapsed() < IDLE_TIME_MAX && it.link.is_open());
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::Scheme;

    use super::*;

    /// Some org's slot, of one connection, to some host.
    fn slot(pool: &Pool, org: u128, host: &str) -> Arc<Slot> {
        let (org, connection) = (uuid::Uuid::from_u128(org), uuid::Uuid::from_u128(3));
        let origin = Origin::new(Scheme::Https, host.parse().unwrap());
        pool.slot((OrgId::from_uuid(org), ConnectionId::from_uuid(connection), origin, None))
    }

    /// An open connection, and whom it is to.
    async fn link() -> (Link, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(64);
        (Link::over(near).await.unwrap(), far)
    }

    #[tokio::test]
    async fn an_org_keeps_no_more_than_its_share() {
        let pool = Pool::default();
        let slot = |org, number: usize| slot(&pool, org, &format!("h{number}.example"));
        let mut far_ends = Vec::new();
        for number in 0..IDLE_PER_ORG_MAX + 100 {
            let (link, far) = link().await;
            far_ends.push(far);
            slot(1, number).put(link);
        }
        let kept = (0..IDLE_PER_ORG_MAX + 100).filter(|number| !slot(1, *number).is_empty()).count();
        assert_eq!(kept, IDLE_PER_ORG_MAX);
        // Another's is none of it, and what is taken makes room.
        let (own, far) = link().await;
        far_ends.push(far);
        slot(2, 0).put(own);
        assert!(slot(2, 0).take().is_some());
        let taken = slot(1, 0).take();
        slot(1, IDLE_PER_ORG_MAX).put(taken.unwrap());
        assert!(!slot(1, IDLE_PER_ORG_MAX).is_empty() && slot(1, 0).is_empty());
    }

    #[tokio::test]
    async fn all_orgs_keep_no_more_than_there_is() {
        let pool = Pool::default();
        let (mut far_ends, mut kept) = (Vec::new(), 0);
        for number in 0..IDLE_MAX + 100 {
            let slot = slot(&pool, (number % 50) as u128, &format!("h{number}.example"));
            let (link, far) = link().await;
            far_ends.push(far);
            slot.put(link);
            kept += usize::from(!slot.is_empty());
        }
        assert_eq!(kept, IDLE_MAX);
    }

    #[tokio::test]
    async fn what_its_peer_closed_or_broke_in_on_is_swept_away() {
        let pool = Pool::default();
        let slot = slot(&pool, 1, "a.example");
        let (mut links, mut far_ends) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let (link, far) = link().await;
            links.push(link);
            far_ends.push(far);
        }
        links.into_iter().for_each(|link| slot.put(link));
        pool.sweep();
        assert_eq!(slot.idle.lock().unwrap().len(), 3);
        tokio::io::AsyncWriteExt::write_all(&mut far_ends[0], b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        far_ends.remove(1);
        pool.sweep();
        assert_eq!(slot.idle.lock().unwrap().len(), 1);
        // It is closed, and not merely forgotten.
        let mut read = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut far_ends[0], &mut read).await.unwrap();
        assert!(read.is_empty());
    }
}
