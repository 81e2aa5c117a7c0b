//! What webhooks are still to be told, and how far each of them is.
//!
//! The queue is the ledger: nothing waits in memory, and what could not be delivered is read again later.

use std::time::Duration;

use claviger_model::{OrgId, Timestamp, Webhook, WebhookId, WebhookStanding};
use claviger_store::{Change, CommitError, Refusal};
use tokio::sync::watch;

use crate::events::Event;
use crate::{Engine, Error};

/// Entries that are looked through at once for a webhook.
const ENTRIES_AT_ONCE: u32 = 256;
/// The pause after the first attempt that failed; each one after it waits twice as long as the one before.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// The longest pause: a receiver that comes back is told within the hour.
const PAUSE_MAX: Duration = Duration::from_secs(60 * 60);
/// How long before the end of a credential or connection it is warned of, the latest first.
const WARNINGS: [Duration; 2] = [Duration::from_secs(24 * 60 * 60), Duration::from_secs(7 * 24 * 60 * 60)];
/// Credentials, or connections, of an org that are warned of in one go; the rest follow in the next.
const WARNED_AT_ONCE: u32 = 256;
/// What is kept of why an attempt failed.
const ERROR_CHARS_MAX: usize = 200;

/// What a webhook is to be told next.
#[derive(Debug)]
pub struct Upcoming {
    /// The events, oldest first, all of each entry.
    pub events: Vec<Event>,
    /// Up to which entry there is nothing else.
    pub through: i64,
    /// Whether there is more after it.
    pub has_more: bool,
}

impl Engine {
    /// Tells the last applied position whenever it moves.
    pub fn watch_applied(&self) -> watch::Receiver<claviger_model::Position> {
        self.directory.watch()
    }

    /// Every webhook that is to be told of events.
    pub async fn list_enabled_webhooks(&self) -> Result<Vec<(Webhook, WebhookStanding)>, Error> {
        Ok(self.store.list_enabled_webhooks().await?)
    }

    /// What a webhook is to be told of the entries after a sequence number, as far as they are in effect here.
    pub async fn upcoming_events(&self, webhook: &Webhook, after: i64) -> Result<Upcoming, Error> {
        let applied = self.applied().sequence;
        let entries = self.store.list_entries_of_org(webhook.org, after, applied, ENTRIES_AT_ONCE).await?;
        let has_more = entries.len() == ENTRIES_AT_ONCE as usize;
        let through = match entries.last() {
            Some(last) if has_more => last.position.sequence,
            _ => applied.max(after),
        };
        let events = entries.iter().flat_map(Event::all_of);
        let events = events.filter(|event| event.concerns(webhook.id, &webhook.events)).collect();
        Ok(Upcoming { events, through, has_more })
    }

    /// What an attempt that failed makes of a standing: a pause that doubles, somewhere between half of it and all
    /// of it, so that those who failed together do not come back together.
    pub fn note_failure(&self, standing: &mut WebhookStanding, why: &str) {
        let now = self.clock.now();
        let doubled = PAUSE_MIN.saturating_mul(1 << standing.attempts.min(16)).min(PAUSE_MAX);
        let mut bytes = [0; 4];
        self.vault.random().fill(&mut bytes);
        let share = 0.5 + 0.5 * f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
        standing.attempts = standing.attempts.saturating_add(1);
        standing.next_attempt_at = now + doubled.mul_f64(share);
        standing.failing_since.get_or_insert(now);
        standing.last_attempt_at = Some(now);
        standing.last_error = Some(why.chars().take(ERROR_CHARS_MAX).collect());
    }

    /// What an accepted delivery makes of a standing; how far it is then is the caller's to say.
    pub fn note_success(&self, standing: &mut WebhookStanding) {
        let now = self.clock.now();
        standing.attempts = 0;
        standing.failing_since = None;
        standing.last_error = None;
        standing.last_attempt_at = Some(now);
        standing.last_success_at = Some(now);
    }

    /// Keeps how far webhooks are.
    pub async fn record_webhook_standings(
        &self,
        standings: &[(WebhookId, WebhookStanding)],
    ) -> Result<(), Error> {
        Ok(self.store.record_webhook_standings(standings).await?)
    }

    /// Puts into the ledger what ends soon in these orgs, each end twice: a week and a day before. Tells whether
    /// there may be more.
    pub async fn warn_of_expiry(&self, orgs: &[OrgId], now: Timestamp) -> Result<bool, Error> {
        let mut has_more = false;
        for org in orgs {
            for within in WARNINGS {
                let found = self.store.list_expiring(*org, now, within, WARNED_AT_ONCE).await?;
                has_more |= found.len() == WARNED_AT_ONCE as usize;
                for credential in found {
                    self.commit_warning(Change::warn_of_expiry(&credential, within, now)).await?;
                }
            }
        }
        Ok(has_more)
    }

    /// The same of connections.
    pub async fn warn_of_connection_expiry(&self, orgs: &[OrgId], now: Timestamp) -> Result<bool, Error> {
        let mut has_more = false;
        for org in orgs {
            for within in WARNINGS {
                let found = self.store.list_expiring_connections(*org, now, within, WARNED_AT_ONCE).await?;
                has_more |= found.len() == WARNED_AT_ONCE as usize;
                for connection in found {
                    let change = Change::warn_of_connection_expiry(&connection, within, now);
                    self.commit_warning(change).await?;
                }
            }
        }
        Ok(has_more)
    }

    async fn commit_warning(&self, change: Change) -> Result<(), Error> {
        match self.store.commit(change).await {
            // Gone by now, or warned of by whoever asked at the same time.
            Ok(_) | Err(CommitError::Refused(Refusal::Stale | Refusal::Conflict)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
