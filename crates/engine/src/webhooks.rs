//! Webhooks: an org's own, for whoever manages the org.

use std::time::Duration;

use claviger_model::{EventType, OrgId, Target, Timestamp, Webhook, WebhookId, WebhookStanding};
use claviger_store::{Change, CommitError, Refusal, WEBHOOKS_PER_ORG_MAX, WebhookSecrets};
use claviger_vault::{Place, WebhookSecret};

use crate::credentials::STALE_RETRIES_MAX;
use crate::permit::rights::OrgManagement;
use crate::{Changed, Engine, Error, Permit, Thing};

/// For so long after a rotation, events are signed with the secret before too: time to change receivers one by one.
pub const ROTATION_OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);

/// A new webhook.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where events go.
    pub url: Target,
    /// Which.
    pub events: Vec<EventType>,
    /// Whether it is told of anything yet.
    pub is_enabled: bool,
}

/// Changes of a webhook; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Where events go.
    pub url: Option<Target>,
    /// Which.
    pub events: Option<Vec<EventType>>,
    /// Whether it is told of anything. One that is enabled again is told of what happens from then on.
    pub is_enabled: Option<bool>,
    /// Whether it gets a new secret.
    pub is_secret_new: bool,
}

/// A webhook, with its secret where that is new.
#[derive(Debug)]
pub struct ShownWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// How its deliveries go.
    pub standing: WebhookStanding,
    /// Its secret.
    pub secret: Option<WebhookSecret>,
}

fn place(org: OrgId, id: WebhookId, revision: i64) -> Place<'static> {
    Place { org, table: "webhooks", row: id.uuid(), column: "secret", revision }
}

/// In order and each once, so that asking for the same in another way is no change.
fn tidy(mut events: Vec<EventType>) -> Vec<EventType> {
    events.sort_unstable();
    events.dedup();
    events
}

