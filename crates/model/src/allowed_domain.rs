//! The hosts that a connection's secret may go to, where its maker names them: one host, or a name with all below it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::public_suffix::spans_owners;
use crate::{Host, HostError};

/// The longest allowed domain, `*.` included: the vendor's limit.
pub const ALLOWED_DOMAIN_CHARS_MAX: usize = 128;

/// The longest part of a name between dots.
const LABEL_CHARS_MAX: usize = 63;

/// `api.example.com`, which is that host alone, or `*.example.com`, which is `example.com` and every name below it.
///
/// Kept, shown and compared in one form: lower case, without a trailing dot, international names as `xn--`. Whatever is
/// no name is refused, addresses included, and so is a wildcard below which names belong to different owners. That is
/// decided by the public suffix list of this build: what was made with an older one may be refused by [`parse`] today,
/// and is then not to be used any more.
///
/// [`parse`]: str::parse
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AllowedDomain {
    name: String,
    is_wildcard: bool,
}

/// A text that is no allowed domain; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AllowedDomainError {
    /// Nothing was given.
    Empty,
    /// It is longer than [`ALLOWED_DOMAIN_CHARS_MAX`].
    Length,
    /// It has a character that is not of ASCII: two names can look alike, and only `xn--` says which one is meant.
    NotAscii,
    /// An IP address, or a number that somebody reads as one.
    Address,
    /// A scheme, user, port, path, query or blank.
    Surplus,
    /// A `*` elsewhere than as the first of several labels.
    Wildcard,
    /// A part between dots has more than 63 characters.
    Label,
    /// No name that could be looked up.
    Name,
    /// A wildcard over a public suffix.
    PublicSuffix,
}

impl AllowedDomainError {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "domain_empty",
            Self::Length => "domain_length",
            Self::NotAscii => "domain_not_ascii",
            Self::Address => "domain_address",
            Self::Surplus => "domain_surplus",
            Self::Wildcard => "domain_wildcard",
            Self::Label => "domain_label",
            Self::Name => "domain_name",
            Self::PublicSuffix => "domain_public_suffix",
        }
    }
}

impl fmt::Display for AllowedDomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "must not be empty",
            Self::Length => "must not be longer than 128 characters",
            Self::NotAscii => "must be in ASCII, with international names in their xn-- form",
            Self::Address => "must be a domain name, not an address or a number",
            Self::Surplus => "must be a domain name alone, without scheme, user, port, path and blanks",
            Self::Wildcard => "must have no * but in a leading *. as of *.example.com",
            Self::Label => "must not have more than 63 characters between dots",
            Self::Name => "must be a valid domain name",
            Self::PublicSuffix => {
                "must not be a wildcard over a public suffix, below which names belong to different owners"
            }
        })
    }
}

impl std::error::Error for AllowedDomainError {}

impl From<HostError> for AllowedDomainError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Invalid => Self::Name,
            HostError::Number | HostError::Zone => Self::Address,
        }
    }
}

impl AllowedDomain {
    /// Whether a secret may go to this host. Addresses have no names and are never admitted.
    pub fn admits(&self, host: &Host) -> bool {
        let Some(name) = host.name() else { return false };
        match name.strip_suffix(self.name.as_str()) {
            Some("") => true,
            // A name ends in whole labels only.
            Some(below) => self.is_wildcard && below.ends_with('.'),
            None => false,
        }
    }

    /// Whether names below are admitted.
    pub fn is_wildcard(&self) -> bool {
        self.is_wildcard
    }

    /// The name itself, without `*.`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for AllowedDomain {
    type Err = AllowedDomainError;

    fn from_str(text: &str) -> Result<Self, AllowedDomainError> {
        check_characters(text)?;
        let (is_wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if name.contains('*') {
            return Err(AllowedDomainError::Wildcard);
        }
        if name.split('.').any(|label| label.len() > LABEL_CHARS_MAX) {
            return Err(AllowedDomainError::Label);
        }
        // What came through is ASCII, so that this canonical form is as long as the text.
        let host: Host = name.parse()?;
        let name = host.name().ok_or(AllowedDomainError::Address)?;
        if is_wildcard && spans_owners(name) {
            return Err(AllowedDomainError::PublicSuffix);
        }
        Ok(Self { name: name.to_owned(), is_wildcard })
    }
}

/// What can be said before anything is taken apart: the wrongs that people would not recognise in a later reason.
fn check_characters(text: &str) -> Result<(), AllowedDomainError> {
    let is_surplus = |byte: u8| byte.is_ascii_whitespace() || b":/\\?#@".contains(&byte);
    let complete = text.strip_suffix('.').unwrap_or(text);
    match text {
        "" => Err(AllowedDomainError::Empty),
        _ if !text.is_ascii() => Err(AllowedDomainError::NotAscii),
        _ if complete.len() > ALLOWED_DOMAIN_CHARS_MAX => Err(AllowedDomainError::Length),
        _ if text.starts_with('[') || text.parse::<IpAddr>().is_ok() => Err(AllowedDomainError::Address),
        _ if text.bytes().any(is_surplus) => Err(AllowedDomainError::Surplus),
        _ => Ok(()),
    }
}

impl fmt::Display for AllowedDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_wildcard { "*." } else { "" })?;
        f.write_str(&self.name)
    }
}

impl fmt::Debug for AllowedDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AllowedDomain({self})")
    }
}
