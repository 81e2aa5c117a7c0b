//! `/api/v2/validate_keys`: whether an API key and an application key belong together (reference: "Authentication").

use axum::Json;
use axum::extract::FromRequestParts;
use claviger_http::openapi::Named;
use claviger_http::{App, Bucket, Route, RouteInfo, Who, note_refusal, presented, take_share, whence};
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Error;
use crate::describe::operation;

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::GET,
        path: "/api/v2/validate_keys",
        who: Who::User(&[]),
        bucket: Bucket::VALIDATE,
        summary: "Validate API and application keys",
    };
    let answer = json!({
        "type": "object", "properties": { "status": { "type": "string", "const": "ok" } }, "required": ["status"],
    });
    let operation = operation("ValidateKeys").answers(StatusCode::OK, Named::new("ValidateKeys", answer));
    vec![Route::new(info, validate).described(operation)]
}

/// A user, whatever its rights.
struct AnyUser;

impl FromRequestParts<App> for AnyUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let engine = app.engine();
        let caller = engine
            .authenticate(presented(&parts.headers), &whence(app, parts))
            .inspect_err(|failure| note_refusal(app, parts, *failure))?;
        match take_share(app, parts, caller.org()) {
            true => Err(Error::text(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded")),
            false => Ok(Self),
        }
    }
}

async fn validate(_: AnyUser) -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
