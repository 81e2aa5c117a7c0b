//! The short way: verification, answered before any router.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::Peer;

/// Answers the requests that verify credentials, without waiting for anything.
pub trait Front: Send + Sync + 'static {
    /// The answer, or none for a request that the router must answer.
    fn answer(&self, request: &Request<Incoming>, peer: Peer) -> Option<Response<Full<Bytes>>>;
}

/// Several fronts, asked in order.
impl Front for Vec<Arc<dyn Front>> {
    fn answer(&self, request: &Request<Incoming>, peer: Peer) -> Option<Response<Full<Bytes>>> {
        self.iter().find_map(|front| front.answer(request, peer))
    }
}
