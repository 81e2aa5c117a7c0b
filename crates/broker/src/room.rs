//! How many calls there may be at once: of a connection, of an org, and in all.
//!
//! They are counted by the ids of connection and org, and not with what is worked out of a connection: that is made anew with
//! every change, and the calls that are under way then still count.
//!
//! Each takes an open connection to somebody who may never answer. Whoever may call could otherwise use up what all share,
//! which is the process's open files.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use claviger_model::{ConnectionId, OrgId};
use tokio::sync::Semaphore;

use crate::refusal::Refusal;

/// Connections that are kept track of; beyond that, those that nobody uses are forgotten. Twice as many as are kept open.
const ROOMS_MAX: usize = 8192;

/// The rooms of all connections that are in use.
pub(crate) struct Rooms {
    known: Mutex<Known>,
    of_all: Arc<Count>,
    calls_per_org_max: usize,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<ConnectionId, Weak<Room>>,
    orgs: HashMap<OrgId, Weak<Count>>,
}

/// How many bodies of one connection are held whole at a time that are not small: 64 MiB, where each is as long as it may
/// be. Whoever may use a connection could otherwise have as many held as there may be calls.
const BODIES_HELD_MAX: usize = 64;

/// The calls of one connection that are under way.
pub(crate) struct Room {
    taken: AtomicUsize,
    bodies: Arc<Semaphore>,
    of_org: Arc<Count>,
    of_all: Arc<Count>,
}

/// Calls that are under way, and how many they may be.
struct Count {
    taken: AtomicUsize,
    max: usize,
}

/// A call's place in its connection's room, until it is dropped.
pub(crate) struct Seat(Arc<Room>);

impl Rooms {
    /// For so many calls of one org, and in all.
    pub(crate) fn new(calls_per_org_max: usize, calls_max: usize) -> Self {
        Self { known: Mutex::default(), of_all: Arc::new(Count::new(calls_max)), calls_per_org_max }
    }

    /// The room of a connection: one and the same for as long as somebody holds it, or sits in it.
    pub(crate) fn of(&self, id: ConnectionId, org: OrgId) -> Arc<Room> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { rooms, orgs } = &mut *known;
        if let Some(room) = rooms.get(&id).and_then(Weak::upgrade) {
            return room;
        }
        if rooms.len() >= ROOMS_MAX {
            rooms.retain(|_, room| room.strong_count() > 0);
            // Each room of an org holds its count too.
            orgs.retain(|_, count| count.strong_count() > 0);
        }
        let of_org = orgs.get(&org).and_then(Weak::upgrade).unwrap_or_else(|| {
            let count = Arc::new(Count::new(self.calls_per_org_max));
            orgs.insert(org, Arc::downgrade(&count));
            count
        });
        let (bodies, of_all) = (Arc::new(Semaphore::new(BODIES_HELD_MAX)), self.of_all.clone());
        let room = Arc::new(Room { taken: AtomicUsize::default(), bodies, of_org, of_all });
        rooms.insert(id, Arc::downgrade(&room));
        room
    }
}

impl Count {
    fn new(max: usize) -> Self {
        Self { taken: AtomicUsize::default(), max }
    }

    fn take(&self) -> bool {
        is_taken(&self.taken, self.max)
    }
}

/// Whether there was one more, where fewer than so many are taken.
fn is_taken(taken: &AtomicUsize, max: usize) -> bool {
    let one_more = |taken: usize| (taken < max).then(|| taken + 1);
    taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
}

fn give_back(taken: &AtomicUsize) {
    taken.fetch_sub(1, Ordering::AcqRel);
}

impl Room {
    /// Room for bodies that are held whole and are not small.
    pub(crate) fn for_bodies(&self) -> &Arc<Semaphore> {
        &self.bodies
    }

    /// A seat, where fewer than so many are taken.
    ///
    /// # Errors
    /// [`Refusal::Busy`], [`Refusal::OrgBusy`], [`Refusal::ServerBusy`]: as many are as may be.
    pub(crate) fn take(self: &Arc<Self>, seats: usize) -> Result<Seat, Refusal> {
        if !is_taken(&self.taken, seats) {
            return Err(Refusal::Busy);
        }
        if !self.of_org.take() {
            give_back(&self.taken);
            return Err(Refusal::OrgBusy);
        }
        if !self.of_all.take() {
            give_back(&self.taken);
            give_back(&self.of_org.taken);
            return Err(Refusal::ServerBusy);
        }
        Ok(Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Room { taken, of_org, of_all, .. } = &*self.0;
        for taken in [taken, &of_org.taken, &of_all.taken] {
            give_back(taken);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> ConnectionId {
        ConnectionId::from_uuid(Uuid::from_u128(number))
    }

    fn org(number: u128) -> OrgId {
        OrgId::from_uuid(Uuid::from_u128(number))
    }

    #[test]
    fn seats_are_counted_across_changes_of_the_connection() {
        let rooms = Rooms::new(100, 100);
        let of = |number| rooms.of(id(number), org(1));
        let first = of(1).take(2).unwrap();
        // Nobody holds the room but who sits in it.
        let second = of(1).take(2).unwrap();
        assert_eq!(of(1).take(2).err(), Some(Refusal::Busy));
        assert!(of(1).take(3).is_ok(), "and its seat is free again at once");
        assert!(of(2).take(1).is_ok(), "another's is another");
        drop(first);
        assert!(of(1).take(1).is_err(), "fewer seats than before count those that are taken");
        drop(second);
        assert!(of(1).take(1).is_ok());
    }

    #[test]
    fn an_org_has_its_share_of_all() {
        let rooms = Rooms::new(2, 3);
        let take = |number, of| rooms.of(id(number), org(of)).take(2);
        let ours = [take(1, 1).unwrap(), take(2, 1).unwrap()];
        assert_eq!(take(3, 1).err(), Some(Refusal::OrgBusy));
        let theirs = take(4, 2).unwrap();
        assert_eq!(take(5, 2).err(), Some(Refusal::ServerBusy));
        assert_eq!(take(6, 3).err(), Some(Refusal::ServerBusy));
        // What was refused took no seat of those that were free.
        drop(ours);
        let again = [take(4, 2).unwrap(), take(3, 1).unwrap()];
        assert_eq!(take(4, 2).err(), Some(Refusal::Busy));
        drop((theirs, again));
        assert_eq!(rooms.of_all.taken.load(Ordering::Acquire), 0);
    }

    #[test]
    fn rooms_that_nobody_uses_are_forgotten() {
        let rooms = Rooms::new(100, 100);
        let kept = rooms.of(id(0), org(0));
        for number in 0..2 * ROOMS_MAX as u128 {
            rooms.of(id(number), org(number));
        }
        let known = rooms.known.lock().unwrap();
        assert!(known.rooms.len() <= ROOMS_MAX && known.orgs.len() <= ROOMS_MAX);
        drop(known);
        let _seat = kept.take(1).unwrap();
        assert!(rooms.of(id(0), org(0)).take(1).is_err());
    }
}
