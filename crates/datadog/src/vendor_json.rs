//! Answers of the services that write JSON:API's own content type, as recorded.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde::Serialize;

/// An answer as `application/vnd.api+json`.
pub(crate) struct VendorJson<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for VendorJson<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.0).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/vnd.api+json"));
        response
    }
}
