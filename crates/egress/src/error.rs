//! Why there is no connection.

use std::io;

use claviger_model::{Network, TargetError};

/// What the guard will not have. None of it says which address it was: whoever chose the host may not learn more of the
/// network than which kind of place it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// In clear, where only TLS will do.
    #[error("only https may be used, but for private hosts that plain http is allowed for")]
    Clear,
    /// A cloud's metadata service.
    #[error("the host has an address of a cloud's metadata service")]
    Metadata,
    /// A range that is not the Internet's, and is not allowed.
    #[error("the host has an address that may not be called: {name} ({network})")]
    NotPublic {
        /// What the range is for.
        name: &'static str,
        /// The range.
        network: Network,
    },
    /// The operator will not have it.
    #[error("the host has an address that this server's operator denies")]
    Denied,
}

impl Refusal {
    /// A name for programs, that does not change.
    pub fn code(self) -> &'static str {
        match self {
            Self::Clear => "clear_text",
            Self::Metadata => "address_metadata",
            Self::NotPublic { .. } => "address_not_public",
            Self::Denied => "address_denied",
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The guard will not have it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is nowhere to connect to.
    #[error("the address {0}")]
    Target(#[from] TargetError),
    /// The name has no address.
    #[error("the host cannot be looked up")]
    Lookup(#[source] io::Error),
    /// As many of the org's names are being looked up, and wait for it, as may be.
    #[error("as many names of the org's are being looked up as may be")]
    Busy,
    /// Nobody answers there.
    #[error("the host cannot be connected to")]
    Connect(#[source] io::Error),
    /// No TLS, or a certificate that is not trusted.
    #[error("TLS with the host failed")]
    Tls(#[source] io::Error),
    /// It took too long.
    #[error("the host cannot be connected to in time")]
    Timeout,
}

impl ConnectError {
    /// A name for programs, that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Target(error) => error.code(),
            Self::Lookup(_) => "lookup_failed",
            Self::Busy => "lookup_busy",
            Self::Connect(_) => "connect_failed",
            Self::Tls(_) => "tls_failed",
            Self::Timeout => "connect_timeout",
        }
    }
}
