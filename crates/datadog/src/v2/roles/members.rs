//! `/api/v2/roles/{role_id}/users`: giving and taking answer with some of those who then have the role, and how many
//! they are.

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{PeopleRead, RolesWrite};
use claviger_engine::{Error as EngineError, Thing, UserSort};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::User;
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{WRITE, body, info, not_found, parse_id};
use crate::Error;
use crate::describe::of_roles;
use crate::permitted::Permitted;
use crate::query::{ListQuery, people_parameters};
use crate::schema::Fit;
use crate::v2::fitting;
use crate::v2::users::wire::UserObject;
use crate::v2::users::{PAGE_SIZE_MAX, READ, SORT_KEYS};
use crate::vendor_json::VendorJson;
use crate::wire::Many;

const PATH: &str = "/api/v2/roles/{role_id}/users";

/// How many of those who have the role a change answers with, at most.
const SHOWN_MAX: i64 = 100;

pub(super) fn routes() -> Vec<Route> {
    let users = || Named::of::<Members>("RoleUsers");
    let user = || Named::new("RoleUser", body::USER.json_schema());
    vec![
        Route::new(info(Method::GET, PATH, READ, "Get all users of a role"), list).described(
            of_roles("ListRoleUsers")
                .query(people_parameters(SORT_KEYS, PAGE_SIZE_MAX))
                .answers(StatusCode::OK, users()),
        ),
        Route::new(info(Method::POST, PATH, WRITE, "Add a user to a role"), add)
            .described(of_roles("AddUserToRole").body(user()).answers(StatusCode::OK, users())),
        Route::new(info(Method::DELETE, PATH, WRITE, "Remove a user from a role"), remove)
            .described(of_roles("RemoveUserFromRole").body(user()).answers(StatusCode::OK, users())),
    ]
}

type Members = Many<UserObject, Meta>;

#[derive(Serialize, JsonSchema)]
struct Meta {
    page: MetaPage,
}

#[derive(Serialize, JsonSchema)]
struct MetaPage {
    total_count: i64,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<VendorJson<Members>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page_of(PAGE_SIZE_MAX), query.sort_by(SORT_KEYS, UserSort::Name));
    let text = query.search();
    query.check()?;
    let found = app.engine().list_role_members(&permit, parse_id(&id)?, text, sort, page).await;
    let found = found.map_err(absent(&id, ""))?;
    Ok(members(&found.items, found.total_filtered))
}

async fn add(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (engine, role, body) = (app.engine(), parse_id(&id)?, fitting(body, body::USER)?);
    let user = user_id(&body);
    let absent = absent(&id, user);
    let member = user.parse().map_err(|_| not_found(user))?;
    let changed = engine.add_role_member(&permit, role, member).await.map_err(&absent)?;
    let (shown, total) = engine.list_some_role_members(&permit, role, SHOWN_MAX).await.map_err(absent)?;
    Ok(positioned(changed.position, members(&shown, total)))
}

async fn remove(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (engine, role, body) = (app.engine(), parse_id(&id)?, fitting(body, body::USER)?);
    let user = user_id(&body);
    let absent = absent(&id, user);
    let member = user.parse().map_err(|_| not_found(user))?;
    let changed = engine.remove_role_member(&permit, role, member).await.map_err(&absent)?;
    let (shown, total) = engine.list_some_role_members(&permit, role, SHOWN_MAX).await.map_err(absent)?;
    Ok(positioned(changed.position, members(&shown, total)))
}

fn user_id(body: &Value) -> &str {
    Fit::data(body).text("id").unwrap_or_default()
}

/// That the role or the user is not there, by its id.
fn absent(role: &str, user: &str) -> impl Fn(EngineError) -> Error {
    move |error| match error {
        EngineError::Absent(Thing::User) => not_found(user),
        EngineError::Absent(_) => not_found(role),
        other => other.into(),
    }
}

fn members(users: &[User], total_count: i64) -> VendorJson<Members> {
    let data = users.iter().map(|user| UserObject::of(user).in_newer_order()).collect();
    VendorJson(Many { data, included: None, meta: Meta { page: MetaPage { total_count } } })
}
