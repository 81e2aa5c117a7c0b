//! `/api/v2/application_keys`: everybody's in the org (reference: "Key Management"). The wire form is shared with
//! `/api/v2/current_user/application_keys`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{OrgApplicationKeysRead, OrgApplicationKeysWrite};
use claviger_engine::{
    ApplicationKeyPatch, CredentialPage, Engine, Error as EngineError, Shown, SortKey, Thing,
};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, SecretText, Who, positioned};
use claviger_model::{Credential, CredentialId, CredentialKind, OrgId, Permission, Scopes};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{check_id, fitting, name};
use crate::describe::operation;
use crate::leaks::Leakable;
use crate::permitted::Permitted;
use crate::query::{ListQuery, include_parameter, list_parameters, owner_parameter};
use crate::schema::{Fit, Kind, Member};
use crate::wire::{Many, NOTHING, One, PageMeta, Reference, Relation, user};
use crate::{Error, included, leaks, times};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::APPLICATION_KEYS,
        summary,
    };
    const READ: &[Permission] = &[Permission::ORG_APP_KEYS_READ];
    const WRITE: &[Permission] = &[Permission::ORG_APP_KEYS_WRITE];
    let (all, one) = ("/api/v2/application_keys", "/api/v2/application_keys/{app_key_id}");
    vec![
        Route::new(info(Method::GET, all, READ, "Get all application keys"), list).described(
            operation("ListApplicationKeys")
                .query(list_parameters(SORT_KEYS))
                .query(vec![owner_parameter(), include_parameter(INCLUDE)])
                .answers(StatusCode::OK, many_keys()),
        ),
        Route::new(info(Method::GET, one, READ, "Get an application key"), get).described(
            operation("GetApplicationKey")
                .query(vec![include_parameter(INCLUDE)])
                .answers(StatusCode::OK, one_key()),
        ),
        Route::new(info(Method::PATCH, one, WRITE, "Edit an application key"), update).described(
            operation("UpdateApplicationKey").body(update_body()).answers(StatusCode::OK, one_key()),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Delete an application key"), delete)
            .described(operation("DeleteApplicationKey").answers_nothing()),
    ]
}

pub(super) const UPDATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("application_keys")),
        Member::required("id", Kind::Text),
        Member::required(
            "attributes",
            Kind::Object(&[Member::optional("name", Kind::Text), Member::nullable("scopes", Kind::Texts)]),
        ),
    ]),
)]);

pub(super) const SORT_KEYS: &[(&str, SortKey)] =
    &[("created_at", SortKey::CreatedAt), ("last4", SortKey::Last4), ("name", SortKey::Name)];

pub(super) const INCLUDE: [&str; 1] = ["owned_by"];

pub(super) fn one_key() -> Named {
    Named::of::<One<Key>>("ApplicationKey")
}

pub(super) fn many_keys() -> Named {
    Named::of::<Many<Key, Meta>>("ApplicationKeys")
}

