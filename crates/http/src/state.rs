//! What every handler can reach.

use std::sync::Arc;

use claviger_engine::Engine;

use crate::{Limits, Metrics, RefusalLog, RequestIds};

/// The application: shared by all requests, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    limits: Limits,
    metrics: Metrics,
    refusals: RefusalLog,
    request_ids: RequestIds,
}

impl App {
    /// Puts it together.
    pub fn new(engine: Arc<Engine>, limits: Limits, request_ids: RequestIds) -> Self {
        let shared = Shared {
            engine,
            limits,
            metrics: Metrics::default(),
            refusals: RefusalLog::default(),
            request_ids,
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

    /// The source of request ids.
    pub fn request_ids(&self) -> &RequestIds {
        &self.0.request_ids
    }
}
