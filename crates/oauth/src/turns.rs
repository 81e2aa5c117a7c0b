//! Whose turn it is to ask an authorization server.
//!
//! An exchange may take as long as an authorization server likes, up to its deadline, and which server that is an org's
//! editors say: one that never answers must not take every turn. So each org has its share, and whoever waits for more
//! of it waits for their own org's exchanges alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use claviger_model::OrgId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Exchanges that are under way at the same time. Each may take ten seconds; beyond so many, others wait their turn.
const EXCHANGES_MAX: usize = 64;
/// Of these, so many are one org's: with an honest server, more than a hundred renewals in a second.
const OF_ORG_MAX: usize = 16;
/// For so long somebody waits for a turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Orgs that are kept track of; beyond that, those that ask for nothing are forgotten.
const ORGS_MAX: usize = 1024;

/// The turns of all orgs.
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    shares: Mutex<HashMap<OrgId, Weak<Semaphore>>>,
}

/// The right to ask, until it is dropped.
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _any: OwnedSemaphorePermit,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(EXCHANGES_MAX)), shares: Mutex::default() }
    }
}

impl Turns {
    /// Waits for a turn of an org's; none where it does not come in time.
    pub(crate) async fn take(&self, org: OrgId) -> Option<Turn> {
        let share = self.share(org);
        let turn = async {
            // Its own first: what an org waits for beyond its share keeps nobody else waiting.
            let own = share.acquire_owned().await.ok()?;
            let any = self.all.clone().acquire_owned().await.ok()?;
            Some(Turn { _own: own, _any: any })
        };
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten()
    }

    /// An org's share: one and the same for as long as somebody waits for it, or has a turn of it.
    fn share(&self, org: OrgId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&org).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= ORGS_MAX {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(OF_ORG_MAX));
        shares.insert(org, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    #[tokio::test(start_paused = true)]
    async fn an_org_has_its_share_and_no_more() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..OF_ORG_MAX {
            held.push(turns.take(org(1)).await.unwrap());
        }
        assert!(turns.take(org(1)).await.is_none(), "who waits is told after a while");
        for number in 2..=4 {
            for _ in 0..OF_ORG_MAX {
                held.push(turns.take(org(number)).await.unwrap());
            }
        }
        // Every turn is taken: whoever waits has the next that is free, though others wait within their orgs.
        let (mut fifth, mut first) = (Box::pin(turns.take(org(5))), Box::pin(turns.take(org(1))));
        assert!(tokio::time::timeout(Duration::ZERO, &mut first).await.is_err());
        assert!(tokio::time::timeout(Duration::ZERO, &mut fifth).await.is_err());
        drop(held.pop());
        assert!(fifth.await.is_some());
        drop(held.remove(0));
        assert!(first.await.is_some());
    }

    #[tokio::test]
    async fn orgs_that_ask_for_nothing_are_forgotten() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..OF_ORG_MAX {
            held.push(turns.take(org(0)).await.unwrap());
        }
        for number in 1..3 * ORGS_MAX as u128 {
            assert!(turns.take(org(number)).await.is_some());
        }
        assert!(turns.shares.lock().unwrap().len() <= ORGS_MAX);
        assert_eq!(turns.share(org(0)).available_permits(), 0);
    }
}
