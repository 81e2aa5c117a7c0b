//! A list of keys for one purpose: the newest writes, every one reads.

use std::sync::Arc;

use claviger_model::Timestamp;
use uuid::Uuid;

/// A key in use and the name under which the database keeps it.
pub(crate) struct HeldKey<T> {
    pub(crate) id: Uuid,
    pub(crate) created_at: Timestamp,
    /// Shared, so that it can be used without holding a lock on its list, and stays put when the list grows.
    pub(crate) key: Arc<T>,
}

/// At least one key, newest first. Keys of the same moment stand in the order of their ids, so that all who have the
/// same keys write with the same one.
pub(crate) struct KeyList<T>(Vec<HeldKey<T>>);

impl<T> KeyList<T> {
    /// A list of one.
    pub(crate) fn new(key: HeldKey<T>) -> Self {
        Self(vec![key])
    }

    /// A list of all; nothing when there are none.
    pub(crate) fn collect(keys: Vec<HeldKey<T>>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let mut list = Self::new(keys.next()?);
        keys.for_each(|key| list.insert(key));
        Some(list)
    }

    /// Puts a key in its place. One whose id is there already changes nothing.
    pub(crate) fn insert(&mut self, key: HeldKey<T>) {
        if self.find(key.id).is_some() {
            return;
        }
        let rank = (key.created_at, key.id);
        let place = self.0.partition_point(|held| (held.created_at, held.id) > rank);
        self.0.insert(place, key);
    }

    /// The newest: the one that writes.
    pub(crate) fn first(&self) -> &HeldKey<T> {
        self.0.first().expect("a list begins with a key and never loses one")
    }

    /// The key with this id.
    pub(crate) fn find(&self, id: Uuid) -> Option<&Arc<T>> {
        self.0.iter().find(|held| held.id == id).map(|held| &held.key)
    }

    /// All, newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeldKey<T>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(id: u128, micros: i64) -> HeldKey<u128> {
        HeldKey { id: Uuid::from_u128(id), created_at: Timestamp::from_micros(micros), key: Arc::new(id) }
    }

    #[test]
    fn keys_stand_newest_first_whatever_the_order_of_arrival() {
        let list = KeyList::collect(vec![held(1, 10), held(3, 30), held(2, 20), held(4, 20)]).unwrap();
        assert_eq!(list.iter().map(|held| *held.key).collect::<Vec<_>>(), [3, 4, 2, 1]);
        assert_eq!(*list.first().key, 3);
    }

    #[test]
    fn a_known_id_changes_nothing() {
        let mut list = KeyList::new(held(1, 10));
        list.insert(held(1, 99));
        assert_eq!(list.iter().count(), 1);
        assert_eq!(list.first().created_at, Timestamp::from_micros(10));
    }

    #[test]
    fn there_is_no_empty_list() {
        assert!(KeyList::<u128>::collect(Vec::new()).is_none());
    }
}
