//! `/api/v2/roles` (reference: "Roles").

mod body;
mod members;
mod permissions;
mod wire;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{PeopleRead, RolesWrite};
use claviger_engine::{Error as EngineError, RoleFilter, RoleSort};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{Permission, RoleId, excerpt};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use self::wire::RoleObject;
use super::fitting;
use crate::Error;
use crate::describe::of_roles;
use crate::permitted::Permitted;
use crate::query::{ListQuery, parameter, people_parameters};
use crate::schema::Fit;
use crate::v2::users::READ;
use crate::vendor_json::VendorJson;
use crate::wire::{Many, One};

const WRITE: &[Permission] = &[Permission::USER_ACCESS_MANAGE];

pub(crate) fn routes() -> Vec<Route> {
    let (all, one) = ("/api/v2/roles", "/api/v2/roles/{role_id}");
    let one_role = || Named::of::<One<RoleObject>>("Role");
    let conflict = &[StatusCode::CONFLICT];
    let own = vec![
        Route::new(info(Method::GET, all, READ, "List roles"), list).described(
            of_roles("ListRoles")
                .query(people_parameters(SORT_KEYS, PAGE_SIZE_MAX))
                .query(vec![parameter(IDS, "Only these", json!({ "type": "string" }))])
                .answers(StatusCode::OK, Named::of::<Many<RoleObject, Meta>>("Roles")),
        ),
        Route::new(info(Method::POST, all, WRITE, "Create role"), create).described(
            of_roles("CreateRole")
                .body(Named::new("CreateRole", body::CREATE.json_schema()))
                .answers(StatusCode::OK, one_role())
                .fails(conflict),
        ),
        Route::new(info(Method::GET, one, READ, "Get a role"), get)
            .described(of_roles("GetRole").answers(StatusCode::OK, one_role())),
        Route::new(info(Method::PATCH, one, WRITE, "Update a role"), update).described(
            of_roles("UpdateRole")
                .body(Named::new("UpdateRole", body::UPDATE.json_schema()))
                .answers(StatusCode::OK, one_role())
                .fails(&[StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Delete role"), remove)
            .described(of_roles("DeleteRole").answers_nothing().fails(&[StatusCode::BAD_REQUEST])),
        Route::new(
            info(
                Method::POST,
                "/api/v2/roles/{role_id}/clone",
                WRITE,
                "Create a new role by cloning an existing role",
            ),
            clone,
        )
        .described(
            of_roles("CloneRole")
                .body(Named::new("CloneRole", body::CLONE.json_schema()))
                .answers(StatusCode::OK, one_role())
                .fails(conflict),
        ),
    ];
    [own, permissions::routes(), members::routes()].into_iter().flatten().collect()
}

fn info(
    method: Method,
    path: &'static str,
    permission: &'static [Permission],
    summary: &'static str,
) -> RouteInfo {
    RouteInfo { method, path, who: Who::User(permission), bucket: Bucket::PEOPLE, summary }
}

const SORT_KEYS: &[(&str, RoleSort)] =
    &[("name", RoleSort::Name), ("modified_at", RoleSort::ModifiedAt), ("user_count", RoleSort::UserCount)];
const PAGE_SIZE_MAX: i64 = 100;
const IDS: &str = "filter[id]";

#[derive(Serialize, JsonSchema)]
struct Meta {
    page: MetaPage,
}

#[derive(Serialize, JsonSchema)]
struct MetaPage {
    total_filtered_count: i64,
    total_count: i64,
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    uri: Uri,
) -> Result<VendorJson<Many<RoleObject, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page_of(PAGE_SIZE_MAX), query.sort_by(SORT_KEYS, RoleSort::Name));
    let text = query.search();
    let ids = query.words(IDS, "a list of ids", |word| word.parse().ok());
    query.check()?;
    let filter = RoleFilter { org: permit.org(), text, ids };
    let found = app.engine().list_roles(&permit, &filter, sort, page).await?;
    let page = MetaPage { total_filtered_count: found.total_filtered, total_count: found.total };
    let data = found.items.into_iter().map(RoleObject::counted).collect();
    Ok(VendorJson(Many { data, included: None, meta: Meta { page } }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let new = body::new_role(&fitting(body, body::CREATE)?)?;
    let made = app.engine().create_role(&permit, new).await?;
    Ok(positioned(made.position, one(RoleObject::of(&made.value))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
) -> Result<VendorJson<One<RoleObject>>, Error> {
    let gone = || Error::Objects(StatusCode::NOT_FOUND, "Generic Error", "could not find the uuid.");
    let id = id.parse().map_err(|_| gone())?;
    match app.engine().find_role(&permit, id).await {
        Ok(found) => Ok(one(RoleObject::counted(found))),
        Err(EngineError::Absent(_)) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, body::UPDATE)?;
    if Fit::data(&body).text("id").is_some_and(|given| !given.eq_ignore_ascii_case(&id)) {
        let mismatch = "The id attribute in the request body does not match the role_id in the URL";
        return Err(Error::text(StatusCode::UNPROCESSABLE_ENTITY, mismatch));
    }
    let patch = body::patch(&body)?;
    let changed = app.engine().update_role(&permit, parse_id(&id)?, &patch).await.map_err(absent(&id))?;
    Ok(positioned(changed.position, one(RoleObject::of(&changed.value))))
}

async fn remove(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().remove_role(&permit, parse_id(&id)?).await.map_err(absent(&id))?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

async fn clone(
    State(app): State<App>,
    Permitted(permit): Permitted<RolesWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let name = body::cloned_name(&fitting(body, body::CLONE)?)?;
    let made = app.engine().clone_role(&permit, parse_id(&id)?, name).await.map_err(absent(&id))?;
    Ok(positioned(made.position, one(RoleObject::of(&made.value))))
}

fn one(data: RoleObject) -> VendorJson<One<RoleObject>> {
    VendorJson(One { data, included: None })
}

/// A role's id; a malformed one is nobody's.
fn parse_id(text: &str) -> Result<RoleId, Error> {
    text.parse().map_err(|_| not_found(text))
}

/// That a role is not there, as all but the reading of one tell it: by the id that was asked for.
fn absent(id: &str) -> impl Fn(EngineError) -> Error {
    move |error| match error {
        EngineError::Absent(_) => not_found(id),
        other => other.into(),
    }
}

fn not_found(id: &str) -> Error {
    Error::text(StatusCode::NOT_FOUND, format!("{} not found", excerpt(id)))
}
