//! Keys as the database keeps them: wrapped under a master key, bound to what they are for.

use std::fmt;
use std::str::FromStr;

use claviger_model::{OrgId, Random, Timestamp};
use thiserror::Error;
use uuid::Uuid;

use crate::cipher::associated_data;
use crate::kek::{Kek, KekId};
use crate::kek_ring::KekRing;
use crate::raw_key::RawKey;

/// The first byte of a wrapped key.
const FORMAT: u8 = 1;

/// What a key is for. The text form stands in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Issued secrets are found by their digest under it.
    Digest,
    /// Ledger entries carry a MAC under it.
    LedgerMac,
    /// Ledger positions are signed with it.
    Checkpoint,
    /// An org's values are sealed under it.
    OrgData,
}

impl KeyPurpose {
    const ALL: [Self; 4] = [Self::Digest, Self::LedgerMac, Self::Checkpoint, Self::OrgData];

    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::LedgerMac => "ledger_mac",
            Self::Checkpoint => "checkpoint",
            Self::OrgData => "org_data",
        }
    }
}

impl fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no purpose of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such purpose of a key")]
pub struct ParsePurposeError;

impl FromStr for KeyPurpose {
    type Err = ParsePurposeError;

    fn from_str(text: &str) -> Result<Self, ParsePurposeError> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or(ParsePurposeError)
    }
}

/// A vault key as the database keeps it. It opens only with every field as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Its name, by which digests, MACs, signatures and sealed values say which key made them.
    pub id: Uuid,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whose values it seals; nothing for the other purposes.
    pub org: Option<OrgId>,
    /// The master key that wraps it.
    pub kek: KekId,
    /// `format 1 | nonce 12 | ciphertext 32 | tag 16`, AES-256-GCM under the master key.
    pub wrapped: Vec<u8>,
    /// When the key was made, not when it was last wrapped. The newest of a purpose is the one that writes.
    pub created_at: Timestamp,
}

impl WrappedKey {
    /// A new random key.
    pub(crate) fn generate(
        purpose: KeyPurpose,
        org: Option<OrgId>,
        kek: &Kek,
        random: &dyn Random,
        now: Timestamp,
    ) -> Self {
        let mut id = [0; 16];
        random.fill(&mut id);
        let id = uuid::Builder::from_random_bytes(id).into_uuid();
        let unwrapped = Self { id, purpose, org, kek: kek.id.clone(), wrapped: Vec::new(), created_at: now };
        unwrapped.wrap(&RawKey::generate(random), kek, random)
    }

    /// Whether it opens with a master key of this ring.
    ///
    /// # Errors
    ///
    /// When its master key is not in the ring, or its row was altered.
    pub fn check(&self, keks: &KekRing) -> Result<(), UnlockError> {
        self.unwrap_with(&[keks]).map(drop)
    }

    /// The same key under that master key.
    pub(crate) fn wrap(&self, raw: &RawKey, kek: &Kek, random: &dyn Random) -> Self {
        let mut key = Self { kek: kek.id.clone(), wrapped: Vec::new(), ..self.clone() };
        key.wrapped = kek.cipher.seal(&key.binding(), &[FORMAT], raw.bytes(), random);
        key
    }

    /// The key itself, opened with the master key of that id in any of the rings.
    pub(crate) fn unwrap_with(&self, rings: &[&KekRing]) -> Result<RawKey, UnlockError> {
        let Some(kek) = rings.iter().find_map(|ring| ring.find(&self.kek)) else {
            let mut have: Vec<KekId> = rings.iter().flat_map(|ring| ring.ids()).cloned().collect();
            have.sort();
            have.dedup();
            return Err(UnlockError::WrongKek { wanted: self.kek.clone(), have });
        };
        let sealed = self.wrapped.strip_prefix(&[FORMAT]);
        sealed
            .and_then(|sealed| kek.cipher.open(&self.binding(), sealed))
            .and_then(|bytes| RawKey::from_slice(&bytes))
            .ok_or(UnlockError::Damaged { key: self.id })
    }

    /// Binds the wrapped bytes to the rest of the row. The moment is in it because it decides which key writes: a
    /// retired key must not become the newest by an edit.
    fn binding(&self) -> Vec<u8> {
        let org = self.org.map(OrgId::uuid);
        associated_data(&[
            &[FORMAT],
            self.id.as_bytes(),
            self.purpose.as_str().as_bytes(),
            org.as_ref().map_or(&[], |org| org.as_bytes()),
            self.kek.as_bytes(),
            &self.created_at.micros().to_be_bytes(),
        ])
    }
}

/// Why a vault cannot use the keys it was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnlockError {
    /// A key is wrapped under a master key that is not at hand.
    #[error("master key {wanted} is wanted, and these are present: {}", listed(have))]
    WrongKek {
        /// The one that wraps the key.
        wanted: KekId,
        /// Those at hand.
        have: Vec<KekId>,
    },
    /// A key does not open with its own master key: its row was altered.
    #[error("key {key} does not open: its row is damaged or was altered")]
    Damaged {
        /// Which.
        key: Uuid,
    },
    /// There is no key for a purpose that needs one.
    #[error("there is no key for the purpose {purpose}")]
    Missing {
        /// Which purpose.
        purpose: KeyPurpose,
    },
}

fn listed(ids: &[KekId]) -> String {
    ids.iter().map(KekId::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    #[test]
    fn purposes_survive_their_text() {
        for purpose in KeyPurpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
        assert_eq!("Digest".parse::<KeyPurpose>(), Err(ParsePurposeError));
    }

    #[test]
    fn a_row_with_any_field_or_byte_altered_is_damaged() {
        let random = SeededRandom::new(1);
        let mut ring = KekRing::generate(&random);
        let other_kek = ring.first_id().clone();
        ring.prepend_generated(&random);
        let org = OrgId::generate(&random);
        let now = Timestamp::from_micros(1);
        let key = WrappedKey::generate(KeyPurpose::OrgData, Some(org), ring.first(), &random, now);
        assert_eq!(key.wrapped.len(), 1 + 12 + 32 + 16);
        assert!(key.unwrap_with(&[&ring]).is_ok());

        let check = |what: &str, altered: WrappedKey| {
            let error = altered.unwrap_with(&[&ring]).err();
            assert_eq!(error, Some(UnlockError::Damaged { key: altered.id }), "{what}");
        };
        check("id", WrappedKey { id: Uuid::from_u128(1), ..key.clone() });
        check("purpose", WrappedKey { purpose: KeyPurpose::Digest, ..key.clone() });
        check("org", WrappedKey { org: Some(OrgId::generate(&random)), ..key.clone() });
        check("no org", WrappedKey { org: None, ..key.clone() });
        check("kek", WrappedKey { kek: other_kek, ..key.clone() });
        check("created_at", WrappedKey { created_at: Timestamp::from_micros(2), ..key.clone() });
        check("empty", WrappedKey { wrapped: Vec::new(), ..key.clone() });
        for index in 0..key.wrapped.len() {
            let mut altered = key.clone();
            altered.wrapped[index] ^= 1;
            check("byte", altered);
            check("cut", WrappedKey { wrapped: key.wrapped[..index].to_vec(), ..key.clone() });
        }
    }
}
