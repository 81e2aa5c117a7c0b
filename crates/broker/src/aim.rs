//! Where a call goes: origin, host header and path, out of the connection and of what its caller asks for. Whether it may go
//! there is not decided here.

use std::borrow::Cow;

use claviger_model::{Host, Origin, Scheme};
use http::{HeaderName, HeaderValue, request};

use crate::address::Address;
use crate::prepared::{Prepared, host_header};
use crate::refusal::Refusal;

/// The host that a caller means, of those that the connection allows.
const CLAVIGER_HOST: HeaderName = HeaderName::from_static("claviger-host");

/// See the module's documentation.
pub(crate) struct Aim<'p> {
    pub(crate) origin: Cow<'p, Origin>,
    /// Its host and port, for the header.
    pub(crate) host: HeaderValue,
    pub(crate) path: String,
}

/// Where a call goes: the connection's base URL, with the caller's path below it, or another host that the caller names,
/// from its root.
pub(crate) fn target<'p>(
    parts: &request::Parts,
    address: &Address<'_>,
    prepared: &'p Prepared,
) -> Result<Aim<'p>, Refusal> {
    let mut named = parts.headers.get_all(CLAVIGER_HOST).into_iter();
    let below = |base: &str| match (base, address.path) {
        ("", "") => "/".to_owned(),
        (base, path) => [base, path].concat(),
    };
    if let Some(origin) = address.origin {
        return Ok(Aim { host: host_header(origin)?, origin: Cow::Owned(origin.clone()), path: below("") });
    }
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(Refusal::HostInvalid),
        (Some(host), None) => {
            let host: Host = host.to_str().ok().and_then(|it| it.parse().ok()).ok_or(Refusal::HostInvalid)?;
            let origin = Origin::new(Scheme::Https, host);
            Ok(Aim { host: host_header(&origin)?, origin: Cow::Owned(origin), path: below("") })
        }
        (None, _) => {
            let base = prepared.base.as_ref().ok_or(Refusal::HostNeeded)?;
            let origin = Cow::Borrowed(&base.origin);
            Ok(Aim { origin, host: base.host.clone(), path: below(&base.path) })
        }
    }
}
