//! The application: every dialect's routes and fronts, over one engine.

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use claviger_datadog::ValidateFront;
use claviger_engine::Engine;
use claviger_http::{App, Front, Limits, RequestIds, RouteInfo, router};
use claviger_model::Random;
use claviger_native::VerifyFront;
use http::{Method, StatusCode};

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
    pub fn assemble(engine: Arc<Engine>, limits: Limits, random: &dyn Random) -> Self {
        let app = App::new(engine, limits, RequestIds::new(random));
        let fronts = [ValidateFront::routes(), VerifyFront::routes()].concat();
        let mut routes =
            [claviger_datadog::routes(), claviger_native::routes()].into_iter().flatten().collect();
        openapi::add(&mut routes, &fronts);
        let (router, mut routes) = router(app.clone(), routes, not_found);
        routes.extend(fronts.into_iter().map(|front| front.info));
        let fronts: Vec<Arc<dyn Front>> =
            vec![Arc::new(VerifyFront::new(app.clone())), Arc::new(ValidateFront::new(app.clone()))];
        Self { app, front: Arc::new(fronts), router, routes }
    }
}

/// For a path that nobody serves: in the form of the API that it looks like.
fn not_found(_: &Method, path: &str) -> Response {
    match path.starts_with("/claviger/") {
        true => claviger_native::Error::unknown_path().into_response(),
        false => (StatusCode::NOT_FOUND, axum::Json(serde_json::json!({ "errors": ["Not Found"] })))
            .into_response(),
    }
}
