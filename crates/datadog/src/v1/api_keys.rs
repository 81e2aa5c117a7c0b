//! `/api/v1/api_key` (reference: "Key Management").

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ApiKeysDelete, ApiKeysRead, ApiKeysWrite};
use claviger_engine::{ApiKeyPatch, Engine, KeyRef, NewApiKey, Shown};
use claviger_http::openapi::Named;
use claviger_http::{App, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::{CredentialKind, Guards, Permission};
use claviger_vault::IssuedSecret;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{name_of, name_schema};
use crate::describe::operation;
use crate::permitted::Permitted;
use crate::{Error, times};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::API_KEYS,
        summary,
    };
    let (all, one) = ("/api/v1/api_key", "/api/v1/api_key/{key}");
    let one_key = || Named::of::<OneKey>("ApiKeyV1");
    vec![
        Route::new(info(Method::GET, all, &[Permission::API_KEYS_READ], "Get all API keys"), list)
            .described(operation("ListAPIKeysV1").answers(StatusCode::OK, Named::of::<Keys>("ApiKeysV1"))),
        Route::new(info(Method::POST, all, &[Permission::API_KEYS_WRITE], "Create an API key"), create)
            .described(operation("CreateAPIKeyV1").body(name_schema()).answers(StatusCode::OK, one_key())),
        Route::new(info(Method::GET, one, &[Permission::API_KEYS_READ], "Get API key"), get)
            .described(operation("GetAPIKeyV1").answers(StatusCode::OK, one_key())),
        Route::new(info(Method::PUT, one, &[Permission::API_KEYS_WRITE], "Edit an API key"), update)
            .described(operation("UpdateAPIKeyV1").body(name_schema()).answers(StatusCode::OK, one_key())),
        Route::new(info(Method::DELETE, one, &[Permission::API_KEYS_DELETE], "Delete an API key"), delete)
            .described(
                operation("DeleteAPIKeyV1")
                    .answers(StatusCode::OK, one_key())
                    .fails(&[StatusCode::BAD_REQUEST]),
            ),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Keys {
    api_keys: Vec<Key>,
}

#[derive(Serialize, JsonSchema)]
struct OneKey {
    api_key: Key,
}

#[derive(Serialize, JsonSchema)]
struct Key {
    created_by: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<SecretText>,
    created: String,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
) -> Result<Json<Keys>, Error> {
    let mut api_keys = Vec::new();
    for shown in app.engine().list_api_keys_shown(&permit).await? {
        api_keys.push(wire(app.engine(), shown).await?);
    }
    Ok(Json(Keys { api_keys }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    body: Result<Body, claviger_http::BodyError>,
) -> Result<Response, Error> {
    let name = name_of(&body.map_err(Error::from).map_err(Error::spaced)?.0)?;
    let new =
        NewApiKey { name, category: None, remote_config_read: true, expires_at: None, guards: Guards::NONE };
    let made = app.engine().create_api_key(&permit, new).await.map_err(spaced)?;
    let api_key = wire(app.engine(), made.value).await?;
    Ok(positioned(made.position, Json(OneKey { api_key })))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    Path(key): Path<String>,
) -> Result<Json<OneKey>, Error> {
    let shown = app.engine().find_api_key_by_secret(&permit, &key).await.map_err(spaced)?;
    Ok(Json(OneKey { api_key: wire(app.engine(), shown).await? }))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(key): Path<String>,
    body: Result<Body, claviger_http::BodyError>,
) -> Result<Response, Error> {
    // The body is checked before the key is looked up, as recorded.
    let name = name_of(&body.map_err(Error::from).map_err(Error::spaced)?.0)?;
    let patch = ApiKeyPatch { name: Some(name), ..ApiKeyPatch::default() };
    let changed = app.engine().update_api_key(&permit, KeyRef::Secret(&key), &patch).await.map_err(spaced)?;
    let api_key = wire(app.engine(), changed.value).await?;
    Ok(positioned(changed.position, Json(OneKey { api_key })))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysDelete>,
    Path(key): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_api_key(&permit, KeyRef::Secret(&key)).await.map_err(spaced)?;
    // What was stored of the secret is erased by now; the caller has just shown that it has it.
    let secret = IssuedSecret::parse(CredentialKind::ApiKey, &key).ok();
    let api_key = wire(app.engine(), Shown { credential: gone.value, secret }).await?;
    Ok(positioned(gone.position, Json(OneKey { api_key })))
}

async fn wire(engine: &Engine, shown: Shown) -> Result<Key, Error> {
    let Shown { credential, secret } = shown;
    let creator = engine.users(credential.org, &[credential.created_by]).await?.pop();
    Ok(Key {
        created_by: creator.map(|user| user.handle).unwrap_or_default(),
        name: credential.name,
        key: secret.map(SecretText::from),
        created: times::v1(credential.created_at),
    })
}

fn spaced(error: claviger_engine::Error) -> Error {
    Error::from(error).spaced()
}
