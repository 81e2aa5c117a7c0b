//! Where credentials and callers' addresses stand in a request.

use claviger_engine::{AuthFailure, Origin, Presented, Source};
use claviger_model::RequestId;
use http::header::AUTHORIZATION;
use http::{HeaderMap, request};

use crate::limits::StandingSlot;
use crate::{App, Peer, Whence};

/// The credentials that a request presents, in the vendor's headers.
pub fn presented(headers: &HeaderMap) -> Presented<'_> {
    let value = |name| headers.get(name).map(http::HeaderValue::as_bytes);
    Presented {
        api_key: value("dd-api-key"),
        application_key: value("dd-application-key"),
        bearer: headers.get(AUTHORIZATION).and_then(|value| bearer(value.as_bytes())),
    }
}

/// The token of an `Authorization` header, if its scheme is Bearer, whose case does not matter. Other schemes are
/// somebody else's.
pub(crate) fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Where a routed request comes from.
pub fn whence<'a>(app: &'a App, parts: &'a request::Parts) -> Whence<'a> {
    app.whence(&parts.headers, parts.extensions.get::<Peer>().copied())
}

/// Where a request came from, for the record.
pub fn origin(app: &App, parts: &request::Parts) -> Origin {
    let address = whence(app, parts).address();
    let request = parts.extensions.get::<RequestId>().copied();
    Origin { address, request: request.unwrap_or_else(|| RequestId::from_uuid(uuid::Uuid::nil())) }
}

/// Counts the refusal of a routed request's credentials. Where that is for a limit, the answer gets its headers.
pub fn note_refusal(app: &App, parts: &request::Parts, failure: AuthFailure) {
    app.refusals().note(failure, app.engine().clock().now(), app.metrics());
    if let (AuthFailure::Limited(exhausted), Some(slot)) = (failure, parts.extensions.get::<StandingSlot>()) {
        slot.put(exhausted.into());
    }
}
