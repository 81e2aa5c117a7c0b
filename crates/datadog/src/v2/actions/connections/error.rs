//! Errors of connections, each an object whose detail has the words of what does the vendor's work behind its API.

use axum::response::{IntoResponse, Response};
use claviger_catalog::Faults;
use claviger_engine::Error as EngineError;
use claviger_http::BodyError;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::Value;

use crate::Error as DialectError;

/// What was to be done to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Get,
    Update,
    Delete,
}

/// An error on its way out.
#[derive(Debug)]
pub(super) enum Error {
    /// In the words of connections.
    Generic(StatusCode, String),
    /// As everywhere in the dialect.
    General(DialectError),
}

impl Error {
    /// A body with faults; their pointers are into the whole of it.
    pub(super) fn invalid(faults: &Faults) -> Self {
        Self::Generic(StatusCode::BAD_REQUEST, faults.vendor_detail())
    }

    /// As recorded for a read; the other verbs answer alike.
    pub(super) fn malformed_id() -> Self {
        Self::Generic(StatusCode::BAD_REQUEST, "error connectionId not a valid UUID".to_owned())
    }
}

impl Verb {
    /// An error of the engine's. An update is a creation in the vendor's words, as recorded.
    pub(super) fn failed(self, error: EngineError) -> Error {
        let doing = match self {
            Self::Create | Self::Update => "creating",
            Self::Get => "getting",
            Self::Delete => "deleting",
        };
        let told = |status, code: &str, text: &str| {
            Error::Generic(
                status,
                format!("error {doing} connection: rpc error: code = {code} desc = {text}"),
            )
        };
        match error {
            EngineError::Absent(_) => told(StatusCode::NOT_FOUND, "NotFound", "connection not found"),
            EngineError::BadConnection(faults) => Error::invalid(&within(faults)),
            EngineError::LimitReached { max, .. } => {
                let text = format!("the org may have at most {max} connections");
                told(StatusCode::BAD_REQUEST, "ResourceExhausted", &text)
            }
            EngineError::Restricted(relation) => {
                let text = format!("the connection's restriction policy does not make you its {relation}");
                told(StatusCode::FORBIDDEN, "PermissionDenied", &text)
            }
            error => Error::General(error.into()),
        }
    }
}

/// The faults of an `integration` value, as faults of the body around it.
pub(super) fn within(faults: Faults) -> Faults {
    faults.within("/data/attributes/integration")
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::Generic(error.status(), error.message())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Generic(status, detail) => (status, Value::from(detail)),
            Self::General(error) => return error.into_response(),
        };
        // Written out, so that the members stand in the vendor's order.
        let body = format!("{{\"errors\":[{{\"title\":\"Generic Error\",\"detail\":{detail}}}]}}");
        let kind = HeaderValue::from_static("application/vnd.api+json");
        (status, [(CONTENT_TYPE, kind)], body).into_response()
    }
}
