//! `/api/v2/users` (reference: "Users"): people and service accounts.

mod body;
pub(crate) mod wire;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_engine::rights::{PeopleInReachWrite, PeopleInvite, PeopleRead};
use claviger_engine::{
    Engine, Error as EngineError, Permit, Thing, UserFilter, UserPatch, UserSort, UserStatus,
};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{Permission, PermissionSet, User, UserId, excerpt};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use self::wire::UserObject;
use super::fitting;
use crate::describe::of_people;
use crate::permitted::Permitted;
use crate::query::{ListQuery, parameter, people_parameters};
use crate::schema::{Fit, Kind, Member};
use crate::v2::permissions::Permissions;
use crate::wire::{Many, One};
use crate::{Error, included};

pub(crate) use self::body::{ROLES, new_user};

pub(crate) const READ: &[Permission] = &[Permission::USER_ACCESS_READ, Permission::USER_ACCESS_MANAGE];
const INVITE: &[Permission] = &[Permission::USER_ACCESS_INVITE, Permission::USER_ACCESS_MANAGE];
const WRITE: &[Permission] = &[Permission::USER_ACCESS_MANAGE, Permission::SERVICE_ACCOUNT_WRITE];

pub(crate) fn routes() -> Vec<Route> {
    let info = |method, path, permission: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permission),
        bucket: Bucket::PEOPLE,
        summary,
    };
    let (all, one) = ("/api/v2/users", "/api/v2/users/{user_id}");
    vec![
        Route::new(info(Method::GET, all, READ, "List all users"), list).described(
            of_people("ListUsers")
                .query(people_parameters(SORT_KEYS, PAGE_SIZE_MAX))
                .query(vec![parameter(STATUS, "Only those of one of these", json!({ "type": "string" }))])
                .answers(StatusCode::OK, Named::of::<Many<UserObject, Meta>>("Users")),
        ),
        Route::new(info(Method::POST, all, INVITE, "Create a user"), create).described(
            of_people("CreateUser")
                .body(Named::new("CreateUser", CREATE.json_schema()))
                .answers(StatusCode::CREATED, one_user())
                .fails(&[StatusCode::CONFLICT]),
        ),
        Route::new(info(Method::GET, one, READ, "Get user details"), get)
            .described(of_people("GetUser").answers(StatusCode::OK, one_user())),
        Route::new(info(Method::PATCH, one, WRITE, "Update a user"), update).described(
            of_people("UpdateUser")
                .body(Named::new("UpdateUser", UPDATE.json_schema()))
                .answers(StatusCode::OK, one_user())
                .fails(&[StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Disable a user"), disable)
            .described(of_people("DisableUser").answers_nothing().fails(&[StatusCode::BAD_REQUEST])),
        Route::new(
            info(Method::GET, "/api/v2/users/{user_id}/permissions", READ, "Get a user permissions"),
            permissions,
        )
        .described(
            of_people("ListUserPermissions").answers(StatusCode::OK, Named::of::<Permissions>("Permissions")),
        ),
        Route::new(info(Method::GET, "/api/v2/users/{user_id}/orgs", READ, "Get a user organization"), orgs)
            .described(of_people("ListUserOrganizations").answers(StatusCode::OK, one_user())),
    ]
}

const CREATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("users")),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::required("email", Kind::Text),
                Member::nullable("name", Kind::Text),
                Member::nullable("title", Kind::Text),
            ]),
        ),
        Member::optional("relationships", ROLES),
    ]),
)]);

const UPDATE: Kind = Kind::Object(&[Member::required(
    "data",
    Kind::Object(&[
        Member::required("type", Kind::Literal("users")),
        Member::required("id", Kind::Text),
        Member::required(
            "attributes",
            Kind::Object(&[
                Member::optional("email", Kind::Text),
                Member::nullable("name", Kind::Text),
                Member::nullable("title", Kind::Text),
                Member::optional("disabled", Kind::Flag),
            ]),
        ),
    ]),
)]);

/// What lists of users are sorted by. The vendor's third key, the number of users, is of roles; no two users differ
/// in it.
pub(crate) const SORT_KEYS: &[(&str, UserSort)] = &[
    ("name", UserSort::Name),
    ("modified_at", UserSort::ModifiedAt),
    ("created_at", UserSort::CreatedAt),
    ("user_count", UserSort::Name),
];

/// The largest page of users, as the vendor's lists say.
pub(crate) const PAGE_SIZE_MAX: i64 = 1000;
const STATUS: &str = "filter[status]";

#[derive(Serialize, JsonSchema)]
struct Meta {
    page: MetaPage,
}

#[derive(Serialize, JsonSchema)]
struct MetaPage {
    total_filtered_count: i64,
    total_count: i64,
    max_page_size: i64,
}

/// One user, as the API's description has it.
pub(crate) fn one_user() -> Named {
    Named::of::<One<UserObject>>("User")
}

