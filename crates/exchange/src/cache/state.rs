//! All keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use claviger_model::{OrgId, Timestamp};
use tokio::sync::watch;

use super::shares::Shares;
use super::slot::{Flight, Slot};
use super::{FLIGHTS_MAX, Fresh, KEPT_MAX, Landed, Outcome, Times};
use crate::ExchangeError;

/// How often what has ended is looked for; it costs a look at each.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

pub(super) struct State<K, V> {
    slots: HashMap<K, Slot<V>>,
    /// Whose a key is.
    owner: fn(&K) -> OrgId,
    shares: Shares,
    /// Flights under way, also of keys that are forgotten meanwhile.
    flights: usize,
    /// Counts what happens: flights have their numbers from it, and keys the order in which they were asked for.
    ticks: u64,
    sweep_at: Option<Timestamp>,
}

/// What there is for a key.
pub(super) enum Found<V> {
    /// This.
    Outcome(Outcome<V>),
    /// What a flight will bring.
    Flight(Landed<V>),
    /// What this flight will bring, once it is sent off; who asked need not wait for it if there is something meanwhile.
    Started { flight: Flight<V>, landed: Landed<V>, meanwhile: Option<Arc<V>> },
}

impl<K: Eq + Hash + Clone, V> State<K, V> {
    pub(super) fn new(owner: fn(&K) -> OrgId) -> Self {
        let (slots, shares) = (HashMap::new(), Shares::default());
        Self { slots, owner, shares, flights: 0, ticks: 0, sweep_at: None }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn look(&mut self, key: &K, now: Timestamp) -> Found<V> {
        self.ticks += 1;
        let is_full = || self.flights == FLIGHTS_MAX || self.shares.is_used_up((self.owner)(key));
        if let Some(slot) = self.slots.get_mut(key) {
            slot.used = self.ticks;
            if let Some(outcome) = slot.settled(now) {
                return Found::Outcome(outcome);
            }
            if let Some((_, landed)) = &slot.flight {
                let meanwhile = slot.meanwhile(now).map(|value| Found::Outcome(Ok(value)));
                return meanwhile.unwrap_or_else(|| Found::Flight(landed.clone()));
            }
            let busy = || slot.serving(now).ok_or_else(|| Arc::new(ExchangeError::Busy));
            if let Some(outcome) = slot.paused(now).or_else(|| is_full().then(busy)) {
                return Found::Outcome(outcome);
            }
        } else if is_full() {
            return Found::Outcome(Err(Arc::new(ExchangeError::Busy)));
        } else {
            self.make_room();
        }
        self.start(key, now)
    }

    fn start(&mut self, key: &K, now: Timestamp) -> Found<V> {
        let (sender, landed) = watch::channel(None);
        let org = (self.owner)(key);
        self.shares.took_off(org);
        let shares = &mut self.shares;
        let slot = self.slots.entry(key.clone()).or_insert_with(|| {
            shares.keeps(org);
            Slot::new()
        });
        slot.used = self.ticks;
        slot.flight = Some((self.ticks, landed.clone()));
        self.flights += 1;
        let flight = Flight { id: self.ticks, landed: sender };
        Found::Started { flight, landed, meanwhile: slot.meanwhile(now) }
    }

    /// Lets go of whatever was not asked for longest, of what those have who have most. What is under way stays; it is less
    /// than all.
    fn make_room(&mut self) {
        if self.slots.len() < KEPT_MAX {
            return;
        }
        let most = self.shares.largest();
        let idle = || self.slots.iter().filter(|(_, slot)| slot.flight.is_none());
        let of_largest = idle().filter(|(key, _)| self.shares.kept((self.owner)(key)) == most);
        let oldest = of_largest.min_by_key(|(_, slot)| slot.used);
        let oldest = oldest.or_else(|| idle().min_by_key(|(_, slot)| slot.used));
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.slots.remove(&key);
            self.shares.let_go((self.owner)(&key));
        }
    }

    /// Lets go of all but some.
    fn keep_only(&mut self, is_kept: impl Fn(&K, &Slot<V>) -> bool) {
        let Self { slots, shares, owner, .. } = self;
        slots.retain(|key, slot| {
            let is_kept = is_kept(key, slot);
            if !is_kept {
                shares.let_go(owner(key));
            }
            is_kept
        });
    }

    /// What a flight brought, for all who wait; kept, unless it was forgotten meanwhile.
    pub(super) fn land(
        &mut self,
        key: &K,
        id: u64,
        times: Times,
        brought: Result<Fresh<V>, ExchangeError>,
    ) -> Outcome<V> {
        let now = times.now;
        self.sweep(now);
        let brought = match brought {
            Ok(fresh) if fresh.expires_at <= now => Err(ExchangeError::Garbage("has a token that has ended")),
            brought => brought,
        };
        let slot = self.slots.get_mut(key);
        let Some(slot) = slot.filter(|slot| slot.flight.as_ref().is_some_and(|(it, _)| *it == id)) else {
            return brought.map(|fresh| Arc::new(fresh.value)).map_err(Arc::new);
        };
        slot.flight = None;
        match brought {
            Ok(fresh) => slot.succeed(fresh, &times),
            Err(error) => slot.fail(error, now),
        }
    }

    /// Every flight ends here, whatever it brought.
    pub(super) fn ended(&mut self, key: &K, id: u64) {
        self.flights -= 1;
        self.shares.landed((self.owner)(key));
        if let Some(slot) = self.slots.get_mut(key)
            && slot.flight.as_ref().is_some_and(|(it, _)| *it == id)
        {
            slot.flight = None;
        }
    }

    pub(super) fn reject(&mut self, key: &K, value: &Arc<V>, now: Timestamp) -> bool {
        self.slots.get_mut(key).is_none_or(|slot| slot.reject(value, now))
    }

    pub(super) fn forget(&mut self, is_such: impl Fn(&K) -> bool) {
        self.keep_only(|key, _| !is_such(key));
    }

    fn sweep(&mut self, now: Timestamp) {
        // A clock that is set back does not put it off.
        let is_due = self.sweep_at.is_none_or(|at| at <= now || now + SWEEP_INTERVAL < at);
        if is_due {
            self.keep_only(|_, slot| !slot.is_void(now));
            self.sweep_at = Some(now + SWEEP_INTERVAL);
        }
    }
}
