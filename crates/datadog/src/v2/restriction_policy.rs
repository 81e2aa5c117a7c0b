//! `/api/v2/restriction_policy/{resource_id}`: who may do what with a connection. The facts, and what was chosen where
//! there are none, are in `docs/restriction-policies.md`.

mod body;
mod wire;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::SelfLockout;
use claviger_engine::rights::{RestrictionsRead, RestrictionsWrite};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{ConnectionId, Permission, excerpt};
use http::{Method, StatusCode, Uri};
use serde_json::json;

use self::wire::PolicyObject;
use super::fitting;
use crate::Error;
use crate::describe::of_restrictions;
use crate::permitted::Permitted;
use crate::query::{ListQuery, parameter};
use crate::wire::One;

const PATH: &str = "/api/v2/restriction_policy/{resource_id}";
const READ: &[Permission] = &[Permission::CONNECTIONS_READ, Permission::USER_ACCESS_MANAGE];
const WRITE: &[Permission] = &[Permission::CONNECTIONS_WRITE, Permission::USER_ACCESS_MANAGE];
/// The one type of resource that can be restricted here.
const CONNECTION: &str = "connection";
const ALLOW_SELF_LOCKOUT: &str = "allow_self_lockout";

pub(crate) fn routes() -> Vec<Route> {
    let policy = || Named::of::<One<PolicyObject>>("RestrictionPolicy");
    let told = "Whether admins may take away access of their own";
    let lockout = parameter(ALLOW_SELF_LOCKOUT, told, json!({ "type": "boolean", "default": false }));
    vec![
        Route::new(info(Method::GET, READ, "Get a restriction policy"), get)
            .described(of_restrictions("GetRestrictionPolicy").answers(StatusCode::OK, policy())),
        Route::new(info(Method::POST, WRITE, "Update a restriction policy"), update).described(
            of_restrictions("UpdateRestrictionPolicy")
                .query(vec![lockout])
                .body(Named::new("UpdateRestrictionPolicy", body::UPDATE.json_schema()))
                .answers(StatusCode::OK, policy()),
        ),
        Route::new(info(Method::DELETE, WRITE, "Delete a restriction policy"), remove)
            .described(of_restrictions("DeleteRestrictionPolicy").answers_nothing()),
    ]
}

fn info(method: Method, permission: &'static [Permission], summary: &'static str) -> RouteInfo {
    RouteInfo { method, path: PATH, who: Who::User(permission), bucket: Bucket::CONNECTIONS, summary }
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<RestrictionsRead>,
    Path(resource): Path<String>,
) -> Result<Json<One<PolicyObject>>, Error> {
    let id = connection(&resource)?;
    let restriction = app.engine().find_restriction(&permit, id).await?;
    Ok(one(PolicyObject::of(id, restriction.as_ref())))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<RestrictionsWrite>,
    Path(resource): Path<String>,
    uri: Uri,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let id = connection(&resource)?;
    let mut query = ListQuery::of(&uri);
    let self_lockout = match query.flag(ALLOW_SELF_LOCKOUT) {
        Some(true) => SelfLockout::Allowed,
        _ => SelfLockout::Refused,
    };
    query.check()?;
    let restriction = body::restriction(&fitting(body, body::UPDATE)?, &resource)?;
    let set = app.engine().set_restriction(&permit, id, restriction, self_lockout).await?;
    Ok(positioned(set.position, one(PolicyObject::of(id, set.value.as_ref()))))
}

async fn remove(
    State(app): State<App>,
    Permitted(permit): Permitted<RestrictionsWrite>,
    Path(resource): Path<String>,
) -> Result<Response, Error> {
    let removed = app.engine().remove_restriction(&permit, connection(&resource)?).await?;
    Ok(positioned(removed.position, StatusCode::NO_CONTENT.into_response()))
}

fn one(data: PolicyObject) -> Json<One<PolicyObject>> {
    Json(One { data, included: None })
}

/// The connection that a resource's id names.
fn connection(resource: &str) -> Result<ConnectionId, Error> {
    let invalid = |text: String| Error::text(StatusCode::BAD_REQUEST, text);
    let parts = resource.split_once(':').filter(|(kind, id)| !kind.is_empty() && !id.is_empty());
    let Some((kind, id)) = parts else {
        // As recorded.
        return Err(invalid(format!("Invalid resource: '{}' is not in a valid format", excerpt(resource))));
    };
    if kind != CONNECTION {
        let kind = excerpt(kind);
        return Err(invalid(format!(
            "Restriction policies are not supported for the '{kind}' resource type"
        )));
    }
    id.parse().map_err(|_| Error::text(StatusCode::NOT_FOUND, "Connection not found"))
}
