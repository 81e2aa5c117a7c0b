//! `/healthz` and `/readyz`, for whatever watches the server.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, Bucket, Route, RouteInfo, Who};
use http::{Method, StatusCode};
use serde_json::json;

pub(crate) fn routes() -> Vec<Route> {
    let info = |path, summary| RouteInfo {
        method: Method::GET,
        path,
        who: Who::Anybody,
        bucket: Bucket::NATIVE,
        summary,
    };
    vec![
        Route::new(info("/healthz", "Whether the process is alive"), alive)
            .described(operation("Alive", &["ok"])),
        Route::new(info("/readyz", "Whether the server may answer from its directory"), ready)
            .described(operation("Ready", &["ok", "unavailable"]).fails(&[StatusCode::SERVICE_UNAVAILABLE])),
    ]
}

fn operation(id: &'static str, states: &[&str]) -> Operation {
    let schema = json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": states },
            "position": { "type": "string", "description": "The last ledger position applied" },
        },
        "required": ["status"],
    });
    let health = Named::new(if states.len() == 1 { "Alive" } else { "Ready" }, schema);
    Operation::new(id, "Claviger: health", health.clone()).answers(StatusCode::OK, health)
}

async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

async fn ready(State(app): State<App>) -> Response {
    match app.engine().is_available() {
        true => {
            Json(json!({ "status": "ok", "position": app.engine().applied().to_string() })).into_response()
        }
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" }))).into_response(),
    }
}
