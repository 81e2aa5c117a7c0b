//! Tokens, kept in memory until shortly before they end.
//!
//! However many ask at once, there is one exchange for a key at a time, a flight, and all that wait for it get what it
//! brings, be it a token or an error. A flight belongs to nobody: whoever started it may go away. In the margin before a
//! token's end a new one is asked for; nobody waits for it in the first half of that margin, and if there is none to be
//! had, the old one serves until it ends.
//!
//! A key should hold whatever a token depends on: the connection, the revision of its secrets, the scope or region. A
//! change then needs no word to the cache, and what is no longer asked for leaves it by itself.

mod shares;
mod slot;
mod state;

use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_model::{Clock, OrgId, Timestamp};
use tokio::sync::watch;

pub use shares::FLIGHTS_OF_ONE_MAX;

use crate::ExchangeError;
use slot::Flight;
use state::{Found, State};

/// Tokens that are kept at once. At some KiB each, these are some ten MiB; beyond, whatever the org that has most did not
/// ask for longest makes room.
pub const KEPT_MAX: usize = 4096;

/// Exchanges that are under way at once, each a connection outwards for as long as [`crate::DEADLINE`] at most. Beyond,
/// and beyond [`FLIGHTS_OF_ONE_MAX`] of an org, who has no token is told to come back.
pub const FLIGHTS_MAX: usize = 256;

/// What an exchange brings.
#[derive(Debug)]
pub struct Fresh<V> {
    /// It.
    pub value: V,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What everybody who waited gets: the same value, or the same error.
pub type Outcome<V> = Result<Arc<V>, Arc<ExchangeError>>;

/// Values that are exchanged for, by key. Cheap to clone; the clones are one.
pub struct Cache<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    clock: Arc<dyn Clock>,
    state: Mutex<State<K, V>>,
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> Cache<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    /// An empty one. `owner` tells whose a key is, which never changes.
    pub fn new(clock: Arc<dyn Clock>, owner: fn(&K) -> OrgId) -> Self {
        Self(Arc::new(Inner { clock, state: Mutex::new(State::new(owner)) }))
    }

    /// The value of a key. `exchange` is what brings one, and is called if there is none; `renew_before` says how long
    /// before its end it is asked for anew, but never earlier than in the middle of its life. What `exchange` makes must
    /// come to an end by itself.
    ///
    /// # Errors
    /// When there is no value to be had. An error is remembered for some seconds, so that a busy caller does not hammer a
    /// provider that has said no.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn get<F, Fut>(&self, key: &K, renew_before: Duration, exchange: F) -> Outcome<V>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Fresh<V>, ExchangeError>> + Send + 'static,
    {
        let now = self.0.clock.now();
        let found = self.state().look(key, now);
        let mut landed = match found {
            Found::Outcome(outcome) => return outcome,
            Found::Flight(landed) => landed,
            Found::Started { flight, landed, meanwhile } => {
                // Made here: it makes room again also if the runtime never takes the flight up.
                let landing = Landing { cache: self.clone(), key: key.clone(), flight };
                tokio::spawn(landing.fly(renew_before, exchange));
                match meanwhile {
                    Some(value) => return Ok(value),
                    None => landed,
                }
            }
        };
        let outcome = landed.wait_for(Option::is_some).await;
        // A flight that ends without a word was given up with the runtime, or panicked.
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or_else(|| Err(Arc::new(ExchangeError::Busy)))
    }

    /// Says that whoever it was shown to would not have a value (401). Whether it is worth asking for the value again, and
    /// trying once more: the value was dropped, or there is another one already.
    ///
    /// A value is dropped once, however many say so, and a key's next one not within a minute: a target that refuses
    /// whatever it is shown does not make its provider be asked for each request.
    pub fn reject(&self, key: &K, value: &Arc<V>) -> bool {
        let now = self.0.clock.now();
        self.state().reject(key, value, now)
    }

    /// Drops all whose keys are such. What is under way for them is not kept.
    pub fn forget(&self, is_such: impl Fn(&K) -> bool) {
        self.state().forget(is_such);
    }

    /// How many are kept, or are being asked for.
    pub fn len(&self) -> usize {
        self.state().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        // Only what callers hand in, keys and what is asked of them, could panic meanwhile; it leaves nothing half done.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A flight that is under way, and that makes room for the next however it ends.
struct Landing<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    cache: Cache<K, V>,
    key: K,
    flight: Flight<V>,
}

impl<K, V> Landing<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    async fn fly<F, Fut>(self, renew_before: Duration, exchange: F)
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Fresh<V>, ExchangeError>>,
    {
        let clock = &self.cache.0.clock;
        let asked_at = clock.now();
        let brought = exchange().await;
        let times = Times { asked_at, now: clock.now(), renew_before };
        let outcome = self.cache.state().land(&self.key, self.flight.id, times, brought);
        self.flight.landed.send_replace(Some(outcome));
    }
}

impl<K, V> Drop for Landing<K, V>
where
    K: Eq + Hash + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    fn drop(&mut self) {
        self.cache.state().ended(&self.key, self.flight.id);
    }
}

/// What those who wait for a flight hold.
type Landed<V> = watch::Receiver<Option<Outcome<V>>>;

/// When a flight began and ended, and how long before its end a value is renewed.
struct Times {
    asked_at: Timestamp,
    now: Timestamp,
    renew_before: Duration,
}
