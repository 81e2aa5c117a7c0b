//! Errors of the services below `/api/v2/actions`: a list of objects, as JSON:API, each with the members that it is
//! recorded with. What concerns the credentials, the rate limit or the server is told as everywhere.

use axum::response::{IntoResponse, Response};
use claviger_engine::{Error as EngineError, FieldError, Thing};
use claviger_model::Permission;
use http::StatusCode;
use serde::Serialize;

use crate::Error;
use crate::vendor_json::VendorJson;

/// An error on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ActionError {
    /// What every service says alike.
    Common(Error),
    /// What these services say in words of their own.
    Objects(StatusCode, Vec<ErrorObject>),
}

/// What is wrong. The members stand in the vendor's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    detail: String,
}

impl ActionError {
    /// One object with a detail alone.
    pub(crate) fn bare(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::Objects(status, vec![ErrorObject { status: None, title: None, detail: detail.into() }])
    }

    /// One object of connections, whose title is always the same.
    pub(crate) fn generic(status: StatusCode, detail: impl Into<String>) -> Self {
        let object = ErrorObject { status: None, title: Some("Generic Error"), detail: detail.into() };
        Self::Objects(status, vec![object])
    }

    /// One object with its status, a title and a detail.
    pub(crate) fn full(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self::Objects(status, vec![ErrorObject::full(status, title, detail.into())])
    }

    /// Parameters or members that do not do, each by an object.
    pub(crate) fn invalid(details: impl IntoIterator<Item = String>) -> Self {
        const STATUS: StatusCode = StatusCode::BAD_REQUEST;
        let object = |detail| ErrorObject::full(STATUS, "Invalid Parameter", detail);
        Self::Objects(STATUS, details.into_iter().map(object).collect())
    }

    /// The caller lacks something. This was never recorded: the words are those of the key services, in the form of
    /// these.
    fn forbidden(detail: impl Into<String>) -> Self {
        Self::full(StatusCode::FORBIDDEN, "Forbidden", detail)
    }
}

impl ErrorObject {
    fn full(status: StatusCode, title: &'static str, detail: String) -> Self {
        Self { status: Some(status.as_u16().to_string()), title: Some(title), detail }
    }
}

impl From<Error> for ActionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Texts(StatusCode::BAD_REQUEST, texts) => Self::invalid(texts),
            error => Self::Common(error),
        }
    }
}

impl From<EngineError> for ActionError {
    fn from(error: EngineError) -> Self {
        match error {
            // As recorded, though what is missing need not be the key.
            EngineError::Absent(Thing::Registration) => {
                Self::bare(StatusCode::NOT_FOUND, "app key not found")
            }
            EngineError::Absent(thing) => Self::bare(StatusCode::NOT_FOUND, format!("{thing} not found")),
            EngineError::Refused(_) => Self::forbidden("Failed permission authorization checks"),
            EngineError::Unregistered => {
                Self::forbidden("The application key is not registered for the Actions API")
            }
            EngineError::ScopeNotNamed(any_of) => {
                let names: Vec<_> = any_of.iter().copied().map(Permission::name).collect();
                Self::forbidden(format!("The token must name the scope {}", names.join(" or ")))
            }
            EngineError::Invalid(fields) => {
                let detail = |field: FieldError| format!("'{}' {}", field.field, field.reason);
                Self::invalid(fields.into_iter().map(detail))
            }
            EngineError::LimitReached { thing, max } => {
                let detail = format!("There can be at most {max} of {thing}");
                Self::full(StatusCode::BAD_REQUEST, "Limit Exceeded", detail)
            }
            other => Self::Common(other.into()),
        }
    }
}

impl IntoResponse for ActionError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Errors {
            errors: Vec<ErrorObject>,
        }
        match self {
            Self::Common(error) => error.into_response(),
            Self::Objects(status, errors) => (status, VendorJson(Errors { errors })).into_response(),
        }
    }
}
