//! Sweeping up what a removed role leaves: the rows that say who had it, of which there may be many.

use std::sync::atomic::{AtomicBool, Ordering};

use claviger_store::Store;

/// Whether there may be something to sweep up.
#[derive(Debug)]
pub(crate) struct Sweeping(AtomicBool);

impl Default for Sweeping {
    /// At the start there may be what the last run left.
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Sweeping {
    /// Asks for the next sweep.
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Sweeps, a little in each change, so that nobody else waits long for the writer. What fails is tried again
    /// with the next sweep: nothing depends on it.
    pub(crate) async fn sweep(&self, store: &Store) {
        if !self.0.swap(false, Ordering::AcqRel) {
            return;
        }
        loop {
            match store.sweep_removed_roles().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(error = claviger_model::chain(&error), "removed roles were not swept up");
                    return self.request();
                }
            }
        }
    }
}
