//! The application: every dialect's routes and fronts, over one engine.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use claviger_datadog::ValidateFront;
use claviger_engine::Engine;
use claviger_http::{
    App, Front, Limits, RequestIds, RouteInfo, ServerOptions, TrustedProxies, plain_misfit, router,
};
use claviger_model::Random;
use claviger_native::{Options as NativeOptions, Tenancy, VerifyFront};
use claviger_zendesk::Options as ZendeskOptions;
use http::StatusCode;

use crate::openapi;

/// What the server serves.
pub struct Application {
    /// What handlers share.
    pub app: App,
    /// What answers verifications.
    pub front: Arc<dyn Front>,
    /// What answers everything else.
    pub router: Router,
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
        random: &dyn Random,
    ) -> Self {
        let datadog = claviger_datadog::routes(engine.catalog());
        let hosts = zendesk.clone();
        let tenancy =
            Tenancy::new(zendesk.tells_orgs_apart(), move |parts, app| hosts.org_by_host(parts, app));
        // Those of the vendor's keys take no sessions.
        let zendesk = claviger_zendesk::routes(zendesk, native.sessions.cookie);
        let native = claviger_native::routes(native, engine.catalog(), &tenancy);
        let app = App::new(engine, limits, RequestIds::new(random), proxies);
        let fronts = [ValidateFront::routes(), VerifyFront::routes()].concat();
        let mut routes = [datadog, native, zendesk].into_iter().flatten().collect();
        openapi::add(&mut routes, &fronts);
        let (router, mut routes) = router(app.clone(), routes, misfit);
        routes.extend(fronts.into_iter().map(|front| front.info));
        let fronts: Vec<Arc<dyn Front>> =
            vec![Arc::new(VerifyFront::new(app.clone())), Arc::new(ValidateFront::new(app.clone()))];
        Self { app, front: Arc::new(fronts), router, routes }
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
