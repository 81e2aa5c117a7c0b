//! Where credentials and callers' addresses stand in a request.

use claviger_engine::{Origin, Presented};
use claviger_model::RequestId;
use http::header::AUTHORIZATION;
use http::{HeaderMap, request};

use crate::Peer;

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

/// Where a request came from, as the server noted when it arrived.
pub fn origin(parts: &request::Parts) -> Origin {
    let address = parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let request = parts.extensions.get::<RequestId>().copied();
    Origin { address, request: request.unwrap_or_else(|| RequestId::from_uuid(uuid::Uuid::nil())) }
}
