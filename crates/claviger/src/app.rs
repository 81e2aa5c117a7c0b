//! The application: every dialect's routes and fronts, over one engine.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use claviger_broker::{Background as BrokerWork, Broker, Options as BrokerOptions};
use claviger_datadog::ValidateFront;
use claviger_egress::Egress;
use claviger_engine::Engine;
use claviger_http::{
    App, Door, Front, Limits, RequestIds, RouteInfo, ServerOptions, TrustedProxies, Ways, plain_misfit,
    router,
};
use claviger_model::Random;
use claviger_native::{Options as NativeOptions, VerifyFront};
use claviger_zendesk::Options as ZendeskOptions;
use http::StatusCode;

use crate::openapi;

/// What the server serves.
pub struct Application {
    /// What handlers share.
    pub app: App,
    /// What answers verifications.
    pub front: Arc<dyn Front>,
    /// What passes calls on to third parties.
    pub door: Arc<dyn Door>,
    /// What answers everything else.
    pub router: Router,
    /// The broker's work in the background, to be stopped once nobody is served any more.
    pub broker: BrokerWork,
    /// Every route of both.
    pub routes: Vec<RouteInfo>,
}

impl Application {
    /// Puts it together.
    pub fn assemble(
        engine: Arc<Engine>,
        limits: Limits,
        proxies: TrustedProxies,
        native: &NativeOptions,
        zendesk: &ZendeskOptions,
        (egress, broker): (Egress, BrokerOptions),
        random: &dyn Random,
    ) -> Self {
        let datadog = claviger_datadog::routes(engine.catalog());
        let native = claviger_native::routes(native, engine.catalog());
        let app = App::new(engine, limits, RequestIds::new(random), proxies);
        let fronts = [ValidateFront::routes(), VerifyFront::routes()].concat();
        let mut routes = [datadog, native, claviger_zendesk::routes(zendesk)].into_iter().flatten().collect();
        openapi::add(&mut routes, &fronts);
        let (router, mut routes) = router(app.clone(), routes, misfit);
        routes.extend(fronts.into_iter().map(|front| front.info));
        let fronts: Vec<Arc<dyn Front>> =
            vec![Arc::new(VerifyFront::new(app.clone())), Arc::new(ValidateFront::new(app.clone()))];
        let (door, broker) = Broker::start(app.clone(), egress, broker);
        Self { app, front: Arc::new(fronts), door, router, broker, routes }
    }

    /// The ways that its requests take.
    pub fn ways(&self) -> Ways {
        Ways { front: self.front.clone(), door: Some(self.door.clone()), router: self.router.clone() }
    }
}

/// How to serve the application.
pub fn server_options(drain: Duration) -> ServerOptions {
    ServerOptions { drain, misfit, ..ServerOptions::default() }
}

/// A request that never reached a handler is refused in the form of the API that it looks like.
fn misfit(path: &str, status: StatusCode, sentence: &str) -> String {
    if path.starts_with("/claviger/") || path.starts_with("/verify") {
        claviger_native::Error::misfit(status, sentence)
    } else if claviger_zendesk::is_ours(path) {
        claviger_zendesk::misfit(path, status, sentence)
    } else {
        plain_misfit(path, status, sentence)
    }
}
