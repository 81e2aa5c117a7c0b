//! `/api/v2/service_accounts/{service_account_id}/application_keys` (reference: "Service Accounts"). The secret is
//! shown when a key is made, and never again.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::Shown;
use claviger_engine::rights::ServiceAccounts;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::CredentialKind;
use http::{Method, StatusCode, Uri};

use super::{WRITE, parse_account};
use crate::describe::operation;
use crate::permitted::Permitted;
use crate::query::{ListQuery, list_parameters};
use crate::v2::application_keys::{
    Form, Key, Meta, SORT_KEYS, many, many_keys, meta, one_key, parse_id, patch, scopes, update_body, wire,
};
use crate::v2::current_user::application_keys::{CREATE, create_body};
use crate::v2::{fitting, name};
use crate::wire::{Many, One};
use crate::{Error, leaks};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::User(WRITE),
        bucket: Bucket::APPLICATION_KEYS,
        summary,
    };
    let all = "/api/v2/service_accounts/{service_account_id}/application_keys";
    let one = "/api/v2/service_accounts/{service_account_id}/application_keys/{app_key_id}";
    vec![
        Route::new(info(Method::GET, all, "List application keys for this service account"), list).described(
            operation("ListServiceAccountApplicationKeys")
                .query(list_parameters(SORT_KEYS))
                .answers(StatusCode::OK, many_keys()),
        ),
        Route::new(info(Method::POST, all, "Create an application key for this service account"), create)
            .described(
                operation("CreateServiceAccountApplicationKey")
                    .body(create_body())
                    .answers(StatusCode::CREATED, one_key()),
            ),
        Route::new(info(Method::GET, one, "Get one application key for this service account"), get)
            .described(operation("GetServiceAccountApplicationKey").answers(StatusCode::OK, one_key())),
        Route::new(info(Method::PATCH, one, "Edit an application key for this service account"), update)
            .described(
                operation("UpdateServiceAccountApplicationKey")
                    .body(update_body())
                    .answers(StatusCode::OK, one_key()),
            ),
        Route::new(info(Method::DELETE, one, "Delete an application key for this service account"), delete)
            .described(operation("DeleteServiceAccountApplicationKey").answers_nothing()),
    ]
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path(account): Path<String>,
    uri: Uri,
) -> Result<Json<Many<Key, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page(), query.sort(SORT_KEYS));
    let filter = query.filter(permit.org(), CredentialKind::ApplicationKey);
    query.check()?;
    let (engine, account) = (app.engine(), parse_account(&account)?);
    let found = engine.list_service_account_application_keys(&permit, account, filter, sort, page).await?;
    let meta = meta(engine, permit.org(), &found).await?;
    let mut answer = many(found, None, meta, Form { last_used: true, owner: false });
    leaks::show(engine, permit.org(), &mut answer.data, &mut answer.included).await?;
    Ok(Json(answer))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path(account): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, CREATE)?;
    let name = name(&body)?.expect("the schema requires a name");
    let scopes = scopes(&body)?.flatten();
    let (engine, account) = (app.engine(), parse_account(&account)?);
    let made = engine.create_service_account_application_key(&permit, account, name, scopes).await?;
    let data = wire(made.value, Form { last_used: false, owner: true });
    Ok(positioned(made.position, (StatusCode::CREATED, Json(One { data, included: None }))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
) -> Result<Json<One<Key>>, Error> {
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let credential = app.engine().find_service_account_application_key(&permit, account, id).await?;
    let data = wire(Shown { credential, secret: None }, Form { last_used: true, owner: false });
    Ok(Json(leaks::shown(app.engine(), permit.org(), One { data, included: None }).await?))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = patch(body, &id)?;
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let changed = app.engine().update_service_account_application_key(&permit, account, id, &patch).await?;
    let shown = Shown { credential: changed.value, secret: None };
    let data = wire(shown, Form { last_used: false, owner: false });
    let answer = leaks::shown(app.engine(), permit.org(), One { data, included: None }).await?;
    Ok(positioned(changed.position, Json(answer)))
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let gone = app.engine().revoke_service_account_application_key(&permit, account, id).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}
