//! Master keys: which of them the database's keys need, and moving those keys from one to another.
//!
//! Where master keys are kept is the program's matter; here they are rings that it brings.

use std::collections::BTreeMap;

use claviger_store::{Actor, Change, CommitError, Refusal, Rewrapped};
use claviger_vault::{KekId, KekRing, UnlockError, WrappedKey};
use tokio::sync::MutexGuard;

use crate::{Engine, Error};

/// Keys that are wrapped anew in one change: little enough that no request waits noticeably for it.
const KEYS_PER_CHANGE_MAX: usize = 64;

/// The exclusive right to work on master keys. While it is held, no key is made that they would wrap.
pub struct KekWork<'e> {
    engine: &'e Engine,
    _alone: MutexGuard<'e, ()>,
}

/// What needs which master key.
#[derive(Debug, Default)]
pub struct KekUse {
    /// How many keys each master key wraps.
    pub keys: BTreeMap<KekId, usize>,
    /// What does not open.
    pub faults: Vec<UnlockError>,
}

/// Why keys were not wrapped anew.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// A key does not open.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl Engine {
    /// Waits for the exclusive right to work on master keys.
    pub async fn kek_work(&self) -> KekWork<'_> {
        KekWork { engine: self, _alone: self.administration.lock().await }
    }
}

impl KekWork<'_> {
    /// Opens every key of the database, with the ring or, without one, with the master keys in use.
    pub async fn check(&self, keks: Option<&KekRing>) -> Result<KekUse, Error> {
        let mut found = KekUse::default();
        for key in self.keys().await? {
            let opened = match keks {
                Some(keks) => key.check(keks),
                None => self.engine.vault.check(&key),
            };
            found.faults.extend(opened.err());
            *found.keys.entry(key.kek).or_default() += 1;
        }
        Ok(found)
    }

    /// The ids of the master keys in use, the one that wraps first.
    pub fn kek_ids(&self) -> Vec<KekId> {
        self.engine.vault.kek_ids()
    }

    /// From now on wraps and unwraps with these master keys, which must be kept by then.
    pub fn replace(&self, keks: KekRing) {
        self.engine.vault.replace_keks(keks);
    }

    /// Wraps some of the keys anew that the ring's first master key does not wrap yet, and tells how many; none
    /// when all of them are done. With the last of them goes the ledger's entry that the rotation is complete.
    ///
    /// It may stop anywhere: whoever calls it again goes on where it stopped.
    pub async fn rewrap_some(&self, keks: &KekRing) -> Result<usize, RewrapError> {
        let keys = self.keys().await?;
        let mut waiting = keys.into_iter().filter(|key| key.kek != *keks.first_id());
        let mut rewrapped = Vec::with_capacity(KEYS_PER_CHANGE_MAX);
        for key in waiting.by_ref().take(KEYS_PER_CHANGE_MAX) {
            if let Some(now) = self.engine.vault.rewrap(&key, keks)? {
                rewrapped.push(Rewrapped { was: key.kek, key: now });
            }
        }
        if rewrapped.is_empty() {
            return Ok(0);
        }
        let change = match waiting.next() {
            Some(_) => Change::rewrap_vault_keys(&rewrapped),
            None => {
                let mut from: Vec<_> = rewrapped.iter().map(|key| key.was.clone()).collect();
                from.sort();
                from.dedup();
                Change::complete_kek_rotation(&rewrapped, &from, keks.first_id(), &Actor::SERVER)
            }
        };
        self.engine.store.commit(change).await.map_err(Error::from)?;
        Ok(rewrapped.len())
    }

    /// Records that a master key is being taken away; false, and nothing recorded, where a key needs it.
    pub async fn record_removal(&self, id: &KekId) -> Result<bool, Error> {
        match self.engine.store.commit(Change::remove_kek(id, &Actor::SERVER)).await {
            Ok(_) => Ok(true),
            Err(CommitError::Refused(Refusal::Conflict)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn keys(&self) -> Result<Vec<WrappedKey>, Error> {
        Ok(self.engine.store.list_vault_keys().await?)
    }
}
