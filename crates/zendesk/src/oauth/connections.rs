//! `…/connections/{integration}` and its neighbours: OAuth connections, finished, shown, renewed and deleted
//! (reference: "OAuth Connections"). They are named in the query, by name or by id.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use claviger_engine::rights::{ConnectionsRead, ConnectionsWrite};
use claviger_engine::{Error as EngineError, FieldError, Thing, UsedBy, ZisOAuthKey};
use claviger_http::openapi::{Named, Query};
use claviger_http::{App, Route, positioned};
use claviger_oauth::OAuth;
use http::{Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::{info, wire};
use crate::bound::Bound;
use crate::describe::of_oauth;
use crate::error::{Error, Service, Told};
use crate::tenant::Options;

/// Where what was begun is finished.
pub(super) const ACCESS_CODES: &str = "/api/services/zis/connections/oauth/access_codes/{integration}";
const ONE: &str = "/api/services/zis/connections/{integration}";
const REFRESH: &str = "/api/services/zis/connections/refresh/{integration}";

pub(super) fn routes() -> Vec<Route> {
    let one = || Named::new("ZisOAuthConnection", wire::one_schema());
    vec![
        Route::new(info(Method::GET, ACCESS_CODES, "Finish an OAuth connection"), finish).described(
            of_oauth("FinishZisOAuthConnection")
                .changes()
                .query(vec![parameter("verification_code", "What the beginning came back with")])
                .answers(StatusCode::OK, one())
                .fails(&[StatusCode::CONFLICT, StatusCode::BAD_GATEWAY]),
        ),
        Route::new(info(Method::GET, ONE, "Show an OAuth connection"), show).described(
            of_oauth("ShowZisOAuthConnection")
                .query(keys())
                .answers(StatusCode::OK, one())
                .fails(&[StatusCode::BAD_GATEWAY]),
        ),
        Route::new(info(Method::DELETE, ONE, "Delete an OAuth connection"), delete)
            .described(of_oauth("DeleteZisOAuthConnection").query(keys()).answers_nothing()),
        Route::new(info(Method::POST, REFRESH, "Renew an OAuth connection's token"), refresh).described(
            of_oauth("RefreshZisOAuthConnection")
                .query(keys())
                .answers(StatusCode::OK, one())
                .fails(&[StatusCode::BAD_GATEWAY]),
        ),
    ]
}

fn parameter(name: &'static str, description: &str) -> Query {
    Query { name, description: description.to_owned(), schema: json!({ "type": "string" }) }
}

fn keys() -> Vec<Query> {
    vec![
        parameter("name", "The connection's name"),
        parameter("uuid", "The connection's id, in place of its name"),
    ]
}

fn member(uri: &Uri, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Which connection a query names.
struct Key {
    name: Option<String>,
    uuid: Option<String>,
}

impl Key {
    fn of(uri: &Uri) -> Self {
        Self { name: member(uri, "name"), uuid: member(uri, "uuid") }
    }

    fn read(&self) -> Result<ZisOAuthKey<'_>, Error> {
        match (&self.name, &self.uuid) {
            // What is no id is nobody's.
            (None, Some(uuid)) => match uuid.parse() {
                Ok(id) => Ok(ZisOAuthKey::Id(id)),
                Err(_) => Err(EngineError::Absent(Thing::Connection).into()),
            },
            (Some(name), None) => Ok(ZisOAuthKey::Name(name)),
            (None, None) => Err(fault("name", "is missing, and so is uuid")),
            (Some(_), Some(_)) => Err(fault("uuid", "must not stand beside name")),
        }
    }
}

fn fault(field: &str, reason: &str) -> Error {
    Error::invalid(vec![FieldError { field: field.to_owned(), reason: reason.to_owned() }])
}

async fn finish(
    State(app): State<App>,
    Extension(oauth): Extension<OAuth>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    uri: Uri,
) -> Result<Response, Told<Service>> {
    let code = member(&uri, "verification_code").ok_or_else(|| fault("verification_code", "is missing"))?;
    let finished = oauth.finish(&permit, &integration, &code).await?;
    let account = app.engine().org_number(permit.org()).await?;
    Ok(positioned(finished.position, Json(wire::one(&finished.value, account))))
}

async fn show(
    State(app): State<App>,
    Extension(oauth): Extension<OAuth>,
    Extension(options): Extension<Options>,
    Bound { permit, integration }: Bound<ConnectionsRead>,
    uri: Uri,
) -> Result<Response, Told<Service>> {
    let key = Key::of(&uri);
    let key = key.read()?;
    let shown = app.engine().find_zis_oauth_connection(&permit, &integration, key).await?;
    let account = app.engine().org_number(permit.org()).await?;
    if !options.shows_tokens {
        return Ok(Json(wire::one(&shown, account)).into_response());
    }
    if !shown.connection.secrets.0.is_empty() {
        // The vendor's are live too. One that cannot be renewed is shown as it is, and when it ended.
        let by = UsedBy::caller(permit.caller());
        if let Err(error) = oauth.access_token_by(permit.org(), shown.connection.id, by).await {
            tracing::info!(code = error.code(), "a connection is shown with a token that was not renewed");
        }
    }
    let revealed = app.engine().show_zis_oauth_tokens(&permit, &integration, key).await?;
    let (shown, tokens) = revealed.value;
    Ok(positioned(revealed.position, Json(wire::with_tokens(&shown, tokens, account))))
}

async fn delete(
    State(app): State<App>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    uri: Uri,
) -> Result<Response, Told<Service>> {
    let key = Key::of(&uri);
    let deleted = app.engine().delete_zis_oauth_connection(&permit, &integration, key.read()?).await?;
    Ok(positioned(deleted.position, StatusCode::NO_CONTENT))
}

async fn refresh(
    State(app): State<App>,
    Extension(oauth): Extension<OAuth>,
    Bound { permit, integration }: Bound<ConnectionsWrite>,
    uri: Uri,
) -> Result<Response, Told<Service>> {
    let key = Key::of(&uri);
    let key = key.read()?;
    let engine = app.engine();
    let found = engine.find_zis_oauth_connection_to_edit(&permit, &integration, key).await?;
    oauth.refresh(permit.org(), found.connection.id, UsedBy::caller(permit.caller())).await?;
    let renewed = engine.find_zis_oauth_connection_to_edit(&permit, &integration, key).await?;
    let account = engine.org_number(permit.org()).await?;
    let body: Value = wire::one(&renewed, account);
    Ok(positioned(engine.applied(), Json(body)))
}
