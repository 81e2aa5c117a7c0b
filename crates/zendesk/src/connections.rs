//! `/api/services/zis/integrations/{integration}/connections`: connections of one integration (reference: "API Key",
//! "Basic Authentication", "Bearer Token" and "All Connections").
//!
//! The three types differ in their members alone, so that each request is one handler for all of them, told by an
//! extension which type it is about.

mod all;
pub(crate) mod body;
pub(crate) mod wire;

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_catalog::ZisType;
use claviger_engine::rights::{ConnectionsRead, ConnectionsWrite};
use claviger_engine::{Error as EngineError, Thing, ZisConnectionKey};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, Json as Body, Route, RouteInfo, Who, positioned};
use http::{HeaderMap, Method, StatusCode};
use std::collections::HashMap;

use crate::bound::Bound;
use crate::describe::of_connections;
use crate::error::{Error, Service, Told};

/// A type, and what its requests are called.
struct Typed {
    of: ZisType,
    all: &'static str,
    one: &'static str,
    /// Create, show, update, delete.
    ids: [&'static str; 4],
    schemas: [&'static str; 3],
}

const TYPES: [Typed; 3] = [
    Typed {
        of: ZisType::ApiKey,
        all: "/api/services/zis/integrations/{integration}/connections/api_key",
        one: "/api/services/zis/integrations/{integration}/connections/api_key/{name}",
        ids: [
            "CreateZisApiKeyConnection",
            "ShowZisApiKeyConnection",
            "UpdateZisApiKeyConnection",
            "DeleteZisApiKeyConnection",
        ],
        schemas: ["NewZisApiKey", "ZisApiKeyPatch", "ZisApiKey"],
    },
    Typed {
        of: ZisType::BasicAuth,
        all: "/api/services/zis/integrations/{integration}/connections/basic_auth",
        one: "/api/services/zis/integrations/{integration}/connections/basic_auth/{name}",
        ids: [
            "CreateZisBasicAuthConnection",
            "ShowZisBasicAuthConnection",
            "UpdateZisBasicAuthConnection",
            "DeleteZisBasicAuthConnection",
        ],
        schemas: ["NewZisBasicAuth", "ZisBasicAuthPatch", "ZisBasicAuth"],
    },
    Typed {
        of: ZisType::BearerToken,
        all: "/api/services/zis/integrations/{integration}/connections/bearer_token",
        one: "/api/services/zis/integrations/{integration}/connections/bearer_token/{name}",
        ids: [
            "CreateZisBearerTokenConnection",
            "ShowZisBearerTokenConnection",
            "UpdateZisBearerTokenConnection",
            "DeleteZisBearerTokenConnection",
        ],
        schemas: ["NewZisBearerToken", "ZisBearerTokenPatch", "ZisBearerToken"],
    },
];

pub(crate) fn routes() -> Vec<Route> {
    let mut routes: Vec<_> = TYPES.iter().flat_map(routes_of).collect();
    routes.push(all::route());
    routes
}

fn info(method: Method, path: &'static str, summary: &'static str) -> RouteInfo {
    RouteInfo { method, path, who: Who::Integration, bucket: Bucket::ZIS, summary }
}

fn routes_of(typed: &Typed) -> Vec<Route> {
    let Typed { of, all, one, ids: [create_id, show_id, update_id, delete_id], schemas: [new, patch, shown] } =
        *typed;
    let shown = || Named::new(shown, wire::envelope_schema(of));
    const UNSUPPORTED: &[StatusCode] = &[StatusCode::UNSUPPORTED_MEDIA_TYPE];
    const CREATE: &[StatusCode] = &[StatusCode::CONFLICT, StatusCode::UNSUPPORTED_MEDIA_TYPE];
    let routes = vec![
        Route::new(info(Method::POST, all, "Create a connection"), create).described(
            of_connections(create_id)
                .body(Named::new(new, body::new_schema(of)))
                .answers(StatusCode::CREATED, shown())
                .fails(CREATE),
        ),
        Route::new(info(Method::GET, one, "Show a connection"), show)
            .described(of_connections(show_id).answers(StatusCode::OK, shown())),
        Route::new(info(Method::PATCH, one, "Update a connection"), update).described(
            of_connections(update_id)
                .body(Named::new(patch, body::patch_schema(of)))
                .answers_nothing()
                .fails(UNSUPPORTED),
        ),
        Route::new(info(Method::DELETE, one, "Delete a connection"), delete)
            .described(of_connections(delete_id).answers_nothing()),
    ];
    routes.into_iter().map(|route| route.with(OfType(of))).collect()
}

/// The type that a route is about.
#[derive(Clone, Copy)]
struct OfType(ZisType);

async fn create(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    Extension(OfType(of)): Extension<OfType>,
    headers: HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Service>> {
    let new = body::new_connection(of, body::json(&headers, body)?)?;
    let made = app.engine().create_zis_connection(&permit, &integration, new).await;
    let made = made.map_err(|error| match error {
        EngineError::Absent(Thing::ZisIntegration) => {
            Error::named(StatusCode::BAD_REQUEST, "InvalidIntegration", "Specified integration is not valid")
        }
        error => error.into(),
    })?;
    Ok(positioned(made.position, (StatusCode::CREATED, Json(wire::enveloped(&made.value)))))
}

type Names = Path<HashMap<String, String>>;

fn key<'a>(integration: &'a str, of: ZisType, names: &'a Names) -> ZisConnectionKey<'a> {
    ZisConnectionKey { integration, of, name: names.get("name").map_or("", String::as_str) }
}

async fn show(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsRead>,
    Extension(OfType(of)): Extension<OfType>,
    names: Names,
) -> Result<Json<serde_json::Value>, Told<Service>> {
    let found = app.engine().find_zis_connection(&permit, key(&integration, of, &names)).await?;
    Ok(Json(wire::enveloped(&found)))
}

async fn update(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    Extension(OfType(of)): Extension<OfType>,
    names: Names,
    headers: HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Service>> {
    let patch = body::patch(of, body::json(&headers, body)?)?;
    let changed = app.engine().update_zis_connection(&permit, key(&integration, of, &names), patch).await?;
    Ok(positioned(changed.position, StatusCode::NO_CONTENT))
}

async fn delete(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    Extension(OfType(of)): Extension<OfType>,
    names: Names,
) -> Result<Response, Told<Service>> {
    let deleted = app.engine().delete_zis_connection(&permit, key(&integration, of, &names)).await?;
    Ok(positioned(deleted.position, StatusCode::NO_CONTENT))
}
