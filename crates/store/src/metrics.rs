//! Counters of the writer, for the metrics page.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the writer has done since it started.
#[derive(Debug, Default)]
pub struct StoreMetrics {
    changes: AtomicU64,
    refusals: AtomicU64,
    batches: AtomicU64,
    failures: AtomicU64,
    retries: AtomicU64,
    batch_micros: AtomicU64,
}

impl StoreMetrics {
    pub(crate) fn committed(&self, changes: usize, refusals: usize, took: Duration) {
        self.changes.fetch_add(changes as u64, Ordering::Relaxed);
        self.refusals.fetch_add(refusals as u64, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.batch_micros.fetch_add(took.as_micros() as u64, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Each counter with its name and what it counts, in the order of the metrics page.
    pub fn read(&self) -> [(&'static str, &'static str, u64); 6] {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("claviger_store_changes_total", "Changes committed.", load(&self.changes)),
            ("claviger_store_refusals_total", "Changes that what is stored forbade.", load(&self.refusals)),
            (
                "claviger_store_commits_total",
                "Commits; one holds all changes that were waiting.",
                load(&self.batches),
            ),
            ("claviger_store_failures_total", "Commits that failed.", load(&self.failures)),
            ("claviger_store_retries_total", "Commits that were tried again.", load(&self.retries)),
            ("claviger_store_commit_microseconds_total", "Time spent in commits.", load(&self.batch_micros)),
        ]
    }
}
