//! Whose a native key is, in the words of the org that issued it.

use std::fmt;

/// The longest such word.
pub const EXTERNAL_ID_CHARS_MAX: usize = 255;

/// An id of the org's own, as of a customer: visible ASCII characters, so that a header can carry it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExternalId(String);

/// A text that is no such id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExternalIdError;

impl ExternalId {
    /// Checks a text and keeps it.
    pub fn parse(text: &str) -> Result<Self, ExternalIdError> {
        let fits = (1..=EXTERNAL_ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(ExternalIdError) }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<ExternalId> for String {
    fn from(id: ExternalId) -> Self {
        id.0
    }
}

impl fmt::Display for ExternalIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be 1 to {EXTERNAL_ID_CHARS_MAX} visible ASCII characters without spaces")
    }
}

impl std::error::Error for ExternalIdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_fits_into_a_header() {
        for text in ["1", "cus_9s6XKzkNRiz8i3", "https://x.example/~a?b=\"c\"", &"x".repeat(255)] {
            assert_eq!(ExternalId::parse(text).map(String::from), Ok(text.to_owned()));
        }
        for text in ["", " ", "a b", "a\tb", "a\r\nb", "ü", "a\u{7f}", &"x".repeat(256)] {
            assert_eq!(ExternalId::parse(text), Err(ExternalIdError), "{text:?}");
        }
    }
}
