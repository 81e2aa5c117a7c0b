//! An answer that takes longer, watched by a task of its own.
//!
//! Its reader is not asked for more while the caller takes nothing: what an answer holds, the connection to the third party
//! and a seat among those of its connection, would then be held for as long as the caller likes, whatever became of the
//! right to it. So somebody else looks, every half second, and takes it away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::SizeHint;
use tokio::task::AbortHandle;

use super::{Broken, Coming};
use crate::right::{Holds, PERIOD, Right};

/// How long nothing may come of an answer, or be taken of it: longer than the pauses between the comments by which streams
/// of events are kept open.
const STANDSTILL_MAX: Duration = Duration::from_secs(300);

/// See the module's documentation.
pub(super) struct Watched {
    kept: Mutex<Kept>,
    watch: Mutex<Option<AbortHandle>>,
}

/// What reader and watch share.
struct Kept {
    /// None once it was taken away.
    coming: Option<Box<Coming>>,
    why: Option<Broken>,
    reader: Waker,
    /// Whether anything moved since the watch looked last.
    has_moved: bool,
    /// Whether the caller is waited for, and not the third party.
    is_callers_turn: bool,
}

impl Watched {
    /// Begins to watch for as long as this is held.
    pub(super) fn begin(coming: Box<Coming>, right: Box<Right>, reader: &Waker) -> Arc<Self> {
        let reader = reader.clone();
        let kept = Kept { coming: Some(coming), why: None, reader, has_moved: true, is_callers_turn: false };
        let watched = Arc::new(Self { kept: Mutex::new(kept), watch: Mutex::default() });
        let watch = tokio::spawn(watch(Arc::downgrade(&watched), right)).abort_handle();
        *watched.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        watched
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What comes next, or why nothing does any more.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let kept = &mut *self.kept();
        let Some(coming) = &mut kept.coming else {
            return Poll::Ready(kept.why.take().map(Err));
        };
        let polled = coming.poll(context);
        kept.has_moved |= kept.is_callers_turn || polled.is_ready();
        kept.is_callers_turn = polled.is_ready();
        if polled.is_pending() && !kept.reader.will_wake(context.waker()) {
            kept.reader.clone_from(context.waker());
        }
        polled
    }

    /// Its reader will not read on.
    pub(super) fn give_up(&self, code: &'static str) {
        self.kept().coming.iter_mut().for_each(|coming| coming.broke_off(code));
    }

    /// What the watch has found.
    pub(super) fn holds(&self) -> Holds {
        match self.kept().why {
            None => Holds::Yes,
            Some(Broken::Unknown) => Holds::Unknown,
            Some(_) => Holds::Ended,
        }
    }

    pub(super) fn is_told(&self) -> bool {
        self.kept().coming.as_ref().is_some_and(|coming| coming.is_told())
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.kept().coming.as_ref().map_or_else(SizeHint::default, |coming| coming.size_hint())
    }

    /// How long it has stood still by now, and for whom, where that is too long.
    fn stands_still(&self, still: &mut Duration) -> Option<Broken> {
        let mut kept = self.kept();
        *still = if std::mem::take(&mut kept.has_moved) { Duration::ZERO } else { *still + PERIOD };
        let why = if kept.is_callers_turn { Broken::Unread } else { Broken::Silence };
        (*still >= STANDSTILL_MAX).then_some(why)
    }

    /// Takes away all that is held, and has the reader told.
    fn end(&self, why: Broken) {
        let mut kept = self.kept();
        let coming = kept.coming.take().map(|mut coming| {
            coming.broke_off(why.code());
            coming
        });
        kept.why = Some(why);
        kept.reader.wake_by_ref();
        drop(kept);
        drop(coming);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let watch = self.watch.get_mut().unwrap_or_else(PoisonError::into_inner);
        watch.take().iter().for_each(AbortHandle::abort);
    }
}

async fn watch(watched: Weak<Watched>, mut right: Box<Right>) {
    let mut still = Duration::ZERO;
    loop {
        tokio::time::sleep(PERIOD).await;
        let holds = right.holds().await;
        let Some(watched) = watched.upgrade() else { return };
        let why = match holds {
            Holds::Yes => watched.stands_still(&mut still),
            Holds::Ended => Some(Broken::Ended),
            Holds::Unknown => Some(Broken::Unknown),
        };
        if let Some(why) = why {
            return watched.end(why);
        }
    }
}
