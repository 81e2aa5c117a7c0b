//! Requests that never reach a handler: no such path, no such method, no HTTP at all. How that is told is the
//! dialect's matter, and its paths say which dialect it is.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

/// From a path, a status and a sentence to a JSON body in the words of the dialect that the path belongs to.
pub type Misfit = fn(path: &str, status: StatusCode, sentence: &str) -> String;

/// The form that most of them have: a list of sentences.
pub fn plain_misfit(_: &str, _: StatusCode, sentence: &str) -> String {
    serde_json::json!({ "errors": [sentence] }).to_string()
}

/// The whole answer.
pub(crate) fn answer(misfit: Misfit, path: &str, status: StatusCode, sentence: &str) -> Response {
    let body = misfit(path, status, sentence);
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
