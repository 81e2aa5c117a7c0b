//! `/api/v2/actions/app_key_registrations`: which application keys may manage connections (reference: "Action
//! Connection").

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{RegistrationsInReachWrite, RegistrationsRead};
use claviger_http::openapi::Named;
use claviger_http::{App, Bucket, Route, RouteInfo, Who, positioned};
use claviger_model::{CredentialId, Permission};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use super::ActionPermitted;
use super::error::ActionError;
use crate::describe::of_actions;
use crate::query::{ListQuery, page_parameters};
use crate::vendor_json::VendorJson;
use crate::wire::{Many, One};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::CONNECTIONS,
        summary,
    };
    const READ: &[Permission] = &[Permission::ORG_APP_KEYS_READ];
    const WRITE: &[Permission] =
        &[Permission::USER_ACCESS_MANAGE, Permission::USER_APP_KEYS, Permission::SERVICE_ACCOUNT_WRITE];
    const BAD_REQUEST: &[StatusCode] = &[StatusCode::BAD_REQUEST];
    let all = "/api/v2/actions/app_key_registrations";
    let one = "/api/v2/actions/app_key_registrations/{app_key_id}";
    vec![
        Route::new(info(Method::GET, all, READ, "List App Key Registrations"), list).described(
            of_actions("ListAppKeyRegistrations")
                .query(page_parameters())
                .answers(StatusCode::OK, Named::of::<Many<Registration, Meta>>("AppKeyRegistrations")),
        ),
        Route::new(info(Method::PUT, one, WRITE, "Register a new App Key"), register).described(
            of_actions("RegisterAppKey").fails(BAD_REQUEST).answers(StatusCode::CREATED, one_registration()),
        ),
        Route::new(info(Method::GET, one, READ, "Get an App Key Registration"), get).described(
            of_actions("GetAppKeyRegistration")
                .fails(BAD_REQUEST)
                .answers(StatusCode::OK, one_registration()),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Unregister an App Key"), unregister)
            .described(of_actions("UnregisterAppKey").fails(BAD_REQUEST).answers_nothing()),
    ]
}

fn one_registration() -> Named {
    Named::of::<One<Registration>>("AppKeyRegistration")
}

#[derive(Serialize, JsonSchema)]
struct Registration {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct Meta {
    total: i64,
    total_filtered: i64,
}

async fn list(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<RegistrationsRead>,
    uri: Uri,
) -> Result<VendorJson<Many<Registration, Meta>>, ActionError> {
    let mut query = ListQuery::of(&uri);
    let page = query.page();
    query.check()?;
    let (ids, total) = app.engine().list_registrations(&permit, page).await?;
    let data = ids.into_iter().map(registration).collect();
    Ok(VendorJson(Many { data, included: None, meta: Meta { total, total_filtered: total } }))
}

/// What the request's body may hold is not looked at: it has none.
async fn register(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<RegistrationsInReachWrite>,
    Path(id): Path<String>,
) -> Result<Response, ActionError> {
    let id = parse_id(&id)?;
    let changed = app.engine().register_application_key(&permit, id).await?;
    Ok(positioned(changed.position, (StatusCode::CREATED, one(id))))
}

async fn get(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<RegistrationsRead>,
    Path(id): Path<String>,
) -> Result<VendorJson<One<Registration>>, ActionError> {
    let id = parse_id(&id)?;
    app.engine().find_registration(&permit, id).await?;
    Ok(one(id))
}

async fn unregister(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<RegistrationsInReachWrite>,
    Path(id): Path<String>,
) -> Result<Response, ActionError> {
    let changed = app.engine().unregister_application_key(&permit, parse_id(&id)?).await?;
    Ok(positioned(changed.position, StatusCode::NO_CONTENT))
}

fn registration(id: CredentialId) -> Registration {
    Registration { id: id.to_string(), kind: "app_key_registration" }
}

fn one(id: CredentialId) -> VendorJson<One<Registration>> {
    VendorJson(One { data: registration(id), included: None })
}

fn parse_id(text: &str) -> Result<CredentialId, ActionError> {
    let malformed = "invalid parameter \"appKeyId\" in \"path\"; expected type \"uuid\"";
    text.parse().map_err(|_| ActionError::invalid([malformed.to_owned()]))
}
