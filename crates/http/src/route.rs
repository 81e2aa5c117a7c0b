//! Routes as data: what the router is built from, tests walk, and the API description is written from.

use std::time::{Duration, Instant};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, on};
use axum::{Extension, Router};
use claviger_model::{Permission, Position, RequestId};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::limits::StandingSlot;
use crate::metrics::RequestLabels;
use crate::misfit::{self, Misfit};
use crate::openapi::{Described, Operation};
use crate::request_id::{REQUEST_ID, request_id_header};
use crate::{App, Bucket, SessionCookie};

/// The header that tells the ledger position of a change.
pub const POSITION: HeaderName = HeaderName::from_static("claviger-position");
/// The header by which a request asks to be answered from a position or later.
pub const AFTER: HeaderName = HeaderName::from_static("claviger-after");
/// How long such a request waits.
const AFTER_PATIENCE: Duration = Duration::from_secs(2);

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Anybody,
    /// Whoever has an API key.
    ApiKey,
    /// A user, by API key and application key or by a token alone, with any one of these permissions; none named
    /// means any user.
    User(&'static [Permission]),
    /// Whoever has any issued credential, presented alone or as a pair.
    AnyCredential,
    /// A user with any one of these permissions, by a token alone or by a token beside the user's address.
    Admin(&'static [Permission]),
    /// Whoever has a token that is bound to a ZIS integration.
    Integration,
    /// An admin by a session, and by nothing else.
    Session,
}

/// One route.
#[derive(Debug)]
pub struct Route {
    /// What it is.
    pub info: RouteInfo,
    handler: MethodRouter<App>,
    operation: Option<Operation>,
}

/// A route without its handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// Its method.
    pub method: Method,
    /// Its pattern, with parameters in braces.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// Its rate-limit bucket.
    pub bucket: Bucket,
    /// One line on what it does.
    pub summary: &'static str,
}

impl Route {
    /// A route with its handler.
    pub fn new<H, T>(info: RouteInfo, handler: H) -> Self
    where
        H: axum::handler::Handler<T, App>,
        T: 'static,
    {
        let filter =
            info.method.clone().try_into().expect("the router knows every method that a route names");
        Self { handler: on(filter, handler).layer(Extension(info.bucket)), info, operation: None }
    }

    /// The same, with something that its handler can reach as an [`Extension`].
    pub fn with<T: Clone + Send + Sync + 'static>(self, extension: T) -> Self {
        Self { handler: self.handler.layer(Extension(extension)), ..self }
    }

    /// The same, which also takes the session of an admin who has signed in, from this cookie.
    pub fn taking_sessions(self, cookie: SessionCookie) -> Self {
        let route = self.with(cookie);
        Self { operation: route.operation.map(Operation::takes_session), ..route }
    }

    /// The same, with what the API's description says of it.
    pub fn described(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// What the API's description says of it, if anything.
    pub fn description(&self) -> Option<Described> {
        let operation = self.operation.clone()?;
        Some(Described { info: self.info.clone(), operation })
    }
}

/// The router over all routes, and their descriptions.
pub fn router(app: App, routes: Vec<Route>, misfit: Misfit) -> (Router, Vec<RouteInfo>) {
    let infos: Vec<_> = routes.iter().map(|route| route.info.clone()).collect();
    let add = |router: Router<App>, route: Route| router.route(route.info.path, route.handler);
    let refuse = move |status, sentence: &'static str| {
        move |request: Request| async move { misfit::answer(misfit, request.uri().path(), status, sentence) }
    };
    let router = routes
        .into_iter()
        .fold(Router::new(), add)
        .method_not_allowed_fallback(refuse(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"))
        .fallback(refuse(StatusCode::NOT_FOUND, "Not Found"))
        // Outermost, so that it sees every answer.
        .layer(from_fn_with_state((app.clone(), misfit), accompany))
        .with_state(app);
    (router, infos)
}

/// What every request but verifications gets: an id, the wait that it asks for, a count, and a line in the log.
async fn accompany(State((app, misfit)): State<(App, Misfit)>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = app.request_ids().next();
    request.extensions_mut().insert::<RequestId>(id);
    let standing = StandingSlot::default();
    request.extensions_mut().insert(standing.clone());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let (mut parts, body) = request.into_parts();
    let refusal = match has_readable_path(&mut parts).await {
        false => Some((StatusCode::BAD_REQUEST, "The path of the request is not UTF-8")),
        true => wait_after(&app, parts.headers.get(AFTER)).await.err(),
    };
    let mut response = match refusal {
        None => next.run(Request::from_parts(parts, body)).await,
        Some((status, sentence)) => misfit::answer(misfit, parts.uri.path(), status, sentence),
    };
    response.headers_mut().insert(REQUEST_ID, request_id_header(id));
    standing.write(response.headers_mut());
    let labels = RequestLabels {
        // Only known methods, so that a stranger cannot fill the metrics page.
        method: known(&method).to_owned(),
        route: route.unwrap_or_else(|| "unmatched".to_owned()),
        status: response.status().as_u16(),
    };
    let seconds = started.elapsed().as_secs_f64();
    tracing::info!(%id, method = labels.method, route = labels.route, status = labels.status, seconds, "request");
    app.metrics().count_request(&labels, seconds);
    response
}

fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::HEAD
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

/// Whether what stands in the path's parameters is text, so that handlers need not say what it is not.
async fn has_readable_path(parts: &mut http::request::Parts) -> bool {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    !matches!(params, Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)))
}

async fn wait_after(app: &App, after: Option<&HeaderValue>) -> Result<(), (StatusCode, &'static str)> {
    let Some(after) = after else { return Ok(()) };
    let position: Position = after
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or((StatusCode::BAD_REQUEST, "Claviger-After is not a position, as in 1.42"))?;
    let waited = app.engine().wait_for(position, AFTER_PATIENCE).await;
    waited.map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "This server has not reached that position yet"))
}

/// Adds the position of a change to its answer.
pub fn positioned(position: Position, response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    let value = HeaderValue::from_str(&position.to_string()).expect("a position is digits and a dot");
    response.headers_mut().insert(POSITION, value);
    response
}
