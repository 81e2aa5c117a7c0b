//! How many calls of a connection there may be at once.
//!
//! They are counted by the connection's id, and not with what is worked out of it: that is made anew with every change, and
//! the calls that are under way then still count.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use claviger_model::ConnectionId;
use tokio::sync::Semaphore;

/// Connections that are kept track of; beyond that, those that nobody uses are forgotten. Twice as many as are kept open.
const ROOMS_MAX: usize = 8192;

/// The rooms of all connections that are in use.
#[derive(Default)]
pub(crate) struct Rooms(Mutex<HashMap<ConnectionId, Weak<Room>>>);

/// How many bodies of one connection are held whole at a time that are not small: 64 MiB, where each is as long as it may
/// be. Whoever may use a connection could otherwise have as many held as there may be calls.
const BODIES_HELD_MAX: usize = 64;

/// The calls of one connection that are under way.
pub(crate) struct Room {
    taken: AtomicUsize,
    bodies: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self { taken: AtomicUsize::default(), bodies: Arc::new(Semaphore::new(BODIES_HELD_MAX)) }
    }
}

/// A call's place in its connection's room, until it is dropped.
pub(crate) struct Seat(Arc<Room>);

impl Rooms {
    /// The room of a connection: one and the same for as long as somebody holds it, or sits in it.
    pub(crate) fn of(&self, id: ConnectionId) -> Arc<Room> {
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(&id).and_then(Weak::upgrade) {
            return room;
        }
        if rooms.len() >= ROOMS_MAX {
            rooms.retain(|_, room| room.strong_count() > 0);
        }
        let room = Arc::<Room>::default();
        rooms.insert(id, Arc::downgrade(&room));
        room
    }
}

impl Room {
    /// Room for bodies that are held whole and are not small.
    pub(crate) fn for_bodies(&self) -> &Arc<Semaphore> {
        &self.bodies
    }

    /// A seat, where fewer than so many are taken.
    pub(crate) fn take(self: &Arc<Self>, seats: usize) -> Option<Seat> {
        let one_more = |taken: usize| (taken < seats).then(|| taken + 1);
        self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn seats_are_counted_across_changes_of_the_connection() {
        let rooms = Rooms::default();
        let id = |number| ConnectionId::from_uuid(Uuid::from_u128(number));
        let first = rooms.of(id(1)).take(2).unwrap();
        // Nobody holds the room but who sits in it.
        let second = rooms.of(id(1)).take(2).unwrap();
        assert!(rooms.of(id(1)).take(2).is_none());
        assert!(rooms.of(id(1)).take(3).is_some(), "and its seat is free again at once");
        assert!(rooms.of(id(2)).take(1).is_some(), "another's is another");
        drop(first);
        assert!(rooms.of(id(1)).take(1).is_none(), "fewer seats than before count those that are taken");
        drop(second);
        assert!(rooms.of(id(1)).take(1).is_some());
    }

    #[test]
    fn rooms_that_nobody_uses_are_forgotten() {
        let rooms = Rooms::default();
        let kept = rooms.of(ConnectionId::from_uuid(Uuid::from_u128(0)));
        for number in 0..2 * ROOMS_MAX as u128 {
            rooms.of(ConnectionId::from_uuid(Uuid::from_u128(number)));
        }
        assert!(rooms.0.lock().unwrap().len() <= ROOMS_MAX);
        let _seat = kept.take(1).unwrap();
        assert!(rooms.of(ConnectionId::from_uuid(Uuid::from_u128(0))).take(1).is_none());
    }
}
