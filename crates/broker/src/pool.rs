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
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::outbody::OutBody;

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
pub(crate) const LINGER: Duration = Duration::from_secs(1);
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

    /// Closes what has been idle for too long.
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

    /// The connection that was used last, if it is open still.
    pub(crate) fn take(&self) -> Option<Link> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Idle { link, since, .. }) = idle.pop() {
            if !link.sender.is_closed() && since.elapsed() < IDLE_TIME_MAX {
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
        if idle.len() < IDLE_PER_TARGET_MAX
            && !link.sender.is_closed()
            && let Some(_counted) = Counted::new(&self.idle_now)
        {
            idle.push(Idle { link, since: Instant::now(), _counted });
        }
    }

    fn is_empty(&self) -> bool {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn sweep(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|it| it.since.elapsed() < IDLE_TIME_MAX && !it.link.sender.is_closed());
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::Scheme;
    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;

    use super::*;

    /// An open connection, and whom it is to.
    async fn link() -> (Link, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(64);
        let (sender, connection) = http1::handshake(TokioIo::new(near)).await.unwrap();
        let work = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        (Link { sender, work }, far)
    }

    #[tokio::test]
    async fn an_org_keeps_no_more_than_its_share() {
        let pool = Pool::default();
        let orgs = [1, 2].map(|number| OrgId::from_uuid(uuid::Uuid::from_u128(number)));
        let slot = |org, number: usize| {
            let host = format!("h{number}.example").parse().unwrap();
            let connection = ConnectionId::from_uuid(uuid::Uuid::from_u128(3));
            pool.slot((org, connection, Origin::new(Scheme::Https, host), None))
        };
        let mut far_ends = Vec::new();
        for number in 0..IDLE_PER_ORG_MAX + 100 {
            let (link, far) = link().await;
            far_ends.push(far);
            slot(orgs[0], number).put(link);
        }
        let kept = (0..IDLE_PER_ORG_MAX + 100).filter(|number| !slot(orgs[0], *number).is_empty()).count();
        assert_eq!(kept, IDLE_PER_ORG_MAX);
        // Another's is none of it, and what is taken makes room.
        let (own, far) = link().await;
        far_ends.push(far);
        slot(orgs[1], 0).put(own);
        assert!(slot(orgs[1], 0).take().is_some());
        let taken = slot(orgs[0], 0).take();
        slot(orgs[0], IDLE_PER_ORG_MAX).put(taken.unwrap());
        assert!(!slot(orgs[0], IDLE_PER_ORG_MAX).is_empty() && slot(orgs[0], 0).is_empty());
    }

    #[tokio::test]
    async fn all_orgs_keep_no_more_than_there_is() {
        let pool = Pool::default();
        let (mut far_ends, mut kept) = (Vec::new(), 0);
        for number in 0..IDLE_MAX + 100 {
            let org = OrgId::from_uuid(uuid::Uuid::from_u128((number % 50) as u128));
            let host = format!("h{number}.example").parse().unwrap();
            let slot = pool.slot((org, Origin::new(Scheme::Https, host), None));
            let (link, far) = link().await;
            far_ends.push(far);
            slot.put(link);
            kept += usize::from(!slot.is_empty());
        }
        assert_eq!(kept, IDLE_MAX);
    }
}
