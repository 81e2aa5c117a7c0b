//! The server's own tests of connections, for those whose terms ask for them.
//!
//! Who is due is asked of the database at each look, so that a restart, a change of terms, and somebody's own test are all
//! the same to it. A test is a call like any other, but nobody's: its terms, its end, the guard of addresses and the
//! record hold; a right is not asked for.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use claviger_engine::{DueConnection, Error as EngineError};
use claviger_model::{ConnectionId, Health, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::by::By;
use crate::probe::Judged;

/// Tests that are under way at once: few, so that what is due after a time without a server is no burst.
const AT_ONCE: usize = 4;
/// Connections that are taken up in one look.
const LOOK_MAX: usize = 100;
/// How long one test may take: a third party that answers no sooner holds up the others.
const PATIENCE: Duration = Duration::from_secs(30);
/// When one is tried again that could not be tested at all: as many of its calls were under way as may be, or calls could
/// not be recorded.
const PUT_OFF: Duration = Duration::from_secs(60);
/// So many of those are remembered. Beyond, they are tried again at once.
const PUT_OFF_MAX: usize = 1000;

/// Tests what is due, until it is told to stop, or there is no broker any more.
pub(crate) async fn check_on(broker: Weak<Broker>, period: Duration, mut stopping: watch::Receiver<bool>) {
    let mut put_off = PutOff::default();
    loop {
        if tokio::time::timeout(period, stopped(&mut stopping)).await.is_ok() {
            return;
        }
        let Some(broker) = broker.upgrade() else { return };
        let now = broker.app.engine().clock().now();
        let listed = put_off.at(now) + LOOK_MAX;
        match broker.app.engine().connections_to_check(u32::try_from(listed).unwrap_or(u32::MAX)).await {
            Ok(due) => {
                let due: Vec<_> =
                    due.into_iter().filter(|due| !put_off.has(due.id())).take(LOOK_MAX).collect();
                let failed = broker.check_all(due, &mut stopping).await;
                put_off.add(failed, broker.app.engine().clock().now());
            }
            Err(error) => {
                tracing::warn!(error = claviger_model::chain(&error), "connections to check were not found");
            }
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Whoever cannot say it any more has stopped too.
    drop(stopping.wait_for(|stop| *stop).await);
}

impl Broker {
    /// Tests connections, a few at a time. What is under way when it is told to stop is given up. Gives those that could
    /// not be tested.
    async fn check_all(
        self: &Arc<Self>,
        due: Vec<DueConnection>,
        stopping: &mut watch::Receiver<bool>,
    ) -> Vec<ConnectionId> {
        let (mut due, mut under_way, mut failed) = (due.into_iter(), JoinSet::new(), Vec::new());
        loop {
            while under_way.len() < AT_ONCE
                && let Some(next) = due.next()
            {
                let broker = self.clone();
                under_way.spawn(async move { broker.check(next).await.err().map(|()| next.id()) });
            }
            tokio::select! {
                () = stopped(stopping) => {
                    under_way.shutdown().await;
                    return failed;
                }
                ended = under_way.join_next() => match ended {
                    Some(ended) => failed.extend(ended.ok().flatten()),
                    None => return failed,
                }
            }
        }
    }

    /// Tests one, and keeps what it says, also that nothing can be said: or it would be due at once again.
    async fn check(&self, due: DueConnection) -> Result<(), ()> {
        let checked = self.checked(due).await;
        let result = match &checked {
            Ok(Some(health)) => health.as_str(),
            // It is gone, or not wanted any more.
            Ok(None) => return Ok(()),
            Err(_) => "put_off",
        };
        self.app.metrics().count_checked(result);
        checked.map(drop).map_err(|error| {
            let connection = tracing::field::display(due.id());
            tracing::debug!(connection, error = claviger_model::chain(&error), "a check was put off");
        })
    }

    async fn checked(&self, due: DueConnection) -> Result<Option<Health>, EngineError> {
        let engine = self.app.engine();
        let mut usable = match engine.connection_to_check(due).await {
            Ok(usable) => usable,
            Err(EngineError::Absent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        // The list may be minutes old.
        let is_wanted = usable.connection.terms.check_seconds.is_some();
        if !is_wanted || !engine.may_check(&usable.connection) {
            return Ok(None);
        }
        let judged = match tokio::time::timeout(PATIENCE, self.judge(By::Server, &mut usable)).await {
            Ok(judged) => judged?.unwrap_or(Judged::NO_PROBE),
            Err(_) => Judged::new(Health::Unknown, "upstream_timeout"),
        };
        self.keep(&usable, &judged).await?;
        Ok(Some(judged.health))
    }
}

/// Those that could not be tested, and when they are tried again.
#[derive(Default)]
struct PutOff(HashMap<ConnectionId, Timestamp>);

impl PutOff {
    /// How many there are at a moment; those whose time has come are forgotten.
    fn at(&mut self, now: Timestamp) -> usize {
        self.0.retain(|_, until| now < *until);
        self.0.len()
    }

    fn has(&self, id: ConnectionId) -> bool {
        self.0.contains_key(&id)
    }

    fn add(&mut self, failed: Vec<ConnectionId>, now: Timestamp) {
        let room = PUT_OFF_MAX.saturating_sub(self.0.len());
        self.0.extend(failed.into_iter().take(room).map(|id| (id, now + PUT_OFF)));
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_was_put_off_comes_again_and_no_more_than_so_many_are_remembered() {
        let id = |number: usize| ConnectionId::from_uuid(Uuid::from_u128(number as u128));
        let now = Timestamp::from_micros(0);
        let mut put_off = PutOff::default();
        put_off.add(vec![id(0)], now);
        put_off.add((1..PUT_OFF_MAX + 5).map(id).collect(), now + Duration::from_secs(1));
        assert_eq!(put_off.at(now + Duration::from_secs(2)), PUT_OFF_MAX);
        assert!(put_off.has(id(0)) && put_off.has(id(PUT_OFF_MAX - 1)) && !put_off.has(id(PUT_OFF_MAX)));
        assert_eq!(put_off.at(now + PUT_OFF), PUT_OFF_MAX - 1);
        assert!(!put_off.has(id(0)));
        assert_eq!(put_off.at(now + PUT_OFF * 2), 0);
    }
}
