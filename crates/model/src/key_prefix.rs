//! What stands before the secret of a native key, so that people and scanners can tell whose it is.

use std::fmt;

/// The longest prefix.
pub const KEY_PREFIX_CHARS_MAX: usize = 16;

/// The beginnings of the vendor's secrets: a native key must not look like one.
const RESERVED: [&str; 3] = ["ddapp", "ddpat", "ddsat"];

/// A prefix of native keys, without the `_` that parts it from the secret: a letter, then letters, digits and `_`,
/// which is not its last character.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyPrefix {
    bytes: [u8; KEY_PREFIX_CHARS_MAX],
    length: u8,
}

/// A text that is no prefix of native keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrefixError;

impl KeyPrefix {
    /// Checks a text and keeps it.
    pub fn parse(text: &str) -> Result<Self, KeyPrefixError> {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_reserved = |text: &str| RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(text));
        let fits = text.len() <= KEY_PREFIX_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && !text.ends_with('_')
            && text.bytes().all(is_inner)
            && !text.split('_').next().is_some_and(is_reserved);
        if !fits {
            return Err(KeyPrefixError);
        }
        let mut bytes = [0; KEY_PREFIX_CHARS_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        // At most [`KEY_PREFIX_CHARS_MAX`].
        Ok(Self { bytes, length: text.len() as u8 })
    }

    /// The prefix.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).unwrap_or_default()
    }
}

/// `clv`
impl Default for KeyPrefix {
    fn default() -> Self {
        Self { bytes: *b"clv\0\0\0\0\0\0\0\0\0\0\0\0\0", length: 3 }
    }
}

impl fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPrefix({self})")
    }
}

impl std::str::FromStr for KeyPrefix {
    type Err = KeyPrefixError;

    fn from_str(text: &str) -> Result<Self, KeyPrefixError> {
        Self::parse(text)
    }
}

impl fmt::Display for KeyPrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be 1 to {KEY_PREFIX_CHARS_MAX} letters, digits and _, beginning with a letter, not ending with _, \
             and not {} or one of these with a _ after it",
            RESERVED.join(", ")
        )
    }
}

impl std::error::Error for KeyPrefixError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_short_words_that_no_other_secret_begins_with() {
        for text in ["clv", "a", "acme_live", "Acme2_test", "ddappx", "abcdefghijklmnop"] {
            assert_eq!(KeyPrefix::parse(text).map(|prefix| prefix.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "_a", "a_", "1a", "a-b", "a b", "ä", "ddapp", "DDPAT", "ddsat_x", "abcdefghijklmnopq", "a\n"]
        {
            assert_eq!(KeyPrefix::parse(text), Err(KeyPrefixError), "{text:?}");
        }
        assert_eq!(KeyPrefix::parse("clv"), Ok(KeyPrefix::default()));
    }
}
