//! Counters, for a metrics page in Prometheus' text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_engine::Engine;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A request by its route pattern: a path may hold a secret, a pattern never does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) method: String,
    pub(crate) route: String,
    pub(crate) status: u16,
}

/// A refusal by its reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RefusalLabels {
    /// Which credential: `api_key`, `application_key`, `token`, `session`, `password`.
    pub credential: &'static str,
    /// Why: a stable word.
    pub reason: &'static str,
}

/// A call through a connection, by what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BrokerLabels {
    /// `forwarded`, or the code of the refusal.
    outcome: &'static str,
}

/// A test of a connection that the server made by itself, by what it said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabels {
    /// `ok`, `bad`, `limited`, `unknown`; `put_off` where it could not be made.
    result: &'static str,
}

/// The server's counters.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Histogram,
    refusals: Family<RefusalLabels, Counter>,
    brokered: Family<BrokerLabels, Counter>,
    /// Of `brokered`, what needs no looking up where it is counted.
    forwarded: Counter,
    checked: Family<CheckLabels, Counter>,
    directory_secrets: Gauge,
    ledger_sequence: Gauge,
    available: Gauge,
    /// Verifications that said yes: plain, since this one is counted where every nanosecond counts.
    verified: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("claviger");
        let requests = Family::default();
        let seconds = Histogram::new(exponential_buckets(0.0001, 4.0, 9));
        let refusals = Family::default();
        let (brokered, checked) = (Family::<BrokerLabels, Counter>::default(), Family::default());
        let forwarded = brokered.get_or_create(&BrokerLabels { outcome: "forwarded" }).clone();
        let (directory_secrets, ledger_sequence, available) =
            (Gauge::default(), Gauge::default(), Gauge::default());
        // The library ends each sentence with a full stop.
        registry.register("requests", "Requests by route, but verifications", requests.clone());
        registry.register("request_seconds", "Time to answer, but verifications", seconds.clone());
        registry.register("refusals", "Credentials refused, by reason", refusals.clone());
        registry.register("broker_calls", "Calls through connections, by outcome", brokered.clone());
        registry.register("broker_checks", "The server's own tests of connections", checked.clone());
        registry.register("directory_secrets", "Live secrets in memory", directory_secrets.clone());
        registry.register("ledger_sequence", "The last ledger entry applied", ledger_sequence.clone());
        registry.register("available", "1 while this server may answer from memory", available.clone());
        Self {
            registry,
            requests,
            seconds,
            refusals,
            brokered,
            forwarded,
            checked,
            directory_secrets,
            ledger_sequence,
            available,
            verified: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    pub(crate) fn count_request(&self, labels: &RequestLabels, seconds: f64) {
        self.requests.get_or_create(labels).inc();
        self.seconds.observe(seconds);
    }

    /// The counter of refusals of one reason.
    pub(crate) fn refusals(&self, labels: &RefusalLabels) -> Counter {
        self.refusals.get_or_create(labels).clone()
    }

    /// Counts a call through a connection that was passed on.
    pub fn count_forwarded(&self) {
        self.forwarded.inc();
    }

    /// Counts a call through a connection that was refused, by the refusal's code.
    pub fn count_brokered(&self, outcome: &'static str) {
        self.brokered.get_or_create(&BrokerLabels { outcome }).inc();
    }

    /// Counts a test of a connection that the server made by itself.
    pub fn count_checked(&self, result: &'static str) {
        self.checked.get_or_create(&CheckLabels { result }).inc();
    }

    /// Counts a verification that said yes.
    pub fn count_verified(&self) {
        self.verified.fetch_add(1, Ordering::Relaxed);
    }

    /// The page.
    pub fn page(&self, engine: &Engine) -> String {
        self.directory_secrets.set(engine.known_secrets() as i64);
        self.ledger_sequence.set(engine.applied().sequence);
        self.available.set(engine.is_available().into());
        let mut page = String::new();
        let mut counter = |name: &str, help: &str, value: u64| {
            let name = name.trim_end_matches("_total");
            writeln!(page, "# HELP {name} {help}\n# TYPE {name} counter\n{name}_total {value}")
                .expect("writing to a string does not fail");
        };
        counter(
            "claviger_verified_total",
            "Verifications that said yes.",
            self.verified.load(Ordering::Relaxed),
        );
        for (name, help, value) in engine.store_metrics().read() {
            counter(name, help, value);
        }
        text::encode(&mut page, &self.registry).expect("writing to a string does not fail");
        page
    }
}
