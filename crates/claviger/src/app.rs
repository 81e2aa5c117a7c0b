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
use claviger_native::{Options as NativeOptions, Tenancy, VerifyFront};
use claviger_oauth::OAuth;
use claviger_outbound::Client;
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
    /// The tokens of OAuth connections.
    pub oauth: OAuth,
}

/// How third parties are reached, and what the operator decided about it.
pub struct Outwards {
    /// The way out of calls through connections.
    pub egress: Egress,
    /// With what authorization servers of OAuth connections are asked.
    pub exchange: Client,
    /// How calls through connections are made.
    pub broker: BrokerOptions,
}

impl Application {
    /// Puts it together. Third parties' authorization servers are asked through `exchange`.
    pub fn assemble(
        engine: Arc<Engine>,
        limits: Limits,
        proxies: TrustedProxies,
        native: &NativeOptions,
        zendesk: &ZendeskOptions,
        Outwards { egress, exchange, broker }: Outwards,
        random: &dyn Random,
    ) -> Self {
        let datadog = claviger_datadog::routes(engine.catalog());
        let hosts = zendesk.clone();
        let tenancy =
            Tenancy::new(zendesk.tells_orgs_apart(), move |parts, app| hosts.org_by_host(parts, app));
        let oauth = OAuth::new(engine.clone(), exchange, zendesk.redirect_uri());
        let app = App::new(engine.clone(), limits, RequestIds::new(random), proxies);
        let (door, broker) = Broker::start(app.clone(), egress, oauth.clone(), broker);
        // Those of the vendor's keys take no sessions.
        let zendesk = claviger_zendesk::routes(zendesk, &oauth, native.sessions.cookie);
        let native = claviger_native::routes(native, engine.catalog(), &tenancy, &door);
        let fronts = [ValidateFront::routes(), VerifyFront::routes()].concat();
        let mut routes = [datadog, native, zendesk].into_iter().flatten().collect();
        openapi::add(&mut routes, &[fronts.as_slice(), &Broker::described()].concat());
        let (router, mut routes) = router(app.clone(), routes, misfit);
        routes.extend(fronts.into_iter().map(|front| front.info));
        let fronts: Vec<Arc<dyn Front>> =
            vec![Arc::new(VerifyFront::new(app.clone())), Arc::new(ValidateFront::new(app.clone()))];
        Self { app, front: Arc::new(fronts), door, router, broker, routes, oauth }
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
