//! What every handler can reach.

use std::sync::Arc;

use claviger_engine::Engine;
use http::HeaderMap;

use crate::{Limits, Metrics, Peer, RefusalLog, RequestIds, TrustedProxies, Whence};

/// The application: shared by all requests, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    limits: Limits,
    metrics: Metrics,
    refusals: RefusalLog,
    request_ids: RequestIds,
    proxies: TrustedProxies,
}

impl App {
    /// Puts it together.
    pub fn new(
        engine: Arc<Engine>,
        limits: Limits,
        request_ids: RequestIds,
        proxies: TrustedProxies,
    ) -> Self {
        let shared = Shared {
            engine,
            limits,
            metrics: Metrics::default(),
            refusals: RefusalLog::default(),
            request_ids,
            proxies,
        };
        Self(Arc::new(shared))
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The rate limits.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The counters.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// The log of refusals.
    pub fn refusals(&self) -> &RefusalLog {
        &self.0.refusals
    }

    /// Where a request with these headers comes from.
    pub fn whence<'a>(&'a self, headers: &'a HeaderMap, peer: Option<Peer>) -> Whence<'a> {
        Whence { proxies: &self.0.proxies, peer: peer.map(|peer| peer.0.ip()), headers }
    }

    /// The source of request ids.
    pub fn request_ids(&self) -> &RequestIds {
        &self.0.request_ids
    }
}
