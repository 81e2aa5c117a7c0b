//! Tells whoever holds a connection that there is something to do for it.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Somebody is at it: no need to wake anybody.
const ATTENDED: u8 = 1;
/// It was rung, and nobody answered it yet.
const RUNG: u8 = 2;

/// A waker that wakes nobody while its connection is being looked at: most of what a connection wakes for, such as an answer
/// that it hands over, happens under the hands of whom it would wake, who would then look again for nothing.
#[derive(Default)]
pub(super) struct Bell {
    state: AtomicU8,
    /// Who is woken.
    attendant: Mutex<Option<Waker>>,
    /// Whether the stream took not all that was to be written.
    is_write_pending: AtomicBool,
}

impl Bell {
    /// Rings it.
    pub(super) fn ring(&self) {
        // Rung already, somebody was woken already, or is about to look.
        if self.state.fetch_or(RUNG, Ordering::AcqRel) == 0 {
            let attendant = self.attendant.lock().unwrap_or_else(PoisonError::into_inner).clone();
            attendant.inspect(Waker::wake_by_ref);
        }
    }

    /// Whoever has this waker is at it, until it [leaves](Bell::leave), and is woken after that.
    pub(super) fn attend(&self, waker: &Waker) {
        let mut attendant = self.attendant.lock().unwrap_or_else(PoisonError::into_inner);
        if !attendant.as_ref().is_some_and(|it| it.will_wake(waker)) {
            *attendant = Some(waker.clone());
        }
        self.state.fetch_or(ATTENDED, Ordering::AcqRel);
    }

    /// Tells whether it was rung since it was last answered.
    pub(super) fn leave(&self) -> bool {
        self.state.fetch_and(!ATTENDED, Ordering::AcqRel) & RUNG != 0
    }

    /// Tells whether it was rung, and takes it as answered. To be asked before what it was rung for is done.
    pub(super) fn answer(&self) -> bool {
        self.state.fetch_and(!RUNG, Ordering::AcqRel) & RUNG != 0
    }

    /// Nobody is woken any more.
    pub(super) fn forget(&self) {
        *self.attendant.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn is_write_pending(&self) -> bool {
        self.is_write_pending.load(Ordering::Acquire)
    }

    pub(super) fn note_write(&self, is_pending: bool) {
        if is_pending || self.is_write_pending.load(Ordering::Relaxed) {
            self.is_write_pending.store(is_pending, Ordering::Release);
        }
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
