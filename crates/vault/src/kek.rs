//! One master key (KEK) and its id.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use thiserror::Error;

use crate::cipher::Cipher;
use crate::hex;
use crate::raw_key::RawKey;

/// The name of a master key, derived from it: the same key has the same id everywhere, and the id tells nothing
/// of the key. As text it is 16 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KekId([u8; 8]);

impl KekId {
    fn of(key: &RawKey) -> Self {
        // The context makes this a use of its own: no other derivation from the same key gives these bytes.
        let derived = blake3::derive_key("claviger-vault 2026-11 master key id", key.bytes());
        Self(*derived.first_chunk().expect("32 bytes begin with 8"))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::digits(&self.0).try_for_each(|digit| f.write_char(digit))
    }
}

impl fmt::Debug for KekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KekId({self})")
    }
}

/// A text that is no id of a master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the id of a master key is 16 lower-case hexadecimal digits")]
pub struct ParseKekIdError;

impl FromStr for KekId {
    type Err = ParseKekIdError;

    fn from_str(text: &str) -> Result<Self, ParseKekIdError> {
        let mut bytes = [0; 8];
        hex::decode(text, &mut bytes).ok_or(ParseKekIdError)?;
        Ok(Self(bytes))
    }
}

/// A master key, ready for use.
pub(crate) struct Kek {
    pub(crate) id: KekId,
    pub(crate) raw: RawKey,
    pub(crate) cipher: Cipher,
}

impl Kek {
    pub(crate) fn new(raw: RawKey) -> Self {
        Self { id: KekId::of(&raw), cipher: Cipher::new(&raw), raw }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_belongs_to_its_key_for_good() {
        let id = KekId::of(&RawKey::fill(|bytes| bytes.fill(7)));
        // Databases and key files in the field name their keys so. A change here orphans them.
        assert_eq!(id.to_string(), "deb002b89f73e930");
        assert_ne!(id, KekId::of(&RawKey::fill(|bytes| bytes.fill(8))));
    }

    #[test]
    fn an_id_survives_its_text() {
        let id = KekId([0xab; 8]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "abababababababa", "ABABABABABABABAB", "abababababababab0"] {
            assert_eq!(text.parse::<KekId>(), Err(ParseKekIdError), "{text:?}");
        }
    }
}
