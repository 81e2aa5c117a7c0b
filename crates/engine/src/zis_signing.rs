//! By what third parties know that a call is a ZIS integration's: a token that says so, signed with the integration's key.
//!
//! An integration is made with its key. One that is older than such keys, or was imported, gets its key when it is first
//! needed: when the integration is described anew or listed, or a call is to be signed. Making a key takes the processor
//! for some tenth of a second: one is made at a time, away from the threads that answer, and whoever waits for the same
//! one finds it made.
//!
//! What the vendor's tokens say beside being JSON Web Tokens that `jwt_public_key` checks, its public documents leave
//! open; what ours say is in `docs/zendesk.md`.

use std::sync::Arc;
use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_model::{OrgId, Timestamp, ZisIntegration, ZisName};
use claviger_store::{Actor, Change, CommitError, Refusal, signing_key_place};
use claviger_vault::SigningKey;
use serde::Serialize;
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use crate::connections::internal;
use crate::credentials::STALE_RETRIES_MAX;
use crate::{Engine, Error, Thing};

/// Who may wait for a key at once: some ten seconds' work if each needs one of its own. Beyond it, whoever asks is told to
/// come again.
const WAITING_MAX: usize = 128;
/// Keys that one list makes: about two seconds' work. What is left has its turn with the next list, or its first call.
const MADE_BY_LIST_MAX: usize = 16;
/// How long a token is good.
pub const ZIS_TOKEN_LASTS: Duration = Duration::from_secs(60);

/// The one place where keys are made.
pub(crate) struct KeyMaking {
    alone: Arc<Mutex<()>>,
    room: Arc<Semaphore>,
}

/// The exclusive right to make keys. The work holds it too: it lasts until that is over, whoever still waits for it.
pub(crate) struct KeyTurn(Arc<Held>);

struct Held {
    _alone: OwnedMutexGuard<()>,
    _room: OwnedSemaphorePermit,
}

/// A key that was made: the public one in PEM form, and the one to be sealed.
struct MadeKey {
    public_pem: String,
    key: SigningKey,
}

/// What a call proves itself by.
#[derive(Debug)]
pub struct ZisToken {
    /// The token.
    pub text: SecretText,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    iat: i64,
    iss: String,
    sub: String,
}

impl Default for KeyMaking {
    fn default() -> Self {
        Self { alone: Arc::default(), room: Arc::new(Semaphore::new(WAITING_MAX)) }
    }
}

impl KeyMaking {
    /// Waits for its turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait already.
    pub(crate) async fn turn(&self) -> Result<KeyTurn, Error> {
        let room = self.room.clone().try_acquire_owned().map_err(|_| Error::Unavailable(None))?;
        let alone = self.alone.clone().lock_owned().await;
        Ok(KeyTurn(Arc::new(Held { _alone: alone, _room: room })))
    }
}

impl KeyTurn {
    /// Makes a key.
    async fn make(&self) -> Result<MadeKey, Error> {
        let made = self.run(|| {
            let key = SigningKey::generate()?;
            Ok(MadeKey { public_pem: key.public_pem()?, key })
        });
        made.await?.map_err(|error: claviger_vault::SigningKeyError| internal(error))
    }

    /// Does a piece of work. A caller that is given up leaves it to its end, and whoever is next waits for that.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let held = self.0.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(internal)
    }
}

impl Engine {
    /// Gives an integration that is about to be made its key, and gives what is to be kept of it.
    pub(crate) async fn make_signing_key(
        &self,
        turn: &KeyTurn,
        integration: &mut ZisIntegration,
    ) -> Result<Vec<u8>, Error> {
        let made = turn.make().await?;
        let place = signing_key_place(integration.org, integration.id);
        let sealed = self.vault.seal(&place, &made.key.bytes().map_err(internal)?)?;
        integration.jwt_public_key = Some(made.public_pem);
        Ok(sealed)
    }

