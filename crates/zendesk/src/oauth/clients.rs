//! `…/connections/oauth/clients/{integration}`: OAuth clients (reference: "OAuth Clients").
//!
//! The vendor's example of the list shows each secret in clear; here it is masked everywhere.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_engine::rights::{ConnectionsRead, ConnectionsWrite};
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Json as Body, Route, positioned};
use claviger_model::{ZisOAuthClient, ZisOAuthClientId, ZisUrl};
use http::{HeaderMap, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

use super::{body, info};
use crate::bound::Bound;
use crate::connections::body::object;
use crate::connections::wire::{MASK, millis};
use crate::describe::of_oauth;
use crate::error::{Error, Service, Told};

const ALL: &str = "/api/services/zis/connections/oauth/clients/{integration}";
const ONE: &str = "/api/services/zis/connections/oauth/clients/{integration}/{uuid}";

pub(super) fn routes() -> Vec<Route> {
    const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT, StatusCode::UNSUPPORTED_MEDIA_TYPE];
    vec![
        Route::new(info(Method::GET, ALL, "List OAuth clients"), list).described(
            of_oauth("ListZisOAuthClients").answers(StatusCode::OK, Named::of::<Many>("ZisOAuthClients")),
        ),
        Route::new(info(Method::POST, ALL, "Create an OAuth client"), create).described(
            of_oauth("CreateZisOAuthClient")
                .body(Named::new("NewZisOAuthClient", body::new_client_schema()))
                .answers(StatusCode::CREATED, Named::of::<Made>("ZisOAuthClientMade"))
                .fails(CONFLICT),
        ),
        Route::new(info(Method::GET, ONE, "Show an OAuth client"), show).described(
            of_oauth("ShowZisOAuthClient").answers(StatusCode::OK, Named::of::<Wire>("ZisOAuthClient")),
        ),
        Route::new(info(Method::PATCH, ONE, "Update an OAuth client"), update).described(
            of_oauth("UpdateZisOAuthClient")
                .body(Named::new("ZisOAuthClientPatch", body::client_patch_schema()))
                .answers_nothing()
                .fails(CONFLICT),
        ),
        Route::new(info(Method::DELETE, ONE, "Delete an OAuth client and its connections"), delete)
            .described(of_oauth("DeleteZisOAuthClient").answers_nothing()),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Made {
    uuid: String,
}

#[derive(Serialize, JsonSchema)]
struct Many {
    clients: Vec<Wire>,
}

#[derive(Serialize, JsonSchema)]
struct Wire {
    /// Where its tokens may go; null for the host of `token_url`.
    allowed_domain: Option<String>,
    auth_url: Option<String>,
    client_id: String,
    client_secret: &'static str,
    created_at: String,
    created_by: String,
    default_scopes: String,
    grant_type: &'static str,
    integration: String,
    name: String,
    token_url: String,
    updated_at: String,
    uuid: String,
}

impl From<ZisOAuthClient> for Wire {
    fn from(client: ZisOAuthClient) -> Self {
        Self {
            auth_url: client.auth_url.as_ref().map(|url| ZisUrl::as_str(url).to_owned()),
            allowed_domain: client.allowed_domain,
            client_id: client.client_id,
            client_secret: MASK,
            created_at: millis(client.created_at),
            created_by: client.created_by.to_string(),
            default_scopes: client.default_scopes.to_string(),
            grant_type: client.grant.as_str(),
            integration: client.integration,
            name: client.name.to_string(),
            token_url: client.token_url.to_string(),
            updated_at: millis(client.modified_at),
            uuid: client.id.to_string(),
        }
    }
}

async fn list(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsRead>,
) -> Result<Json<Many>, Told<Service>> {
    let found = app.engine().list_zis_oauth_clients(&permit, &integration).await?;
    Ok(Json(Many { clients: found.into_iter().map(Wire::from).collect() }))
}

async fn create(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    headers: HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Service>> {
    let new = body::new_client(object(&headers, body)?)?;
    let made = app.engine().create_zis_oauth_client(&permit, &integration, new).await;
    let made = made.map_err(|error| match error {
        EngineError::Absent(Thing::ZisIntegration) => {
            Error::named(StatusCode::BAD_REQUEST, "InvalidIntegration", "Specified integration is not valid")
        }
        error => error.into(),
    })?;
    let uuid = made.value.id.to_string();
    Ok(positioned(made.position, (StatusCode::CREATED, Json(Made { uuid }))))
}

/// The path's parameters.
type Names = Path<HashMap<String, String>>;

/// What is no id is nobody's.
fn id(names: &Names) -> Result<ZisOAuthClientId, EngineError> {
    let text = names.get("uuid").map_or("", String::as_str);
    text.parse().map_err(|_| EngineError::Absent(Thing::ZisOAuthClient))
}

async fn show(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsRead>,
    names: Names,
) -> Result<Json<Wire>, Told<Service>> {
    let found = app.engine().find_zis_oauth_client(&permit, &integration, id(&names)?).await?;
    Ok(Json(found.into()))
}

async fn update(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    names: Names,
    headers: HeaderMap,
    body: Result<Body, BodyError>,
) -> Result<Response, Told<Service>> {
    let patch = body::client_patch(object(&headers, body)?)?;
    let changed = app.engine().update_zis_oauth_client(&permit, &integration, id(&names)?, patch).await?;
    Ok(positioned(changed.position, StatusCode::NO_CONTENT))
}

async fn delete(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    names: Names,
) -> Result<Response, Told<Service>> {
    let deleted = app.engine().delete_zis_oauth_client(&permit, &integration, id(&names)?).await?;
    Ok(positioned(deleted.position, StatusCode::NO_CONTENT))
}
