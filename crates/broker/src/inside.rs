//! A call that does not come through the door: made by the server, for somebody or for itself. From there on it goes the
//! very same way.

use std::sync::Arc;

use axum::body::Body;
use claviger_engine::{UsableConnection, UseKey};
use claviger_model::Origin;
use http::{HeaderMap, Method, Request, Response};

use crate::address::Address;
use crate::broker::Broker;
use crate::by::By;
use crate::credentials::Found;
use crate::door::Who;
use crate::refusal::Refusal;

/// What is to be called.
pub(crate) struct Inside<'a> {
    pub(crate) method: Method,
    /// Where, from the root; none for below the connection's base URL.
    pub(crate) origin: Option<&'a Origin>,
    /// With its query.
    pub(crate) path: &'a str,
    pub(crate) headers: HeaderMap,
}

impl Broker {
    /// Makes a call without a body through a connection that may be used for this. The answer is as the door would give it:
    /// masked, recorded, and to be read to its end or dropped.
    ///
    /// # Errors
    /// As the door's.
    pub(crate) async fn call_inside(
        &self,
        by: By,
        usable: &Arc<UsableConnection>,
        call: Inside<'_>,
    ) -> Result<Response<Body>, Refusal> {
        let key = UseKey::Id(usable.connection.id);
        let (path, query) = match call.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (call.path, None),
        };
        let who = Who { by, found: Found::usual() };
        let (mut parts, ()) = Request::new(()).into_parts();
        (parts.method, parts.headers) = (call.method, call.headers);
        let passed = match Address::of(key, path, query) {
            Ok(address) => {
                let address = Address { origin: call.origin, ..address };
                self.pass(&parts, &mut None, &address, who, usable, Ok(())).await
            }
            Err(refusal) => Err(refusal),
        };
        passed
            .map(|answer| answer.map(Body::new))
            .inspect_err(|refusal| self.app.metrics().count_brokered(refusal.code()))
    }
}
