//! Tokens kept: how many exchanges there are, and for how long what they bring is given out.

mod bounds;
mod failing;
mod flights;
mod keeping;
mod model;
mod rejecting;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use claviger_exchange::ExchangeError;
use claviger_exchange::cache::{Cache, Fresh, Outcome};
use claviger_model::testing::ManualClock;
use claviger_model::{Clock, OrgId, Timestamp};

const HOUR: Duration = Duration::from_secs(3600);
const MARGIN: Duration = Duration::from_secs(300);

/// An org of this number.
fn org(number: usize) -> OrgId {
    format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap()
}

/// A cache of numbers, each exchange bringing the next, and a clock beside it.
struct Scene {
    cache: Cache<&'static str, usize>,
    clock: Arc<ManualClock>,
    exchanges: Arc<AtomicUsize>,
}

impl Scene {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000_000_000_000)));
        let clock_of_cache: Arc<dyn Clock> = clock.clone();
        Self { cache: Cache::new(clock_of_cache, |_| org(0)), clock, exchanges: Arc::default() }
    }

    fn pass(&self, time: Duration) {
        self.clock.advance_micros(i64::try_from(time.as_micros()).unwrap());
    }

    fn pass_micros(&self, micros: i64) {
        self.clock.advance_micros(micros);
    }

    /// Asks; if there is an exchange, it brings its number, good for so long.
    async fn ask_for(&self, key: &'static str, margin: Duration, lasts: Duration) -> Outcome<usize> {
        let (clock, exchanges) = (self.clock.clone(), self.exchanges.clone());
        let outcome = self
            .cache
            .get(&key, margin, move || async move {
                let value = exchanges.fetch_add(1, Ordering::SeqCst) + 1;
                Ok(Fresh { value, expires_at: clock.now() + lasts })
            })
            .await;
        land().await;
        outcome
    }

    /// The same with the usual times.
    async fn ask(&self) -> Arc<usize> {
        self.ask_for("k", MARGIN, HOUR).await.unwrap()
    }

    /// Asks; if there is an exchange, it fails.
    async fn fail(&self, error: ExchangeError) -> Outcome<usize> {
        let exchanges = self.exchanges.clone();
        let outcome = self
            .cache
            .get(&"k", MARGIN, move || async move {
                exchanges.fetch_add(1, Ordering::SeqCst);
                Err(error)
            })
            .await;
        land().await;
        outcome
    }

    fn exchanges(&self) -> usize {
        self.exchanges.load(Ordering::SeqCst)
    }
}

/// Lets whatever was sent off, and waits for nothing, land; there is one thread.
async fn land() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    soon(waiting).await;
}

/// What comes, if it comes soon.
async fn soon<T>(coming: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), coming).await.expect("it comes")
}

fn refused(code: &str) -> ExchangeError {
    ExchangeError::Refused { code: code.to_owned(), status: 400, detail: None }
}
