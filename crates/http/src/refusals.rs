//! Refused credentials: every one is counted, and the log gets one line per reason and second with the count.

use std::collections::HashMap;
use std::sync::Mutex;

use claviger_engine::{AuthFailure, AuthReason};
use claviger_model::Timestamp;

use crate::{Metrics, RefusalLabels};

/// What was refused since the last line.
#[derive(Debug, Default)]
pub struct RefusalLog(Mutex<HashMap<RefusalLabels, Since>>);

#[derive(Debug, Default)]
struct Since {
    second: i64,
    count: u64,
}

impl RefusalLog {
    /// Counts a refusal; tells the log of those before it once their second is over.
    pub fn note(&self, failure: AuthFailure, now: Timestamp, metrics: &Metrics) {
        let labels = labels(failure);
        metrics.count_refusal(&labels);
        let second = now.micros().div_euclid(1_000_000);
        let mut since = self.0.lock().expect("nothing panics while it holds this lock");
        let since = since.entry(labels.clone()).or_default();
        if since.second == second {
            since.count += 1;
            return;
        }
        // The first of a new second is told at once, together with those not told yet.
        let count = std::mem::take(&mut since.count) + 1;
        since.second = second;
        tracing::warn!(credential = labels.credential, reason = labels.reason, count, "credentials refused");
    }
}

fn labels(failure: AuthFailure) -> RefusalLabels {
    let labels = |credential, reason: AuthReason| RefusalLabels { credential, reason: reason.as_str() };
    match failure {
        AuthFailure::NothingPresented => labels("api_key", AuthReason::Missing),
        AuthFailure::ApiKey(reason) => labels("api_key", reason),
        AuthFailure::ApplicationKey(reason) => labels("application_key", reason),
        AuthFailure::Token(reason) => labels("token", reason),
        AuthFailure::Limited(_) => RefusalLabels { credential: "any", reason: "rate_limited" },
        AuthFailure::Unavailable => RefusalLabels { credential: "any", reason: "unavailable" },
    }
}
