//! `/api/v2/personal_access_tokens` (reference: "Key Management"). Whoever reaches everybody's tokens sees service
//! accounts' here too, as personal ones of users: so it is recorded.

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ApplicationKeysInReachRead, ApplicationKeysInReachWrite, OwnApplicationKeys};
use claviger_engine::{Error as EngineError, NewPersonalAccessToken, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{CredentialId, CredentialKind, Permission};
use http::{Method, StatusCode, Uri};

use super::access_tokens::{
    Family, Meta, NewToken, SORT_KEYS, Token, UPDATED, created, many, many_tokens, new_token, one_token,
    read, token_patch, updated,
};
use crate::Error;
use crate::describe::of_tokens;
use crate::permitted::Permitted;
use crate::query::{ListQuery, list_parameters, owners_parameters};
use crate::schema::{Kind, Member};
use crate::vendor_json::VendorJson;
use crate::wire::{Many, One};

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::ACCESS_TOKENS,
        summary,
    };
    const OWN: &[Permission] = &[Permission::USER_APP_KEYS];
    const READ: &[Permission] = &[Permission::USER_APP_KEYS, Permission::ORG_APP_KEYS_READ];
    const WRITE: &[Permission] = &[Permission::USER_APP_KEYS, Permission::ORG_APP_KEYS_WRITE];
    let (all, one) = ("/api/v2/personal_access_tokens", "/api/v2/personal_access_tokens/{pat_id}");
    vec![
        Route::new(info(Method::GET, all, READ, "Get all personal access tokens"), list).described(
            of_tokens("ListPersonalAccessTokens")
                .query(list_parameters(SORT_KEYS))
                .query(owners_parameters())
                .answers(StatusCode::OK, many_tokens()),
        ),
        Route::new(info(Method::POST, all, OWN, "Create a personal access token"), create).described(
            of_tokens("CreatePersonalAccessToken")
                .body(Named::new("CreatePersonalAccessToken", CREATE.json_schema()))
                .answers(StatusCode::CREATED, one_token()),
        ),
        Route::new(info(Method::GET, one, READ, "Get a personal access token"), get)
            .described(of_tokens("GetPersonalAccessToken").answers(StatusCode::OK, one_token())),
        Route::new(info(Method::PATCH, one, WRITE, "Update a personal access token"), update).described(
            of_tokens("UpdatePersonalAccessToken")
                .body(Named::new("UpdatePersonalAccessToken", UPDATE.json_schema()))
                .answers(StatusCode::OK, one_token()),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Revoke a personal access token"), revoke)
            .described(of_tokens("RevokePersonalAccessToken").answers_nothing()),
    ]
}

const TYPE: Kind = Kind::Literal("personal_access_tokens");

const CREATE: Kind = Kind::Open(&[Member::required(
    "data",
    Kind::Open(&[
        Member::required("type", TYPE),
        Member::required(
            "attributes",
            Kind::Open(&[
                Member::required("name", Kind::Text),
                Member::required("scopes", Kind::Texts),
                Member::required("expires_at", Kind::Text),
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

const FAMILY: Family = Family { token: "personal_access_tokens", owner: "users" };

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachRead>,
    uri: Uri,
) -> Result<VendorJson<Many<Token, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page(), query.sort(SORT_KEYS));
    let mut filter = query.filter(permit.org(), CredentialKind::PersonalAccessToken);
    filter.owners = query.owners();
    query.check()?;
    let found = app.engine().list_access_tokens(&permit, filter, sort, page).await?;
    Ok(VendorJson(many(found, FAMILY)))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let NewToken { name, scopes, expiry } = new_token(body, CREATE, app.engine().clock().now())?;
    let expiry = expiry.expect("the schema requires an end");
    let new = NewPersonalAccessToken { name, scopes, expiry };
    let made = app.engine().create_personal_access_token(&permit, new).await?;
    let answer = VendorJson(created(made.value, FAMILY));
    Ok(positioned(made.position, (StatusCode::CREATED, answer)))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachRead>,
    Path(id): Path<String>,
) -> Result<VendorJson<One<Token>>, Error> {
    let found = app.engine().find_access_token(&permit, parse_id(&id)?).await?;
    Ok(VendorJson(read(found, FAMILY)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let patch = token_patch(body, UPDATE, &id)?;
    let changed = app.engine().update_access_token(&permit, parse_id(&id)?, &patch).await?;
    Ok(positioned(changed.position, VendorJson(updated(changed.value, FAMILY))))
}

async fn revoke(
    State(app): State<App>,
    Permitted(permit): Permitted<ApplicationKeysInReachWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().revoke_access_token(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT))
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<CredentialId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::PersonalAccessToken))
}
