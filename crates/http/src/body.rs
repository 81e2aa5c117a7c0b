//! Request bodies: JSON, bounded in size and in time.

use std::time::Duration;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

/// The largest body of a key request: a hundred times what any client sends.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The largest body of a connection: the content of an HTTP connection's body and its tokens fit in.
pub const CONNECTION_BYTES_MAX: usize = 256 * 1024;

/// The largest body of a batch, as others' services send them.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive, as the server put it beside the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyPatience(pub(crate) Duration);

/// A JSON body, whatever its content type says: clients send all kinds.
#[derive(Debug)]
pub struct Json(pub Value);

/// A JSON object.
pub type JsonObject = serde_json::Map<String, Value>;

/// Why there is no JSON body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// Over the limit.
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// It did not arrive in time.
    TooSlow,
    /// It broke off.
    Broken,
    /// It is no JSON.
    NotJson {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
}

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = BodyError;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyError> {
        parse(&collect(request, BODY_BYTES_MAX).await?).map(Self)
    }
}

/// A JSON body up to [`CONNECTION_BYTES_MAX`].
pub struct LargeJson(pub Value);

/// It may hold secrets.
impl std::fmt::Debug for LargeJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LargeJson(..)")
    }
}

impl<S: Send + Sync> FromRequest<S> for LargeJson {
    type Rejection = BodyError;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyError> {
        parse(&collect(request, CONNECTION_BYTES_MAX).await?).map(Self)
    }
}

/// A batch as it came, for what is signed over its very bytes; up to [`BATCH_BYTES_MAX`].
#[derive(Debug)]
pub struct Batch(pub Bytes);

impl Batch {
    /// The batch as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn json(&self) -> Result<Value, BodyError> {
        parse(&self.0)
    }
}

impl<S: Send + Sync> FromRequest<S> for Batch {
    type Rejection = BodyError;

    async fn from_request(request: Request, _: &S) -> Result<Self, BodyError> {
        collect(request, BATCH_BYTES_MAX).await.map(Self)
    }
}

async fn collect(request: Request, bytes_max: usize) -> Result<Bytes, BodyError> {
    // A request that no server took in needs no patience: its body is there.
    let patience = request.extensions().get::<BodyPatience>().map_or(Duration::ZERO, |patience| patience.0);
    let body = Limited::new(request.into_body(), bytes_max).collect();
    let collected = tokio::time::timeout(patience, body).await.map_err(|_| BodyError::TooSlow)?;
    let bytes = collected.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
        Some(_) => BodyError::TooLarge { bytes_max },
        None => BodyError::Broken,
    })?;
    Ok(bytes.to_bytes())
}

fn parse(bytes: &[u8]) -> Result<Value, BodyError> {
    serde_json::from_slice(bytes)
        .map_err(|error| BodyError::NotJson { line: error.line(), column: error.column() })
}

/// So that it can stand in a handler's error type before it is told in the dialect's words.
impl axum::response::IntoResponse for BodyError {
    fn into_response(self) -> axum::response::Response {
        self.status().into_response()
    }
}

impl BodyError {
    /// The status that every dialect gives it.
    pub fn status(self) -> http::StatusCode {
        match self {
            Self::TooLarge { .. } => http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => http::StatusCode::REQUEST_TIMEOUT,
            Self::Broken | Self::NotJson { .. } => http::StatusCode::BAD_REQUEST,
        }
    }

    /// What is wrong, as a sentence.
    pub fn message(self) -> String {
        match self {
            Self::TooLarge { bytes_max } => format!("Request body is larger than {bytes_max} bytes"),
            Self::TooSlow => "Request body did not arrive in time".to_owned(),
            Self::Broken => "Request body broke off".to_owned(),
            Self::NotJson { line, column } => format!("Invalid JSON at line {line}, column {column}"),
        }
    }
}
