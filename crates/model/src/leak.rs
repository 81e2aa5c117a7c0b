//! Secrets that were found where they should not be.

use std::fmt;
use std::str::FromStr;

use crate::{CredentialId, LeakId, OrgId, Timestamp};

/// The first report of a credential's leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Its id.
    pub id: LeakId,
    /// The credential's org.
    pub org: OrgId,
    /// The credential.
    pub credential: CredentialId,
    /// When it was reported.
    pub at: Timestamp,
    /// Who found it, in the reporter's words; never the secret.
    pub source: Option<String>,
    /// Where it was found, in the reporter's words; never the secret.
    pub url: Option<String>,
}

/// What an org wants done with a credential whose secret leaked. The text form is on the wire and in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeakPolicy {
    /// It dies within the report.
    #[default]
    Revoke,
    /// It is marked, and lives on.
    Mark,
}

impl LeakPolicy {
    /// The text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::Mark => "mark",
        }
    }
}

/// A text that is no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseLeakPolicyError;

impl fmt::Display for ParseLeakPolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be revoke or mark")
    }
}

impl std::error::Error for ParseLeakPolicyError {}

impl fmt::Display for LeakPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LeakPolicy {
    type Err = ParseLeakPolicyError;

    fn from_str(text: &str) -> Result<Self, ParseLeakPolicyError> {
        match text {
            "revoke" => Ok(Self::Revoke),
            "mark" => Ok(Self::Mark),
            _ => Err(ParseLeakPolicyError),
        }
    }
}
