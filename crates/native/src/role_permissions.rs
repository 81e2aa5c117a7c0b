//! `/claviger/v1/roles/{role_id}/permissions`: which of the org's own permissions a role gives. The vendor's are the
//! vendor's API's to show and to change.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{OwnPermissionsRead, RolesWrite};
use claviger_engine::{Engine, Error as EngineError, Thing};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{Permission, Role, RoleId};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::info::for_users;
use crate::permissions::READERS;
use crate::permitted::Permitted;
use crate::reading::{only_permissions, only_permissions_schema};
use crate::{Error, error};

const PATH: &str = "/claviger/v1/roles/{role_id}/permissions";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, any_of, summary| for_users(method, PATH, any_of, summary);
    let operation = |id| {
        Operation::new(id, "Claviger: own permissions", error::described())
            .takes_bearer()
            .answers(StatusCode::OK, Named::of::<Granted>("RolePermissions"))
    };
    const WRITERS: &[Permission] = &[Permission::USER_ACCESS_MANAGE];
    vec![
        Route::new(info(Method::GET, READERS, "List the own permissions of a role"), get)
            .described(operation("ListRoleOwnPermissions")),
        Route::new(info(Method::PUT, WRITERS, "Give a role these own permissions"), put).described(
            operation("SetRoleOwnPermissions")
                .body(Named::new("OwnPermissionNames", only_permissions_schema()))
                .fails(&[StatusCode::CONFLICT]),
        ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Granted {
    role_id: String,
    permissions: Vec<String>,
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnPermissionsRead>,
    Path(id): Path<String>,
) -> Result<Json<Granted>, Error> {
    let role = app.engine().find_role_with_own(&permit, parse_id(&id)?).await?;
    Ok(Json(wire(app.engine(), &role)))
}

async fn put(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let known = app.engine().own_permissions(permit.org());
    let numbers = only_permissions(&body?.0, known.as_deref())?;
    let changed = app.engine().set_own_permissions(&permit, parse_id(&id)?, &numbers).await?;
    Ok(positioned(changed.position, Json(wire(app.engine(), &changed.value))))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<RoleId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::Role))
}

fn wire(engine: &Engine, role: &Role) -> Granted {
    let known = engine.own_permissions(role.org).unwrap_or_default();
    let mut permissions: Vec<_> =
        role.rights().own().filter_map(|number| known.name(number)).map(str::to_owned).collect();
    permissions.sort_unstable();
    Granted { role_id: role.id.to_string(), permissions }
}
