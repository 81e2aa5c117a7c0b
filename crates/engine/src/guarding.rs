//! Guards at work: whether a request may use a guarded credential, from memory and without a lock.
//!
//! Periods are aligned to the clock, as those of the orgs' shares are: a period of an hour begins with the hour, so
//! that around its end there may be twice as many requests within an hour. What has been used of a period is kept
//! here alone, and begins anew with the server.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_model::{AllowList, Guards, RequestLimit, Timestamp};

/// Where a request comes from. It is only found out when somebody asks: few credentials may not come from anywhere.
pub trait Source {
    /// The address; none where it cannot be known.
    fn address(&self) -> Option<IpAddr>;
}

/// An address that is known already, or known not to be known.
impl Source for Option<IpAddr> {
    fn address(&self) -> Option<IpAddr> {
        *self
    }
}

/// A limit of which nothing is left in this period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhausted {
    /// The limit.
    pub limit: RequestLimit,
    /// Seconds until the period ends, at least 1.
    pub reset_seconds: u32,
}

/// What guards a credential, with what has been used of its limit. All secrets of a credential share one.
#[derive(Debug)]
pub(crate) struct KnownGuards {
    allow_list: Option<AllowList>,
    period: Option<Period>,
}

impl KnownGuards {
    /// From guards; what has been used so far goes on counting where the period is as long as before.
    pub(crate) fn new(guards: Guards, before: Option<&Self>) -> Self {
        let before = before.and_then(|known| known.period.as_ref());
        let period = guards.request_limit.map(|limit| Period {
            limit,
            used: AtomicU64::new(match before {
                Some(before) if before.limit.period_seconds() == limit.period_seconds() => {
                    before.used.load(Ordering::Relaxed)
                }
                _ => 0,
            }),
        });
        Self { allow_list: guards.allow_list, period }
    }

    /// Whether these are the same guards.
    pub(crate) fn are(&self, guards: &Guards) -> bool {
        self.allow_list == guards.allow_list
            && self.period.as_ref().map(|period| period.limit) == guards.request_limit
    }

    /// Whether a request from there is let in. From where nobody knows, none is.
    pub(crate) fn admits(&self, from: &dyn Source) -> bool {
        match &self.allow_list {
            None => true,
            Some(allow_list) => from.address().is_some_and(|address| allow_list.contains(address)),
        }
    }

    /// Takes one request from the limit, if there is one.
    pub(crate) fn take(&self, now: Timestamp) -> Result<(), Exhausted> {
        self.period.as_ref().map_or(Ok(()), |period| period.take(now))
    }
}

/// A limit, and in one word which period it was last used in (upper half) and how often (lower half).
#[derive(Debug)]
struct Period {
    limit: RequestLimit,
    used: AtomicU64,
}

impl Period {
    fn take(&self, now: Timestamp) -> Result<(), Exhausted> {
        let length = i64::from(self.limit.period_seconds());
        let second = now.micros().div_euclid(1_000_000);
        // The number of a period need only differ from its neighbours'.
        let number = (second.div_euclid(length) as u64) << 32;
        let count_one = |word: u64| {
            let used = if word >> 32 == number >> 32 { word as u32 } else { 0 };
            (used < self.limit.requests()).then_some(number | u64::from(used + 1))
        };
        let counted = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count_one);
        counted.map(drop).map_err(|_| Exhausted {
            limit: self.limit,
            reset_seconds: (length - second.rem_euclid(length)) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(requests: u32, period_seconds: u32) -> Guards {
        let request_limit = RequestLimit::new(requests, period_seconds).ok();
        Guards { request_limit, ..Guards::NONE }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000 + 999_999)
    }

    /// Whether a request gets through; if not, how many seconds the next must wait.
    fn take(known: &KnownGuards, second: i64) -> Result<(), u32> {
        known.take(at(second)).map_err(|exhausted| exhausted.reset_seconds)
    }

    #[test]
    fn a_limit_is_kept_in_each_period() {
        let known = KnownGuards::new(limited(2, 60), None);
        assert_eq!([0, 1, 58, 59].map(|second| take(&known, second)), [Ok(()), Ok(()), Err(2), Err(1)]);
        assert_eq!([60, 119, 119].map(|second| take(&known, second)), [Ok(()), Ok(()), Err(1)]);
        // A clock that was set back begins anew rather than keep the key locked.
        assert_eq!([0, 0, 0, -1].map(|second| take(&known, second)), [Ok(()), Ok(()), Err(60), Ok(())]);
    }

    #[test]
    fn what_was_used_outlives_a_change_of_the_number_and_not_of_the_period() {
        let before = KnownGuards::new(limited(2, 60), None);
        assert_eq!(take(&before, 0), Ok(()));
        let more = KnownGuards::new(limited(3, 60), Some(&before));
        assert_eq!([1, 1, 1].map(|second| take(&more, second)), [Ok(()), Ok(()), Err(59)]);
        assert_eq!(take(&KnownGuards::new(limited(1, 60), Some(&before)), 1), Err(59));
        assert_eq!(take(&KnownGuards::new(limited(1, 30), Some(&before)), 1), Ok(()));
    }

    #[test]
    fn many_threads_get_no_more_than_the_limit() {
        let known = KnownGuards::new(limited(1000, 60), None);
        let taken = std::thread::scope(|scope| {
            let take = || (0..400).filter(|_| known.take(at(5)).is_ok()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(taken, 1000);
    }

    #[test]
    fn nobody_is_let_in_from_nowhere() {
        let guards = Guards { allow_list: AllowList::parse(["0.0.0.0/0", "::/0"]).ok(), ..Guards::NONE };
        let known = KnownGuards::new(guards, None);
        let from = |text: &str| text.parse::<IpAddr>().ok();
        assert!(known.admits(&from("192.0.2.1")) && known.admits(&from("::1")));
        assert!(!known.admits(&None::<IpAddr>));
        assert!(KnownGuards::new(Guards::NONE, None).admits(&None::<IpAddr>));
    }
}
