//! `/api/v1/application_key` (reference: "Key Management"). In an org of one-time read none of it is there.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ApplicationKeysInReachRead, ApplicationKeysInReachWrite, OwnApplicationKeys};
use claviger_engine::{Engine, Names, NewApplicationKey, Shown};
use claviger_http::openapi::Named;
use claviger_http::{App, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::{CredentialKind, Guards, Org, OrgId, Permission};
use claviger_vault::IssuedSecret;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::{name_of, name_schema};
use crate::Error;
use crate::describe::operation;
use crate::permitted::Permitted;

pub(crate) fn routes() -> Vec<Route> {
    const READ: &[Permission] = &[Permission::ORG_APP_KEYS_READ, Permission::USER_APP_KEYS];
    const WRITE: &[Permission] = &[Permission::ORG_APP_KEYS_WRITE, Permission::USER_APP_KEYS];
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::APPLICATION_KEYS,
        summary,
    };
    let (all, one) = ("/api/v1/application_key", "/api/v1/application_key/{key}");
    let one_key = || Named::of::<OneKey>("ApplicationKeyV1");
    const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];
    vec![
        Route::new(info(Method::GET, all, READ, "Get all application keys"), list).described(
            operation("ListApplicationKeysV1")
                .answers(StatusCode::OK, Named::of::<Keys>("ApplicationKeysV1")),
        ),
        Route::new(
            info(Method::POST, all, &[Permission::USER_APP_KEYS], "Create an application key"),
            create,
        )
        .described(
            operation("CreateApplicationKeyV1")
                .body(name_schema())
                .answers(StatusCode::OK, one_key())
                .fails(CONFLICT),
        ),
        Route::new(info(Method::GET, one, READ, "Get an application key"), get)
            .described(operation("GetApplicationKeyV1").answers(StatusCode::OK, one_key())),
        Route::new(info(Method::PUT, one, WRITE, "Edit an application key"), update).described(
            operation("UpdateApplicationKeyV1")
                .body(name_schema())
                .answers(StatusCode::OK, one_key())
                .fails(CONFLICT),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Delete an application key"), delete)
            .described(operation("DeleteApplicationKeyV1").answers(StatusCode::OK, one_key())),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Keys {
    application_keys: Vec<Key>,
}

#[derive(Serialize, JsonSchema)]
struct OneKey {
    application_key: Key,
}

#[derive(Serialize, JsonSchema)]
struct Key {
    owner: String,
    org_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<SecretText>,
    name: String,
    revoked: bool,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachRead>,
) -> Result<Json<Keys>, Error> {
    let org = open_org(app.engine(), permit.org()).await?;
    let mut application_keys = Vec::new();
    for shown in app.engine().list_application_keys_shown(&permit).await? {
        application_keys.push(wire(app.engine(), &org, shown).await?);
    }
    Ok(Json(Keys { application_keys }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    body: Result<Body, claviger_http::BodyError>,
) -> Result<Response, Error> {
    let org = open_org(app.engine(), permit.org()).await?;
    let name = name_of(&body.map_err(Error::from).map_err(Error::spaced)?.0)?;
    let new = NewApplicationKey {
        name,
        scopes: None,
        expires_at: None,
        guards: Guards::NONE,
        names: Names::UniquePerOwner,
    };
    let made = app.engine().create_application_key(&permit, new).await.map_err(spaced)?;
    let application_key = wire(app.engine(), &org, made.value).await?;
    Ok(positioned(made.position, Json(OneKey { application_key })))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachRead>,
    Path(key): Path<String>,
) -> Result<Json<OneKey>, Error> {
    let org = open_org(app.engine(), permit.org()).await?;
    let shown = app.engine().find_application_key_by_secret(&permit, &key).await.map_err(spaced)?;
    Ok(Json(OneKey { application_key: wire(app.engine(), &org, shown).await? }))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachWrite>,
    Path(key): Path<String>,
    body: Result<Body, claviger_http::BodyError>,
) -> Result<Response, Error> {
    let org = open_org(app.engine(), permit.org()).await?;
    let name = name_of(&body.map_err(Error::from).map_err(Error::spaced)?.0)?;
    let changed = app.engine().rename_application_key_by_secret(&permit, &key, name).await.map_err(spaced)?;
    let application_key = wire(app.engine(), &org, changed.value).await?;
    Ok(positioned(changed.position, Json(OneKey { application_key })))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachWrite>,
    Path(key): Path<String>,
) -> Result<Response, Error> {
    let org = open_org(app.engine(), permit.org()).await?;
    let gone = app.engine().revoke_application_key_by_secret(&permit, &key).await.map_err(spaced)?;
    // What was stored of the secret is erased by now; the caller has just shown that it has it.
    let secret = IssuedSecret::parse(CredentialKind::ApplicationKey, &key).ok();
    let application_key = wire(app.engine(), &org, Shown { credential: gone.value, secret }).await?;
    Ok(positioned(gone.position, Json(OneKey { application_key })))
}

/// The org, unless it reads keys once only.
async fn open_org(engine: &Engine, org: OrgId) -> Result<Org, Error> {
    let org = engine.org(org).await?;
    if org.settings.one_time_read {
        return Err(Error::text(StatusCode::FORBIDDEN, "Forbidden"));
    }
    Ok(org)
}

async fn wire(engine: &Engine, org: &Org, shown: Shown) -> Result<Key, Error> {
    let Shown { credential, secret } = shown;
    let owner = credential.detail.owner().unwrap_or(credential.created_by);
    let owner = engine.users(org.id, &[owner]).await?.pop();
    Ok(Key {
        owner: owner.map(|user| user.handle).unwrap_or_default(),
        org_id: org.number,
        hash: secret.map(SecretText::from),
        revoked: !credential.state.is_live(),
        name: credential.name,
    })
}

fn spaced(error: claviger_engine::Error) -> Error {
    Error::from(error).spaced()
}
