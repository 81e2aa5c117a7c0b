//! Whose connection is tested next. All orgs share what the server tests at once: no one org, by third parties that do not
//! answer or by as many connections as it likes, keeps the others from their turn.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use claviger_engine::DueConnection;
use claviger_model::{ConnectionId, OrgId, Timestamp};
use tokio::task::{Id, JoinSet};

/// Tests that are under way at once: few, so that what is due after a time without a server is no burst.
const AT_ONCE: usize = 8;
/// Those of one org: half, so that there is a place for another's.
const AT_ONCE_OF_ONE: usize = AT_ONCE / 2;
/// When one is tried again that could not be tested at all: as many of its calls were under way as may be, or calls could
/// not be recorded.
const PUT_OFF: Duration = Duration::from_secs(60);
/// So many of those are remembered. Beyond, they are tried again at once.
const PUT_OFF_MAX: usize = 1000;
/// The same of one org, so that those of a few others are remembered too.
const PUT_OFF_OF_ONE_MAX: usize = PUT_OFF_MAX / 4;

/// The tests that are under way.
#[derive(Default)]
pub(super) struct UnderWay {
    tasks: JoinSet<bool>,
    of: HashMap<Id, DueConnection>,
}

impl UnderWay {
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }

    pub(super) fn has(&self, id: ConnectionId) -> bool {
        self.of.values().any(|due| due.id() == id)
    }

    /// Takes the first for which there is a place.
    pub(super) fn next_of(&self, due: &mut VecDeque<DueConnection>) -> Option<DueConnection> {
        let count = |org: OrgId| self.of.values().filter(|due| due.org() == org).count();
        let has_place = |due: &DueConnection| count(due.org()) < AT_ONCE_OF_ONE;
        let place = (self.len() < AT_ONCE).then(|| due.iter().position(has_place))??;
        due.remove(place)
    }

    pub(super) fn begin(&mut self, due: DueConnection, test: impl Future<Output = bool> + Send + 'static) {
        let task = self.tasks.spawn(test);
        self.of.insert(task.id(), due);
    }

    /// Waits for one that ends, and tells whether it was tested; none where none is under way.
    pub(super) async fn ended(&mut self) -> Option<(DueConnection, bool)> {
        let ended = self.tasks.join_next_with_id().await?;
        let (id, is_done) = ended.unwrap_or_else(|error| (error.id(), false));
        self.of.remove(&id).map(|due| (due, is_done))
    }

    /// Ends all.
    pub(super) async fn give_up(mut self) {
        self.tasks.shutdown().await;
    }
}

/// Those that could not be tested, and when they are tried again.
#[derive(Default)]
pub(super) struct PutOff(HashMap<ConnectionId, (OrgId, Timestamp)>);

impl PutOff {
    /// How many there are at a moment; those whose time has come are forgotten.
    pub(super) fn at(&mut self, now: Timestamp) -> usize {
        self.0.retain(|_, (_, until)| now < *until);
        self.0.len()
    }

    pub(super) fn has(&self, id: ConnectionId) -> bool {
        self.0.contains_key(&id)
    }

    pub(super) fn add(&mut self, failed: DueConnection, now: Timestamp) {
        self.note(failed.org(), failed.id(), now);
    }

    fn note(&mut self, org: OrgId, id: ConnectionId, now: Timestamp) {
        let of_org = self.0.values().filter(|(of, _)| *of == org).count();
        if self.0.len() < PUT_OFF_MAX && of_org < PUT_OFF_OF_ONE_MAX {
            self.0.insert(id, (org, now + PUT_OFF));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_put_off_comes_again_and_no_more_than_so_many_are_remembered() {
        let id = |number: usize| ConnectionId::from_uuid(Uuid::from_u128(number as u128));
        let org = |number: usize| OrgId::from_uuid(Uuid::from_u128(number as u128));
        let (now, second) = (Timestamp::from_micros(0), Duration::from_secs(1));
        let mut put_off = PutOff::default();
        put_off.note(org(0), id(0), now);
        for number in 1..PUT_OFF_OF_ONE_MAX + 5 {
            put_off.note(org(0), id(number), now + second);
        }
        assert_eq!(put_off.at(now + second), PUT_OFF_OF_ONE_MAX);
        assert!(put_off.has(id(PUT_OFF_OF_ONE_MAX - 1)) && !put_off.has(id(PUT_OFF_OF_ONE_MAX)));
        // Another org's are remembered all the same, as long as there is room for anybody's.
        for number in 1..PUT_OFF_MAX {
            put_off.note(org(number / 100 + 1), id(PUT_OFF_MAX + number), now + second);
        }
        assert!(put_off.has(id(PUT_OFF_MAX + 1)));
        assert_eq!(put_off.at(now + second), PUT_OFF_MAX);
        assert_eq!(put_off.at(now + PUT_OFF), PUT_OFF_MAX - 1);
        assert!(!put_off.has(id(0)));
        assert_eq!(put_off.at(now + PUT_OFF * 2), 0);
    }
}
