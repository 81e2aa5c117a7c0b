//! Webhooks: where an org wants to be told of events.

use crate::{EventType, OrgId, Target, Timestamp, UserId, WebhookId};

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Its org.
    pub org: OrgId,
    /// Where events go.
    pub url: Target,
    /// Which; never empty, each once, in order.
    pub events: Vec<EventType>,
    /// Whether it is told of anything.
    pub is_enabled: bool,
    /// Which of its secrets is the present one; the sealed value is bound to it.
    pub secret_revision: i64,
    /// Until when the secret before the present one signs too; none where there is none before.
    pub previous_until: Option<Timestamp>,
    /// Grows with each change.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// By whom.
    pub modified_by: UserId,
}

/// How far a webhook is, and how its deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookStanding {
    /// The ledger's sequence number up to which everything is delivered or was not asked for.
    pub sequence: i64,
    /// How often in a row the next event could not be delivered.
    pub attempts: u32,
    /// When to try next; the past for at once.
    pub next_attempt_at: Timestamp,
    /// Since when nothing could be delivered, if the last attempt failed.
    pub failing_since: Option<Timestamp>,
    /// When it was last tried.
    pub last_attempt_at: Option<Timestamp>,
    /// When a delivery was last accepted.
    pub last_success_at: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
}
