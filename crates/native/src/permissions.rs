//! `/claviger/v1/permissions`: the permissions that the org defines for its own API.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{OrgManagement, OwnPermissionsRead};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{OWN_NAME_CHARS_MAX, OwnName, OwnPermission, Permission};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::guards::shown_time;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::{Faults, members, text};
use crate::{Error, error};

/// The longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 1000;

/// Who may see what the org has defined.
pub(crate) const READERS: &[Permission] =
    &[Permission::API_KEYS_READ, Permission::USER_ACCESS_MANAGE, Permission::ORG_MANAGEMENT];
const WRITERS: &[Permission] = &[Permission::ORG_MANAGEMENT];

pub(crate) fn routes() -> Vec<Route> {
    let (all, one) = ("/claviger/v1/permissions", "/claviger/v1/permissions/{permission}");
    let operation = |id| Operation::new(id, "Claviger: own permissions", error::described()).takes_bearer();
    let shown = || Named::of::<Shown>("OwnPermission");
    vec![
        Route::new(for_users(Method::GET, all, READERS, "List the org's own permissions"), list).described(
            operation("ListOwnPermissions").answers(StatusCode::OK, Named::of::<All>("OwnPermissions")),
        ),
        Route::new(for_users(Method::POST, all, WRITERS, "Define a permission"), create).described(
            operation("CreateOwnPermission")
                .body(Named::new("CreateOwnPermission", create_schema()))
                .answers(StatusCode::CREATED, shown())
                .fails(&[StatusCode::CONFLICT]),
        ),
        Route::new(for_users(Method::GET, one, READERS, "Get one of the org's own permissions"), get)
            .described(operation("GetOwnPermission").answers(StatusCode::OK, shown())),
        Route::new(for_users(Method::PATCH, one, WRITERS, "Describe a permission anew"), update).described(
            operation("UpdateOwnPermission")
                .body(Named::new("UpdateOwnPermission", update_schema()))
                .answers(StatusCode::OK, shown()),
        ),
        Route::new(for_users(Method::DELETE, one, WRITERS, "Delete a permission that nothing names"), delete)
            .described(operation("DeleteOwnPermission").answers_nothing().fails(&[StatusCode::CONFLICT])),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    id: String,
    name: String,
    description: String,
    /// How many live keys and tokens name it.
    uses: u32,
    created_at: String,
    modified_at: String,
}

#[derive(Serialize, JsonSchema)]
struct All {
    permissions: Vec<Shown>,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnPermissionsRead>,
) -> Result<Json<All>, Error> {
    let found = app.engine().list_own_permissions(&permit).await?;
    Ok(Json(All { permissions: found.iter().map(wire).collect() }))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnPermissionsRead>,
    Path(key): Path<String>,
) -> Result<Json<Shown>, Error> {
    Ok(Json(wire(&app.engine().find_own_permission(&permit, &key).await?)))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (name, description) = read_new(&body?.0)?;
    let made = app.engine().create_own_permission(&permit, &name, &description).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(wire(&made.value)))))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(key): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let description = read_patch(&body?.0)?;
    let changed = app.engine().describe_own_permission(&permit, &key, description.as_deref()).await?;
    Ok(positioned(changed.position, Json(wire(&changed.value))))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgManagement>,
    Path(key): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().delete_own_permission(&permit, &key).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

fn create_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": OWN_NAME_CHARS_MAX, "description": "As in orders:read" },
            "description": { "type": "string", "maxLength": DESCRIPTION_CHARS_MAX },
        },
        "required": ["name"],
        "additionalProperties": false,
    })
}

fn update_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "description": { "type": "string", "maxLength": DESCRIPTION_CHARS_MAX } },
        "additionalProperties": false,
    })
}

fn read_new(body: &Value) -> Result<(OwnName, String), Error> {
    let (mut faults, mut name, mut text_of) = (Faults::default(), None, String::new());
    let object = members(body)?;
    for (field, value) in object {
        match field.as_str() {
            "name" => name = faults.note(field, text(value, OwnName::parse)),
            "description" => text_of = faults.note(field, description(value)).unwrap_or_default(),
            _ => faults.add(field, "is not known here"),
        }
    }
    if !object.contains_key("name") {
        faults.add("name", "must be there");
    }
    match name {
        Some(name) if faults.0.is_empty() => Ok((name, text_of)),
        _ => Err(Error::invalid(faults.0)),
    }
}

fn read_patch(body: &Value) -> Result<Option<String>, Error> {
    let (mut faults, mut wanted) = (Faults::default(), None);
    for (field, value) in members(body)? {
        match field.as_str() {
            "description" => wanted = faults.note(field, description(value)),
            "name" => faults.add(field, "cannot be changed: define another permission"),
            _ => faults.add(field, "is not known here"),
        }
    }
    faults.check()?;
    Ok(wanted)
}

/// Prose, in which lines may end.
fn description(value: &Value) -> Result<String, String> {
    text(value, |text| {
        let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match () {
            () if text.chars().nth(DESCRIPTION_CHARS_MAX).is_some() => {
                Err(format!("must have at most {DESCRIPTION_CHARS_MAX} characters"))
            }
            () if text.chars().any(is_control) => Err("must not contain control characters".to_owned()),
            () => Ok(text.to_owned()),
        }
    })
}

fn wire(permission: &OwnPermission) -> Shown {
    Shown {
        id: permission.id.to_string(),
        name: permission.name.to_string(),
        description: permission.description.clone(),
        uses: permission.uses,
        created_at: shown_time(permission.created_at),
        modified_at: shown_time(permission.modified_at),
    }
}
