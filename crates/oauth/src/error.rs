//! Why there is no connection, and why there is no token. Nothing here holds anything of an answer but an authorization
//! server's code, or of a client but what its owner gave.

use std::sync::Arc;
use std::time::Duration;

use claviger_engine::Error as EngineError;
use claviger_exchange::ExchangeError;

use crate::ExchangeFailure;

/// Why a flow was not begun, or did not come to a connection.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The operator has named no address to which browsers could come back.
    #[error("OAuth is not set up here: the operator has to name this server's public address")]
    NotSetUp,
    /// What came back is nothing that was begun, was used already, or is over.
    #[error("is not known, was used already, or is over")]
    Spent,
    /// The authorization server gave no tokens.
    #[error("{0}")]
    Provider(#[from] ProviderFault),
    /// The engine refuses it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why an authorization server gave no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the authorization server gave no token: {code}")]
pub struct ProviderFault {
    /// A name for programs; of a refusal the authorization server's own.
    pub code: String,
    /// Whether asking again with the same is useless.
    pub is_final: bool,
    /// When it may be asked again, where it says so.
    pub retry_after: Option<Duration>,
}

impl ProviderFault {
    fn of(error: &ExchangeError) -> Self {
        let retry_after = match error {
            ExchangeError::Limited { retry_after } => *retry_after,
            _ => None,
        };
        Self { code: error.code().to_owned(), is_final: error.is_final(), retry_after }
    }
}

impl From<ExchangeFailure> for ProviderFault {
    fn from(failure: ExchangeFailure) -> Self {
        let own = |code: &str, is_final| Self { code: code.to_owned(), is_final, retry_after: None };
        match failure {
            ExchangeFailure::Exchange(error) => {
                // The cause is for the operator: callers are told the code.
                tracing::info!(
                    error = claviger_model::chain(&error),
                    "an authorization server gave no token"
                );
                Self::of(&error)
            }
            ExchangeFailure::Busy => own("busy", false),
            // The client has to be changed first.
            ExchangeFailure::Address(error) => {
                tracing::info!(%error, "an OAuth client's token address cannot be called");
                own("token_url", true)
            }
        }
    }
}

/// Why there is no token for a connection. Cheap to clone: all who wait for the same are told the same.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccessError {
    /// The org has no such OAuth connection.
    #[error("there is no such OAuth connection")]
    Absent,
    /// It has no token: its client was changed since. Somebody has to agree anew.
    #[error("the connection lost its tokens when its OAuth client was changed: begin it anew")]
    Lost,
    /// Its token is over, and nothing renews it. Somebody has to agree anew.
    #[error("the connection's token is over and cannot be renewed: begin it anew")]
    Over,
    /// The authorization server refused for good; it is not asked again until something changes.
    #[error("the authorization server refuses to renew the token: {0}")]
    Refused(String),
    /// The authorization server gave none this time.
    #[error("the authorization server did not renew the token: {}", .0.code)]
    Provider(ProviderFault),
    /// Somebody else is renewing it, or so many others are being renewed.
    #[error("the token is being renewed elsewhere")]
    Busy,
    /// The engine cannot tell.
    #[error("the connection's token cannot be read")]
    Engine(#[source] Arc<EngineError>),
}

impl AccessError {
    /// A name for programs, that does not change.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent => "connection_absent",
            Self::Lost => "tokens_lost",
            Self::Over => "token_over",
            Self::Refused(_) => "grant_refused",
            Self::Provider(_) => "provider",
            Self::Busy => "busy",
            Self::Engine(_) => "unavailable",
        }
    }

    /// Whether asking again is useless until somebody changes something.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Absent | Self::Lost | Self::Over | Self::Refused(_))
    }
}

impl From<EngineError> for AccessError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Absent(_) => Self::Absent,
            error => Self::Engine(Arc::new(error)),
        }
    }
}
