//! What is no part of a client.

use std::fmt;

use super::client::{NAME_CHARS_MAX, SCOPES_BYTES_MAX};
use super::origins::REDIRECT_ORIGINS_MAX;
use super::url::PLACE;
use crate::{AllowedDomainError, TargetError};

/// A text that is none of what a client or its connections are described with; what is wrong, to be read after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZisOAuthError {
    /// No way to come by tokens that is known.
    Grant,
    /// No name of a client.
    Name,
    /// No scopes.
    Scopes,
    /// No address.
    Target(TargetError),
    /// An address that is not called over TLS.
    Clear,
    /// A host that no allowed domain can be.
    Host(AllowedDomainError),
    /// The place of a subdomain elsewhere than as one whole label of the host.
    Place,
    /// Names below belong to different owners, so that a subdomain would choose whose server the secret goes to.
    Owners(AllowedDomainError),
    /// No label of a host's name.
    Subdomain,
    /// The address has a place for a subdomain, and none was given.
    SubdomainMissing,
    /// The address has no place for the subdomain that was given.
    SubdomainSurplus,
    /// No origin.
    Origin,
    /// Too many origins.
    Origins,
}

impl fmt::Display for ZisOAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant => f.write_str("must be authorization_code or client_credentials"),
            Self::Name => write!(f, "must be 1 to {NAME_CHARS_MAX} visible ASCII characters"),
            Self::Scopes => write!(
                f,
                "must be at most {SCOPES_BYTES_MAX} visible ASCII characters, parted by single spaces, without \" and \\"
            ),
            Self::Target(error) => error.fmt(f),
            Self::Clear => f.write_str("must begin with https://"),
            Self::Host(error) => write!(f, "has a host that {error}"),
            Self::Place => write!(f, "must have {PLACE} once at most, as a whole label of its host"),
            Self::Owners(error) => write!(f, "leads with {PLACE} to any name below its host, which {error}"),
            Self::Subdomain => f.write_str("must be 1 to 63 letters, digits and -, with no - at either end"),
            Self::SubdomainMissing => f.write_str("is missing: the client's addresses have a place for it"),
            Self::SubdomainSurplus => f.write_str("has no place in the client's addresses"),
            Self::Origin => f.write_str(
                "must be origins as https://app.example.com, or http:// of this machine, without a path",
            ),
            Self::Origins => write!(f, "must be at most {REDIRECT_ORIGINS_MAX} origins"),
        }
    }
}

impl std::error::Error for ZisOAuthError {}

impl From<TargetError> for ZisOAuthError {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}
