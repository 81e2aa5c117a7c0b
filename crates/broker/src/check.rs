//! The server's own tests of connections, for those whose terms ask for them.
//!
//! Who is due is asked of the database at each look, so that a restart, a change of terms, and somebody's own test are all
//! the same to it. A test is a call like any other, but nobody's: its terms, its end, the guard of addresses and the
//! record hold; a right is not asked for.

mod turns;

use std::collections::VecDeque;
use std::sync::Weak;
use std::time::Duration;

use claviger_engine::{DueConnection, Error as EngineError};
use claviger_model::Health;
use tokio::sync::watch;
use tokio::time::Instant;

use self::turns::{PutOff, UnderWay};
use crate::broker::Broker;
use crate::by::By;
use crate::probe::Judged;

/// Connections that are taken up in one look.
const LOOK_MAX: usize = 100;
/// How long one test may take: a third party that answers no sooner holds up the others.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tests what is due, until it is told to stop, or there is no broker any more. What is under way then is given up.
pub(crate) async fn check_on(broker: Weak<Broker>, period: Duration, mut stopping: watch::Receiver<bool>) {
    let (mut put_off, mut under_way) = (PutOff::default(), UnderWay::default());
    let (mut due, mut look_at) = (VecDeque::new(), Instant::now() + period);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return under_way.give_up().await,
            () = tokio::time::sleep_until(look_at) => {
                let Some(broker) = broker.upgrade() else { return under_way.give_up().await };
                due = broker.due(&mut put_off, &under_way).await;
                look_at = Instant::now() + period;
            }
            Some((ended, is_done)) = under_way.ended() => {
                if let (false, Some(broker)) = (is_done, broker.upgrade()) {
                    put_off.add(ended, broker.app.engine().clock().now());
                }
            }
        }
        let Some(broker) = broker.upgrade() else { return under_way.give_up().await };
        while let Some(next) = under_way.next_of(&mut due) {
            let broker = broker.clone();
            under_way.begin(next, async move { broker.check(next).await.is_ok() });
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // Whoever cannot say it any more has stopped too.
    drop(stopping.wait_for(|stop| *stop).await);
}

impl Broker {
    /// What is due and not under way, the orgs in turns.
    async fn due(&self, put_off: &mut PutOff, under_way: &UnderWay) -> VecDeque<DueConnection> {
        let engine = self.app.engine();
        let listed = put_off.at(engine.clock().now()) + under_way.len() + LOOK_MAX;
        match engine.connections_to_check(u32::try_from(listed).unwrap_or(u32::MAX)).await {
            Ok(due) => {
                let is_free = |due: &DueConnection| !put_off.has(due.id()) && !under_way.has(due.id());
                due.into_iter().filter(is_free).take(LOOK_MAX).collect()
            }
            Err(error) => {
                tracing::warn!(error = claviger_model::chain(&error), "connections to check were not found");
                VecDeque::new()
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
