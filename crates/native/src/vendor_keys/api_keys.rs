//! `/claviger/v1/api_keys`

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ApiKeysRead, ApiKeysWrite};
use claviger_engine::{Error as EngineError, NewApiKey, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{CredentialId, Permission};
use http::{Method, StatusCode};

use super::body::{self, NewKey, WithScopes};
use super::operation;
use super::shown::{Key, KeyWithSecret};
use crate::Error;
use crate::info::for_users;
use crate::permitted::Permitted;

const ALL: &str = "/claviger/v1/api_keys";
const ONE: &str = "/claviger/v1/api_keys/{api_key_id}";
const ROTATE: &str = "/claviger/v1/api_keys/{api_key_id}/rotate";

pub(super) fn routes() -> Vec<Route> {
    const READ: &[Permission] = &[Permission::API_KEYS_READ];
    const WRITE: &[Permission] = &[Permission::API_KEYS_WRITE];
    let new = body::new_key_schema("NewGuardedApiKey", WithScopes::No);
    vec![
        Route::new(for_users(Method::POST, ALL, WRITE, "Create an API key with guards"), create).described(
            operation("CreateGuardedApiKey")
                .body(new)
                .answers(StatusCode::CREATED, Named::of::<KeyWithSecret>("GuardedKeyWithSecret")),
        ),
        Route::new(for_users(Method::GET, ONE, READ, "Get an API key's guards"), get)
            .described(operation("GetGuardedApiKey")),
        Route::new(for_users(Method::PATCH, ONE, WRITE, "Change an API key's guards"), guard)
            .described(operation("GuardApiKey").body(body::guards_schema())),
        Route::new(for_users(Method::POST, ROTATE, WRITE, "Give an API key a new secret"), rotate).described(
            operation("RotateApiKey")
                .body(body::grace_schema())
                .answers(StatusCode::OK, Named::of::<KeyWithSecret>("GuardedKeyWithSecret")),
        ),
    ]
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let NewKey { name, guards, .. } = body::new_key(body, WithScopes::No)?;
    let (guards, expires_at) = guards.into_parts();
    let new = NewApiKey { name, category: None, remote_config_read: true, expires_at, guards };
    let made = app.engine().create_api_key(&permit, new).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(KeyWithSecret::from(made.value)))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    Path(id): Path<String>,
) -> Result<Json<Key>, Error> {
    Ok(Json(app.engine().find_guarded_api_key(&permit, parse_id(&id)?).await?.into()))
}

async fn guard(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = body::guards(body)?;
    let changed = app.engine().guard_api_key(&permit, parse_id(&id)?, &patch).await?;
    Ok(positioned(changed.position, Json(Key::from(changed.value))))
}

async fn rotate(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let grace = body::grace(body)?;
    let rotated = app.engine().rotate_api_key(&permit, parse_id(&id)?, grace).await?;
    Ok(positioned(rotated.position, Json(KeyWithSecret::from(rotated.value))))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::ApiKey))
}
