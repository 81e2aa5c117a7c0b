//! `/api/v2/api_keys` (reference: "Key Management").

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{ApiKeysDelete, ApiKeysRead, ApiKeysWrite};
use claviger_engine::{ApiKeyPatch, Engine, Error as EngineError, KeyRef, NewApiKey, Shown, SortKey, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::{
    Credential, CredentialDetail, CredentialId, Guards, Name, Permission, Timestamp, UserId,
};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use super::{check_id, fitting, name};
use crate::describe::operation;
use crate::leaks::Leakable;
use crate::permitted::Permitted;
use crate::query::{ListQuery, api_key_parameters, include_parameter, list_parameters};
use crate::schema::{Fit, Kind, Member};
use crate::wire::{Many, NOTHING, One, PageMeta, Reference, Relation, user};
use crate::{Error, included, leaks, times};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::API_KEYS,
        summary,
    };
    let (all, one) = ("/api/v2/api_keys", "/api/v2/api_keys/{api_key_id}");
    let one_key = || Named::of::<One<Key>>("ApiKey");
    vec![
        Route::new(info(Method::GET, all, &[Permission::API_KEYS_READ], "Get all API keys"), list).described(
            operation("ListAPIKeys")
                .query(list_parameters(SORT_KEYS))
                .query(api_key_parameters())
                .query(vec![include_parameter(INCLUDE)])
                .answers(StatusCode::OK, Named::of::<Many<Key, Meta>>("ApiKeys")),
        ),
        Route::new(info(Method::POST, all, &[Permission::API_KEYS_WRITE], "Create an API key"), create)
            .described(
                operation("CreateAPIKey")
                    .body(Named::new("CreateApiKey", CREATE.json_schema()))
                    .answers(StatusCode::CREATED, one_key()),
            ),
        Route::new(info(Method::GET, one, &[Permission::API_KEYS_READ], "Get API key"), get).described(
            operation("GetAPIKey").query(vec![include_parameter(INCLUDE)]).answers(StatusCode::OK, one_key()),
        ),
        Route::new(info(Method::PATCH, one, &[Permission::API_KEYS_WRITE], "Edit an API key"), update)
            .described(
                operation("UpdateAPIKey")
                    .body(Named::new("UpdateApiKey", UPDATE.json_schema()))
                    .answers(StatusCode::OK, one_key()),
            ),
        Route::new(info(Method::DELETE, one, &[Permission::API_KEYS_DELETE], "Delete an API key"), delete)
            .described(operation("DeleteAPIKey").answers_nothing().fails(&[StatusCode::BAD_REQUEST])),
    ]
}

const ATTRIBUTES: Kind = Kind::Object(&[
    Member::required("name", Kind::Text),
    Member::optional("category", Kind::Text),
    Member::optional("remote_config_read_enabled", Kind::Flag),
]);

const CREATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("api_keys")),
        Member::required("attributes", ATTRIBUTES),
    ]),
)]);

const UPDATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("api_keys")),
        Member::required("id", Kind::Text),
        Member::required("attributes", ATTRIBUTES),
    ]),
)]);

const SORT_KEYS: &[(&str, SortKey)] = &[
    ("created_at", SortKey::CreatedAt),
    ("last4", SortKey::Last4),
    ("modified_at", SortKey::ModifiedAt),
    ("name", SortKey::Name),
];

const INCLUDE: [&str; 2] = ["created_by", "modified_by"];

/// The sentence that stands beside each last-used time, as recorded.
const LAST_USED: &str =
    "Timestamp of when this key was last used in the past ninety (90) days, null if no recent usage";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Serialize, JsonSchema)]
struct Key {
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: Attributes,
    relationships: Relationships,
    id: String,
}

impl Leakable for Key {
    fn id(&self) -> &str {
        &self.id
    }

