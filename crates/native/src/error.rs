//! Errors of the native API.

use axum::Json;
use axum::response::{IntoResponse, Response};
use claviger_engine::{AuthFailure, AuthReason, Error as EngineError, FieldError};
use claviger_http::BodyError;
use claviger_http::openapi::Named;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// An error on its way out: a status and what is wrong, each with a stable code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    status: StatusCode,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Fault {
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl Error {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, faults: vec![Fault { code, detail: detail.into(), field: None }] }
    }

    pub(crate) fn invalid(fields: Vec<FieldError>) -> Self {
        let fault =
            |field: FieldError| Fault { code: "invalid", detail: field.reason, field: Some(field.field) };
        Self { status: StatusCode::BAD_REQUEST, faults: fields.into_iter().map(fault).collect() }
    }

    /// The same, said of a field.
    pub(crate) fn of(mut self, field: &str) -> Self {
        self.faults.iter_mut().for_each(|fault| fault.field = Some(field.to_owned()));
        self
    }

    /// The code of what is wrong first.
    pub(crate) fn code(&self) -> &'static str {
        self.faults.first().map_or("internal", |fault| fault.code)
    }

    /// What is wrong here, and what is wrong there, with the status of the first.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.faults.extend(other.faults);
        self
    }

    /// The body for a request that never reached a handler.
    pub fn misfit(status: StatusCode, sentence: &str) -> String {
        let code = match status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::SERVICE_UNAVAILABLE => "unavailable",
            _ => "invalid_request",
        };
        json!({ "errors": [{ "code": code, "detail": sentence }] }).to_string()
    }

    pub(crate) fn limited() -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Rate limit exceeded")
    }
}

impl From<AuthFailure> for Error {
    fn from(failure: AuthFailure) -> Self {
        let reason = match failure {
            AuthFailure::Unavailable => return EngineError::Unavailable(None).into(),
            AuthFailure::Limited(_) => return Self::limited(),
            AuthFailure::NothingPresented => AuthReason::Missing,
            AuthFailure::ApiKey(reason)
            | AuthFailure::ApplicationKey(reason)
            | AuthFailure::Token(reason)
            | AuthFailure::Session(reason)
            | AuthFailure::Password(reason) => reason,
        };
        match reason {
            AuthReason::AddressNotAllowed => Self::new(
                StatusCode::FORBIDDEN,
                reason.as_str(),
                "The credential may not be used from this address",
            ),
            AuthReason::Forged => Self::new(
                StatusCode::FORBIDDEN,
                reason.as_str(),
                "The X-CSRF-Token of the session is missing or wrong, or the request comes from another site's page",
            ),
            AuthReason::NotAdmin => {
                Self::new(StatusCode::FORBIDDEN, reason.as_str(), "Only admins may do this")
            }
            AuthReason::TooOften => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                reason.as_str(),
                "So many were tried that this was not looked at: try again in a few minutes",
            ),
            _ => Self::new(StatusCode::UNAUTHORIZED, reason.as_str(), "The credentials are not valid"),
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), "invalid_body", error.message())
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Absent(thing) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", format!("{thing} not found"))
            }
            EngineError::Refused(any_of) => {
                let names: Vec<_> = any_of.iter().map(|permission| permission.name()).collect();
                let detail = match names.is_empty() {
                    true => "This is beyond what the credential may do".to_owned(),
                    false => format!("Any one of these permissions is needed: {}", names.join(", ")),
                };
                Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            EngineError::Unregistered => {
                Self::new(StatusCode::FORBIDDEN, "unregistered", "The application key is not registered")
            }
            EngineError::ScopeNotNamed(any_of) => {
                let names: Vec<_> = any_of.iter().map(|permission| permission.name()).collect();
                let detail = format!("The token must name one of these scopes: {}", names.join(", "));
                Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
            }
            EngineError::Invalid(fields) => Self::invalid(fields),
            EngineError::BadConnection(faults) => {
                let field = |fault: &claviger_catalog::Fault| FieldError {
                    field: format!("integration{}", fault.pointer),
                    reason: fault.reason.clone(),
                };
                Self::invalid(faults.iter().map(field).collect())
            }
            EngineError::Restricted(_) => Self::new(StatusCode::FORBIDDEN, "restricted", error.to_string()),
            EngineError::CallerGone => Self::new(StatusCode::UNAUTHORIZED, "unknown", error.to_string()),
            EngineError::Conflict { .. } => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            EngineError::LimitReached { .. } => {
                Self::new(StatusCode::CONFLICT, "limit_reached", error.to_string())
            }
            EngineError::InUse { .. } => Self::new(StatusCode::CONFLICT, "in_use", error.to_string()),
            EngineError::Protected(sentence) => Self::new(StatusCode::CONFLICT, "protected", sentence),
            EngineError::LastOne { .. } => Self::new(StatusCode::CONFLICT, "last_one", error.to_string()),
            EngineError::Unavailable(cause) => {
                if let Some(cause) = cause {
                    tracing::warn!(
                        error = claviger_model::chain(&cause),
                        "a request found the database away"
                    );
                }
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again in a moment")
            }
            error @ EngineError::Internal(_) => {
                tracing::error!(error = claviger_model::chain(&error), "a request failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal server error")
            }
        }
    }
}

/// The body of every error, as the API's description has it.
pub(crate) fn described() -> Named {
    #[derive(Serialize, JsonSchema)]
    struct Errors {
        errors: Vec<Fault>,
    }
    Named::of::<Errors>("Errors")
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "errors": self.faults }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
