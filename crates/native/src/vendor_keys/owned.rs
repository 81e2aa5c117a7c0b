//! `/claviger/v1/application_keys` and `/claviger/v1/tokens`: what belongs to a user. One's own are in reach with
//! `user_app_keys`, service accounts' with `service_account_write`, everybody's guards with the permissions for the
//! whole org.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{
    OwnApplicationKeys, OwnedKeysInReachRead, OwnedKeysInReachWrite, OwnedKeysRotate,
};
use claviger_engine::{Error as EngineError, Names, NewApplicationKey, OwnedKind, Right, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::CredentialId;
use http::{Method, StatusCode};

use super::body::{self, NewKey, WithScopes};
use super::operation;
use super::shown::{Key, KeyWithSecret};
use crate::Error;
use crate::info::for_users;
use crate::permitted::Permitted;

const APPLICATION_KEYS: &str = "/claviger/v1/application_keys";

/// The paths and names of one kind.
struct Place {
    kind: OwnedKind,
    one: &'static str,
    rotate: &'static str,
    /// Of the operations that get, change and rotate.
    ids: [&'static str; 3],
    summaries: [&'static str; 3],
}

const PLACES: [Place; 2] = [
    Place {
        kind: OwnedKind::ApplicationKey,
        one: "/claviger/v1/application_keys/{app_key_id}",
        rotate: "/claviger/v1/application_keys/{app_key_id}/rotate",
        ids: ["GetGuardedApplicationKey", "GuardApplicationKey", "RotateApplicationKey"],
        summaries: [
            "Get an application key's guards",
            "Change an application key's guards",
            "Give an application key a new secret",
        ],
    },
    Place {
        kind: OwnedKind::Token,
        one: "/claviger/v1/tokens/{token_id}",
        rotate: "/claviger/v1/tokens/{token_id}/rotate",
        ids: ["GetGuardedToken", "GuardToken", "RotateToken"],
        summaries: ["Get a token's guards", "Change a token's guards", "Give a token a new secret"],
    },
];

pub(super) fn routes() -> Vec<Route> {
    let info = for_users(
        Method::POST,
        APPLICATION_KEYS,
        OwnApplicationKeys::ANY_OF,
        "Create an application key of one's own with guards",
    );
    let create = Route::new(info, create).described(
        operation("CreateGuardedApplicationKey")
            .body(body::new_key_schema("NewGuardedApplicationKey", WithScopes::Yes))
            .answers(StatusCode::CREATED, Named::of::<KeyWithSecret>("GuardedKeyWithSecret")),
    );
    std::iter::once(create).chain(PLACES.into_iter().flat_map(routes_of)).collect()
}

fn routes_of(place: Place) -> [Route; 3] {
    let Place { kind, one, rotate, ids, summaries } = place;
    let get = async move |State(app): State<App>,
                          Permitted(permit): Permitted<OwnedKeysInReachRead>,
                          Path(id): Path<String>|
                -> Result<Json<Key>, Error> {
        Ok(Json(app.engine().find_guarded(&permit, kind, parse_id(kind, &id)?).await?.into()))
    };
    let guard = async move |State(app): State<App>,
                            Permitted(permit): Permitted<OwnedKeysInReachWrite>,
                            Path(id): Path<String>,
                            body: Result<Body, BodyError>|
                -> Result<Response, Error> {
        let patch = body::guards(body)?;
        let changed = app.engine().guard_owned(&permit, kind, parse_id(kind, &id)?, &patch).await?;
        Ok(positioned(changed.position, Json(Key::from(changed.value))))
    };
    let renew = async move |State(app): State<App>,
                            Permitted(permit): Permitted<OwnedKeysRotate>,
                            Path(id): Path<String>,
                            body: Result<Body, BodyError>|
                -> Result<Response, Error> {
        let grace = body::grace(body)?;
        let rotated = app.engine().rotate_owned(&permit, kind, parse_id(kind, &id)?, grace).await?;
        Ok(positioned(rotated.position, Json(KeyWithSecret::from(rotated.value))))
    };
    [
        Route::new(for_users(Method::GET, one, OwnedKeysInReachRead::ANY_OF, summaries[0]), get)
            .described(operation(ids[0])),
        Route::new(for_users(Method::PATCH, one, OwnedKeysInReachWrite::ANY_OF, summaries[1]), guard)
            .described(operation(ids[1]).body(body::guards_schema())),
        Route::new(for_users(Method::POST, rotate, OwnedKeysRotate::ANY_OF, summaries[2]), renew).described(
            operation(ids[2])
                .body(body::grace_schema())
                .answers(StatusCode::OK, Named::of::<KeyWithSecret>("GuardedKeyWithSecret")),
        ),
    ]
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<OwnApplicationKeys>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let NewKey { name, scopes, guards } = body::new_key(body, WithScopes::Yes)?;
    let (guards, expires_at) = guards.into_parts();
    let new = NewApplicationKey { name, scopes, expires_at, guards, names: Names::Any };
    let made = app.engine().create_application_key(&permit, new).await?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(KeyWithSecret::from(made.value)))))
}

/// A malformed id is nobody's.
fn parse_id(kind: OwnedKind, text: &str) -> Result<CredentialId, EngineError> {
    let thing = match kind {
        OwnedKind::ApplicationKey => Thing::ApplicationKey,
        OwnedKind::Token => Thing::PersonalAccessToken,
    };
    text.parse().map_err(|_| EngineError::Absent(thing))
}
