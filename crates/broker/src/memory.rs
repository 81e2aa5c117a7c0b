//! Memory for what is held whole: so much in all, and for one org no more than a part of that.
//!
//! What streams is not held. What is small ([`SMALL_BYTES_MAX`]) is held without being counted: there is no more of it
//! than there are calls ([`crate::room`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use claviger_model::OrgId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::refusal::Refusal;

/// What is no longer than this is held without being counted.
pub(crate) const SMALL_BYTES_MAX: usize = 16 * 1024;
/// What memory is counted in, begun ones as whole ones.
const UNIT: usize = 1024;
/// Orgs that are kept track of; beyond that, those that hold nothing are forgotten.
const ORGS_MAX: usize = 4096;

/// See the module's documentation.
pub(crate) struct Memory {
    all: Arc<Semaphore>,
    units_max: u32,
    units_per_org_max: u32,
    of_org: Mutex<HashMap<OrgId, Weak<Semaphore>>>,
}

/// Memory that is taken, until it is dropped.
#[derive(Debug)]
pub struct Held {
    of_org: OwnedSemaphorePermit,
    of_all: OwnedSemaphorePermit,
}

impl Memory {
    /// So many bytes for one org, and in all.
    pub(crate) fn new(bytes_per_org_max: usize, bytes_max: usize) -> Self {
        let (units_max, units_per_org_max) = (units(bytes_max), units(bytes_per_org_max.min(bytes_max)));
        let all = Arc::new(Semaphore::new(units_max as usize));
        Self { all, units_max, units_per_org_max, of_org: Mutex::default() }
    }

    /// Takes some, if it is there.
    ///
    /// # Errors
    /// [`Refusal::OrgBusy`], [`Refusal::ServerBusy`].
    pub(crate) fn try_take(&self, org: OrgId, bytes: usize) -> Result<Held, Refusal> {
        let units = self.wanted(bytes);
        let of_org = self.of(org).try_acquire_many_owned(units).map_err(|_| Refusal::OrgBusy)?;
        let of_all = self.all.clone().try_acquire_many_owned(units).map_err(|_| Refusal::ServerBusy)?;
        Ok(Held { of_org, of_all })
    }

    /// Takes some once it is there.
    ///
    /// # Errors
    /// [`Refusal::OrgBusy`], [`Refusal::ServerBusy`]: not until the deadline.
    pub(crate) async fn take(&self, org: OrgId, bytes: usize, deadline: Instant) -> Result<Held, Refusal> {
        let units = self.wanted(bytes);
        let of_org = timeout_at(deadline, self.of(org).acquire_many_owned(units)).await;
        let of_org = of_org.ok().and_then(Result::ok).ok_or(Refusal::OrgBusy)?;
        let of_all = timeout_at(deadline, self.all.clone().acquire_many_owned(units)).await;
        let of_all = of_all.ok().and_then(Result::ok).ok_or(Refusal::ServerBusy)?;
        Ok(Held { of_org, of_all })
    }

    /// No more than there is: what is longer waits until nothing else is held.
    fn wanted(&self, bytes: usize) -> u32 {
        units(bytes).min(self.units_per_org_max)
    }

    /// An org's part: one and the same for as long as something of it is held.
    fn of(&self, org: OrgId) -> Arc<Semaphore> {
        let mut of_org = self.of_org.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = of_org.get(&org).and_then(Weak::upgrade) {
            return part;
        }
        if of_org.len() >= ORGS_MAX {
            of_org.retain(|_, part| part.strong_count() > 0);
        }
        let part = Arc::new(Semaphore::new(self.units_per_org_max.min(self.units_max) as usize));
        of_org.insert(org, Arc::downgrade(&part));
        part
    }
}

impl Held {
    /// Gives back what is beyond so many bytes.
    pub fn keep(&mut self, bytes: usize) {
        let kept = units(bytes) as usize;
        for permit in [&mut self.of_org, &mut self.of_all] {
            let surplus = permit.num_permits().saturating_sub(kept);
            drop(permit.split(surplus));
        }
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(UNITS_MAX)
}

/// As many as one semaphore can have, and be asked for at once: 512 GiB.
const UNITS_MAX: u32 = 1 << 29;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn an_org_has_its_part_and_all_have_the_whole() {
        let memory = Memory::new(4 * UNIT, 6 * UNIT);
        let first = memory.try_take(org(1), 3 * UNIT).unwrap();
        assert_eq!(memory.try_take(org(1), UNIT + 1).unwrap_err(), Refusal::OrgBusy);
        let second = memory.try_take(org(2), 3 * UNIT).unwrap();
        assert_eq!(memory.try_take(org(1), 1).unwrap_err(), Refusal::ServerBusy);
        assert_eq!(memory.try_take(org(3), 1).unwrap_err(), Refusal::ServerBusy);
        drop(first);
        // What was taken of the org's part before the whole was found to be full is given back.
        let mut whole = memory.try_take(org(3), 3 * UNIT).unwrap();
        whole.keep(UNIT - 1);
        assert!(memory.try_take(org(1), 2 * UNIT).is_ok() && memory.try_take(org(3), 3 * UNIT).is_err());
        drop((second, whole));
        // As if it fitted.
        assert!(memory.try_take(org(1), 100 * UNIT).is_ok());
    }

    #[tokio::test]
    async fn whoever_waits_is_next_or_told_what_was_full() {
        let memory = Arc::new(Memory::new(2 * UNIT, 3 * UNIT));
        let held = memory.try_take(org(1), 2 * UNIT).unwrap();
        let soon = || Instant::now() + Duration::from_millis(1);
        assert_eq!(memory.take(org(1), 1, soon()).await.unwrap_err(), Refusal::OrgBusy);
        assert_eq!(memory.take(org(2), 2 * UNIT, soon()).await.unwrap_err(), Refusal::ServerBusy);
        let late = Instant::now() + Duration::from_secs(30);
        let waiting = tokio::spawn({
            let memory = memory.clone();
            async move { memory.take(org(2), 2 * UNIT, late).await.is_ok() }
        });
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn orgs_that_hold_nothing_are_forgotten() {
        let memory = Memory::new(UNIT, UNIT);
        let _held = memory.try_take(org(0), 1).unwrap();
        for number in 1..2 * ORGS_MAX as u128 {
            memory.of(org(number));
        }
        assert!(memory.of_org.lock().unwrap().len() <= ORGS_MAX);
        assert_eq!(memory.try_take(org(0), 1).unwrap_err(), Refusal::OrgBusy);
    }
}
