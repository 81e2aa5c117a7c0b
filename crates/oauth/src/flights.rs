//! One renewal of a connection's token at a time in this process: whoever asks while one is under way gets what it brings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_model::{ConnectionId, Timestamp};
use tokio::sync::watch;

use crate::{AccessError, AccessToken};

/// Renewals under way at most: beyond that, askers are told to come again.
const FLIGHTS_MAX: usize = 4_096;
/// For so long a failure is told to others without asking again, so that a server in trouble is not asked by everybody.
const REMEMBERED: Duration = Duration::from_secs(5);
/// The longest that a server's own word on when to come again counts.
const REMEMBERED_MAX: Duration = Duration::from_secs(60);
/// Failures that are remembered at most.
const FAILURES_MAX: usize = 4_096;

/// What a renewal brought.
pub(crate) type Outcome = Result<AccessToken, AccessError>;

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<ConnectionId, watch::Receiver<Option<Outcome>>>>,
    failures: Mutex<HashMap<ConnectionId, (Timestamp, AccessError)>>,
}

/// The place of a renewal that is under way. Whoever drops it, by a panic too, lets others begin anew.
pub(crate) struct Seat {
    flights: Arc<Flights>,
    connection: ConnectionId,
    outcome: watch::Sender<Option<Outcome>>,
}

/// What somebody who asks is to do.
pub(crate) enum Boarding {
    /// Renew it, and tell all others.
    Fly(Seat, watch::Receiver<Option<Outcome>>),
    /// Wait for what another brings.
    Wait(watch::Receiver<Option<Outcome>>),
    /// Come again: there are too many.
    Full,
}

impl Flights {
    /// Joins the renewal of a connection, or begins it.
    pub(crate) fn board(self: &Arc<Self>, connection: ConnectionId) -> Boarding {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = under_way.get(&connection) {
            return Boarding::Wait(receiver.clone());
        }
        if under_way.len() >= FLIGHTS_MAX {
            return Boarding::Full;
        }
        let (outcome, receiver) = watch::channel(None);
        under_way.insert(connection, receiver.clone());
        Boarding::Fly(Seat { flights: self.clone(), connection, outcome }, receiver)
    }

    /// The failure that was told a moment ago.
    pub(crate) fn recent_failure(&self, connection: ConnectionId, now: Timestamp) -> Option<AccessError> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.get(&connection).filter(|(until, _)| now < *until).map(|(_, error)| error.clone())
    }

    /// Remembers a failure for a moment, or that there is none.
    pub(crate) fn note(&self, connection: ConnectionId, outcome: &Outcome, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(error @ AccessError::Provider(fault)) = outcome else {
            failures.remove(&connection);
            return;
        };
        if failures.len() >= FAILURES_MAX {
            failures.retain(|_, (until, _)| now < *until);
        }
        if failures.len() < FAILURES_MAX {
            let time = fault.retry_after.unwrap_or(REMEMBERED).min(REMEMBERED_MAX);
            failures.insert(connection, (now + time, error.clone()));
        }
    }
}

impl Seat {
    /// Tells all who wait. Whoever asks from then on asks anew: they may know of something that came after.
    pub(crate) fn land(self, outcome: Outcome) {
        self.leave();
        self.outcome.send_replace(Some(outcome));
    }

    fn leave(&self) {
        let mut under_way = self.flights.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // By now the place may be another's.
        let is_own =
            under_way.get(&self.connection).is_some_and(|it| it.same_channel(&self.outcome.subscribe()));
        if is_own {
            under_way.remove(&self.connection);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}
