//! How long a third party wishes to be left alone, in its own words.

use std::time::{Duration, UNIX_EPOCH};

use claviger_catalog::{Retry, Wait, WaitUnit};
use claviger_model::Timestamp;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

/// What most say.
pub(super) fn usual(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    read(headers.get(RETRY_AFTER)?.to_str().ok()?, WaitUnit::SecondsOrDate, now)
}

/// What this one says. When its limits begin anew, which many say with every answer, counts where a limit was reached
/// alone; `Retry-After` always.
pub(super) fn longest_or_first(
    words: &Retry,
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Duration> {
    let counts =
        |wait: &&Wait| status == StatusCode::TOO_MANY_REQUESTS || wait.header.starts_with("retry-after");
    let said = |wait: &Wait| read(headers.get(&wait.header)?.to_str().ok()?, wait.unit, now);
    let mut waits = words.waits.iter().filter(counts).filter_map(said);
    if words.longest { waits.max() } else { waits.next() }
}

/// A value; none where it is not in its unit. What is over already is no wait.
fn read(value: &str, unit: WaitUnit, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    match unit {
        WaitUnit::Seconds => seconds(value),
        WaitUnit::SecondsOrDate => seconds(value).or_else(|| date(value, now)),
        WaitUnit::Millis => scaled(value, 0.001),
        WaitUnit::HttpDate => date(value, now),
        WaitUnit::EpochSeconds => until(seconds(value)?, now),
        WaitUnit::EpochMillis => until(scaled(value, 0.001)?, now),
        WaitUnit::Duration => duration(value),
    }
}

fn seconds(value: &str) -> Option<Duration> {
    scaled(value, 1.0)
}

/// A decimal number, without sign or exponent.
fn scaled(value: &str, seconds: f64) -> Option<Duration> {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = value.parse().ok().filter(|_| is_plain)?;
    Duration::try_from_secs_f64(number * seconds).ok()
}

/// A date as HTTP writes it (RFC 9110, 5.6.7).
fn date(value: &str, now: Timestamp) -> Option<Duration> {
    until(httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?, now)
}

fn until(since_epoch: Duration, now: Timestamp) -> Option<Duration> {
    let now = Duration::from_micros(u64::try_from(now.micros()).ok()?);
    Some(since_epoch.saturating_sub(now))
}

/// `1s`, `6m0s`, `20ms`, `1.5s`, `1h2m`.
fn duration(value: &str) -> Option<Duration> {
    let (mut rest, mut total) = (value, Duration::ZERO);
    while !rest.is_empty() {
        let number = rest.find(|it: char| !it.is_ascii_digit() && it != '.')?;
        let (text, unit) = rest.split_at(number);
        let end = unit.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(unit.len());
        let seconds = match &unit[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        total = total.checked_add(scaled(text, seconds)?)?;
        rest = &unit[end..];
    }
    (!value.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-04T05:06:07Z.
    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-03-04T05:06:07Z").unwrap()
    }

    #[test]
    fn every_unit_is_read() {
        let millis = |number| Some(Duration::from_millis(number));
        for (unit, value, wait) in [
            (WaitUnit::Seconds, "3", millis(3000)),
            (WaitUnit::Seconds, "0.25", millis(250)),
            (WaitUnit::Seconds, "-1", None),
            (WaitUnit::Seconds, "1e3", None),
            (WaitUnit::Seconds, "inf", None),
            (WaitUnit::Seconds, "", None),
            (WaitUnit::SecondsOrDate, "7", millis(7000)),
            (WaitUnit::SecondsOrDate, "Wed, 04 Mar 2026 05:06:17 GMT", millis(10_000)),
            (WaitUnit::HttpDate, "Wed, 04 Mar 2026 05:06:00 GMT", millis(0)),
            (WaitUnit::HttpDate, "3", None),
            (WaitUnit::Millis, "1500", millis(1500)),
            (WaitUnit::EpochSeconds, "1772600772", millis(5000)),
            (WaitUnit::EpochSeconds, "5", millis(0)),
            (WaitUnit::EpochMillis, "1772600767500", millis(500)),
            (WaitUnit::Duration, "1s", millis(1000)),
            (WaitUnit::Duration, "6m0s", millis(360_000)),
            (WaitUnit::Duration, "20ms", millis(20)),
            (WaitUnit::Duration, "1h2m1.5s", millis(3_721_500)),
            (WaitUnit::Duration, "1", None),
            (WaitUnit::Duration, "1d", None),
            (WaitUnit::Duration, "", None),
        ] {
            assert_eq!(read(value, unit, now()), wait, "{value}");
        }
    }

    #[test]
    fn when_a_limit_begins_anew_counts_where_it_was_reached() {
        let wait = |header: &str, unit| Wait { header: header.to_owned(), unit };
        let waits = vec![wait("retry-after", WaitUnit::Seconds), wait("x-reset", WaitUnit::Seconds)];
        let mut words = Retry { statuses: vec![429, 503], waits, longest: false };
        let mut headers = HeaderMap::new();
        headers.insert("x-reset", "50".parse().unwrap());
        let said = |words: &Retry, status, headers: &HeaderMap| {
            longest_or_first(words, StatusCode::from_u16(status).unwrap(), headers, now())
                .map(|it| it.as_secs())
        };
        assert_eq!([said(&words, 429, &headers), said(&words, 503, &headers)], [Some(50), None]);
        headers.insert("retry-after", "5".parse().unwrap());
        assert_eq!([said(&words, 429, &headers), said(&words, 503, &headers)], [Some(5), Some(5)]);
        words.longest = true;
        assert_eq!([said(&words, 429, &headers), said(&words, 503, &headers)], [Some(50), Some(5)]);
        assert_eq!(usual(&headers, now()), Some(Duration::from_secs(5)));
    }
}
