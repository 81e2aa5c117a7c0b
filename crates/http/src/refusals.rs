//! Refused credentials: every one is counted, and the log gets one line per reason and second with the count.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use claviger_engine::{AuthFailure, AuthReason};
use claviger_model::Timestamp;
use prometheus_client::metrics::counter::Counter;

use crate::{Metrics, RefusalLabels};

const REASONS: usize = AuthReason::ALL.len();
/// One for each reason of each of the five places of a credential, and two that are of none.
const KINDS: usize = 5 * REASONS + 2;

/// What was refused since the last line, by kind of refusal. Nothing is looked up and no lock is taken: whoever sends
/// bad credentials must not cost more than who sends good ones.
#[derive(Debug)]
pub struct RefusalLog([Since; KINDS]);

impl Default for RefusalLog {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Since::default()))
    }
}

#[derive(Debug, Default)]
struct Since {
    counter: OnceLock<Counter>,
    second: AtomicI64,
    untold: AtomicU64,
}

impl RefusalLog {
    /// Counts a refusal; tells the log of those before it once their second is over.
    pub fn note(&self, failure: AuthFailure, now: Timestamp, metrics: &Metrics) {
        let since = &self.0[kind(failure)];
        since.counter.get_or_init(|| metrics.refusals(&labels(failure))).inc();
        let second = now.micros().div_euclid(1_000_000);
        // Of those that come at the beginning of a second, one changes it.
        if since.second.load(Relaxed) == second || since.second.swap(second, Relaxed) == second {
            since.untold.fetch_add(1, Relaxed);
            return;
        }
        // The first of a new second is told at once, together with those not told yet.
        let (count, labels) = (since.untold.swap(0, Relaxed) + 1, labels(failure));
        tracing::warn!(credential = labels.credential, reason = labels.reason, count, "credentials refused");
    }
}

/// Its place in the table.
fn kind(failure: AuthFailure) -> usize {
    match failure {
        AuthFailure::NothingPresented => AuthReason::Missing as usize,
        AuthFailure::ApiKey(reason) => reason as usize,
        AuthFailure::ApplicationKey(reason) => REASONS + reason as usize,
        AuthFailure::Token(reason) => 2 * REASONS + reason as usize,
        AuthFailure::Session(reason) => 3 * REASONS + reason as usize,
        AuthFailure::Password(reason) => 4 * REASONS + reason as usize,
        AuthFailure::Limited(_) => 5 * REASONS,
        AuthFailure::Unavailable => 5 * REASONS + 1,
    }
}

fn labels(failure: AuthFailure) -> RefusalLabels {
    let labels = |credential, reason: AuthReason| RefusalLabels { credential, reason: reason.as_str() };
    match failure {
        AuthFailure::NothingPresented => labels("api_key", AuthReason::Missing),
        AuthFailure::ApiKey(reason) => labels("api_key", reason),
        AuthFailure::ApplicationKey(reason) => labels("application_key", reason),
        AuthFailure::Token(reason) => labels("token", reason),
        AuthFailure::Session(reason) => labels("session", reason),
        AuthFailure::Password(reason) => labels("password", reason),
        AuthFailure::Limited(_) => RefusalLabels { credential: "any", reason: "rate_limited" },
        AuthFailure::Unavailable => RefusalLabels { credential: "any", reason: "unavailable" },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_kind_has_a_place_of_its_own() {
        let mut found = HashMap::from([(kind(AuthFailure::Unavailable), labels(AuthFailure::Unavailable))]);
        for reason in AuthReason::ALL {
            let places = [
                AuthFailure::ApiKey,
                AuthFailure::ApplicationKey,
                AuthFailure::Token,
                AuthFailure::Session,
                AuthFailure::Password,
            ];
            for failure in places.map(|place| place(reason)) {
                assert_eq!(found.insert(kind(failure), labels(failure)), None);
            }
        }
        // The one that is missing is the credential beyond its limit.
        assert_eq!(found.len(), KINDS - 1);
        assert!(found.keys().all(|kind| *kind < KINDS && *kind != 5 * REASONS));
        let nothing = AuthFailure::NothingPresented;
        assert_eq!(found[&kind(nothing)], labels(nothing));
    }
}
