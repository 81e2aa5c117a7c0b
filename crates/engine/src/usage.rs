//! When credentials were last used: noted in memory, written in batches in the background.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use claviger_model::{CredentialId, Timestamp};
use claviger_store::Store;
use tokio::sync::mpsc;

/// A credential's last use is noted at most so often; the vendor's own lag is not known.
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