pub(super) fn update_body() -> Named {
    Named::new("UpdateApplicationKey", UPDATE.json_schema())
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Key {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
    relationships: Relationships,
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
    name: String,
    created_at: String,
    last4: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<SecretText>,
    scopes: Option<Vec<&'static str>>,
    /// Left out, or null, or the moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Option<String>>,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_by: Option<Relation<Reference>>,
    leak_information: Relation<Option<Reference>>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Meta {
    page: PageMeta,
    max_allowed_per_user: u32,
}

/// Which of the members that not every answer has.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// `last_used_at`: reads have it, answers to changes do not.
    pub(super) last_used: bool,
    /// `owned_by`: all but lists of one's own have it.
    pub(super) owner: bool,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgApplicationKeysRead>,
    uri: Uri,
) -> Result<Json<Many<Key, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page(), query.sort(SORT_KEYS));
    let mut filter = query.filter(permit.org(), CredentialKind::ApplicationKey);
    filter.owner = query.owner();
    let [owned_by] = query.include(INCLUDE);
    query.check()?;
    let engine = app.engine();
    let found = engine.list_org_application_keys(&permit, &filter, sort, page).await?;
    let included = owners(engine, permit.org(), &found.items, owned_by).await?;
    let meta = meta(engine, permit.org(), &found).await?;
    let mut answer = many(found, included, meta, Form { last_used: true, owner: true });
    leaks::show(engine, permit.org(), &mut answer.data, &mut answer.included).await?;
    Ok(Json(answer))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgApplicationKeysRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<One<Key>>, Error> {
    let mut query = ListQuery::of(&uri);
    let [owned_by] = query.include(INCLUDE);
    query.check()?;
    let engine = app.engine();
    let credential = engine.find_org_application_key(&permit, parse_id(&id)?).await?;
    let included = owners(engine, permit.org(), std::slice::from_ref(&credential), owned_by).await?;
    let data = wire(Shown { credential, secret: None }, Form { last_used: true, owner: true });
    Ok(Json(leaks::shown(engine, permit.org(), One { data, included }).await?))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgApplicationKeysWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = patch(body, &id)?;
    let changed = app.engine().update_org_application_key(&permit, parse_id(&id)?, &patch).await?;
    let shown = Shown { credential: changed.value, secret: None };
    let answer = One { data: wire(shown, Form { last_used: false, owner: true }), included: None };
    let answer = leaks::shown(app.engine(), permit.org(), answer).await?;
    Ok(positioned(changed.position, Json(answer)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<OrgApplicationKeysWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_org_application_key(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

/// A malformed id is nobody's, as recorded.
pub(super) fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::ApplicationKey))
}

pub(super) fn patch(body: Result<Body, BodyError>, id: &str) -> Result<ApplicationKeyPatch, Error> {
    let body = fitting(body, UPDATE)?;
    check_id(&body, id)?;
    Ok(ApplicationKeyPatch { name: name(&body)?, scopes: scopes(&body)? })
}

/// The scopes that a body gives: none where it says nothing of them, none within where it takes them away.
pub(super) fn scopes(body: &Value) -> Result<Option<Option<Scopes>>, Error> {
    let given = Fit::attributes(body).texts("scopes").map(Scopes::parse).transpose();
    given.map_err(|error| Error::invalid(vec![error.to_string()]))
}

async fn owners(
    engine: &Engine,
    org: OrgId,
    credentials: &[Credential],
    owned_by: bool,
) -> Result<Option<Vec<Value>>, EngineError> {
    if !owned_by {
        return Ok(None);
    }
    let ids = credentials.iter().filter_map(|credential| credential.detail.owner());
    included::users(engine, org, ids).await.map(Some)
}

pub(super) async fn meta(engine: &Engine, org: OrgId, page: &CredentialPage) -> Result<Meta, EngineError> {
    let max_allowed_per_user = engine.org(org).await?.settings.application_keys_per_user_max;
    Ok(Meta { page: PageMeta { total_filtered_count: page.total }, max_allowed_per_user })
}

pub(super) fn many(
    page: CredentialPage,
    included: Option<Vec<Value>>,
    meta: Meta,
    form: Form,
) -> Many<Key, Meta> {
    let item = |credential| wire(Shown { credential, secret: None }, form);
    Many { data: page.items.into_iter().map(item).collect(), included, meta }
}

pub(super) fn wire(shown: Shown, form: Form) -> Key {
    let Shown { credential, secret } = shown;
    Key {
        kind: "application_keys",
        id: credential.id.to_string(),
        relationships: Relationships {
            owned_by: credential.detail.owner().filter(|_| form.owner).map(user),
            leak_information: NOTHING,
        },
        attributes: Attributes {
            created_at: times::v2(credential.created_at),
            last4: credential.last4,
            key: secret.map(SecretText::from),
            scopes: credential
                .detail
                .scopes()
                .map(|scopes| scopes.iter().map(|scope| scope.name()).collect()),
            last_used_at: form.last_used.then(|| credential.last_used.map(times::v2)),
            name: credential.name,
        },
    }
}
