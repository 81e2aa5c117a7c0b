//! Where a call goes: origin, host header and path, out of the connection and of what its caller asks for. Whether it may go
//! there is not decided here.

use std::sync::Arc;

use bytes::Bytes;
use claviger_model::{Host, Origin, Scheme};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, request};

use crate::address::Address;
use crate::prepared::{Prepared, host_header};
use crate::refusal::Refusal;

/// The host that a caller means, of those that the connection allows.
const CLAVIGER_HOST: HeaderName = HeaderName::from_static("claviger-host");

/// See the module's documentation. What of it is kept by several is shared.
pub(crate) struct Aim {
    pub(crate) origin: Arc<Origin>,
    /// Its host and port, for the header.
    pub(crate) host: HeaderValue,
    /// Without a query.
    pub(crate) path: PathAndQuery,
}

/// Where a call goes: the connection's base URL, with the caller's path below it, or another host that the caller names,
/// from its root.
///
/// # Errors
/// Where no host is named, or what is named is none.
pub(crate) fn target(
    parts: &request::Parts,
    address: &Address<'_>,
    prepared: &Prepared,
) -> Result<Aim, Refusal> {
    if let Some(origin) = address.origin {
        return at_root(origin.clone(), address);
    }
    let mut named = parts.headers.get_all(CLAVIGER_HOST).into_iter();
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(Refusal::HostInvalid),
        (Some(host), None) => {
            let host: Host = host.to_str().ok().and_then(|it| it.parse().ok()).ok_or(Refusal::HostInvalid)?;
            at_root(Origin::new(Scheme::Https, host), address)
        }
        (None, _) => {
            let base = prepared.base.as_ref().ok_or(Refusal::HostNeeded)?;
            let path = path(&base.path, address)?;
            Ok(Aim { origin: base.origin.clone(), host: base.host.clone(), path })
        }
    }
}

fn at_root(origin: Origin, address: &Address<'_>) -> Result<Aim, Refusal> {
    Ok(Aim { host: host_header(&origin)?, origin: Arc::new(origin), path: path("", address)? })
}

/// The caller's path below another.
fn path(base: &str, address: &Address<'_>) -> Result<PathAndQuery, Refusal> {
    let path = match (base, address.path) {
        ("", "") => return Ok(PathAndQuery::from_static("/")),
        (base, path) => Bytes::from([base, path].concat()),
    };
    PathAndQuery::from_maybe_shared(path).map_err(|_| Refusal::Internal)
}
