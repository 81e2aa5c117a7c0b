//! The work in the background: who is to be told now, and telling them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_engine::{Engine, Error};
use claviger_model::{EventType, OrgId, Timestamp, Webhook, WebhookId, WebhookStanding, chain};
use claviger_outbound::Client;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::message;

/// Webhooks that are told something at the same time.
const AT_ONCE_MAX: usize = 32;
/// Of these, so many may be ones whose last attempt failed: receivers that hang must not take every place.
const FAILING_AT_ONCE_MAX: usize = 16;
/// Events that a webhook is told of before the others have their turn and its standing is kept.
const EVENTS_AT_ONCE_MAX: usize = 32;
/// For so long, a webhook goes on being told of events before its standing is kept.
const TURN: Duration = Duration::from_secs(5);
/// A webhook that was told of nothing has its standing kept after so many entries: until then it costs nothing but
/// to look through them again.
const UNKEPT_ENTRIES_MAX: i64 = 4096;
/// How often it is looked for credentials and connections that end soon.
const EXPIRY_PERIOD: Duration = Duration::from_secs(60);

/// How to go about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How often it is looked whether a pause is over, where the ledger stands still.
    pub tick: Duration,
    /// The shortest time between two looks, however busy the ledger is.
    pub pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { tick: Duration::from_secs(1), pause: Duration::from_millis(50) }
    }
}

/// The work, as long as it goes on.
pub struct Courier {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Courier {
    /// Begins.
    pub fn start(engine: Arc<Engine>, client: Client, options: Options) -> Self {
        let (stop, stopping) = watch::channel(false);
        let round = Round {
            engine,
            client,
            options,
            busy: HashMap::new(),
            scanned: HashMap::new(),
            warned_at: None,
            jobs: JoinSet::new(),
        };
        Self { task: tokio::spawn(round.run(stopping)), stop }
    }

    /// Ends. What is under way is broken off, and told again by whoever begins next.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

struct Round {
    engine: Arc<Engine>,
    client: Client,
    options: Options,
    /// Whoever is being told something, and whether its last attempt failed.
    busy: HashMap<WebhookId, bool>,
    /// Up to where webhooks have nothing to be told, beyond what is kept of them.
    scanned: HashMap<WebhookId, i64>,
    warned_at: Option<Timestamp>,
    jobs: JoinSet<(WebhookId, Turn)>,
}

/// What became of a webhook's turn.
enum Turn {
    /// Something was delivered or failed, and is kept.
    Kept,
    /// There was nothing, up to this entry.
    Nothing(i64),
    /// The database was away.
    Unknown,
}

impl Round {
    async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        let mut applied = self.engine.watch_applied();
        loop {
            applied.mark_unchanged();
            if let Err(error) = self.look().await {
                tracing::warn!(error = chain(&error), "webhooks could not be looked after");
            }
            let began = Instant::now();
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => self.finish(done),
                _ = applied.changed() => {}
                () = tokio::time::sleep(self.options.tick) => {}
            }
            let rest = self.options.pause.saturating_sub(began.elapsed());
            if tokio::time::timeout(rest, stopping.wait_for(|stop| *stop)).await.is_ok() {
                break;
            }
            while let Some(done) = self.jobs.try_join_next() {
                self.finish(done);
            }
        }
        self.jobs.shutdown().await;
    }

    fn finish(&mut self, done: Result<(WebhookId, Turn), tokio::task::JoinError>) {
        match done {
            Ok((webhook, turn)) => {
                self.busy.remove(&webhook);
                match turn {
                    Turn::Nothing(through) => self.scanned.insert(webhook, through),
                    Turn::Kept | Turn::Unknown => self.scanned.remove(&webhook),
                };
            }
            Err(panicked) => {
                // Which one it was is not known: whoever is told of something twice knows by its id.
                tracing::error!(error = chain(&panicked), "telling a webhook of an event panicked");
                self.busy.clear();
            }
        }
    }

