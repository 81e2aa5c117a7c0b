//! Digests: by these, not by the secrets, credentials are stored and found.
//!
//! Issued secrets are random and long, so a fast keyed hash is enough; a slow one would only slow verification.

use std::fmt::{self, Write as _};

use thiserror::Error;
use uuid::Uuid;

use super::Vault;
use crate::hex;
use crate::raw_key::RawKey;

/// The keyed hash of an issued secret: BLAKE3 under a digest key.
///
/// It compares and hashes like any value, in variable time: without the key nobody can choose a digest, so the
/// time says nothing about one that is stored. `Debug` shows the first four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All of it as 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        hex::digits(&self.0).collect()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(")?;
        hex::digits(&self.0[..4]).try_for_each(|digit| f.write_char(digit))?;
        f.write_str("..)")
    }
}

/// Bytes that are no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a digest is 32 bytes")]
pub struct DigestLengthError;

impl TryFrom<&[u8]> for Digest {
    type Error = DigestLengthError;

    fn try_from(bytes: &[u8]) -> Result<Self, DigestLengthError> {
        bytes.try_into().map(Self).map_err(|_| DigestLengthError)
    }
}

impl Vault {
    /// The digest of a secret under the first digest key. Does not allocate.
    pub fn digest(&self, secret: &[u8]) -> Digest {
        digest(&self.digest_keys.first().key, secret)
    }

    /// The id of the key under which [`digest`](Self::digest) works.
    pub fn digest_key_id(&self) -> Uuid {
        self.digest_keys.first().id
    }

    /// The digests of a secret under every digest key, that of the first key first.
    pub fn digests(&self, secret: &[u8]) -> impl Iterator<Item = Digest> {
        self.digest_keys.iter().map(move |held| digest(&held.key, secret))
    }
}

fn digest(key: &RawKey, secret: &[u8]) -> Digest {
    Digest(blake3::keyed_hash(key.bytes(), secret).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_32_bytes() {
        let digest = Digest::from_bytes([0xa5; 32]);
        assert_eq!(Digest::try_from([0xa5; 32].as_slice()), Ok(digest));
        assert_eq!(Digest::try_from([0xa5; 31].as_slice()), Err(DigestLengthError));
        assert_eq!(digest.to_hex(), "a5".repeat(32));
    }

    #[test]
    fn debug_shows_four_bytes() {
        assert_eq!(format!("{:?}", Digest::from_bytes([0xa5; 32])), "Digest(a5a5a5a5..)");
    }
}
