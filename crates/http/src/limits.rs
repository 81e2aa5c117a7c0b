//! Rate limits: each route belongs to a named bucket; each org has its own share of every bucket, and within an org
//! each part of it that a dialect tells apart.
//!
//! By default no bucket has a limit. Windows are aligned to the clock, as the vendor's are: an hour's window
//! begins with the hour.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use claviger_engine::Exhausted;
use claviger_model::{OrgId, Timestamp};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, request};

use crate::App;

/// A named bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket(pub &'static str);

impl Bucket {
    /// API keys, of either version.
    pub const API_KEYS: Self = Self("api_keys");
    /// Application keys, of either version and whoever's: one bucket, as recorded in 2021.
    pub const APPLICATION_KEYS: Self = Self("application_keys");
    /// Personal and service access tokens.
    pub const ACCESS_TOKENS: Self = Self("access_tokens");
    /// Users, their invitations, roles and orgs.
    pub const PEOPLE: Self = Self("people");
    /// Connections, and the registration of what may manage them.
    pub const CONNECTIONS: Self = Self("connections");
    /// ZIS integrations and their tokens.
    pub const ZIS: Self = Self("zis");
    /// Validation of keys.
    pub const VALIDATE: Self = Self("validate");
    /// Verification for gateways.
    pub const VERIFY: Self = Self("verify");
    /// Calls through connections.
    pub const BROKER: Self = Self("broker");
    /// The native API.
    pub const NATIVE: Self = Self("native");

    /// No route's: what a credential's own limit counts as.
    pub const CREDENTIAL: Self = Self("credential");

    /// Those of routes.
    pub const ALL: [Self; 10] = [
        Self::API_KEYS,
        Self::APPLICATION_KEYS,
        Self::ACCESS_TOKENS,
        Self::PEOPLE,
        Self::CONNECTIONS,
        Self::ZIS,
        Self::VALIDATE,
        Self::VERIFY,
        Self::BROKER,
        Self::NATIVE,
    ];
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests in one window.
    pub limit: u32,
    /// The length of a window.
    pub period_seconds: u32,
}

/// The limits in force, and what has been used of them.
#[derive(Debug, Default)]
pub struct Limits {
    rates: HashMap<Bucket, Rate>,
    windows: Mutex<HashMap<Share, Window>>,
}

/// Whose share of a bucket: an org's, or that of a part of it.
type Share = (OrgId, Bucket, Option<Box<str>>);

/// Shares that are told apart: a few megabytes. Beyond, parts that did not call within their window share one place.
const SHARES_MAX: usize = 65_536;

#[derive(Debug, Clone, Copy)]
struct Window {
    start: i64,
    used: u32,
}

/// Where an org stands in a bucket that has a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The bucket.
    pub bucket: Bucket,
    /// Its rate.
    pub rate: Rate,
    /// Requests left in this window.
    pub remaining: u32,
    /// Seconds until the window ends, at least 1.
    pub reset_seconds: u32,
    /// Whether this request is beyond the limit.
    pub is_exceeded: bool,
}

impl Limits {
    /// No limits.
    pub fn none() -> Self {
        Self::default()
    }

    /// The vendors' numbers: application keys 400 in an hour, as recorded, and of the Zendesk dialect 100 in a minute,
    /// which is a guess; nothing else is limited.
    pub fn vendor() -> Self {
        Self::of([
            (Bucket::APPLICATION_KEYS, Rate { limit: 400, period_seconds: 3600 }),
            (Bucket::ZIS, Rate { limit: 100, period_seconds: 60 }),
        ])
    }

    /// Limits of one's own. A period of nothing counts as one second.
    pub fn of(rates: impl IntoIterator<Item = (Bucket, Rate)>) -> Self {
        let sane =
            |(bucket, rate): (_, Rate)| (bucket, Rate { period_seconds: rate.period_seconds.max(1), ..rate });
        Self { rates: rates.into_iter().map(sane).collect(), windows: Mutex::default() }
    }

    /// These, with another rate for one bucket. A period of nothing counts as one second.
    #[must_use]
    pub fn with(mut self, bucket: Bucket, rate: Rate) -> Self {
        self.rates.insert(bucket, Rate { period_seconds: rate.period_seconds.max(1), ..rate });
        self
    }

    /// Takes one request from an org's share; none where the bucket has no limit.
    pub fn take(&self, org: OrgId, bucket: Bucket, now: impl FnOnce() -> Timestamp) -> Option<Standing> {
        self.take_of(org, None, bucket, now)
    }

    /// The same from the share of a part of an org.
    pub fn take_of(
        &self,
        org: OrgId,
        part: Option<&str>,
        bucket: Bucket,
        now: impl FnOnce() -> Timestamp,
    ) -> Option<Standing> {
        let rate = *self.rates.get(&bucket)?;
        let now = now();
        let (second, period) = (now.micros().div_euclid(1_000_000), i64::from(rate.period_seconds));
        let start = second - second.rem_euclid(period);
        let mut windows = self.windows.lock().expect("nothing panics while it holds this lock");
        let mut share: Share = (org, bucket, part.map(Into::into));
        if windows.len() >= SHARES_MAX && share.2.is_some() && !windows.contains_key(&share) {
            let is_current = |bucket: &Bucket, window: &Window| {
                let period = self.rates.get(bucket).map_or(0, |rate| i64::from(rate.period_seconds));
                window.start + period > second
            };
            windows.retain(|(_, bucket, part), window| part.is_none() || is_current(bucket, window));
            if windows.len() >= SHARES_MAX {
                share.2 = None;
            }
        }
        let window = windows.entry(share).or_insert(Window { start, used: 0 });
        if window.start != start {
            *window = Window { start, used: 0 };
        }
        let is_exceeded = window.used >= rate.limit;
        window.used = window.used.saturating_add(1);
        Some(Standing {
            bucket,
            rate,
            remaining: rate.limit.saturating_sub(window.used),
            reset_seconds: u32::try_from(start + period - second).unwrap_or(1).max(1),
            is_exceeded,
        })
    }
}

