//! Errors as the key services tell them: a status and a list of texts.
//!
//! Texts are as recorded; those that never were are in the manner of the others.

use axum::response::{IntoResponse, Response};
use claviger_engine::{AuthFailure, Error as EngineError, Thing};
use claviger_http::BodyError;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::Value;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The body for an unknown API key, from the vendor's edge, whatever the path. The line end belongs to it.
pub(crate) const UNKNOWN_API_KEY: &str = concat!(
    r#"{"status":"error","code":403,"errors":["Forbidden"],"statuspage":"http://status.datadoghq.com","#,
    r#""twitter":"http://twitter.com/datadogops","email":"support@datadoghq.com"}"#,
    "\n"
);

/// An error on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A status with texts, as the newer services write them: no space after the colon.
    Texts(StatusCode, Vec<String>),
    /// The same from version 1's own handlers, which put a space there.
    SpacedTexts(StatusCode, Vec<String>),
    /// A status with an object: a title and a detail, as the newest services write them.
    Objects(StatusCode, &'static str, &'static str),
    /// The API key is nobody's.
    UnknownApiKey,
}

impl Error {
    pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Texts(status, vec![text.into()])
    }

    pub(crate) fn invalid(texts: Vec<String>) -> Self {
        Self::Texts(StatusCode::BAD_REQUEST, texts)
    }

    /// Something of that name is there; each service has words of its own for it.
    fn conflict(thing: Thing, name: &str) -> Self {
        match thing {
            Thing::User => Self::text(StatusCode::CONFLICT, format!("User {name} already exists")).spaced(),
            Thing::Role => {
                Self::text(StatusCode::CONFLICT, "A role with the same name already exists").spaced()
            }
            _ => Self::text(
                StatusCode::CONFLICT,
                format!("An application key with the name {name} already exists"),
            ),
        }
    }

    /// The same error in version 1's spelling.
    pub(crate) fn spaced(self) -> Self {
        match self {
            Self::Texts(status, texts) => Self::SpacedTexts(status, texts),
            other => other,
        }
    }
}

impl From<AuthFailure> for Error {
    fn from(failure: AuthFailure) -> Self {
        match failure {
            AuthFailure::NothingPresented => Self::text(StatusCode::FORBIDDEN, "API key required"),
            AuthFailure::ApiKey(_) => Self::UnknownApiKey,
            // No session is taken here, and nobody signs in.
            AuthFailure::ApplicationKey(_)
            | AuthFailure::Token(_)
            | AuthFailure::Session(_)
            | AuthFailure::Password(_) => Self::text(StatusCode::UNAUTHORIZED, "Unauthorized"),
            // Its headers are the router's matter.
            AuthFailure::Limited(_) => Self::text(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded"),
            AuthFailure::Unavailable => Self::text(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable"),
        }
    }
}

impl From<BodyError> for Error {
    fn from(error: BodyError) -> Self {
        Self::text(error.status(), error.message())
    }
}

impl From<EngineError> for Error {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Absent(thing) => Self::text(StatusCode::NOT_FOUND, format!("{thing} not found")),
            EngineError::Refused(_) => Self::Texts(
                StatusCode::FORBIDDEN,
                vec!["Forbidden".to_owned(), "Failed permission authorization checks".to_owned()],
            ),
            // No service that is told of in texts asks for it.
            error @ (EngineError::Unregistered | EngineError::ScopeNotNamed(_)) => {
                Self::Texts(StatusCode::FORBIDDEN, vec!["Forbidden".to_owned(), error.to_string()])
            }
            EngineError::Invalid(fields) => {
                let text = |field: claviger_engine::FieldError| format!("'{}' {}", field.field, field.reason);
                Self::invalid(fields.into_iter().map(text).collect())
            }
            // The connections' own endpoints tell it in their words.
            error @ EngineError::BadConnection(_) => Self::text(StatusCode::BAD_REQUEST, error.to_string()),
            EngineError::Restricted(_) => Self::text(StatusCode::FORBIDDEN, "Forbidden"),
            EngineError::Conflict { thing, name } => Self::conflict(thing, &name),
            EngineError::Protected(sentence) => Self::text(StatusCode::BAD_REQUEST, sentence),
            EngineError::LimitReached { thing, .. } => {
                let plural = match thing {
                    Thing::ApiKey => "API keys",
                    Thing::PersonalAccessToken => "personal access tokens",
                    Thing::ServiceAccessToken => "service access tokens",
                    _ => "application keys",
                };
                let text = format!("You have exceeded the maximum number of permitted {plural}");
                Self::text(StatusCode::BAD_REQUEST, text)
            }
            // The vendor's own wording, its odd count included.
            EngineError::LastOne { org_number, max, .. } => Self::text(
                StatusCode::BAD_REQUEST,
                format!("Org {org_number} has 0 api keys. Orgs must have at least 1 and at most {max} keys."),
            ),
            // Nothing of the vendor's is refused so.
            error @ EngineError::InUse { .. } => Self::text(StatusCode::CONFLICT, error.to_string()),
            EngineError::CallerGone => Self::text(StatusCode::FORBIDDEN, "Forbidden"),
            EngineError::Unavailable(cause) => {
                if let Some(cause) = cause {
                    tracing::warn!(
                        error = claviger_model::chain(&cause),
                        "a request found the database away"
                    );
                }
                Self::text(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable")
            }
            error @ EngineError::Internal(_) => {
                tracing::error!(error = claviger_model::chain(&error), "a request failed");
                Self::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let list = |texts: &[String]| serde_json::to_string(texts).expect("strings can be written as JSON");
        let (status, body) = match self {
            Self::Texts(status, texts) => (status, format!("{{\"errors\":{}}}", list(&texts))),
            Self::SpacedTexts(status, texts) => (status, format!("{{\"errors\": {}}}", list(&texts))),
            Self::Objects(status, title, detail) => {
                // Written out, so that the members stand in the vendor's order.
                let (title, detail) = (Value::from(title), Value::from(detail));
                (status, format!("{{\"errors\":[{{\"title\":{title},\"detail\":{detail}}}]}}"))
            }
            Self::UnknownApiKey => {
                let headers = [(CONTENT_TYPE, JSON), (CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
                return (StatusCode::FORBIDDEN, headers, UNKNOWN_API_KEY).into_response();
            }
        };
        let mut response = (status, [(CONTENT_TYPE, JSON)], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