/// A user with its roles and what they allow, for every answer that is about one user.
pub(crate) async fn shown(engine: &Engine, user: &User) -> Result<One<UserObject>, EngineError> {
    let included = included::roles_and_permissions(engine, user).await?;
    Ok(One { data: UserObject::of(user), included: (!included.is_empty()).then_some(included) })
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    uri: Uri,
) -> Result<Json<Many<UserObject, Meta>>, Error> {
    let mut query = ListQuery::of(&uri);
    let (page, sort) = (query.page_of(PAGE_SIZE_MAX), query.sort_by(SORT_KEYS, UserSort::Name));
    let text = query.search();
    let statuses = query.words(STATUS, "a list of: Active, Pending, Disabled", |word| match word {
        "Active" => Some(UserStatus::Active),
        "Pending" => Some(UserStatus::Pending),
        "Disabled" => Some(UserStatus::Disabled),
        _ => None,
    });
    query.check()?;
    let filter = UserFilter { org: permit.org(), text, statuses, role: None };
    let found = app.engine().list_users(&permit, &filter, sort, page).await?;
    let included = included::roles_of_all(app.engine(), permit.org(), &found.items).await?;
    let page = MetaPage {
        total_filtered_count: found.total_filtered,
        total_count: found.total,
        max_page_size: PAGE_SIZE_MAX,
    };
    Ok(Json(Many { data: found.items.iter().map(UserObject::of).collect(), included, meta: Meta { page } }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleInvite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let new = new_user(&fitting(body, CREATE)?)?;
    let made = app.engine().create_user(&permit, new).await?;
    let answer = shown(app.engine(), &made.value).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(answer))))
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
) -> Result<Json<One<UserObject>>, Error> {
    let user = find(app.engine(), &permit, &id).await?;
    Ok(Json(shown(app.engine(), &user).await?))
}

/// A user by the id in a path; a malformed one is nobody's.
pub(crate) async fn find(engine: &Engine, permit: &Permit<PeopleRead>, id: &str) -> Result<User, Error> {
    let found = match id.parse() {
        Ok(id) => engine.find_user(permit, id).await,
        Err(_) => Err(EngineError::Absent(Thing::User)),
    };
    found.map_err(|error| match error {
        EngineError::Absent(_) => Error::text(StatusCode::NOT_FOUND, "user not found"),
        other => other.into(),
    })
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleInReachWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let body = fitting(body, UPDATE)?;
    if Fit::data(&body).text("id").is_some_and(|given| !given.eq_ignore_ascii_case(&id)) {
        let mismatch = "UUID's in the URL and request body do not match";
        return Err(Error::text(StatusCode::UNPROCESSABLE_ENTITY, mismatch).spaced());
    }
    let patch = patch(&body)?;
    let changed = app.engine().update_user(&permit, parse_id(&id)?, &patch).await.map_err(absent(&id))?;
    let answer = shown(app.engine(), &changed.value).await?;
    Ok(positioned(changed.position, Json(answer)))
}

fn patch(body: &Value) -> Result<UserPatch, Error> {
    let (attributes, mut faults) = (Fit::attributes(body), Vec::new());
    let patch = UserPatch {
        email: body::email(&attributes, &mut faults),
        name: body::text(&attributes, "name", &mut faults),
        title: body::text(&attributes, "title", &mut faults),
        is_disabled: attributes.flag("disabled"),
    };
    if faults.is_empty() { Ok(patch) } else { Err(Error::invalid(faults)) }
}

async fn disable(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleInReachWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().disable_user(&permit, parse_id(&id)?).await.map_err(absent(&id))?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT.into_response()))
}

async fn permissions(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
) -> Result<Json<Permissions>, Error> {
    let user = find(app.engine(), &permit, &id).await?;
    let roles = app.engine().roles_of(&user).await?;
    let union = roles.iter().fold(PermissionSet::EMPTY, |union, role| union | role.permissions);
    Ok(Json(Permissions::of(&union)))
}

async fn orgs(
    State(app): State<App>,
    Permitted(permit): Permitted<PeopleRead>,
    Path(id): Path<String>,
) -> Result<Json<One<UserObject>>, Error> {
    let engine = app.engine();
    let user = find(engine, &permit, &id).await?;
    let org = engine.org(permit.org()).await?;
    Ok(Json(One { data: UserObject::of(&user), included: Some(vec![included::org(&org)]) }))
}

fn parse_id(text: &str) -> Result<UserId, Error> {
    text.parse().map_err(|_| not_found(text))
}

/// That a user is not there, as the changing calls tell it: by the id that was asked for.
fn absent(id: &str) -> impl Fn(EngineError) -> Error {
    move |error| match error {
        EngineError::Absent(_) => not_found(id),
        other => other.into(),
    }
}

fn not_found(id: &str) -> Error {
    Error::text(StatusCode::NOT_FOUND, format!("{} not found", excerpt(id))).spaced()
}