impl Standing {
    /// Writes the headers of the vendor whose bucket it is; beyond the limit, also when to come again.
    pub fn write(&self, headers: &mut HeaderMap) {
        let (limit, remaining, reset) = (self.rate.limit, self.remaining, self.reset_seconds);
        let of_zendesk = [
            ("x-rate-limit", limit),
            ("x-rate-limit-remaining", remaining),
            ("ratelimit-limit", limit),
            ("ratelimit-remaining", remaining),
            ("ratelimit-reset", reset),
        ];
        let of_datadog = [
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-period", self.rate.period_seconds),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", reset),
        ];
        let written = if self.bucket == Bucket::ZIS { &of_zendesk[..] } else { &of_datadog[..] };
        for &(name, number) in written {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
        }
        if self.is_exceeded {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.reset_seconds));
        }
    }
}

/// A credential's own limit, once it is reached.
impl From<Exhausted> for Standing {
    fn from(exhausted: Exhausted) -> Self {
        let Exhausted { limit, reset_seconds } = exhausted;
        Self {
            bucket: Bucket::CREDENTIAL,
            rate: Rate { limit: limit.requests(), period_seconds: limit.period_seconds() },
            remaining: 0,
            reset_seconds,
            is_exceeded: true,
        }
    }
}

/// Where the standing of a request is left for whoever writes the answer's headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct StandingSlot(Arc<OnceLock<Standing>>);

impl StandingSlot {
    /// One request has one standing: the first.
    pub(crate) fn put(&self, standing: Standing) {
        let _ = self.0.set(standing);
    }

    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        if let Some(standing) = self.0.get() {
            standing.write(headers);
        }
    }
}

/// Takes a request from the org's share of its route's bucket, and tells whether it is beyond the limit. The
/// answer gets the headers in either case.
pub fn take_share(app: &App, parts: &request::Parts, org: OrgId) -> bool {
    take_share_of(app, parts, org, None)
}

/// The same from the share of a part of the org.
pub fn take_share_of(app: &App, parts: &request::Parts, org: OrgId, part: Option<&str>) -> bool {
    let Some(bucket) = parts.extensions.get::<Bucket>() else { return false };
    let standing = app.limits().take_of(org, part, *bucket, || app.engine().clock().now());
    let Some(standing) = standing else { return false };
    if let Some(slot) = parts.extensions.get::<StandingSlot>() {
        slot.put(standing);
    }
    standing.is_exceeded
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn a_window_ends_with_the_clock_and_each_org_has_its_own() {
        let random = SeededRandom::new(7);
        let (one, other) = (OrgId::generate(&random), OrgId::generate(&random));
        let limits = Limits::of([(Bucket::VERIFY, Rate { limit: 2, period_seconds: 60 })]);
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let take = |org, second| limits.take(org, Bucket::VERIFY, || at(second)).unwrap();
        assert_eq!((take(one, 50).remaining, take(one, 58).remaining), (1, 0));
        let third = take(one, 59);
        assert!(third.is_exceeded);
        assert_eq!(third.reset_seconds, 1);
        assert!(!take(other, 59).is_exceeded);
        assert!(!take(one, 60).is_exceeded);
        assert_eq!(limits.take(one, Bucket::NATIVE, || at(0)), None);
    }

    #[test]
    fn one_bucket_can_have_a_rate_of_its_own() {
        let limits = Limits::vendor().with(Bucket::ZIS, Rate { limit: 3, period_seconds: 0 });
        let org = OrgId::generate(&SeededRandom::new(7));
        let now = || Timestamp::from_micros(0);
        let rate = |bucket| limits.take(org, bucket, now).map(|it| (it.rate.limit, it.rate.period_seconds));
        assert_eq!((rate(Bucket::ZIS), rate(Bucket::APPLICATION_KEYS)), (Some((3, 1)), Some((400, 3600))));
        let vendor = Limits::vendor().take(org, Bucket::ZIS, now).unwrap();
        assert_eq!((vendor.rate.limit, vendor.rate.period_seconds), (100, 60));
    }

    #[test]
    fn each_part_of_an_org_has_its_own_share_and_those_beyond_the_table_have_one() {
        let org = OrgId::generate(&SeededRandom::new(7));
        let limits = Limits::of([(Bucket::ZIS, Rate { limit: 1, period_seconds: 60 })]);
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let take = |part: Option<&str>, second| {
            limits.take_of(org, part, Bucket::ZIS, || at(second)).unwrap().is_exceeded
        };
        assert_eq!(
            [take(Some("a"), 0), take(Some("a"), 1), take(Some("b"), 1), take(None, 1)],
            [false, true, false, false]
        );
        for number in 0..SHARES_MAX {
            take(Some(&number.to_string()), 2);
        }
        // The org's own share, which is used up.
        assert!(take(Some("c"), 3));
        assert!(take(Some("a"), 3));
        // Once the window is over there is room again.
        assert_eq!([take(Some("c"), 60), take(Some("c"), 61), take(Some("d"), 61)], [false, true, false]);
    }
}
