//! `/api/v2/roles/{role_id}/permissions`: all three answer with what the role then allows.

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{PeopleRead, RolesWrite};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use http::{Method, StatusCode};

use super::{WRITE, absent, body, info, parse_id};
use crate::Error;
use crate::describe::of_roles;
use crate::permitted::Permitted;
use crate::v2::fitting;
use crate::v2::permissions::Permissions;
use crate::v2::users::READ;
use crate::vendor_json::VendorJson;

const PATH: &str = "/api/v2/roles/{role_id}/permissions";

pub(super) fn routes() -> Vec<Route> {
    let permissions = || Named::of::<Permissions>("Permissions");
    let permission = || Named::new("RolePermission", body::PERMISSION.json_schema());
    vec![
        Route::new(info(Method::GET, PATH, READ, "List permissions for a role"), list)
            .described(of_roles("ListRolePermissions").answers(StatusCode::OK, permissions())),
        Route::new(info(Method::POST, PATH, WRITE, "Grant permission to a role"), grant).described(
            of_roles("AddPermissionToRole").body(permission()).answers(StatusCode::OK, permissions()),
        ),
        Route::new(info(Method::DELETE, PATH, WRITE, "Revoke permission"), withdraw).described(
            of_roles("RemovePermissionFromRole").body(permission()).answers(StatusCode::OK, permissions()),
        ),
    ]
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
) -> Result<VendorJson<Permissions>, Error> {
    let found = app.engine().find_role(&permit, parse_id(&id)?).await.map_err(absent(&id))?;
    Ok(VendorJson(Permissions::of(&found.role.permissions)))
}

async fn grant(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let permission = body::permission(&fitting(body, body::PERMISSION)?)?;
    let changed = app.engine().grant_permission(&permit, parse_id(&id)?, permission).await;
    let changed = changed.map_err(absent(&id))?;
    Ok(positioned(changed.position, VendorJson(Permissions::of(&changed.value.permissions))))
}

async fn withdraw(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let permission = body::permission(&fitting(body, body::PERMISSION)?)?;
    let changed = app.engine().withdraw_permission(&permit, parse_id(&id)?, permission).await;
    let changed = changed.map_err(absent(&id))?;
    Ok(positioned(changed.position, VendorJson(Permissions::of(&changed.value.permissions))))
}
