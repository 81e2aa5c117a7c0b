//! `…/connections/oauth/callback`: browsers come back from authorization servers (article: "Creating connections to
//! integrate with external services").
//!
//! Whoever comes has no credentials but the `state` with which they were sent, at whatever host. What is told to a browser
//! that is sent nowhere is a small page; neither it nor an error tells whether a state ever was.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use claviger_catalog::SecretText;
use claviger_engine::Origin;
use claviger_http::openapi::{Named, Query};
use claviger_http::{AddressLimits, App, Bucket, Rate, Route, RouteInfo, Who, origin};
use claviger_oauth::{FlowError, Landing, OAuth, Returning};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::json;

use super::CALLBACK;
use crate::describe::of_oauth;
use crate::error::{Error, Service, Told};

/// What an address may bring back: more than a whole company behind one agrees to by hand.
const RATE: Rate = Rate { limit: 300, period_seconds: 60 };

pub(super) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::GET,
        path: CALLBACK,
        who: Who::Anybody,
        bucket: Bucket::ZIS,
        summary: "Take a browser back from an authorization server",
    };
    let text = |name, description: &str| Query {
        name,
        description: description.to_owned(),
        schema: json!({ "type": "string" }),
    };
    let query = vec![
        text("state", "With what the browser was sent"),
        text("code", "What the authorization server gave"),
        text("error", "What it said in place of that"),
    ];
    let page = Named::new("ZisOAuthLanding", json!({ "type": "string", "contentMediaType": "text/html" }));
    vec![Route::new(info, receive).with(Arc::new(AddressLimits::new(RATE))).described(
        of_oauth("ReceiveZisOAuthCallback").query(query).answers(StatusCode::FOUND, page).fails(&[
            StatusCode::BAD_REQUEST,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::SERVICE_UNAVAILABLE,
        ]),
    )]
}

/// Where a browser comes from.
struct Whence(Origin);

impl FromRequestParts<App> for Whence {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(origin(app, parts)))
    }
}

async fn receive(
    State(app): State<App>,
    Extension(oauth): Extension<OAuth>,
    Extension(limits): Extension<Arc<AddressLimits>>,
    Whence(origin): Whence,
    uri: Uri,
) -> Result<Response, Told<Service>> {
    if limits.take(origin.address, app.engine().clock().now()) {
        return Err(Error::limited().into());
    }
    let Some(returning) = returning(&uri) else { return Err(unknown().into()) };
    let landing = oauth.receive(returning, origin).await.map_err(|error| match error {
        FlowError::Spent => unknown(),
        error => error.into(),
    })?;
    let mut response = match landing {
        Landing::Redirect(url) => redirect(&url)?,
        Landing::Done(name) => page(StatusCode::OK, &format!("The connection {name} is ready.")),
        Landing::Failed(code) => {
            page(StatusCode::BAD_REQUEST, &format!("The connection was not made: {code}."))
        }
    };
    let headers = response.headers_mut();
    // The address that the browser leaves holds a code, and the one that it goes to may hold another.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Members that are there twice are not two opinions: then none is heard.
fn returning(uri: &Uri) -> Option<Returning> {
    let (mut state, mut code, mut error) = (None, None, None);
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        let slot = match name.as_ref() {
            "state" => &mut state,
            "code" => &mut code,
            "error" => &mut error,
            _ => continue,
        };
        if slot.replace(value.into_owned()).is_some() {
            return None;
        }
    }
    Some(Returning { state: state?, code: code.map(SecretText::new), error })
}

fn unknown() -> Error {
    Error::new(StatusCode::BAD_REQUEST, "state is not known, was used already, or is over")
}

fn redirect(url: &SecretText) -> Result<Response, Error> {
    // It was read as an address before it was kept.
    let mut location = HeaderValue::from_str(url.reveal())
        .map_err(|_| Error::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"))?;
    location.set_sensitive(true);
    let headers: HeaderMap = HeaderMap::from_iter([(LOCATION, location)]);
    Ok((StatusCode::FOUND, headers).into_response())
}

/// Without scripts, styles or anything from elsewhere. Names and codes here are letters, digits, `-` and `_`.
fn page(status: StatusCode, sentence: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Claviger</title>\n<p>{sentence} You \
         can close this window.</p>\n</html>\n"
    );
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    ];
    (status, headers, html).into_response()
}