impl Engine {
    /// Makes a webhook, and shows its secret.
    ///
    /// # Errors
    /// [`Error::LimitReached`] beyond the limit for an org.
    pub async fn create_webhook(
        &self,
        permit: &Permit<OrgManagement>,
        new: NewWebhook,
    ) -> Result<Changed<ShownWebhook>, Error> {
        let (random, now) = (self.vault.random(), self.clock.now());
        let webhook = Webhook {
            id: WebhookId::generate(random),
            org: permit.org(),
            url: new.url,
            events: tidy(new.events),
            is_enabled: new.is_enabled,
            secret_revision: 1,
            previous_until: None,
            revision: 1,
            created_at: now,
            created_by: permit.user(),
            modified_at: now,
            modified_by: permit.user(),
        };
        let secret = WebhookSecret::generate(random);
        let sealed = self.vault.seal(&place(webhook.org, webhook.id, 1), secret.bytes())?;
        match self.store.commit(Change::create_webhook(&webhook, sealed, &permit.actor())).await {
            Ok(position) => {
                let standing = self.find_webhook(permit, webhook.id).await?.1;
                Ok(Changed { value: ShownWebhook { webhook, standing, secret: Some(secret) }, position })
            }
            Err(CommitError::Refused(Refusal::LimitReached)) => {
                Err(Error::LimitReached { thing: Thing::Webhook, max: WEBHOOKS_PER_ORG_MAX })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The org's webhooks, oldest first.
    pub async fn list_webhooks(
        &self,
        permit: &Permit<OrgManagement>,
    ) -> Result<Vec<(Webhook, WebhookStanding)>, Error> {
        Ok(self.store.list_webhooks(permit.org()).await?)
    }

    /// One webhook.
    pub async fn find_webhook(
        &self,
        permit: &Permit<OrgManagement>,
        id: WebhookId,
    ) -> Result<(Webhook, WebhookStanding), Error> {
        match self.store.find_webhook(permit.org(), id).await? {
            Some(found) => Ok(found),
            None => {
                self.settle().await?;
                Err(Error::Absent(Thing::Webhook))
            }
        }
    }

    /// Changes a webhook, and shows its secret where it got a new one.
    pub async fn update_webhook(
        &self,
        permit: &Permit<OrgManagement>,
        id: WebhookId,
        patch: &WebhookPatch,
    ) -> Result<Changed<ShownWebhook>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let (read, standing) = self.find_webhook(permit, id).await?;
            let mut webhook = read.clone();
            patch.apply(&mut webhook);
            let rotated = match patch.is_secret_new {
                true => Some(self.rotate_secret(&mut webhook).await?),
                false => None,
            };
            if webhook == read {
                let value = ShownWebhook { webhook, standing, secret: None };
                return Ok(Changed { value, position: self.applied() });
            }
            webhook.modified_at = self.clock.now().max(read.modified_at);
            webhook.modified_by = permit.user();
            let (secret, sealed) = rotated.unzip();
            let change = Change::update_webhook(&webhook, &read, sealed, &permit.actor());
            match self.store.commit(change).await {
                Ok(position) => {
                    webhook.revision += 1;
                    let standing = self.find_webhook(permit, id).await?.1;
                    return Ok(Changed { value: ShownWebhook { webhook, standing, secret }, position });
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Puts a new secret in the place of the present one, which becomes the one before.
    async fn rotate_secret(&self, webhook: &mut Webhook) -> Result<(WebhookSecret, WebhookSecrets), Error> {
        let found = self.store.find_webhook_secrets(webhook.org, webhook.id).await?;
        let previous = found.ok_or(Error::Absent(Thing::Webhook))?.present;
        webhook.secret_revision += 1;
        webhook.previous_until = Some(self.clock.now() + ROTATION_OVERLAP);
        let secret = WebhookSecret::generate(self.vault.random());
        let place = place(webhook.org, webhook.id, webhook.secret_revision);
        let present = self.vault.seal(&place, secret.bytes())?;
        Ok((secret, WebhookSecrets { present, previous: Some(previous) }))
    }

    /// Deletes a webhook, and erases its secrets.
    pub async fn delete_webhook(
        &self,
        permit: &Permit<OrgManagement>,
        id: WebhookId,
    ) -> Result<Changed<()>, Error> {
        for _ in 0..STALE_RETRIES_MAX {
            let (webhook, _) = self.find_webhook(permit, id).await?;
            let (at, by) = (self.clock.now(), permit.user());
            match self.store.commit(Change::delete_webhook(&webhook, at, by, &permit.actor())).await {
                Ok(position) => return Ok(Changed { value: (), position }),
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Has a webhook be told of a test, in its turn.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is not enabled.
    pub async fn test_webhook(
        &self,
        permit: &Permit<OrgManagement>,
        id: WebhookId,
    ) -> Result<Changed<()>, Error> {
        if !self.find_webhook(permit, id).await?.0.is_enabled {
            let reason = "is false: only an enabled webhook can be tested".to_owned();
            return Err(Error::Invalid(vec![crate::FieldError { field: "enabled".to_owned(), reason }]));
        }
        match self.store.commit(Change::test_webhook(permit.org(), id, &permit.actor())).await {
            Ok(position) => Ok(Changed { value: (), position }),
            Err(CommitError::Refused(Refusal::Absent)) => Err(Error::Absent(Thing::Webhook)),
            Err(error) => Err(error.into()),
        }
    }

    /// The secrets that sign what a webhook is told now, the present one first.
    pub async fn signing_secrets(
        &self,
        webhook: &Webhook,
        now: Timestamp,
    ) -> Result<Vec<WebhookSecret>, Error> {
        let found = self.store.find_webhook_secrets(webhook.org, webhook.id).await?;
        let found = found.ok_or(Error::Absent(Thing::Webhook))?;
        let open = |revision, sealed: &[u8]| {
            let opened = self.vault.open(&place(webhook.org, webhook.id, revision), sealed)?;
            Ok::<_, Error>(WebhookSecret::from_opened(opened))
        };
        let mut secrets = vec![open(webhook.secret_revision, &found.present)?];
        if let Some(sealed) =
            found.previous.filter(|_| webhook.previous_until.is_some_and(|until| now < until))
        {
            secrets.push(open(webhook.secret_revision - 1, &sealed)?);
        }
        Ok(secrets)
    }
}

impl WebhookPatch {
    fn apply(&self, webhook: &mut Webhook) {
        if let Some(url) = &self.url {
            webhook.url = url.clone();
        }
        if let Some(events) = &self.events {
            webhook.events = tidy(events.clone());
        }
        webhook.is_enabled = self.is_enabled.unwrap_or(webhook.is_enabled);
    }
}
