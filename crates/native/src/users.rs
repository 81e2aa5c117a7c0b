//! `/claviger/v1/users/{user_id}/application_keys`: a person's key, from whoever manages access. The vendor has no
//! call for it: there, people sign in and make their own.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::PeoplesKeysGive;
use claviger_engine::{Error as EngineError, Names, NewApplicationKey, Right, Thing};
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use http::{Method, StatusCode};

use crate::info::for_users;
use crate::permitted::Permitted;
use crate::vendor_keys::body::{self, NewKey, WithScopes};
use crate::vendor_keys::shown::KeyWithSecret;
use crate::{Error, error};

pub(crate) fn routes() -> Vec<Route> {
    let info = for_users(
        Method::POST,
        "/claviger/v1/users/{user_id}/application_keys",
        PeoplesKeysGive::ANY_OF,
        "Give a person an application key",
    );
    let operation = Operation::new("GiveApplicationKey", "Claviger: people", error::described())
        .takes_bearer()
        .body(body::new_key_schema("GivenApplicationKey", WithScopes::Yes))
        .answers(StatusCode::CREATED, Named::of::<KeyWithSecret>("GuardedKeyWithSecret"));
    vec![Route::new(info, give).described(operation)]
}

async fn give(
    State(app): State<App>,
    Permitted(permit): Permitted<PeoplesKeysGive>,
    Path(user): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let NewKey { name, scopes, guards } = body::new_key(body, WithScopes::Yes)?;
    // A malformed id is nobody's.
    let user = user.parse().map_err(|_| EngineError::Absent(Thing::User))?;
    let (guards, expires_at) = guards.into_parts();
    let new = NewApplicationKey { name, scopes, expires_at, guards, names: Names::Any };
    let made = app.engine().give_application_key(&permit, user, new).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(KeyWithSecret::from(made.value)))))
}
