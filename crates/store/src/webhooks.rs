//! Webhooks: making, changing, deleting and finding them. How far each of them is, is in
//! [`crate::webhook_standings`].

use claviger_model::{EventType, OrgId, Timestamp, UserId, Webhook, WebhookId};
use serde_json::json;

use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

/// The most webhooks that an org may have: each costs work with every event.
pub const WEBHOOKS_PER_ORG_MAX: u32 = 20;

/// A webhook's sealed secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSecrets {
    /// The present one.
    pub present: Vec<u8>,
    /// The one before.
    pub previous: Option<Vec<u8>>,
}

/// The columns of a webhook; read by [`read_webhook`].
pub(crate) const COLUMNS: &str =
    "w.id, w.org_id, w.url, w.events, w.enabled, w.secret_revision, w.previous_until,
     w.revision, w.created_at, w.created_by, w.modified_at, w.modified_by";
/// How many [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 12;

pub(crate) fn read_webhook(row: &dyn Row) -> Result<Webhook, StoreError> {
    let events = row.get::<String>(3)?;
    let events: Result<Vec<EventType>, _> = events.split_ascii_whitespace().map(str::parse).collect();
    Ok(Webhook {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        url: row.parsed(2)?,
        events: events.map_err(|_| StoreError::damaged("a webhook has an unknown event"))?,
        is_enabled: row.get(4)?,
        secret_revision: row.get(5)?,
        previous_until: row.opt(6)?,
        revision: row.get(7)?,
        created_at: row.get(8)?,
        created_by: row.parsed(9)?,
        modified_at: row.get(10)?,
        modified_by: row.parsed(11)?,
    })
}

/// The events as their column has them.
pub(crate) fn events_text(events: &[EventType]) -> String {
    events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(" ")
}

fn subject(id: WebhookId) -> (&'static str, String) {
    ("webhook", id.to_string())
}

impl Change {
    /// Makes a webhook that is told of what happens from now on.
    ///
    /// Refused with [`Refusal::LimitReached`] beyond [`WEBHOOKS_PER_ORG_MAX`].
    pub fn create_webhook(webhook: &Webhook, secret: Vec<u8>, actor: &Actor) -> Self {
        let detail = json!({ "events": events_text(&webhook.events), "shown": true });
        let detail = state::with_states(detail, [state::webhook(webhook, false)]);
        Self::new(webhook.org, actor, "webhook.created", subject(webhook.id), detail)
            .one(
                "INSERT INTO webhooks (id, org_id, url, events, enabled, secret, secret_revision, revision,
                     created_at, created_by, modified_at, modified_by)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
                 WHERE (SELECT COUNT(*) FROM webhooks WHERE org_id = $2 AND deleted_at IS NULL) < $13",
                params![
                    webhook.id,
                    webhook.org,
                    webhook.url.as_str(),
                    events_text(&webhook.events),
                    webhook.is_enabled,
                    secret,
                    webhook.secret_revision,
                    webhook.revision,
                    webhook.created_at,
                    webhook.created_by,
                    webhook.modified_at,
                    webhook.modified_by,
                    WEBHOOKS_PER_ORG_MAX,
                ],
                Refusal::LimitReached,
            )
            .one(
                "INSERT INTO webhook_standings (webhook_id, sequence, attempts, next_attempt_at)
                 SELECT $1, sequence, 0, 0 FROM ledger_head WHERE one = 1",
                params![webhook.id],
                Refusal::Conflict,
            )
    }

    /// Changes a webhook. `webhook` is the new state, with the revision that was read, and `read` what was read; with
    /// `secrets`, it has new ones. One that is enabled again is told of what happens from then on.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is gone.
    pub fn update_webhook(
        webhook: &Webhook,
        read: &Webhook,
        secrets: Option<WebhookSecrets>,
        actor: &Actor,
    ) -> Self {
        let detail = json!({ "events": events_text(&webhook.events), "shown": secrets.is_some() });
        let detail = state::with_states(detail, [state::webhook(webhook, false)]);
        let mut change = Self::new(webhook.org, actor, "webhook.updated", subject(webhook.id), detail).one(
            "UPDATE webhooks SET url = $1, events = $2, enabled = $3, secret_revision = $4, previous_until = $5,
                 modified_at = $6, modified_by = $7, revision = revision + 1
             WHERE id = $8 AND org_id = $9 AND revision = $10 AND deleted_at IS NULL",
            params![
                webhook.url.as_str(),
                events_text(&webhook.events),
                webhook.is_enabled,
                webhook.secret_revision,
                webhook.previous_until,
                webhook.modified_at,
                webhook.modified_by,
                webhook.id,
                webhook.org,
                webhook.revision,
            ],
            Refusal::Stale,
        );
        if let Some(secrets) = secrets {
            change = change.one(
                "UPDATE webhooks SET secret = $1, previous_secret = $2 WHERE id = $3 AND org_id = $4",
                params![secrets.present, secrets.previous, webhook.id, webhook.org],
                Refusal::Stale,
            );
        }
        match webhook.is_enabled && !read.is_enabled {
            false => change,
            true => change.one(
                "UPDATE webhook_standings SET sequence = (SELECT sequence FROM ledger_head WHERE one = 1),
                     attempts = 0, next_attempt_at = 0, failing_since = NULL, last_error = NULL
                 WHERE webhook_id = $1",
                params![webhook.id],
                Refusal::Conflict,
            ),
        }
    }

    /// Deletes a webhook; its secrets are erased. `webhook` is what was read.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is gone.
    pub fn delete_webhook(webhook: &Webhook, at: Timestamp, by: UserId, actor: &Actor) -> Self {
        let gone = Webhook { is_enabled: false, previous_until: None, ..webhook.clone() };
        let detail = state::with_states(json!({}), [state::webhook(&gone, true)]);
        Self::new(webhook.org, actor, "webhook.deleted", subject(webhook.id), detail)
            .one(
                "UPDATE webhooks SET deleted_at = $1, modified_at = $1, modified_by = $2, enabled = 0, secret = NULL,
                     previous_secret = NULL, previous_until = NULL, revision = revision + 1
                 WHERE id = $3 AND org_id = $4 AND revision = $5 AND deleted_at IS NULL",
                params![at, by, webhook.id, webhook.org, webhook.revision],
                Refusal::Stale,
            )
            .any("DELETE FROM webhook_standings WHERE webhook_id = $1", params![webhook.id])
    }

    /// Records that a webhook is to be told of a test; changes nothing else.
    ///
    /// Refused with [`Refusal::Absent`] where the org has no such webhook, or it is not enabled.
    pub fn test_webhook(org: OrgId, id: WebhookId, actor: &Actor) -> Self {
        Self::new(org, actor, "webhook.tested", subject(id), json!({})).require(
            "SELECT 1 FROM webhooks WHERE id = $1 AND org_id = $2 AND enabled = 1 AND deleted_at IS NULL",
            params![id, org],
            Refusal::Absent,
        )
    }
}

impl Store {
    /// The sealed secrets of a webhook that is there.
    pub async fn find_webhook_secrets(
        &self,
        org: OrgId,
        id: WebhookId,
    ) -> Result<Option<WebhookSecrets>, StoreError> {
        let sql = "SELECT secret, previous_secret FROM webhooks WHERE id = $1 AND org_id = $2 AND deleted_at IS NULL";
        let read = |row: &dyn Row| Ok(WebhookSecrets { present: row.get(0)?, previous: row.opt(1)? });
        self.row(sql, &params![id, org], read).await
    }
}
