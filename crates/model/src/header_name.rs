//! Names of headers, and those in which a connection may carry its secret.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::{HeaderRefusal, refused_header};

/// The longest name: the vendor's limit for connections.
pub const HEADER_NAME_CHARS_MAX: usize = 128;

/// A header's name, as it was given: a token (RFC 9110, section 5.6.2). Case does not matter when two are compared.
#[derive(Clone)]
pub struct HeaderName(String);

/// The header in which a connection carries its secret, where its maker names it: letters, `-` and `_`, as the vendor
/// has it, and none of those that [`HeaderName::refusal`] speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InjectedHeader(HeaderName);

/// A text that is no such name; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeaderNameError {
    /// Nothing was given.
    Empty,
    /// It is longer than [`HEADER_NAME_CHARS_MAX`].
    Length,
    /// It has a character that no header's name has.
    Token,
    /// It has something else than letters, `-` and `_`.
    Alphabet,
    /// It is a header's name, but not one for a secret.
    Refused(HeaderRefusal),
}

impl HeaderNameError {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "header_empty",
            Self::Length => "header_length",
            Self::Token => "header_token",
            Self::Alphabet => "header_alphabet",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

impl fmt::Display for HeaderNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::Length => f.write_str("must not be longer than 128 characters"),
            Self::Token => f.write_str("must be the name of a header"),
            Self::Alphabet => f.write_str("must have letters, - and _ only"),
            Self::Refused(refusal) => write!(f, "must not be a header that {refusal}"),
        }
    }
}

impl std::error::Error for HeaderNameError {}

impl HeaderName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Why no connection's maker may have a secret sent in this header, if so; see also
    /// [`HeaderRefusal::breaks_requests`].
    pub fn refusal(&self) -> Option<HeaderRefusal> {
        refused_header::find(&self.0)
    }
}

impl FromStr for HeaderName {
    type Err = HeaderNameError;

    fn from_str(text: &str) -> Result<Self, HeaderNameError> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match text {
            "" => Err(HeaderNameError::Empty),
            _ if text.chars().count() > HEADER_NAME_CHARS_MAX => Err(HeaderNameError::Length),
            _ if !text.bytes().all(is_token) => Err(HeaderNameError::Token),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeaderName({self})")
    }
}

impl InjectedHeader {
    /// As it was given: the vendor shows it so.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The name.
    pub fn name(&self) -> &HeaderName {
        &self.0
    }
}

impl FromStr for InjectedHeader {
    type Err = HeaderNameError;

    fn from_str(text: &str) -> Result<Self, HeaderNameError> {
        let is_vendors = |byte: u8| byte.is_ascii_alphabetic() || b"-_".contains(&byte);
        let name = match text.parse::<HeaderName>() {
            // What the alphabet is says more than that it was left.
            Err(HeaderNameError::Token) => return Err(HeaderNameError::Alphabet),
            name => name?,
        };
        if !text.bytes().all(is_vendors) {
            return Err(HeaderNameError::Alphabet);
        }
        match name.refusal() {
            Some(refusal) => Err(HeaderNameError::Refused(refusal)),
            None => Ok(Self(name)),
        }
    }
}

impl fmt::Display for InjectedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
