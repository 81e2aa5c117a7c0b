//! The third way: requests whose bodies stream through to somebody else.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;

use crate::Peer;

/// What a door answers in time.
pub type Opening = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// Answers requests past the router, body and all: with neither middleware nor log line, as [`crate::Front`], but in its
/// own time. What it leaves of a request's body it discards itself ([`crate::discard`]).
pub trait Door: Send + Sync + 'static {
    /// Whether a request is for it.
    fn is_for(&self, request: &Request<Incoming>) -> bool;

    /// Its answer.
    fn open(self: Arc<Self>, request: Request<Incoming>, peer: Peer) -> Opening;

    /// Told before what goes on through it is ended, because the server stops and will wait no longer.
    fn cut_off(&self) {}
}
