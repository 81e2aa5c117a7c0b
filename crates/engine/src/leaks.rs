//! Secrets that were found where they should not be: whoever holds one may report it, and needs nothing else.

use claviger_model::{Credential, CredentialId, Leak, LeakId, LeakPolicy, OrgId};
use claviger_store::{Actor, Change, CommitError, Refusal};

use crate::credentials::STALE_RETRIES_MAX;
use crate::{Engine, Error, Origin};

/// A report of a found secret.
#[derive(Clone, Copy)]
pub struct LeakReport<'a> {
    /// The secret.
    pub secret: &'a str,
    /// Who found it.
    pub source: Option<&'a str>,
    /// Where.
    pub url: Option<&'a str>,
}

enum Found {
    Live(Box<Credential>),
    /// Ours once.
    Dead,
    Nothing,
}

/// What stands in place of a secret that a report repeats in its other words.
const REMOVED: &str = "[secret]";

impl Engine {
    /// Takes a report: the live credential to which the secret belongs is revoked or marked, as its org wants, by the
    /// time this returns. Tells whether we ever issued
    /// the secret; whoever may not be told that is not.
    ///
    /// A secret that is known revokes even the org's last API key: a key that strangers have is worse than none.
    pub async fn report_leak(&self, report: LeakReport<'_>, origin: Origin) -> Result<bool, Error> {
        let actor = Actor {
            user: None,
            credentials: Vec::new(),
            registered: None,
            from: origin.address.map(|address| address.to_string()),
            request: Some(origin.request),
        };
        for _ in 0..STALE_RETRIES_MAX {
            let found = self.find_leaked(report.secret).await?;
            let Found::Live(credential) = found else {
                // Whoever removed it may not be done yet, and "it is gone" must be as good as having done it.
                self.settle().await?;
                return Ok(matches!(found, Found::Dead));
            };
            let policy = self.org(credential.org).await?.settings.leaks;
            let known = self.store.find_leak(credential.org, credential.id).await?;
            if known.is_some() && policy == LeakPolicy::Mark {
                self.settle().await?;
                return Ok(true);
            }
            let is_new = known.is_none();
            let leak = match known {
                // Marked before, and the org wants it dead by now.
                Some(leak) => Leak { at: self.clock.now(), ..leak },
                None => self.leak(&credential, report),
            };
            let live = match policy {
                LeakPolicy::Revoke => None,
                LeakPolicy::Mark => Some(self.live_secrets(credential.id).await?),
            };
            let change = Change::report_leak(&credential, &leak, is_new, live.as_deref(), &actor);
            match self.store.commit(change).await {
                Ok(_) => return Ok(true),
                Err(CommitError::Refused(Refusal::Stale | Refusal::Conflict)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    fn leak(&self, credential: &Credential, report: LeakReport<'_>) -> Leak {
        let without = |text: &str| text.replace(report.secret, REMOVED);
        Leak {
            id: LeakId::generate(self.vault.random()),
            org: credential.org,
            credential: credential.id,
            at: self.clock.now(),
            source: report.source.map(&without),
            url: report.url.map(&without),
        }
    }

    /// Whose a secret is, in whichever org.
    async fn find_leaked(&self, secret: &str) -> Result<Found, Error> {
        let digests: Vec<_> = self.vault.digests(secret.as_bytes()).collect();
        for digest in digests {
            let Some(known) = self.store.find_known_secret(&digest).await? else { continue };
            // A secret that was replaced dies at the end of its grace, which no entry tells.
            let is_over = known.valid_until.is_some_and(|end| end <= self.clock.now());
            if !known.is_live || is_over {
                return Ok(Found::Dead);
            }
            let found = self.store.find_credential(known.org, known.credential).await?;
            return Ok(found
                .filter(|found| found.state.is_live())
                .map_or(Found::Dead, |found| Found::Live(Box::new(found))));
        }
        Ok(Found::Nothing)
    }

    /// The leaks of these credentials of an org, as far as any are known.
    pub async fn leaks_of(&self, org: OrgId, ids: &[CredentialId]) -> Result<Vec<Leak>, Error> {
        Ok(self.store.list_leaks_of(org, ids).await?)
    }
}
