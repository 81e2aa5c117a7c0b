//! `/claviger/v1/credentials/{credential_id}/permissions`: which of the org's own permissions an application key or a
//! token is narrowed to, beside the vendor's scopes, which are the vendor's API's to show and to change.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ApplicationKeysInReachRead, ApplicationKeysInReachWrite};
use claviger_engine::{Engine, Error as EngineError, Thing};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{Credential, CredentialId, Permission, Scopes};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::{only_permissions, only_permissions_schema};
use crate::{Error, error};

const PATH: &str = "/claviger/v1/credentials/{credential_id}/permissions";

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, any_of, summary| for_users(method, PATH, any_of, summary);
    let operation = |id| {
        Operation::new(id, "Claviger: own permissions", error::described())
            .takes_bearer()
            .answers(StatusCode::OK, Named::of::<Narrowed>("CredentialPermissions"))
    };
    const READERS: &[Permission] = &[Permission::ORG_APP_KEYS_READ, Permission::USER_APP_KEYS];
    const WRITERS: &[Permission] = &[Permission::ORG_APP_KEYS_WRITE, Permission::USER_APP_KEYS];
    vec![
        Route::new(info(Method::GET, READERS, "List the own permissions of a key or token"), get)
            .described(operation("ListCredentialOwnPermissions")),
        Route::new(info(Method::PUT, WRITERS, "Narrow a key or token to these own permissions"), put)
            .described(
                operation("SetCredentialOwnPermissions")
                    .body(Named::new("OwnPermissionNames", only_permissions_schema())),
            ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Narrowed {
    credential_id: String,
    /// Without any scopes, the vendor's included, it may do whatever its owner may.
    is_narrowed: bool,
    permissions: Vec<String>,
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachRead>,
    Path(id): Path<String>,
) -> Result<Json<Narrowed>, Error> {
    let credential = app.engine().find_credential_with_own(&permit, parse_id(&id)?).await?;
    Ok(Json(wire(app.engine(), &credential)))
}

async fn put(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let known = app.engine().own_permissions(permit.org());
    let numbers = only_permissions(&body?.0, known.as_deref())?;
    let changed = app.engine().set_own_scopes(&permit, parse_id(&id)?, &numbers).await?;
    Ok(positioned(changed.position, Json(wire(app.engine(), &changed.value))))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::Credential))
}

fn wire(engine: &Engine, credential: &Credential) -> Narrowed {
    let known = engine.own_permissions(credential.org).unwrap_or_default();
    let scopes = credential.detail.scopes();
    let own = scopes.into_iter().flat_map(Scopes::own).filter_map(|number| known.name(number));
    Narrowed {
        credential_id: credential.id.to_string(),
        is_narrowed: scopes.is_some(),
        permissions: own.map(str::to_owned).collect(),
    }
}
