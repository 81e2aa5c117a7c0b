//! `/claviger/v1/connections`: all of an org's connections, by whichever API they were made.
//!
//! What the vendors' APIs lack: lists, ends, named hosts, dry runs. What an `integration` value must hold is the
//! catalog's.

mod body;
mod calls;
mod export;
mod history;
mod list;
mod test;
mod wire;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_broker::Broker;
use claviger_catalog::{Catalog, SchemaOf};
use claviger_engine::rights::{ConnectionsRead, ConnectionsWrite};
use claviger_engine::{Error as EngineError, Thing};
use claviger_http::openapi::{Named, Operation, Query};
use claviger_http::{App, BodyError, DRY_RUN, LargeJson as Body, Route, is_dry_run, positioned};
use claviger_model::{ConnectionId, Permission};
use http::{Method, StatusCode, Uri};
use serde_json::json;

use self::body::Given;
use self::wire::{Connection, Connections, Seen};
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::{Faults, page_parameters};
use crate::{Error, error};

const ALL: &str = "/claviger/v1/connections";
const ONE: &str = "/claviger/v1/connections/{connection_id}";
const READ: &[Permission] = &[Permission::CONNECTIONS_READ];
const WRITE: &[Permission] = &[Permission::CONNECTIONS_WRITE];

pub(crate) fn routes(catalog: &Catalog, broker: &Arc<Broker>) -> Vec<Route> {
    let one = || Named::of::<Connection>("Connection").with("/properties/integration", shown_schema(catalog));
    vec![
        Route::new(for_users(Method::GET, ALL, READ, "List connections"), list).described(
            operation("ListConnections")
                .query(page_parameters())
                .query(list::parameters())
                .answers(StatusCode::OK, Named::of::<Connections>("Connections")),
        ),
        Route::new(for_users(Method::POST, ALL, WRITE, "Make a connection"), create).described(
            operation("CreateConnection")
                .query(vec![dry_run_parameter()])
                .body(Named::new("CreateConnection", body::schema(catalog, SchemaOf::Create)))
                .answers(StatusCode::CREATED, one())
                .fails(&[StatusCode::CONFLICT]),
        ),
        Route::new(for_users(Method::GET, ONE, READ, "Get a connection"), get)
            .described(operation("GetConnection").answers(StatusCode::OK, one())),
        Route::new(for_users(Method::PATCH, ONE, WRITE, "Change a connection"), update).described(
            operation("UpdateConnection")
                .query(vec![dry_run_parameter()])
                .body(Named::new("UpdateConnection", body::schema(catalog, SchemaOf::Update)))
                .answers(StatusCode::OK, one())
                .fails(&[StatusCode::CONFLICT]),
        ),
        Route::new(for_users(Method::DELETE, ONE, WRITE, "Delete a connection"), delete)
            .described(operation("DeleteConnection").answers_nothing()),
        history::route(),
        calls::route(),
        test::route(broker),
        export::route(),
    ]
}

fn operation(id: &'static str) -> Operation {
    Operation::new(id, "Claviger: connections", error::described()).takes_bearer()
}

/// What an answer's `integration` is; lists leave it out.
fn shown_schema(catalog: &Catalog) -> serde_json::Value {
    catalog.schema(SchemaOf::Answer)
}

fn dry_run_parameter() -> Query {
    let description = "Whether to say only what would become of it, and to change nothing".to_owned();
    Query { name: DRY_RUN, description, schema: json!({ "type": "boolean", "default": false }) }
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
    uri: Uri,
) -> Result<Json<Connections>, Error> {
    let list::Asked { filter, sort, page } = list::read(&uri)?;
    let found = app.engine().list_connections(&permit, filter, sort, page).await?;
    let now = app.engine().clock().now();
    let connections = found.items.into_iter().map(|shown| Connection::listed(shown, now)).collect();
    Ok(Json(Connections { connections, total: found.total_filtered }))
}

async fn create(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsWrite>,
    uri: Uri,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (engine, now) = (app.engine(), app.engine().clock().now());
    let (new, mut faults) = Given::read(body?.0, SchemaOf::Create).into_new();
    let is_dry = faults.note(DRY_RUN, is_dry_run(uri.query()));
    let Some(new) = new else { return Err(Error::invalid(faults.0)) };
    if is_dry == Some(false) && faults.0.is_empty() {
        let made = engine.create_connection(&permit, new).await?;
        let answer = Json(Connection::whole(made.value, now, Seen::Made));
        return Ok(positioned(made.position, (StatusCode::CREATED, answer)));
    }
    let shown = all_told(engine.try_create_connection(&permit, new), faults)?;
    Ok(Json(Connection::whole(shown, now, Seen::NotMade)).into_response())
}

async fn get(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
    Path(id): Path<String>,
) -> Result<Json<Connection>, Error> {
    let found = app.engine().find_connection(&permit, parse_id(&id)?).await?;
    Ok(Json(Connection::whole(found, app.engine().clock().now(), Seen::Read)))
}

async fn update(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsWrite>,
    Path(id): Path<String>,
    uri: Uri,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (engine, now, id) = (app.engine(), app.engine().clock().now(), parse_id(&id)?);
    let (patch, mut faults) = Given::read(body?.0, SchemaOf::Update).into_patch();
    let is_dry = faults.note(DRY_RUN, is_dry_run(uri.query()));
    if is_dry == Some(false) && faults.0.is_empty() {
        let changed = engine.update_connection(&permit, id, patch).await?;
        let answer = Json(Connection::whole(changed.value, now, Seen::Made));
        return Ok(positioned(changed.position, answer));
    }
    let shown = all_told(engine.try_update_connection(&permit, id, patch).await, faults)?;
    Ok(Json(Connection::whole(shown, now, Seen::NotChanged)).into_response())
}

async fn delete(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().delete_connection(&permit, parse_id(&id)?).await?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT))
}

/// What was tried, unless the body has faults of its own: those and what else is wrong are told together.
fn all_told<T>(tried: Result<T, EngineError>, faults: Faults) -> Result<T, Error> {
    match tried {
        tried if faults.0.is_empty() => Ok(tried?),
        Err(error @ (EngineError::BadConnection(_) | EngineError::Invalid(_))) => {
            Err(Error::invalid(faults.0).and(error.into()))
        }
        Err(error @ (EngineError::Absent(_) | EngineError::Restricted(_))) => Err(error.into()),
        _ => Err(Error::invalid(faults.0)),
    }
}

/// A malformed id is nobody's.
fn parse_id(text: &str) -> Result<ConnectionId, EngineError> {
    text.parse().map_err(|_| EngineError::Absent(Thing::Connection))
}
