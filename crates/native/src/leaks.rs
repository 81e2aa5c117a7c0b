//! `/claviger/v1/leaks`: reports of secrets that were found where they should not be.
//!
//! Whoever holds a secret may report it, and needs nothing else: it is as good a proof as any, and the sooner it is
//! told the better. What is answered does not depend on whether the secret is anybody's.

mod github;

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use claviger_engine::{LeakReport, Origin};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{
    AddressLimits, App, BodyError, Bucket, Json as Body, Rate, Route, RouteInfo, Who, origin,
};
use claviger_model::Name;
use http::{Method, StatusCode, request};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::fields::Fields;
use crate::{Error, Options, error};

/// What an address may report: more than anybody does by hand. Whoever has more to say can say it in the next minute.
const RATE: Rate = Rate { limit: 60, period_seconds: 60 };
/// Longer than any secret that is issued or taken.
const SECRET_CHARS_MAX: usize = 512;
const URL_CHARS_MAX: usize = 2048;

pub(crate) fn routes(options: &Options) -> Vec<Route> {
    let limits = Arc::new(AddressLimits::new(RATE));
    let info = |path, summary| RouteInfo {
        method: Method::POST,
        path,
        who: Who::Anybody,
        bucket: Bucket::NATIVE,
        summary,
    };
    let operation = |id| Operation::new(id, "Claviger: leaks", error::described());
    vec![
        Route::new(info("/claviger/v1/leaks", "Report a secret that was found"), report)
            .with(limits.clone())
            .described(
                operation("ReportLeak")
                    .body(Named::new("LeakReport", schema()))
                    .answers(StatusCode::OK, Named::of::<Received>("LeakReceived"))
                    .fails(&[StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]),
            ),
        Route::new(
            info("/claviger/v1/leaks/github", "Take an alert of GitHub's secret scanning"),
            github::receive,
        )
        .with(limits)
        .with(options.github_keys.clone())
        .described(
            operation("ReportLeaksFromGitHub")
                .body(Named::new("GitHubAlert", github::schema()))
                .answers(StatusCode::OK, Named::of::<Vec<github::Feedback>>("GitHubFeedback"))
                .fails(&[
                    StatusCode::UNAUTHORIZED,
                    StatusCode::TOO_MANY_REQUESTS,
                    StatusCode::SERVICE_UNAVAILABLE,
                ]),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Received {
    status: &'static str,
}

async fn report(
    State(app): State<App>,
    Extension(limits): Extension<Arc<AddressLimits>>,
    Caller(origin): Caller,
    body: Result<Body, BodyError>,
) -> Result<Json<Received>, Error> {
    let body = body?.0;
    let mut fields = Fields::of(&body)?;
    fields.require("secret");
    let secret = fields.parsed("secret", secret);
    let source = fields.parsed("source", source);
    let url = fields.parsed("url", url);
    fields.finish()?;
    if limits.take(origin.address, app.engine().clock().now()) {
        return Err(Error::limited());
    }
    let secret = secret.expect("a body without it, or with a bad one, was refused");
    let report = LeakReport { secret: &secret, source: source.as_deref(), url: url.as_deref() };
    app.engine().report_leak(report, origin).await?;
    Ok(Json(Received { status: "received" }))
}

/// Where a request came from.
pub(crate) struct Caller(pub(crate) Origin);

impl axum::extract::FromRequestParts<App> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut request::Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(origin(app, parts)))
    }
}

fn secret(text: &str) -> Result<String, String> {
    let is_one = !text.is_empty()
        && text.len() <= SECRET_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    let reason = || format!("must be 1 to {SECRET_CHARS_MAX} visible ASCII characters");
    is_one.then(|| text.to_owned()).ok_or_else(reason)
}

fn source(text: &str) -> Result<String, String> {
    Name::parse(text).map(|name| name.to_string()).map_err(|error| error.to_string())
}

/// Any address, as the reporter writes it: it is shown, and never called. An empty one is none.
fn url(text: &str) -> Result<String, String> {
    let is_one = text.len() <= URL_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
    let reason = || format!("must be at most {URL_CHARS_MAX} visible ASCII characters");
    is_one.then(|| text.to_owned()).ok_or_else(reason)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "secret": { "type": "string", "minLength": 1, "maxLength": SECRET_CHARS_MAX },
            "source": { "type": "string", "description": "Who found it" },
            "url": { "type": "string", "description": "Where it was found", "maxLength": URL_CHARS_MAX },
        },
        "required": ["secret"],
        "additionalProperties": false,
    })
}
