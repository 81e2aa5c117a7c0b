//! `/api/v2/service_accounts/{service_account_id}/access_tokens` (reference: "Service Accounts").

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::ServiceAccounts;
use claviger_engine::{Error as EngineError, NewServiceAccessToken, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{CredentialId, CredentialKind};
use http::{Method, StatusCode, Uri};

use super::{WRITE, parse_account};
use crate::Error;
use crate::describe::of_tokens;
use crate::permitted::Permitted;
use crate::query::{ListQuery, list_parameters};
use crate::schema::{Kind, Member};
use crate::v2::access_tokens::{
    Family, Meta, NewToken, SORT_KEYS, Token, UPDATED, created, many, many_tokens, new_token, one_token,
    read, token_patch, updated,
};
use crate::vendor_json::VendorJson;
use crate::wire::{Many, One};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, summary| RouteInfo {
        method,
        path,
        who: Who::User(WRITE),
        bucket: Bucket::ACCESS_TOKENS,
        summary,
    };
    let all = "/api/v2/service_accounts/{service_account_id}/access_tokens";
    let one = "/api/v2/service_accounts/{service_account_id}/access_tokens/{token_id}";
    vec![
        Route::new(info(Method::GET, all, "List access tokens for a service account"), list).described(
            of_tokens("ListServiceAccountAccessTokens")
                .query(list_parameters(SORT_KEYS))
                .answers(StatusCode::OK, many_tokens()),
        ),
        Route::new(info(Method::POST, all, "Create an access token for a service account"), create)
            .described(
                of_tokens("CreateServiceAccountAccessToken")
                    .body(Named::new("CreateServiceAccountAccessToken", CREATE.json_schema()))
                    .answers(StatusCode::CREATED, one_token()),
            ),
        Route::new(info(Method::GET, one, "Get an access token for a service account"), get)
            .described(of_tokens("GetServiceAccountAccessToken").answers(StatusCode::OK, one_token())),
        Route::new(info(Method::PATCH, one, "Update an access token for a service account"), update)
            .described(
                of_tokens("UpdateServiceAccountAccessToken")
                    .body(Named::new("UpdateServiceAccountAccessToken", UPDATE.json_schema()))
                    .answers(StatusCode::OK, one_token()),
            ),
        Route::new(info(Method::DELETE, one, "Revoke an access token for a service account"), revoke)
            .described(of_tokens("RevokeServiceAccountAccessToken").answers_nothing()),
    ]
}

/// Clients of early 2026 send the second.
const TYPE: Kind = Kind::OneOf(&["service_access_tokens", "personal_access_tokens"]);

const CREATE: Kind = Kind::Open(&[Member::required(
    "data",
    Kind::Open(&[
        Member::required("type", TYPE),
        Member::required(
            "attributes",
            Kind::Open(&[
                Member::required("name", Kind::Text),
                Member::required("scopes", Kind::Texts),
                Member::nullable("expires_at", Kind::Text),
            ]),
        ),
    ]),
)]);

const UPDATE: Kind = Kind::Open(&[Member::required(
    "data",
    Kind::Open(&[
        Member::required("type", TYPE),
        Member::required("id", Kind::Text),
        Member::required("attributes", UPDATED),
    ]),
)]);

const FAMILY: Family = Family { token: "service_access_tokens", owner: "service_account" };

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path(account): Path<String>,
    uri: Uri,
) -> Result<VendorJson<Many<Token, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page(), query.sort(SORT_KEYS));
    let filter = query.filter(permit.org(), CredentialKind::ServiceAccessToken);
    query.check()?;
    let account = parse_account(&account)?;
    let found = app.engine().list_service_access_tokens(&permit, account, filter, sort, page).await?;
    Ok(VendorJson(many(found, FAMILY)))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path(account): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let NewToken { name, scopes, expiry } = new_token(body, CREATE, app.engine().clock().now())?;
    let new = NewServiceAccessToken { name, scopes, expiry };
    let made = app.engine().create_service_access_token(&permit, parse_account(&account)?, new).await?;
    let answer = VendorJson(created(made.value, FAMILY));
    Ok(positioned(made.position, (StatusCode::CREATED, answer)))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
) -> Result<VendorJson<One<Token>>, Error> {
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let found = app.engine().find_service_access_token(&permit, account, id).await?;
    Ok(VendorJson(read(found, FAMILY)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = token_patch(body, UPDATE, &id)?;
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let changed = app.engine().update_service_access_token(&permit, account, id, &patch).await?;
    Ok(positioned(changed.position, VendorJson(updated(changed.value, FAMILY))))
}

async fn revoke(
    State(app): State<App>,
    Permitted(permit): Permitted<ServiceAccounts>,
    Path((account, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    let (account, id) = (parse_account(&account)?, parse_id(&id)?);
    let gone = app.engine().revoke_service_access_token(&permit, account, id).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::ServiceAccessToken))
}
