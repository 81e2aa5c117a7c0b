//! Moments in time. How a dialect writes them is the dialect's matter.

use std::ops::{Add, Sub};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A moment, as microseconds since 1970-01-01T00:00:00Z: the resolution that both databases keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment so many microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The moment in the calendar, in UTC. Moments outside the years -9999 to 9999 are drawn to that range.
    pub fn utc(self) -> OffsetDateTime {
        let nanos = i128::from(self.0) * 1_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(if self.0 < 0 {
            time::PrimitiveDateTime::MIN.assume_utc()
        } else {
            time::PrimitiveDateTime::MAX.assume_utc()
        })
    }

    /// Reads RFC 3339 with any offset; digits beyond the microsecond are cut off.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000)).ok().map(Self)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// Tells the time. The server uses the system's; tests use [`crate::testing::ManualClock`].
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_read_with_any_offset_and_cut_to_microseconds() {
        let micros = |text| Timestamp::parse_rfc3339(text).map(Timestamp::micros);
        assert_eq!(micros("1970-01-01T00:00:01.5Z"), Some(1_500_000));
        assert_eq!(micros("1970-01-01T02:00:00.000001999+02:00"), Some(1));
        assert_eq!(micros("1970-01-01 00:00:00"), None);
        assert_eq!(micros("tomorrow"), None);
    }

    #[test]
    fn no_moment_is_outside_the_calendar() {
        assert_eq!(Timestamp::from_micros(i64::MAX).utc().year(), 9999);
        assert_eq!(Timestamp::from_micros(i64::MIN).utc().year(), -9999);
        assert_eq!(Timestamp::from_micros(0).utc().year(), 1970);
    }
}
