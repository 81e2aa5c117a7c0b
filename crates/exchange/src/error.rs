//! Why there is no token.

use std::time::Duration;

use claviger_egress::ConnectError;
use claviger_outbound::SendError;

/// Why there is no token. It prints and holds nothing of an answer but the provider's code, cleaned.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The provider says no.
    #[error("the provider refuses: {code}")]
    Refused {
        /// Its code, as of RFC 6749, section 5.2: letters, digits, `_`, `-` and `.`, at most 64; `unnamed` where it says
        /// none, or one that is not such a code.
        code: String,
        /// The status that it came with; some say no with a 200.
        status: u16,
        /// A number of the vendor's beside it that says more (`AADSTS7000215`).
        detail: Option<String>,
    },
    /// The provider wants to be asked less.
    #[error("the provider asks for patience")]
    Limited {
        /// For how long, where it says so.
        retry_after: Option<Duration>,
    },
    /// The provider is at fault, and says so.
    #[error("the provider failed with status {status}")]
    Failed {
        /// The status.
        status: u16,
    },
    /// There is no answer.
    #[error("the provider cannot be reached")]
    Unreachable(#[source] SendError),
    /// What came back is no answer of a token endpoint; what is wrong, to be read after "the answer".
    #[error("the provider's answer {0}")]
    Garbage(&'static str),
    /// What is to be exchanged cannot be; what is wrong, as a sentence.
    #[error("{0}")]
    Unusable(&'static str),
    /// The provider refuses this server's own credentials or clock: no fault of whoever made the connection.
    #[error("the provider refuses this server's own credentials: {code}")]
    Operator {
        /// Its code.
        code: String,
    },
    /// Too many exchanges are under way, or too many look-ups of names, or this one was given up with the server.
    #[error("no token can be asked for at the moment")]
    Busy,
}

/// Refusals that stay: of RFC 6749 (4.1.2.1, 5.2), and what some providers say in their place. Whatever is not named
/// here may pass, and is worth asking again after a while.
const FINAL: [&str; 26] = [
    "access_denied",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    // GitHub
    "bad_refresh_token",
    "bad_verification_code",
    "incorrect_client_credentials",
    "redirect_uri_mismatch",
    // Slack
    "bad_client_secret",
    "bad_redirect_uri",
    "code_already_used",
    "invalid_client_id",
    "invalid_code",
    "invalid_refresh_token",
    "token_expired",
    "token_revoked",
    // AWS's STS; its AccessDenied may pass: what the customer has just changed takes some seconds to be known.
    "ValidationError",
    // Microsoft, Google
    "consent_required",
    "deleted_client",
    "disabled_client",
    "interaction_required",
    "invalid_resource",
    "org_internal",
];

impl From<SendError> for ExchangeError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Connect(ConnectError::Busy) => Self::Busy,
            error => Self::Unreachable(error),
        }
    }
}

impl ExchangeError {
    /// Whether asking again with the same is useless: somebody has to change something first.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused { code, .. } => FINAL.contains(&code.as_str()),
            Self::Unusable(_) => true,
            Self::Limited { .. }
            | Self::Failed { .. }
            | Self::Unreachable(_)
            | Self::Garbage(_)
            | Self::Operator { .. }
            | Self::Busy => false,
        }
    }

    /// A name for programs, that does not change; a refusal's is the provider's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            Self::Limited { .. } => "provider_limited",
            Self::Failed { .. } => "provider_failed",
            Self::Unreachable(SendError::Connect(error)) => error.code(),
            Self::Unreachable(SendError::Exchange(_) | SendError::Answer) => "provider_broke_off",
            Self::Unreachable(SendError::TooLarge) => "provider_too_large",
            Self::Unreachable(SendError::Timeout) => "provider_timeout",
            Self::Garbage(_) => "provider_garbage",
            Self::Unusable(_) => "secret_unusable",
            Self::Operator { .. } => "operator_credentials",
            Self::Busy => "exchange_busy",
        }
    }
}
