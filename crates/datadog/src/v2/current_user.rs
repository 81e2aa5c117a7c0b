//! `/api/v2/current_user` (reference: "Users"): the caller, and below it the caller's own.

pub(crate) mod application_keys;

use axum::Json;
use axum::extract::State;
use claviger_engine::rights::Oneself;
use claviger_http::{App, Bucket, Route, RouteInfo, Who};
use http::{Method, StatusCode};

use crate::describe::of_people;
use crate::permitted::Permitted;
use crate::v2::users::one_user;
use crate::v2::users::wire::UserObject;
use crate::wire::One;
use crate::{Error, included};

pub(crate) fn routes() -> Vec<Route> {
    let info = RouteInfo {
        method: Method::GET,
        path: "/api/v2/current_user",
        who: Who::User(&[]),
        bucket: Bucket::PEOPLE,
        summary: "Get the user who asks",
    };
    vec![Route::new(info, get).described(of_people("GetCurrentUser").answers(StatusCode::OK, one_user()))]
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<Oneself>,
) -> Result<Json<One<UserObject>>, Error> {
    let engine = app.engine();
    let user = engine.find_oneself(&permit).await?;
    let mut included = included::roles_and_permissions(engine, &user).await?;
    included.push(included::org(&engine.org(permit.org()).await?));
    Ok(Json(One { data: UserObject::of_caller(&user), included: Some(included) }))
}
