//! Values at rest: sealed under their org's data key, bound to their place.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use claviger_model::{OrgId, Timestamp};
use subtle::ConstantTimeEq;
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Vault;
use crate::cipher::{Cipher, associated_data};
use crate::kek_ring::KekRing;
use crate::key_list::{HeldKey, KeyList};
use crate::wrapped_key::{KeyPurpose, UnlockError, WrappedKey};

/// The first byte of a sealed value. It is followed by `DEK id 16 | nonce 12 | ciphertext | tag 16`.
const FORMAT: u8 = 1;

/// Where a sealed value stands. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'c> {
    /// Whose it is; also decides under whose key it is sealed.
    pub org: OrgId,
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub row: Uuid,
    /// The column.
    pub column: &'c str,
    /// The row's revision when the value was sealed.
    pub revision: i64,
}

impl Place<'_> {
    fn binding(&self) -> Vec<u8> {
        associated_data(&[
            &[FORMAT],
            self.org.uuid().as_bytes(),
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.column.as_bytes(),
            &self.revision.to_be_bytes(),
        ])
    }
}

/// Why a value was not sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// The bytes do not begin with a format that we know.
    #[error("the sealed value has an unknown format")]
    UnknownFormat,
    /// The value names a data key that is not one of its org's.
    #[error("the sealed value names a data key that its org does not have")]
    UnknownKey,
    /// The org has no data key yet.
    #[error("the org has no data key")]
    NoOrgKey,
    /// The value is damaged, or stands in a place where it was not sealed.
    #[error("the sealed value does not open: it is damaged or was moved")]
    DoesNotOpen,
}

impl Vault {
    /// Seals a value for its place, under the org's newest data key.
    ///
    /// # Errors
    ///
    /// `NoOrgKey` when the org has no data key.
    ///
    /// # Panics
    ///
    /// On values of 64 GiB and more.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let (id, cipher) = self.org_keys.newest(place.org).ok_or(SealError::NoOrgKey)?;
        let header = [&[FORMAT], id.as_bytes().as_slice()].concat();
        Ok(cipher.seal(&place.binding(), &header, plain, self.random()))
    }

    /// Opens a value that was sealed for this place, under whichever of the org's data keys.
    ///
    /// # Errors
    ///
    /// When the value was not sealed by us for this place, was altered, or its key is not here.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let rest = sealed.strip_prefix(&[FORMAT]).ok_or(SealError::UnknownFormat)?;
        let (id, body) = rest.split_first_chunk().ok_or(SealError::DoesNotOpen)?;
        let cipher = self.org_keys.find(place.org, Uuid::from_bytes(*id))?;
        cipher.open(&place.binding(), body).ok_or(SealError::DoesNotOpen)
    }
}

impl Vault {
    /// Whether a sealed value is this one, without handing it out; compared in constant time.
    ///
    /// # Errors
    ///
    /// When it does not open, as [`Vault::open`]'s.
    pub fn is_sealed(&self, place: &Place<'_>, sealed: &[u8], plain: &[u8]) -> Result<bool, SealError> {
        Ok(self.open(place, sealed)?.as_slice().ct_eq(plain).into())
    }
}

/// The data keys of all orgs. Behind a lock, since orgs come while the server runs; it is held for a look-up only.
#[derive(Default)]
pub(super) struct OrgKeys(RwLock<HashMap<OrgId, KeyList<Cipher>>>);

impl OrgKeys {
    pub(super) fn add(&self, key: &WrappedKey, keks: &KekRing) -> Result<(), UnlockError> {
        let (KeyPurpose::OrgData, Some(org)) = (key.purpose, key.org) else {
            return Err(UnlockError::Damaged { key: key.id });
        };
        let cipher = Cipher::new(&key.unwrap_with(&[keks])?);
        let held = HeldKey { id: key.id, created_at: key.created_at, key: Arc::new(cipher) };
        // Here and below: a list is changed by one insertion, so a panic elsewhere cannot have left half of one.
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match keys.entry(org) {
            Entry::Occupied(mut list) => list.get_mut().insert(held),
            Entry::Vacant(place) => {
                place.insert(KeyList::new(held));
            }
        }
        Ok(())
    }

    fn newest(&self, org: OrgId) -> Option<(Uuid, Arc<Cipher>)> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let held = keys.get(&org)?.first();
        Some((held.id, Arc::clone(&held.key)))
    }

    /// The first moment at which a key of this org would be the newest.
    pub(super) fn after_newest(&self, org: OrgId) -> Option<Timestamp> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(keys.get(&org)?.first().created_at + Duration::from_micros(1))
    }

    fn find(&self, org: OrgId, id: Uuid) -> Result<Arc<Cipher>, SealError> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let list = keys.get(&org).ok_or(SealError::NoOrgKey)?;
        list.find(id).map(Arc::clone).ok_or(SealError::UnknownKey)
    }
}
