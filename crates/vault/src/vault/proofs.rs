//! Proofs about the ledger: a MAC per entry, by which we detect an edit, and signatures over positions, by which
//! anybody detects a tail that was cut.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use thiserror::Error;
use uuid::Uuid;

use super::Vault;
use crate::raw_key::RawKey;

/// A MAC and the key that made it. Compare it with [`Vault::ledger_mac_matches`], in constant time.
#[derive(Debug, Clone, Copy)]
pub struct LedgerMac {
    /// The ledger key.
    pub key: Uuid,
    /// HMAC-SHA256.
    pub mac: [u8; 32],
}

/// A signature and what is needed to check it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointSignature {
    /// The checkpoint key.
    pub key: Uuid,
    /// Its public half.
    pub public_key: [u8; 32],
    /// Ed25519.
    pub signature: [u8; 64],
}

/// No key of that purpose has this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no key {key}")]
pub struct UnknownKey {
    /// The id.
    pub key: Uuid,
}

impl Vault {
    /// The MAC of `content` under the first ledger key.
    pub fn ledger_mac(&self, content: &[u8]) -> LedgerMac {
        let held = self.ledger_keys.first();
        let tag = hmac::sign(&held.key, content);
        LedgerMac { key: held.id, mac: tag.as_ref().try_into().expect("HMAC-SHA256 gives 32 bytes") }
    }

    /// Whether `mac` belongs to `content` under that ledger key, in constant time.
    ///
    /// # Errors
    ///
    /// When there is no such ledger key.
    pub fn ledger_mac_matches(&self, key: Uuid, content: &[u8], mac: &[u8]) -> Result<bool, UnknownKey> {
        let ledger_key = self.ledger_keys.find(key).ok_or(UnknownKey { key })?;
        Ok(hmac::verify(ledger_key, content, mac).is_ok())
    }

    /// Signs `content` with the first checkpoint key.
    pub fn sign_checkpoint(&self, content: &[u8]) -> CheckpointSignature {
        let held = self.checkpoint_keys.first();
        let signature = held.key.sign(content);
        CheckpointSignature {
            key: held.id,
            public_key: public_key(&held.key),
            signature: signature.as_ref().try_into().expect("an Ed25519 signature has 64 bytes"),
        }
    }

    /// Whether `signature` is by `public_key` (its 32 raw bytes) over `content`. Whether that key is one of ours
    /// is another question: see [`checkpoint_public_keys`](Self::checkpoint_public_keys).
    pub fn checkpoint_signature_matches(public_key: &[u8], content: &[u8], signature: &[u8]) -> bool {
        // The library would read other lengths as other encodings of a key; we write one.
        public_key.len() == ED25519_PUBLIC_KEY_LEN
            && UnparsedPublicKey::new(&ED25519, public_key).verify(content, signature).is_ok()
    }

    /// The ids and public halves of all checkpoint keys, the one that signs first.
    pub fn checkpoint_public_keys(&self) -> Vec<(Uuid, [u8; 32])> {
        self.checkpoint_keys.iter().map(|held| (held.id, public_key(&held.key))).collect()
    }
}

pub(super) fn mac_key(raw: &RawKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, raw.bytes())
}

pub(super) fn signing_key(seed: &RawKey) -> Ed25519KeyPair {
    // "Unchecked" means that no public key is at hand to compare with. The seed's wrapping has vouched for it.
    Ed25519KeyPair::from_seed_unchecked(seed.bytes()).expect("any 32 bytes are an Ed25519 seed")
}

fn public_key(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().expect("an Ed25519 public key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let mut bytes = [0; N];
        crate::hex::decode(hex, &mut bytes).unwrap();
        bytes
    }

    /// RFC 8032, section 7.1, test 2: what we sign, any other Ed25519 can check.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let pair = signing_key(&RawKey::fill(|raw| *raw = seed));
        let expected: [u8; 64] = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(pair.sign(&[0x72]).as_ref(), expected);
        assert_eq!(
            public_key(&pair),
            bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        );
    }
}
