//! How far each webhook is, and the entries that it is to be told of. Nothing of this is in the ledger.

use claviger_model::{OrgId, Timestamp, Webhook, WebhookId, WebhookStanding};

use crate::value::{Row, Value, params};
use crate::webhooks::{COLUMN_COUNT, COLUMNS, read_webhook};
use crate::{Change, CommitError, Entry, Store, StoreError};

const STANDING: &str = "s.sequence, s.attempts, s.next_attempt_at, s.failing_since, s.last_attempt_at,
     s.last_success_at, s.last_error";

fn read_both(row: &dyn Row) -> Result<(Webhook, WebhookStanding), StoreError> {
    let at = COLUMN_COUNT;
    let standing = WebhookStanding {
        sequence: row.get(at)?,
        attempts: row.get(at + 1)?,
        next_attempt_at: row.get(at + 2)?,
        failing_since: row.opt(at + 3)?,
        last_attempt_at: row.opt(at + 4)?,
        last_success_at: row.opt(at + 5)?,
        last_error: row.opt(at + 6)?,
    };
    Ok((read_webhook(row)?, standing))
}

impl Store {
    /// The webhooks of an org, oldest first.
    pub async fn list_webhooks(&self, org: OrgId) -> Result<Vec<(Webhook, WebhookStanding)>, StoreError> {
        self.webhooks("w.org_id = $1 AND w.deleted_at IS NULL", params![org]).await
    }

    /// One webhook of an org.
    pub async fn find_webhook(
        &self,
        org: OrgId,
        id: WebhookId,
    ) -> Result<Option<(Webhook, WebhookStanding)>, StoreError> {
        let condition = "w.id = $1 AND w.org_id = $2 AND w.deleted_at IS NULL";
        Ok(self.webhooks(condition, params![id, org]).await?.into_iter().next())
    }

    /// Every enabled webhook of every org that is not disabled, whoever waits longest first.
    pub async fn list_enabled_webhooks(&self) -> Result<Vec<(Webhook, WebhookStanding)>, StoreError> {
        let condition = "w.enabled = 1 AND w.deleted_at IS NULL
             AND EXISTS (SELECT 1 FROM orgs o WHERE o.id = w.org_id AND o.disabled_at IS NULL)";
        let mut found = self.webhooks(condition, params![]).await?;
        found.sort_by_key(|(_, standing)| standing.last_attempt_at.map(Timestamp::micros));
        Ok(found)
    }

    async fn webhooks(
        &self,
        condition: &str,
        params: Vec<Value>,
    ) -> Result<Vec<(Webhook, WebhookStanding)>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, {STANDING} FROM webhooks w JOIN webhook_standings s ON s.webhook_id = w.id
             WHERE {condition} ORDER BY w.created_at, w.id"
        );
        let mut found = Vec::new();
        self.each(&sql, &params, |row| Ok(found.push(read_both(row)?))).await?;
        Ok(found)
    }

    /// Up to `limit` entries of an org after a sequence number and up to another, oldest first.
    pub async fn list_entries_of_org(
        &self,
        org: OrgId,
        after: i64,
        through: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT sequence, epoch, id, at, org_id, action, subject_kind, subject_id, actor, change, mac_key, mac
                   FROM ledger WHERE org_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4";
        self.rows(sql, &params![org, after, through, limit], Entry::read).await
    }

    /// Notes how far webhooks are. What was deleted, or was set further meanwhile, stays as it is.
    pub async fn record_webhook_standings(
        &self,
        standings: &[(WebhookId, WebhookStanding)],
    ) -> Result<(), CommitError> {
        let update = |change: Change, (id, standing): &(WebhookId, WebhookStanding)| {
            change.any(
                "UPDATE webhook_standings SET sequence = $1, attempts = $2, next_attempt_at = $3, failing_since = $4,
                     last_attempt_at = $5, last_success_at = $6, last_error = $7
                 WHERE webhook_id = $8 AND sequence <= $1",
                params![
                    standing.sequence,
                    standing.attempts,
                    standing.next_attempt_at,
                    standing.failing_since,
                    standing.last_attempt_at,
                    standing.last_success_at,
                    standing.last_error.clone(),
                    *id,
                ],
            )
        };
        self.commit(standings.iter().fold(Change::unrecorded(), update)).await.map(|_| ())
    }
}
