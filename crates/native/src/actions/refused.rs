//! Refusals of actions: in the native API's form, with the code in a header too, as at the broker's door.

use axum::response::{IntoResponse, Response};
use claviger_broker::{ERROR, Refusal, headers_of};
use http::HeaderValue;
use http::header::RETRY_AFTER;

use crate::Error;

/// An error on its way out.
pub(super) struct Refused(pub(super) Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let (status, code, words) = refusal.told();
        match refusal {
            Refusal::HostNeeded => {
                let words = "The connection has no single base URL: give the whole address in url";
                Self::new(status, code, words).of("path")
            }
            Refusal::HostNotAllowed => Self::new(status, code, words).of("url"),
            Refusal::Body(_) | Refusal::BodyTooLarge => Self::new(status, code, words).of("requestBody"),
            _ => Self::new(status, code, words),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = self.0.code();
        let mut response = self.0.into_response();
        let more = headers_of(response.status());
        let headers = response.headers_mut();
        headers.insert(ERROR, HeaderValue::from_static(code));
        headers.extend(more);
        if code == Refusal::RightUnknown.code() {
            // It may have been done.
            headers.remove(RETRY_AFTER);
        }
        response
    }
}
