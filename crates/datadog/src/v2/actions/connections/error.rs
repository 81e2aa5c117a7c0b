//! Errors of connections, in the words of what does the vendor's work behind its API.

use claviger_catalog::Faults;
use claviger_engine::Error as EngineError;
use claviger_http::BodyError;
use http::StatusCode;

use crate::v2::actions::error::ActionError;

/// What was to be done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Get,
    Update,
    Delete,
}

/// A body with faults; their pointers are into the whole of it.
pub(super) fn invalid(faults: &Faults) -> ActionError {
    ActionError::generic(StatusCode::BAD_REQUEST, faults.vendor_detail())
}

/// As recorded for a read; the other verbs answer alike.
pub(super) fn malformed_id() -> ActionError {
    ActionError::generic(StatusCode::BAD_REQUEST, "error connectionId not a valid UUID")
}

/// No body.
pub(super) fn unreadable(error: BodyError) -> ActionError {
    ActionError::generic(error.status(), error.message())
}

/// The faults of an `integration` value, as faults of the body around it.
pub(super) fn within(faults: Faults) -> Faults {
    faults.within("/data/attributes/integration")
}

impl Verb {
    /// An error of the engine's. An update is a creation in the vendor's words, as recorded.
    pub(super) fn failed(self, error: EngineError) -> ActionError {
        let doing = match self {
            Self::Create | Self::Update => "creating",
            Self::Get => "getting",
            Self::Delete => "deleting",
        };
        let told = |status, code: &str, text: &str| {
            let detail = format!("error {doing} connection: rpc error: code = {code} desc = {text}");
            ActionError::generic(status, detail)
        };
        match error {
            EngineError::Absent(_) => told(StatusCode::NOT_FOUND, "NotFound", "connection not found"),
            EngineError::BadConnection(faults) => invalid(&within(faults)),
            EngineError::LimitReached { max, .. } => {
                let text = format!("the org may have at most {max} connections");
                told(StatusCode::BAD_REQUEST, "ResourceExhausted", &text)
            }
            EngineError::Restricted(relation) => {
                let text = format!("the connection's restriction policy does not make you its {relation}");
                told(StatusCode::FORBIDDEN, "PermissionDenied", &text)
            }
            error => error.into(),
        }
    }
}
