//! When credentials and connections were last used: noted in memory, written in batches in the background.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{ConnectionId, CredentialId, Timestamp};
use claviger_store::Store;
use tokio::sync::mpsc;

/// The last use of a credential, or of a connection, is noted at most so often; the vendor's own lag is not known.
const RESOLUTION: Duration = Duration::from_secs(60);
/// Notes waiting to be written. Beyond it they are dropped, and the next use of the credential is noted instead.
const WAITING_MAX: usize = 65_536;
/// Notes written in one go.
const BATCH_MAX: usize = 512;

/// Takes notes of use, without waiting.
pub(crate) struct Usage(mpsc::Sender<(CredentialId, Timestamp)>);

/// Where the notes come out.
pub(crate) struct UsageNotes(mpsc::Receiver<(CredentialId, Timestamp)>);

pub(crate) fn channel() -> (Usage, UsageNotes) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Usage(sender), UsageNotes(receiver))
}

impl Usage {
    /// Notes a use, unless one within the resolution is noted already in `last_used`.
    pub(crate) fn note(&self, credential: CredentialId, now: Timestamp, last_used: &AtomicI64) {
        let before = last_used.load(Ordering::Relaxed);
        if now.micros().saturating_sub(before) < RESOLUTION.as_micros() as i64 {
            return;
        }
        let won =
            last_used.compare_exchange(before, now.micros(), Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if won && self.0.try_send((credential, now)).is_err() {
            last_used.store(before, Ordering::Relaxed);
        }
    }
}

impl UsageNotes {
    /// Writes what has been noted so far; what cannot be written is dropped, and said.
    pub(crate) async fn flush(&mut self, store: &Store) {
        let mut notes = Vec::new();
        while !self.0.is_empty() {
            notes.clear();
            self.0.recv_many(&mut notes, WAITING_MAX).await;
            // In the order of the table, so that a batch touches few of its pages.
            notes.sort_unstable();
            for (place, batch) in notes.chunks(BATCH_MAX).enumerate() {
                if let Err(error) = store.record_last_used(batch).await {
                    let (error, lost) = (claviger_model::chain(&error), notes.len() - place * BATCH_MAX);
                    tracing::warn!(error, lost, "last-used times could not be written");
                    return;
                }
            }
        }
    }
}

/// Uses of connections. There are few connections beside credentials, and each use is a call to somebody else, so that
/// a lock does here.
#[derive(Default)]
pub(crate) struct ConnectionUsage(Mutex<HashMap<ConnectionId, Noted>>);

/// The last use of a connection that was noted.
#[derive(Clone, Copy)]
struct Noted {
    at: Timestamp,
    is_written: bool,
}

impl ConnectionUsage {
    /// Notes a use, unless one within the resolution is noted already, or too many wait to be written.
    pub(crate) fn note(&self, connection: ConnectionId, now: Timestamp) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = noted.get(&connection).is_some_and(|before| now < before.at + RESOLUTION);
        if !is_recent && (noted.len() < WAITING_MAX || noted.contains_key(&connection)) {
            noted.insert(connection, Noted { at: now, is_written: false });
        }
    }

    /// Writes what has been noted so far; what cannot be written is dropped, and said.
    pub(crate) async fn flush(&self, store: &Store) {
        for batch in self.waiting().chunks(BATCH_MAX) {
            if let Err(error) = store.record_connections_used(batch).await {
                let error = claviger_model::chain(&error);
                tracing::warn!(error, "last-used times of connections could not be written");
                return;
            }
        }
    }

    /// What is to be written, in the order of the table; it counts as written from then on. What is older than the
    /// resolution is forgotten, by the last use of all.
    fn waiting(&self) -> Vec<(ConnectionId, Timestamp)> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting: Vec<_> =
            noted.iter().filter(|(_, it)| !it.is_written).map(|(id, it)| (*id, it.at)).collect();
        waiting.sort_unstable();
        if let Some(last) = noted.values().map(|it| it.at).max() {
            noted.retain(|_, it| last < it.at + RESOLUTION);
        }
        noted.values_mut().for_each(|it| it.is_written = true);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn a_connections_use_is_written_once_within_the_resolution() {
        let random = SeededRandom::new(1);
        let (one, other) = (ConnectionId::generate(&random), ConnectionId::generate(&random));
        let (usage, start) = (ConnectionUsage::default(), Timestamp::from_micros(1_000_000_000));
        let later = |seconds| start + Duration::from_secs(seconds);
        usage.note(one, start);
        usage.note(one, later(59));
        usage.note(other, later(1));
        let mut expected = vec![(one, start), (other, later(1))];
        expected.sort_unstable();
        assert_eq!(usage.waiting(), expected);
        usage.note(one, later(30));
        assert_eq!(usage.waiting(), [], "it was written a moment ago");
        usage.note(one, later(60));
        assert_eq!(usage.waiting(), [(one, later(60))]);
        usage.note(other, later(3600));
        usage.waiting();
        assert_eq!(usage.0.lock().unwrap().len(), 1, "what is old is forgotten");
    }
}
