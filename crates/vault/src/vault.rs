//! The vault: every key below the master keys, unlocked and ready.
//!
//! What it does with them stands beside it: [`digests`] finds issued secrets, [`proofs`] makes the ledger
//! tamper-evident, [`sealing`] keeps values. Here keys are made, unlocked and rewrapped.

pub(crate) mod digests;
pub(crate) mod proofs;
pub(crate) mod sealing;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use claviger_model::{OrgId, Random, Timestamp};

use crate::kek::KekId;
use crate::kek_ring::KekRing;
use crate::key_list::{HeldKey, KeyList};
use crate::raw_key::RawKey;
use crate::wrapped_key::{KeyPurpose, UnlockError, WrappedKey};
use sealing::OrgKeys;

/// The purposes without which a database does not work, in the order in which their keys are made.
const SERVER_PURPOSES: [KeyPurpose; 3] = [KeyPurpose::Digest, KeyPurpose::LedgerMac, KeyPurpose::Checkpoint];

/// Keys ready for use. Share it behind an `Arc`; `Debug` shows nothing of what it holds.
pub struct Vault {
    keks: RwLock<KekRing>,
    random: Arc<dyn Random>,
    digest_keys: KeyList<RawKey>,
    ledger_keys: KeyList<hmac::Key>,
    checkpoint_keys: KeyList<Ed25519KeyPair>,
    org_keys: OrgKeys,
}

impl Vault {
    /// A vault for a new database, and the keys to store in it before anything else: one each to digest, for the
    /// ledger and for checkpoints.
    pub fn create(keks: KekRing, random: Arc<dyn Random>, now: Timestamp) -> (Self, Vec<WrappedKey>) {
        let keys = SERVER_PURPOSES
            .map(|purpose| WrappedKey::generate(purpose, None, keks.first(), random.as_ref(), now))
            .to_vec();
        let vault =
            Self::unlock(keks, random, keys.clone()).expect("keys open with the ring that wrapped them");
        (vault, keys)
    }

    /// A vault with all keys of a database, in any order. The newest of each purpose (and org) writes, every one
    /// reads.
    ///
    /// # Errors
    ///
    /// When a key's master key is not in the ring, a key's row was altered, or a purpose has no key.
    pub fn unlock(
        keks: KekRing,
        random: Arc<dyn Random>,
        keys: Vec<WrappedKey>,
    ) -> Result<Self, UnlockError> {
        let org_keys = OrgKeys::default();
        for key in keys.iter().filter(|key| key.purpose == KeyPurpose::OrgData) {
            org_keys.add(key, &keks)?;
        }
        Ok(Self {
            digest_keys: unlock_all(&keks, &keys, KeyPurpose::Digest, |raw| raw)?,
            ledger_keys: unlock_all(&keks, &keys, KeyPurpose::LedgerMac, |raw| proofs::mac_key(&raw))?,
            checkpoint_keys: unlock_all(&keks, &keys, KeyPurpose::Checkpoint, |raw| {
                proofs::signing_key(&raw)
            })?,
            org_keys,
            random,
            keks: RwLock::new(keks),
        })
    }

    /// A new data key for an org, wrapped. Store it, then [`add_org_key`](Self::add_org_key): until then nothing is
    /// sealed under it, so that no value exists whose key was not kept.
    ///
    /// It is newer than every key of that org in use here, whatever the clock says: one that was never stored
    /// after all must not be the one that seals.
    pub fn generate_org_key(&self, org: OrgId, now: Timestamp) -> WrappedKey {
        let now = self.org_keys.after_newest(org).map_or(now, |after| now.max(after));
        WrappedKey::generate(KeyPurpose::OrgData, Some(org), self.keks().first(), self.random(), now)
    }

    /// Takes an org's data key into use: from now on the org's newest one seals. A key that is in use already
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// When its master key is not at hand, its row was altered, or it is no org's data key (`Damaged`).
    pub fn add_org_key(&self, key: &WrappedKey) -> Result<(), UnlockError> {
        self.org_keys.add(key, &self.keks())
    }

    /// The same key under `to`'s first master key; nothing when it is so already. It is opened in either case, with
    /// this vault's master keys or those of `to`, so that what is not reported as damaged is known to open.
    ///
    /// # Errors
    ///
    /// When neither ring has its master key, or its row was altered.
    pub fn rewrap(&self, key: &WrappedKey, to: &KekRing) -> Result<Option<WrappedKey>, UnlockError> {
        let raw = key.unwrap_with(&[&self.keks(), to])?;
        let is_done = key.kek == *to.first_id();
        Ok((!is_done).then(|| key.wrap(&raw, to.first(), self.random())))
    }

    /// Whether a key opens with the master keys at hand.
    ///
    /// # Errors
    ///
    /// When its master key is not at hand, or its row was altered.
    pub fn check(&self, key: &WrappedKey) -> Result<(), UnlockError> {
        key.check(&self.keks())
    }

    /// From now on wraps and unwraps with these master keys. Keys already unlocked stay in use.
    ///
    /// A rotation calls this before it rewraps: otherwise a data key that is made meanwhile would still be wrapped
    /// under the old master key, and be lost with it.
    pub fn replace_keks(&self, keks: KekRing) {
        *self.keks.write().unwrap_or_else(PoisonError::into_inner) = keks;
    }

    /// The ids of the master keys at hand, the one that wraps first.
    pub fn kek_ids(&self) -> Vec<KekId> {
        self.keks().ids().cloned().collect()
    }

    /// The randomness that the vault uses.
    pub fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    fn keks(&self) -> RwLockReadGuard<'_, KekRing> {
        // A ring is replaced whole, so a panic elsewhere cannot have left half of one.
        self.keks.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

fn unlock_all<T>(
    keks: &KekRing,
    keys: &[WrappedKey],
    purpose: KeyPurpose,
    prepare: impl Fn(RawKey) -> T,
) -> Result<KeyList<T>, UnlockError> {
    let unlock = |key: &WrappedKey| {
        let raw = key.unwrap_with(&[keks])?;
        Ok(HeldKey { id: key.id, created_at: key.created_at, key: Arc::new(prepare(raw)) })
    };
    let held = keys.iter().filter(|key| key.purpose == purpose).map(unlock).collect::<Result<_, _>>()?;
    KeyList::collect(held).ok_or(UnlockError::Missing { purpose })
}
