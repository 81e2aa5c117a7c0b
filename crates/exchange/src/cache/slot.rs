//! What is known of one key.

use std::sync::Arc;
use std::time::Duration;

use claviger_model::Timestamp;
use tokio::sync::watch;

use super::{Fresh, Landed, Outcome, Times};
use crate::ExchangeError;

/// A key's next value is not dropped within this time of the last.
const DROP_PAUSE: Duration = Duration::from_secs(60);

/// How long a renewal that failed is not tried again, while there is still a value. Source: azure-identity.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// How long errors are remembered where there is no value: one that stays, and one that may pass.
const FINAL_PAUSE: Duration = Duration::from_secs(10);
const PASSING_PAUSE: Duration = Duration::from_secs(2);

/// The longest that a provider's own wish is heeded: callers wait no longer for something to change.
const LIMITED_PAUSE_MAX: Duration = Duration::from_secs(30);

/// An exchange that is under way.
pub(super) struct Flight<V> {
    pub(super) id: u64,
    pub(super) landed: watch::Sender<Option<Outcome<V>>>,
}

/// A time from one moment to another. A clock that is set back does not make it longer.
struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pause {
    fn new(from: Timestamp, lasts: Duration) -> Self {
        Self { from, until: from + lasts }
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

struct Kept<V> {
    value: Arc<V>,
    renew_at: Timestamp,
    /// From here on, who asks waits for the next.
    wait_at: Timestamp,
    expires_at: Timestamp,
}

pub(super) struct Slot<V> {
    kept: Option<Kept<V>>,
    /// Which exchange is under way, and where it lands.
    pub(super) flight: Option<(u64, Landed<V>)>,
    failed: Option<(Arc<ExchangeError>, Pause)>,
    dropped: Option<Pause>,
    /// When it was last asked for, in the order of all.
    pub(super) used: u64,
}

impl<V> Slot<V> {
    pub(super) fn new() -> Self {
        Self { kept: None, flight: None, failed: None, dropped: None, used: 0 }
    }

    /// What can be said without an exchange, before one that is under way is asked.
    pub(super) fn settled(&self, now: Timestamp) -> Option<Outcome<V>> {
        let kept = self.kept.as_ref().filter(|kept| now < kept.renew_at)?;
        Some(Ok(Arc::clone(&kept.value)))
    }

    /// The value that serves while the next is on its way, long enough before its end.
    pub(super) fn meanwhile(&self, now: Timestamp) -> Option<Arc<V>> {
        self.kept.as_ref().filter(|kept| now < kept.wait_at).map(|kept| Arc::clone(&kept.value))
    }

    /// The same as [`Slot::settled`] where none is under way: what failed lately is not tried again.
    pub(super) fn paused(&self, now: Timestamp) -> Option<Outcome<V>> {
        let (error, _) = self.failed.as_ref().filter(|(_, pause)| pause.holds(now))?;
        Some(self.serving(now).ok_or_else(|| Arc::clone(error)))
    }

    /// The value that has not ended yet, though a new one would be better.
    pub(super) fn serving(&self, now: Timestamp) -> Option<Arc<V>> {
        self.kept.as_ref().filter(|kept| now < kept.expires_at).map(|kept| Arc::clone(&kept.value))
    }

    pub(super) fn succeed(&mut self, fresh: Fresh<V>, times: &Times) -> Outcome<V> {
        let lasts = fresh.expires_at.micros().saturating_sub(times.asked_at.micros());
        let half = Duration::from_micros(u64::try_from(lasts / 2).unwrap_or(0));
        let value = Arc::new(fresh.value);
        let (margin, expires_at) = (times.renew_before.min(half), fresh.expires_at);
        let (renew_at, wait_at) = (expires_at - margin, expires_at - margin / 2);
        self.kept = Some(Kept { value: Arc::clone(&value), renew_at, wait_at, expires_at });
        self.failed = None;
        Ok(value)
    }

    pub(super) fn fail(&mut self, error: ExchangeError, now: Timestamp) -> Outcome<V> {
        let error = Arc::new(error);
        let serving = self.serving(now);
        let lasts = if serving.is_some() { RENEWAL_PAUSE } else { pause(&error) };
        self.failed = Some((Arc::clone(&error), Pause::new(now, lasts)));
        serving.ok_or(error)
    }

    /// Whether asking again may bring another value than this one.
    pub(super) fn reject(&mut self, value: &Arc<V>, now: Timestamp) -> bool {
        if !self.kept.as_ref().is_some_and(|kept| Arc::ptr_eq(&kept.value, value)) {
            return true;
        }
        if self.dropped.as_ref().is_some_and(|pause| pause.holds(now)) {
            return false;
        }
        self.kept = None;
        // That a renewal failed was no matter while there was a value; now it is worth another try.
        self.failed = None;
        self.dropped = Some(Pause::new(now, DROP_PAUSE));
        true
    }

    /// Whether it says nothing any more.
    pub(super) fn is_void(&self, now: Timestamp) -> bool {
        let is_over = |pause: &Pause| !pause.holds(now);
        self.flight.is_none()
            && self.serving(now).is_none()
            && self.failed.as_ref().is_none_or(|(_, pause)| is_over(pause))
            && self.dropped.as_ref().is_none_or(is_over)
    }
}

/// How long an error is remembered where there is no value.
fn pause(error: &ExchangeError) -> Duration {
    match error {
        ExchangeError::Limited { retry_after: Some(wished) } => {
            (*wished).clamp(PASSING_PAUSE, LIMITED_PAUSE_MAX)
        }
        error if error.is_final() => FINAL_PAUSE,
        _ => PASSING_PAUSE,
    }
}
