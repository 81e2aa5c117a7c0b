//! Subdomains: by which of them a request for the Zendesk dialect was sent, its org is known.

use std::fmt;
use std::str::FromStr;

/// The longest label that a host's name may have.
const CHARS_MAX: usize = 63;

/// The vendor's own host, to which others' authorization servers return: it is no org's.
const RESERVED: &str = "zis";

/// A label of a host's name: lower-case letters, digits and `-`, which is neither its first character nor its last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subdomain(String);

/// A text that no org's subdomain can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubdomainError;

impl Subdomain {
    /// Checks a text and keeps it.
    ///
    /// # Errors
    /// When it is no such label, or is reserved.
    pub fn parse(text: &str) -> Result<Self, SubdomainError> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=CHARS_MAX).contains(&text.len())
            && text.bytes().all(is_inner)
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text != RESERVED;
        if fits { Ok(Self(text.to_owned())) } else { Err(SubdomainError) }
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subdomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Subdomain {
    type Err = SubdomainError;

    fn from_str(text: &str) -> Result<Self, SubdomainError> {
        Self::parse(text)
    }
}

impl fmt::Display for SubdomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be 1 to {CHARS_MAX} lower-case letters, digits and -, with no - at either end, and not \
             {RESERVED}"
        )
    }
}

impl std::error::Error for SubdomainError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_is_one_label_in_lower_case() {
        let longest = "a".repeat(CHARS_MAX);
        for text in ["a", "acme", "acme-2", "2acme", "xn--bcher-kva", "zis2", &longest] {
            assert_eq!(Subdomain::parse(text).map(|it| it.to_string()), Ok(text.to_owned()));
        }
        let too_long = "a".repeat(CHARS_MAX + 1);
        for text in ["", "-a", "a-", "a.b", "Acme", "a_b", "a b", "ä", "a\n", "zis", &too_long] {
            assert_eq!(Subdomain::parse(text), Err(SubdomainError), "{text:?}");
        }
    }
}
