//! `/api/v2/current_user/application_keys`: the caller's own (reference: "Key Management").

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::OwnApplicationKeys;
use claviger_engine::{Names, NewApplicationKey};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{CredentialKind, Guards, Permission};
use http::{Method, StatusCode, Uri};

use crate::describe::operation;
use crate::permitted::Permitted;
use crate::query::{ListQuery, include_parameter, list_parameters};
use crate::schema::{Kind, Member};
use crate::v2::application_keys::{
    Form, INCLUDE, Key, Meta, SORT_KEYS, many, many_keys, meta, one_key, parse_id, patch, scopes,
    update_body, wire,
};
use crate::v2::{fitting, name};
use crate::wire::{Many, One};
use crate::{Error, included, leaks};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::User(&[Permission::USER_APP_KEYS]),
        bucket: Bucket::APPLICATION_KEYS,
        summary,
    };
    let all = "/api/v2/current_user/application_keys";
    let one = "/api/v2/current_user/application_keys/{app_key_id}";
    vec![
        Route::new(info(Method::GET, all, "Get all application keys owned by current user"), list).described(
            operation("ListCurrentUserApplicationKeys")
                .query(list_parameters(SORT_KEYS))
                .query(vec![include_parameter(INCLUDE)])
                .answers(StatusCode::OK, many_keys()),
        ),
        Route::new(info(Method::POST, all, "Create an application key for current user"), create).described(
            operation("CreateCurrentUserApplicationKey")
                .body(create_body())
                .answers(StatusCode::CREATED, one_key()),
        ),
        Route::new(info(Method::GET, one, "Get one application key owned by current user"), get)
            .described(operation("GetCurrentUserApplicationKey").answers(StatusCode::OK, one_key())),
        Route::new(info(Method::PATCH, one, "Edit an application key owned by current user"), update)
            .described(
                operation("UpdateCurrentUserApplicationKey")
                    .body(update_body())
                    .answers(StatusCode::OK, one_key()),
            ),
        Route::new(info(Method::DELETE, one, "Delete an application key owned by current user"), delete)
            .described(operation("DeleteCurrentUserApplicationKey").answers_nothing()),
    ]
}

/// What a new application key must be, whosever.
pub(crate) fn create_body() -> Named {
    Named::new("CreateApplicationKey", CREATE.json_schema())
}

pub(crate) const CREATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("application_keys")),
        Member::required(
            "attributes",
            Kind::Object(&[Member::required("name", Kind::Text), Member::nullable("scopes", Kind::Texts)]),
        ),
    ]),
)]);

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    uri: Uri,
) -> Result<Json<Many<Key, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page(), query.sort(SORT_KEYS));
    let filter = query.filter(permit.org(), CredentialKind::ApplicationKey);
    let [owned_by] = query.include(INCLUDE);
    query.check()?;
    let engine = app.engine();
    let found = engine.list_own_application_keys(&permit, &filter, sort, page).await?;
    let included = match owned_by {
        true => Some(included::users(engine, permit.org(), [permit.user()]).await?),
        false => None,
    };
    let meta = meta(engine, permit.org(), &found).await?;
    let mut answer = many(found, included, meta, Form { last_used: true, owner: false });
    leaks::show(engine, permit.org(), &mut answer.data, &mut answer.included).await?;
    Ok(Json(answer))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, CREATE)?;
    let new = NewApplicationKey {
        name: name(&body)?.expect("the schema requires a name"),
        scopes: scopes(&body)?.flatten(),
        expires_at: None,
        guards: Guards::NONE,
        names: Names::Any,
    };
    let made = app.engine().create_application_key(&permit, new).await?;
    let data = wire(made.value, Form { last_used: false, owner: true });
    Ok(positioned(made.position, (StatusCode::CREATED, Json(One { data, included: None }))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    Path(id): Path<String>,
) -> Result<Json<One<Key>>, Error> {
    let engine = app.engine();
    let shown = engine.find_own_application_key(&permit, parse_id(&id)?).await?;
    // Here the owner and the owner's roles are always included.
    let included = Some(included::owner_and_roles(engine, permit.org(), permit.user()).await?);
    let data = wire(shown, Form { last_used: true, owner: true });
    Ok(Json(leaks::shown(engine, permit.org(), One { data, included }).await?))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = patch(body, &id)?;
    let changed = app.engine().update_own_application_key(&permit, parse_id(&id)?, &patch).await?;
    let answer = One { data: wire(changed.value, Form { last_used: false, owner: true }), included: None };
    let answer = leaks::shown(app.engine(), permit.org(), answer).await?;
    Ok(positioned(changed.position, Json(answer)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_own_application_key(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}
