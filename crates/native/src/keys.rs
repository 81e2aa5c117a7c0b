//! `/claviger/v1/keys`: the keys that the org issues to the callers of its own API.

mod body;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{ApiKeysDelete, ApiKeysRead, ApiKeysWrite};
use claviger_engine::{
    CredentialFilter, CredentialSort, Engine, Error as EngineError, Guarded, Shown as Issued, SortKey, Thing,
};
use claviger_http::openapi::{Named, Operation, Query};
use claviger_http::{App, BodyError, Json as Body, Route, SecretText, positioned};
use claviger_model::{
    Credential, CredentialDetail, CredentialId, CredentialKind, ExternalId, Permission, Scopes, Timestamp,
};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::guards::{GuardsShown, shown_time};
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::{Parameters, page_parameters};
use crate::{Error, error};

const ROTATE: &str = "/claviger/v1/keys/{key_id}/rotate";

pub(crate) fn routes() -> Vec<Route> {
    let (all, one) = ("/claviger/v1/keys", "/claviger/v1/keys/{key_id}");
    let operation = |id| Operation::new(id, "Claviger: native keys", error::described()).takes_bearer();
    const READ: &[Permission] = &[Permission::API_KEYS_READ];
    const WRITE: &[Permission] = &[Permission::API_KEYS_WRITE];
    const DELETE: &[Permission] = &[Permission::API_KEYS_DELETE];
    let key = || Named::of::<Key>("NativeKey");
    vec![
        Route::new(for_users(Method::GET, all, READ, "List native keys"), list).described(
            operation("ListNativeKeys")
                .query(page_parameters())
                .query(filter_parameters())
                .answers(StatusCode::OK, Named::of::<Keys>("NativeKeys")),
        ),
        Route::new(for_users(Method::POST, all, WRITE, "Issue a native key"), create).described(
            operation("CreateNativeKey")
                .body(Named::new("CreateNativeKey", body::create_schema()))
                .answers(StatusCode::CREATED, key())
                .fails(&[StatusCode::CONFLICT]),
        ),
        Route::new(for_users(Method::GET, one, READ, "Get a native key"), get)
            .described(operation("GetNativeKey").answers(StatusCode::OK, key())),
        Route::new(for_users(Method::PATCH, one, WRITE, "Change a native key"), update).described(
            operation("UpdateNativeKey")
                .body(Named::new("UpdateNativeKey", body::update_schema()))
                .answers(StatusCode::OK, key()),
        ),
        Route::new(for_users(Method::POST, ROTATE, WRITE, "Give a native key a new secret"), rotate)
            .described(
                operation("RotateNativeKey")
                    .body(crate::vendor_keys::body::grace_schema())
                    .answers(StatusCode::OK, key()),
            ),
        Route::new(for_users(Method::DELETE, one, DELETE, "Revoke a native key"), delete)
            .described(operation("DeleteNativeKey").answers_nothing()),
    ]
}

fn filter_parameters() -> Vec<Query> {
    let query = |name, description: &str| Query {
        name,
        description: description.to_owned(),
        schema: json!({ "type": "string" }),
    };
    vec![
        query("name", "A part of the name in any case, or the secret's last four characters"),
        query("external_id", "Exactly this one's keys"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Key {
    id: String,
    name: String,
    prefix: String,
    last4: String,
    permissions: Vec<String>,
    external_id: Option<String>,
    metadata: Option<Map<String, Value>>,
    #[serde(flatten)]
    guards: GuardsShown,
    created_at: String,
    created_by: String,
    modified_at: String,
    modified_by: String,
    last_used_at: Option<String>,
    /// Until when the secret that the last rotation replaced goes on; lists do not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_valid_until: Option<Option<String>>,
    /// In the answer that issues it and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<SecretText>,
}

#[derive(Serialize, JsonSchema)]
struct Keys {
    keys: Vec<Key>,
    /// How many the filters let through in all.
    total: i64,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    uri: Uri,
) -> Result<Json<Keys>, Error> {
    let mut query = Parameters::of(&uri);
    let page = query.page();
    let without_control = |text: &str| match text.chars().any(char::is_control) {
        true => Err("must not contain control characters"),
        false => Ok(text.to_owned()),
    };
    let text = query.read("name", without_control);
    let external_id = query.read("external_id", ExternalId::parse).map(String::from);
    query.check()?;
    let filter = CredentialFilter {
        text,
        external_id,
        ..CredentialFilter::all(permit.org(), CredentialKind::NativeKey)
    };
    let by_name = CredentialSort { key: SortKey::Name, descending: false };
    let found = app.engine().list_native_keys(&permit, &filter, by_name, page).await?;
    let item = |credential| wire(app.engine(), Issued { credential, secret: None }, None);
    Ok(Json(Keys { keys: found.items.into_iter().map(item).collect(), total: found.total }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let known = app.engine().own_permissions(permit.org());
    let new = body::read_new(&body?.0, known.as_deref())?;
    let made = app.engine().create_native_key(&permit, new).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(wire(app.engine(), made.value, None)))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    Path(id): Path<String>,
) -> Result<Json<Key>, Error> {
    let found = app.engine().find_native_key(&permit, parse_id(&id)?).await?;
    Ok(Json(guarded(app.engine(), found)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let known = app.engine().own_permissions(permit.org());
    let patch = body::read_patch(&body?.0, known.as_deref())?;
    let changed = app.engine().update_native_key(&permit, parse_id(&id)?, &patch).await?;
    Ok(positioned(changed.position, Json(guarded(app.engine(), changed.value))))
}

async fn rotate(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let grace = crate::vendor_keys::body::grace(body)?;
    let rotated = app.engine().rotate_native_key(&permit, parse_id(&id)?, grace).await?;
    let shown = wire(app.engine(), rotated.value.shown, Some(rotated.value.old_valid_until));
    Ok(positioned(rotated.position, Json(shown)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysDelete>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_native_key(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::NativeKey))
}

fn guarded(engine: &Engine, found: Guarded) -> Key {
    wire(engine, Issued { credential: found.credential, secret: None }, Some(found.old_valid_until))
}

/// The wire form; `old` says until when a replaced secret goes on, where that is known.
fn wire(engine: &Engine, shown: Issued, old: Option<Option<Timestamp>>) -> Key {
    let Issued { credential, secret } = shown;
    let known = engine.own_permissions(credential.org).unwrap_or_default();
    let own = credential.detail.scopes().into_iter().flat_map(Scopes::own);
    let permissions = own.filter_map(|number| known.name(number)).map(str::to_owned).collect();
    let guards = GuardsShown::from(&credential);
    let prefix = credential.detail.public_portion().unwrap_or_default().to_owned();
    let Credential { detail, .. } = credential;
    let (external_id, metadata) = match detail {
        CredentialDetail::NativeKey { external_id, metadata, .. } => (external_id, metadata),
        _ => (None, None),
    };
    Key {
        id: credential.id.to_string(),
        name: credential.name,
        prefix,
        last4: credential.last4,
        permissions,
        external_id,
        metadata: metadata.and_then(|text| serde_json::from_str(&text).ok()),
        guards,
        created_at: shown_time(credential.created_at),
        created_by: credential.created_by.to_string(),
        modified_at: shown_time(credential.modified_at),
        modified_by: credential.modified_by.to_string(),
        last_used_at: credential.last_used.map(shown_time),
        old_secret_valid_until: old.map(|end| end.map(shown_time)),
        secret: secret.map(SecretText::from),
    }
}
