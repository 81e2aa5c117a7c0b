//! Names and e-mail addresses that people give.

use std::fmt;

/// The longest name, in characters. The vendor states no limit; this one keeps pages and indexes bounded.
pub const NAME_CHARS_MAX: usize = 255;

/// A name for a key, role, user or org: something that can be seen, at most [`NAME_CHARS_MAX`] characters, no
/// control characters, those for the direction of writing included: a name must not show as another one, nor
/// change how a list or a log around it shows. Kept as given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Empty, or nothing in it can be seen.
    Blank,
    /// Over [`NAME_CHARS_MAX`] characters.
    TooLong,
    /// Holds a control character.
    ControlCharacter,
}

impl Name {
    /// Checks a text and keeps it.
    pub fn parse(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        if text.chars().all(is_unseen) {
            Err(NameError::Blank)
        } else if text.chars().nth(NAME_CHARS_MAX).is_some() {
            Err(NameError::TooLong)
        } else if text.chars().any(is_control) {
            Err(NameError::ControlCharacter)
        } else {
            Ok(Self(text))
        }
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, line ends, and what overrides the direction of writing. The marks within words that some
/// scripts and emoji need are not among them.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// White space and what has no width.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("must not be blank"),
            Self::TooLong => write!(f, "must have at most {NAME_CHARS_MAX} characters"),
            Self::ControlCharacter => f.write_str("must not contain control characters"),
        }
    }
}

impl std::error::Error for NameError {}

/// An e-mail address, in lower case. Checked for its shape only: one `@` with something on each side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// A text that does not have the shape of an e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmailError;

impl Email {
    /// Checks a text and keeps it in lower case, as the vendor does.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.split_once('@').ok_or(EmailError)?;
        let fits = text.len() <= 254 && !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if fits && plain { Ok(Self(text.to_lowercase())) } else { Err(EmailError) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EmailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not an e-mail address")
    }
}

impl std::error::Error for EmailError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_printable() {
        assert_eq!(Name::parse(""), Err(NameError::Blank));
        assert_eq!(Name::parse(" \u{3000}"), Err(NameError::Blank));
        assert_eq!(Name::parse("a\nb"), Err(NameError::ControlCharacter));
        assert_eq!(Name::parse("a\u{7f}"), Err(NameError::ControlCharacter));
        assert_eq!(Name::parse("\u{200b}\u{feff} "), Err(NameError::Blank));
        for text in ["a\u{202e}b", "a\u{2067}b", "a\u{2028}b"] {
            assert_eq!(Name::parse(text), Err(NameError::ControlCharacter), "{text:?}");
        }
        assert!(Name::parse("👩\u{200d}💻").is_ok());
        assert_eq!(Name::parse("é".repeat(256)), Err(NameError::TooLong));
        assert!(Name::parse("é".repeat(255)).is_ok());
        assert_eq!(Name::parse("  kept as given ").map(|n| n.to_string()), Ok("  kept as given ".into()));
    }

    #[test]
    fn addresses_are_lower_case() {
        assert_eq!(Email::parse("Ada@Example.COM").map(|e| e.to_string()), Ok("ada@example.com".into()));
        for text in ["", "ada", "@x", "ada@", "a@b@c", "a b@c", "a@b\n"] {
            assert_eq!(Email::parse(text), Err(EmailError), "{text:?}");
        }
    }
}