    /// Gives a turn to whoever is due.
    async fn look(&mut self) -> Result<(), Error> {
        if !self.engine.is_available() {
            return Ok(());
        }
        let webhooks = self.engine.list_enabled_webhooks().await?;
        let now = self.engine.clock().now();
        self.warn(&webhooks, now).await?;
        let applied = self.engine.applied().sequence;
        self.scanned.retain(|id, _| webhooks.iter().any(|(webhook, _)| webhook.id == *id));
        for (webhook, standing) in webhooks {
            let scanned = self.scanned.get(&webhook.id).copied().unwrap_or(0).max(standing.sequence);
            let is_failing = standing.attempts > 0;
            let failing = self.busy.values().filter(|is_failing| **is_failing).count();
            if self.busy.len() >= AT_ONCE_MAX {
                break;
            }
            if scanned >= applied
                || standing.next_attempt_at > now
                || self.busy.contains_key(&webhook.id)
                || (is_failing && failing >= FAILING_AT_ONCE_MAX)
            {
                continue;
            }
            self.busy.insert(webhook.id, is_failing);
            let (engine, client) = (self.engine.clone(), self.client.clone());
            self.jobs.spawn(async move {
                let id = webhook.id;
                let turn = take_turn(&engine, &client, &webhook, standing, scanned).await;
                let turn = turn.unwrap_or_else(|error| {
                    tracing::warn!(webhook = %id, error = chain(&error), "a webhook's turn broke off");
                    Turn::Unknown
                });
                (id, turn)
            });
        }
        Ok(())
    }

    /// Has those warned whose webhooks ask for it.
    async fn warn(&mut self, webhooks: &[(Webhook, WebhookStanding)], now: Timestamp) -> Result<(), Error> {
        if self.warned_at.is_some_and(|at| now < at + EXPIRY_PERIOD) {
            return Ok(());
        }
        let orgs_for = |event: EventType| -> Vec<OrgId> {
            let wants = |webhook: &Webhook| webhook.events.contains(&event);
            let orgs = webhooks.iter().filter(|(webhook, _)| wants(webhook)).map(|(webhook, _)| webhook.org);
            orgs.collect::<HashSet<_>>().into_iter().collect()
        };
        let of_credentials = orgs_for(EventType::CredentialExpiring);
        let of_connections = orgs_for(EventType::ConnectionExpiring);
        let has_more = self.engine.warn_of_expiry(&of_credentials, now).await?
            | self.engine.warn_of_connection_expiry(&of_connections, now).await?;
        // Where there may be more, the next look goes on with it; where there was nobody to warn, too.
        let has_anybody = !of_credentials.is_empty() || !of_connections.is_empty();
        let is_done = has_anybody && !has_more;
        self.warned_at = is_done.then_some(now);
        Ok(())
    }
}

/// Tells a webhook of what comes next, up to the first failure, or until others should have their turn.
async fn take_turn(
    engine: &Engine,
    client: &Client,
    webhook: &Webhook,
    mut standing: WebhookStanding,
    scanned: i64,
) -> Result<Turn, Error> {
    let (began, mut told) = (Instant::now(), 0);
    let kept = standing.sequence;
    standing.sequence = scanned;
    let mut is_tried = false;
    'turn: loop {
        let upcoming = engine.upcoming_events(webhook, standing.sequence).await?;
        for (place, event) in upcoming.events.iter().enumerate() {
            is_tried = true;
            match deliver(engine, client, webhook, event).await? {
                Ok(()) => engine.note_success(&mut standing),
                Err(why) => {
                    let (attempts, event) = (standing.attempts + 1, &event.id);
                    tracing::warn!(webhook = %webhook.id, event, attempts, why, "an event was not delivered");
                    engine.note_failure(&mut standing, &why);
                    break 'turn;
                }
            }
            told += 1;
            // An entry is behind once all of its events are told.
            let next = upcoming.events.get(place + 1).map(|next| next.position);
            if next != Some(event.position) {
                standing.sequence = event.position.sequence;
                if told >= EVENTS_AT_ONCE_MAX || began.elapsed() >= TURN {
                    break 'turn;
                }
            }
        }
        standing.sequence = upcoming.through;
        if !upcoming.has_more {
            break;
        }
    }
    if !is_tried && standing.sequence - kept < UNKEPT_ENTRIES_MAX {
        return Ok(Turn::Nothing(standing.sequence));
    }
    engine.record_webhook_standings(&[(webhook.id, standing)]).await?;
    Ok(Turn::Kept)
}

/// One attempt: nothing where the receiver accepted it, else why not.
async fn deliver(
    engine: &Engine,
    client: &Client,
    webhook: &Webhook,
    event: &claviger_engine::Event,
) -> Result<Result<(), String>, Error> {
    let now = engine.clock().now();
    let secrets = engine.signing_secrets(webhook, now).await?;
    let sign = |id: &str, seconds: i64, body: &[u8]| {
        let signatures: Vec<_> = secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
        signatures.join(" ")
    };
    let request = message::request(&webhook.url, event, now, &sign);
    Ok(match client.for_org(webhook.org).send(request).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(format!("the receiver answered {}", answer.status.as_u16())),
        Err(error) => Err(chain(&error)),
    })
}