    fn leak_information(&mut self) -> &mut Relation<Option<Reference>> {
        &mut self.relationships.leak_information
    }
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<SecretText>,
    last4: String,
    modified_at: String,
    #[serde(flatten)]
    usage: Option<Usage>,
    remote_config_read_enabled: bool,
    category: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

/// Only reads tell it.
#[derive(Serialize, JsonSchema)]
struct Usage {
    date_last_used: Option<String>,
    used_in_last_24_hours: bool,
    last_used_date: LastUsed,
}

#[derive(Serialize, JsonSchema)]
struct LastUsed {
    timestamp: Option<String>,
    description: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    created_by: Relation<Reference>,
    modified_by: Relation<Reference>,
    leak_information: Relation<Option<Reference>>,
}

#[derive(Serialize, JsonSchema)]
struct Meta {
    page: PageMeta,
    max_allowed: u32,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    uri: Uri,
) -> Result<Json<Many<Key, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort, filter) = (query.page(), query.sort(SORT_KEYS), query.api_key_filter(permit.org()));
    let include = query.include(INCLUDE);
    query.check()?;
    let engine = app.engine();
    let found = engine.list_api_keys(&permit, &filter, sort, page).await?;
    let included = included(engine, &found.items, include).await?;
    let max_allowed = engine.org(permit.org()).await?.settings.api_keys_max;
    let now = engine.clock().now();
    let item = |credential| wire(Shown { credential, secret: None }, Some(now));
    let mut answer = Many {
        data: found.items.into_iter().map(item).collect(),
        included,
        meta: Meta { page: PageMeta { total_filtered_count: found.total }, max_allowed },
    };
    leaks::show(engine, permit.org(), &mut answer.data, &mut answer.included).await?;
    Ok(Json(answer))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, CREATE)?;
    let attributes = Fit::attributes(&body);
    let new = NewApiKey {
        name: name(&body)?.expect("the schema requires a name"),
        category: category(&attributes)?,
        remote_config_read: attributes.flag("remote_config_read_enabled").unwrap_or(true),
        expires_at: None,
        guards: Guards::NONE,
    };
    let made = app.engine().create_api_key(&permit, new).await?;
    let answer = One { data: wire(made.value, None), included: None };
    Ok(positioned(made.position, (StatusCode::CREATED, Json(answer))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<One<Key>>, Error> {
    let mut query = ListQuery::of(&uri);
    let include = query.include(INCLUDE);
    query.check()?;
    let engine = app.engine();
    let shown = engine.find_api_key(&permit, parse_id(&id)?).await?;
    let included = included(engine, std::slice::from_ref(&shown.credential), include).await?;
    let data = wire(shown, Some(engine.clock().now()));
    Ok(Json(leaks::shown(engine, permit.org(), One { data, included }).await?))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, UPDATE)?;
    check_id(&body, &id)?;
    let attributes = Fit::attributes(&body);
    let patch = ApiKeyPatch {
        name: name(&body)?,
        category: category(&attributes)?,
        remote_config_read: attributes.flag("remote_config_read_enabled"),
    };
    let changed = app.engine().update_api_key(&permit, KeyRef::Id(parse_id(&id)?), &patch).await?;
    let answer = One { data: wire(changed.value, None), included: None };
    let answer = leaks::shown(app.engine(), permit.org(), answer).await?;
    Ok(positioned(changed.position, Json(answer)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ApiKeysDelete>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_api_key(&permit, KeyRef::Id(parse_id(&id)?)).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

/// The category that a body gives: a word of the caller's own, bounded like a name.
fn category(attributes: &Fit<'_>) -> Result<Option<String>, Error> {
    let given = attributes.text("category").map(Name::parse).transpose();
    let given = given.map_err(|error| Error::invalid(vec![format!("'category' {error}")]))?;
    Ok(given.map(|name| name.to_string()))
}

/// A malformed id is nobody's, as recorded.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::ApiKey))
}

async fn included(
    engine: &Engine,
    credentials: &[Credential],
    [created_by, modified_by]: [bool; 2],
) -> Result<Option<Vec<serde_json::Value>>, EngineError> {
    let Some(org) = credentials.first().map(|credential| credential.org) else {
        return Ok((created_by || modified_by).then(Vec::new));
    };
    if !created_by && !modified_by {
        return Ok(None);
    }
    let wanted = |credential: &Credential| -> [Option<UserId>; 2] {
        [created_by.then_some(credential.created_by), modified_by.then_some(credential.modified_by)]
    };
    let ids = credentials.iter().flat_map(wanted).flatten();
    included::users(engine, org, ids).await.map(Some)
}

/// The wire form; with the time of reading, its usage too.
fn wire(shown: Shown, read_at: Option<Timestamp>) -> Key {
    let Shown { credential, secret } = shown;
    let (category, remote_config_read_enabled) = match &credential.detail {
        CredentialDetail::ApiKey { category, remote_config_read } => (category.clone(), *remote_config_read),
        _ => (String::new(), false),
    };
    Key {
        kind: "api_keys",
        attributes: Attributes {
            created_at: times::v2(credential.created_at),
            key: secret.map(SecretText::from),
            last4: credential.last4,
            modified_at: times::v2(credential.modified_at),
            usage: read_at.map(|now| usage(credential.last_used, now)),
            remote_config_read_enabled,
            category,
            name: credential.name,
            status: (!credential.state.is_live()).then_some("revoked"),
        },
        relationships: Relationships {
            created_by: user(credential.created_by),
            modified_by: user(credential.modified_by),
            leak_information: NOTHING,
        },
        id: credential.id.to_string(),
    }
}

fn usage(last_used: Option<Timestamp>, now: Timestamp) -> Usage {
    let text = last_used.map(times::v2);
    Usage {
        date_last_used: text.clone(),
        used_in_last_24_hours: last_used.is_some_and(|at| at + DAY > now),
        last_used_date: LastUsed { timestamp: text, description: LAST_USED },
    }
}