    /// The integration as it is, with a key; none where it is gone.
    pub(crate) async fn with_signing_key(
        &self,
        found: ZisIntegration,
        actor: &Actor,
    ) -> Result<Option<ZisIntegration>, Error> {
        if found.jwt_public_key.is_some() {
            return Ok(Some(found));
        }
        let (org, name) = (found.org, found.name);
        let turn = self.key_making.turn().await?;
        for _ in 0..STALE_RETRIES_MAX {
            // Whoever had the turn before may have made it.
            let Some(mut integration) = self.store.find_zis_integration(org, &name).await? else {
                return Ok(None);
            };
            if integration.jwt_public_key.is_some() {
                return Ok(Some(integration));
            }
            let Some(secret) = self.store.find_zis_client_secret(org, integration.id).await? else {
                continue;
            };
            let sealed = self.make_signing_key(&turn, &mut integration).await?;
            let change = Change::give_signing_key(&integration, &secret, sealed, actor);
            match self.store.commit(change).await {
                Ok(_) => {
                    integration.revision += 1;
                    return Ok(Some(integration));
                }
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable(None))
    }

    /// Gives those of a list that have no key theirs, but for what would take too long.
    pub(crate) async fn with_signing_keys(
        &self,
        found: Vec<ZisIntegration>,
        actor: &Actor,
    ) -> Result<Vec<ZisIntegration>, Error> {
        let mut all = Vec::with_capacity(found.len());
        let mut left = MADE_BY_LIST_MAX;
        for integration in found {
            let is_lacking = integration.jwt_public_key.is_none();
            if is_lacking && left > 0 {
                left -= 1;
                // What is gone meanwhile is not listed.
                all.extend(self.with_signing_key(integration, actor).await?);
            } else {
                all.push(integration);
            }
        }
        Ok(all)
    }

    /// A token by which a call of an integration's connection proves to `audience`, and to nobody else, whose it is.
    ///
    /// # Errors
    /// [`Error::Absent`] where the org has no such integration any more; [`Error::Unavailable`].
    pub async fn sign_zis_call(
        &self,
        org: OrgId,
        integration: &str,
        connection: &str,
        audience: &str,
    ) -> Result<ZisToken, Error> {
        const ABSENT: Error = Error::Absent(Thing::ZisIntegration);
        let name = ZisName::parse(integration).map_err(|_| ABSENT)?;
        let found = self.store.find_zis_integration(org, &name).await?.ok_or(ABSENT)?;
        let keyed = self.with_signing_key(found, &Actor::SERVER).await?.ok_or(ABSENT)?;
        let sealed = self.store.find_signing_key(org, keyed.id).await?.ok_or(ABSENT)?;
        let opened = self.vault.open(&signing_key_place(org, keyed.id), &sealed)?;
        let iat = self.clock.now().micros().div_euclid(1_000_000);
        let lasts = i64::try_from(ZIS_TOKEN_LASTS.as_secs()).unwrap_or(0);
        let claims = Claims {
            aud: audience,
            exp: iat + lasts,
            iat,
            iss: format!("zis:{integration}"),
            sub: format!("zis:{integration}:{connection}"),
        };
        let claims = serde_json::to_vec(&claims).map_err(internal)?;
        let token = SigningKey::from_opened(&opened).and_then(|key| key.sign_token(&claims));
        let text = SecretText::new(token.map_err(internal)?.as_str().to_owned());
        Ok(ZisToken { text, expires_at: Timestamp::from_micros((iat + lasts) * 1_000_000) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;

    /// How long a busy machine may take to begin.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn one_makes_a_key_some_wait_and_the_rest_is_told_to_come_again() {
        let making = Arc::new(KeyMaking::default());
        let held = making.turn().await.expect("nobody else is there");
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 1..WAITING_MAX {
            let making = making.clone();
            waiting.spawn(async move { making.turn().await.map(drop) });
        }
        let all_wait = async {
            while making.room.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, all_wait).await.expect("there is room for all of them");
        assert!(matches!(making.turn().await, Err(Error::Unavailable(None))));
        assert!(waiting.try_join_next().is_none(), "nobody has a turn beside another");
        drop(held);
        while let Some(done) = waiting.join_next().await {
            done.unwrap().unwrap();
        }
        assert!(making.turn().await.is_ok());
    }

    #[tokio::test]
    async fn no_key_is_made_beside_one_that_nobody_waits_for_any_more() {
        let making = KeyMaking::default();
        let (begun, running) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (open, opened) = std::sync::mpsc::channel::<()>();
        let opened = Arc::new(std::sync::Mutex::new(opened));
        let work = || {
            let (begun, running, opened) = (begun.clone(), running.clone(), opened.clone());
            move || {
                begun.fetch_add(1, SeqCst);
                assert_eq!(running.fetch_add(1, SeqCst), 0, "two at once");
                // Until whoever could open it is gone.
                let _ = opened.lock().map(|opened| opened.recv());
                running.fetch_sub(1, SeqCst);
            }
        };
        for _ in 0..50 {
            let mut one = Box::pin(async { making.turn().await?.run(work()).await });
            // It goes as far as it may, and is given up.
            assert!(tokio::time::timeout(Duration::ZERO, &mut one).await.is_err());
        }
        drop(open);
        making.turn().await.expect("there is room").run(work()).await.expect("it is alone");
        assert_eq!(begun.load(SeqCst), 2, "the first that was given up, and the last");
    }
}
