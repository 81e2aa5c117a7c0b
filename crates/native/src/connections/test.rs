//! `/claviger/v1/connections/{connection_id}/test`: whether the third party takes a connection's credential.

use std::sync::Arc;

use axum::extract::Path;
use axum::{Extension, Json};
use claviger_broker::Broker;
use claviger_engine::rights::ConnectionsResolve;
use claviger_http::Route;
use claviger_http::openapi::Named;
use claviger_model::Permission;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{operation, parse_id};
use crate::Error;
use crate::info::for_users;
use crate::permitted::Proven;

const PATH: &str = "/claviger/v1/connections/{connection_id}/test";
const RESOLVE: &[Permission] = &[Permission::CONNECTIONS_RESOLVE];

pub(super) fn route(broker: &Arc<Broker>) -> Route {
    Route::new(for_users(Method::POST, PATH, RESOLVE, "Test a connection"), test)
        .described(
            operation("TestConnection")
                .changes_nothing()
                .answers(StatusCode::OK, Named::of::<Tested>("ConnectionTest")),
        )
        .with(broker.clone())
}

/// What a test said.
#[derive(Serialize, JsonSchema)]
struct Tested {
    /// `ok`, `bad`, `limited` or `unknown`.
    result: &'static str,
    /// A stable code: `accepted`, `refused`, `not_allowed`, `unexpected_status`, `unexpected_answer`, `no_probe`,
    /// `token_held`, `grant_refused`, `tokens_lost`, `token_over`, `token_not_renewed`, or that of the broker's own refusal.
    reason: &'static str,
    /// The provider's own code, where one refused an exchange, a renewal or the server's own credentials; else null.
    detail: Option<String>,
    /// What the third party answered; null where it did not.
    status: Option<u16>,
    duration_ms: u64,
    /// How many of the connection's secrets are too short to be masked in answers.
    unsearched_secrets: usize,
}

async fn test(
    Extension(broker): Extension<Arc<Broker>>,
    Proven(permit, proof): Proven<ConnectionsResolve>,
    Path(id): Path<String>,
) -> Result<Json<Tested>, Error> {
    let tested = broker.probe(&permit, proof, parse_id(&id)?).await?;
    Ok(Json(Tested {
        result: tested.health.as_str(),
        reason: tested.reason,
        detail: tested.detail,
        status: tested.status,
        duration_ms: u64::try_from(tested.duration.as_millis()).unwrap_or(u64::MAX),
        unsearched_secrets: tested.unsearched_secrets,
    }))
}
