//! Errors as the vendor's services tell them: one meaning, and the face of the service that tells it.
//!
//! The codes are those of the vendor's API reference, and of "Fixing common ZIS errors". A face decides the body; one
//! function leads to a status and words from each of the engine's errors, a body's, and a credential's.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use claviger_engine::{AuthFailure, AuthReason, Error as EngineError, FieldError, Thing};
use claviger_http::BodyError;
use claviger_model::Permission;
use claviger_oauth::{AccessError, FlowError, ProviderFault};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// What went wrong, whichever service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    status: StatusCode,
    /// Where it is not as the status says.
    code: Option<&'static str>,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Fault {
    field: Option<String>,
    title: String,
}

impl Error {
    pub(crate) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        Self { status, code: None, faults: vec![Fault { field: None, title: title.into() }] }
    }

    /// One with a code of its own.
    pub(crate) fn named(status: StatusCode, code: &'static str, title: &str) -> Self {
        Self { code: Some(code), ..Self::new(status, title) }
    }

    /// Bad members of a body, each named.
    pub(crate) fn invalid(fields: Vec<FieldError>) -> Self {
        let fault =
            |it: FieldError| Fault { title: format!("{} {}", it.field, it.reason), field: Some(it.field) };
        Self { status: StatusCode::BAD_REQUEST, code: None, faults: fields.into_iter().map(fault).collect() }
    }

    pub(crate) fn limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests")
    }
}

/// The code of what comes without proof that it comes from a page of the session's own.
const FORGED: &str = "InvalidAuthenticityToken";

/// The service that tells of an error.
pub(crate) trait Face: Send + Sync + 'static {
    /// The status and the body.
    fn told(error: &Error) -> (StatusCode, Value);
}

/// The registry of integrations: numbers as codes, and a message beside them.
pub(crate) enum Registry {}

impl Face for Registry {
    fn told(error: &Error) -> (StatusCode, Value) {
        let code = match error.status.as_u16() {
            401 | 403 => "1001",
            400..500 => "1010",
            _ => "1050",
        };
        let status = error.status.as_str();
        let fault = |fault: &Fault| json!({ "code": code, "detail": fault.title, "status": status });
        let errors: Vec<_> = error.faults.iter().map(fault).collect();
        let message = error.faults.first().map(|fault| fault.title.as_str());
        (error.status, json!({ "errors": errors, "message": message }))
    }
}

/// The vendor's general API, which tokens belong to.
pub(crate) enum Support {}

impl Face for Support {
    fn told(error: &Error) -> (StatusCode, Value) {
        let title = error.faults.first().map_or("", |fault| fault.title.as_str());
        match error.status {
            StatusCode::UNAUTHORIZED => (error.status, json!({ "error": "Couldn't authenticate you" })),
            StatusCode::NOT_FOUND => {
                (error.status, json!({ "error": "RecordNotFound", "description": "Not found" }))
            }
            StatusCode::BAD_REQUEST if error.faults.iter().all(|fault| fault.field.is_some()) => {
                let detail = |fault: &Fault| {
                    let said = json!([{ "description": fault.title, "error": "InvalidValue" }]);
                    Some((fault.field.clone()?, said))
                };
                let details: Map<_, _> = error.faults.iter().filter_map(detail).collect();
                let body = json!({
                    "error": "RecordInvalid",
                    "description": "Record validation errors",
                    "details": details,
                });
                (StatusCode::UNPROCESSABLE_ENTITY, body)
            }
            status => (status, json!({ "error": code(status), "description": title })),
        }
    }
}

/// All other ZIS services.
pub(crate) enum Service {}

impl Face for Service {
    fn told(error: &Error) -> (StatusCode, Value) {
        let code = error.code.map_or_else(|| code(error.status), str::to_owned);
        let fault = |fault: &Fault| json!({ "code": code, "title": fault.title });
        let errors: Vec<_> = error.faults.iter().map(fault).collect();
        (error.status, json!({ "errors": errors }))
    }
}

/// The vendor's codes are the statuses' names, but for one.
fn code(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "InvalidCredentials".to_owned(),
        status => status.canonical_reason().unwrap_or("Error").replace(' ', ""),
    }
}

/// An error on its way out, with the face of the service that tells it.
pub(crate) struct Told<F>(Error, PhantomData<F>);

impl<F: Face, E: Into<Error>> From<E> for Told<F> {
    fn from(error: E) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<F: Face> IntoResponse for Told<F> {
    fn into_response(self) -> Response {
        let (status, body) = match self.0.code {
            // Every service of the vendor's tells of it alike.
            Some(FORGED) => {
                let title = self.0.faults.first().map(|fault| fault.title.as_str());
                (self.0.status, json!({ "error": { "title": "Forbidden", "message": title } }))
            }
            _ => F::told(&self.0),
        };
        let json = HeaderValue::from_static("application/json");
        let mut response = (status, [(CONTENT_TYPE, json)], body.to_string()).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The body for a request that never reached a handler.
pub fn misfit(path: &str, status: StatusCode, sentence: &str) -> String {
    let error = Error::new(status, sentence);
    let (_, body) = if path.starts_with("/api/services/zis/registry/") {
        Registry::told(&error)
    } else if path.starts_with("/api/v2/oauth/") {
        Support::told(&error)
    } else {
        Service::told(&error)
    };
    body.to_string()
}

impl From<AuthFailure> for Error {
    fn from(failure: AuthFailure) -> Self {
        match failure {
            AuthFailure::Session(AuthReason::Forged) => {
                Self::named(StatusCode::FORBIDDEN, FORGED, "Invalid authenticity token")
            }
            AuthFailure::Session(AuthReason::NotAdmin) => {
                EngineError::Refused(&[Permission::ORG_MANAGEMENT]).into()
            }
            AuthFailure::NothingPresented
            | AuthFailure::ApiKey(_)
            | AuthFailure::ApplicationKey(_)
            | AuthFailure::Token(_)
            | AuthFailure::Session(_)
            | AuthFailure::Password(_) => Self::new(StatusCode::UNAUTHORIZED, "Authentication failed"),
            AuthFailure::Limited(_) => Self::limited(),
            AuthFailure::Unavailable => EngineError::Unavailable(None).into(),
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::new(error.status(), "Payload too large"),
            _ => Self::new(error.status(), error.message()),
        }
    }
}

impl From<FlowError> for Error {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NotSetUp => Self::new(StatusCode::NOT_IMPLEMENTED, error.to_string()),
            FlowError::Spent => Self::new(StatusCode::BAD_REQUEST, format!("verification_code {error}")),
            FlowError::Provider(fault) => fault.into(),
            FlowError::Engine(error) => error.into(),
        }
    }
}

impl From<ProviderFault> for Error {
    fn from(fault: ProviderFault) -> Self {
        // What somebody has to change first is no trouble on the way.
        let status = if fault.is_final { StatusCode::BAD_REQUEST } else { StatusCode::BAD_GATEWAY };
        Self::new(status, fault.to_string())
    }
}

impl From<AccessError> for Error {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Absent => EngineError::Absent(Thing::Connection).into(),
            AccessError::Lost | AccessError::Over | AccessError::Refused(_) => {
                Self::new(StatusCode::BAD_REQUEST, error.to_string())
            }
            AccessError::Provider(fault) => fault.into(),
            AccessError::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            // Others may have been told the same.
            AccessError::Engine(error) => match Arc::try_unwrap(error) {
                Ok(error) => error.into(),
                Err(error) => {
                    tracing::warn!(error = claviger_model::chain(&*error), "a token could not be read");
                    EngineError::Unavailable(None).into()
                }
            },
        }
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Absent(thing) => Self::new(StatusCode::NOT_FOUND, format!("{thing} does not exist")),
            EngineError::Refused(any_of) => Self::new(StatusCode::FORBIDDEN, refusal(any_of)),
            EngineError::Unregistered | EngineError::ScopeNotNamed(_) | EngineError::Restricted(_) => {
                Self::new(StatusCode::FORBIDDEN, error.to_string())
            }
            EngineError::Invalid(fields) => Self::invalid(fields),
            EngineError::BadConnection(_) => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            EngineError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "Resource conflict"),
            // Not a conflict, which clients take for "it is there".
            EngineError::LimitReached { .. } => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
            EngineError::LastOne { .. } | EngineError::InUse { .. } | EngineError::Protected(_) => {
                Self::new(StatusCode::BAD_REQUEST, error.to_string())
            }
            EngineError::CallerGone => Self::new(StatusCode::UNAUTHORIZED, "Authentication failed"),
            EngineError::Unavailable(cause) => {
                if let Some(cause) = cause {
                    let error = claviger_model::chain(&cause);
                    tracing::warn!(error, "a request found the database away");
                }
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable")
            }
            error @ EngineError::Internal(_) => {
                tracing::error!(error = claviger_model::chain(&error), "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
            }
        }
    }
}

/// Which scope is missing, or that more than a scope is.
fn refusal(any_of: &[Permission]) -> &'static str {
    if any_of.contains(&Permission::CONNECTIONS_READ) {
        "Cannot access this resource. Missing scope read"
    } else if any_of.contains(&Permission::CONNECTIONS_WRITE) {
        "Cannot access this resource. Missing scope write"
    } else if any_of.contains(&Permission::ORG_MANAGEMENT) {
        "Only admin user is allowed"
    } else {
        "This is beyond what the credential may do"
    }
}
