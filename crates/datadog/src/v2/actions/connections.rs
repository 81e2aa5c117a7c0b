//! `/api/v2/actions/connections` (reference: "Action Connection"). What a body's `integration` must hold is the
//! catalog's.

mod body;
mod error;

use axum::extract::{Path, State};
use axum::response::Response;
use claviger_catalog::{Catalog, SchemaOf};
use claviger_engine::rights::{ConnectionsRead, ConnectionsWrite};
use claviger_engine::{ConnectionKey, ConnectionPatch, Error as EngineError, NewConnection, ShownConnection};
use claviger_http::openapi::Named;
use claviger_http::{App, BodyError, Bucket, LargeJson as Body, Route, RouteInfo, Who, positioned};
use claviger_model::{ConnectionDialect, ConnectionId, Name, Permission, Terms};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use self::body::Given;
use self::error::{Verb, invalid, malformed_id, unreadable, within};
use super::ActionPermitted;
use super::error::ActionError as Error;
use crate::describe::of_actions;
use crate::times;
use crate::vendor_json::VendorJson;
use crate::wire::{One, Reference, Relation};

pub(crate) fn routes(catalog: &Catalog) -> Vec<Route> {
    let info = |method, path, permissions: &'static [Permission], summary| RouteInfo {
        method,
        path,
        who: Who::User(permissions),
        bucket: Bucket::CONNECTIONS,
        summary,
    };
    const READ: &[Permission] = &[Permission::CONNECTIONS_READ];
    const WRITE: &[Permission] = &[Permission::CONNECTIONS_WRITE];
    let (all, one) = ("/api/v2/actions/connections", "/api/v2/actions/connections/{connection_id}");
    let answer = || answer(catalog);
    vec![
        Route::new(info(Method::POST, all, WRITE, "Create a connection"), create).described(
            of_actions("CreateActionConnection")
                .body(Named::new("CreateActionConnection", body::schema(catalog, SchemaOf::Create)))
                .answers(StatusCode::CREATED, answer()),
        ),
        Route::new(info(Method::GET, one, READ, "Get a connection"), get)
            .described(of_actions("GetActionConnection").answers(StatusCode::OK, answer())),
        Route::new(info(Method::PATCH, one, WRITE, "Update a connection"), update).described(
            of_actions("UpdateActionConnection")
                .body(Named::new("UpdateActionConnection", body::schema(catalog, SchemaOf::Update)))
                .answers(StatusCode::OK, answer()),
        ),
        Route::new(info(Method::DELETE, one, WRITE, "Delete a connection"), delete)
            .described(of_actions("DeleteActionConnection").answers_nothing()),
    ]
}

async fn create(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<ConnectionsWrite>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let engine = app.engine();
    let Given { name, integration, tags, faults } =
        Given::read(body.map_err(unreadable)?.0, SchemaOf::Create);
    let Some(integration) = integration else { return Err(invalid(&faults)) };
    let name = name.unwrap_or_else(placeholder);
    let new = NewConnection {
        name,
        integration,
        tags,
        hosts: Vec::new(),
        expires_at: None,
        terms: Terms::default(),
    };
    if !faults.is_empty() {
        // What else is wrong is told too.
        return Err(match engine.try_create_connection(&permit, new) {
            Err(EngineError::BadConnection(more)) => invalid(&faults.and(within(more))),
            _ => invalid(&faults),
        });
    }
    let made = engine.create_connection(&permit, new).await.map_err(|error| Verb::Create.failed(error))?;
    let answer = VendorJson(wire(made.value, Seen::Created));
    Ok(positioned(made.position, (StatusCode::CREATED, answer)))
}

async fn get(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<ConnectionsRead>,
    Path(id): Path<String>,
) -> Result<VendorJson<One<Wire>>, Error> {
    let found = app.engine().find_connection(&permit, parse_id(&id)?).await;
    Ok(VendorJson(wire(found.map_err(|error| Verb::Get.failed(error))?, Seen::Read)))
}

async fn update(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<ConnectionsWrite>,
    Path(id): Path<String>,
    body: Result<Body, BodyError>,
) -> Result<Response, Error> {
    let (engine, id) = (app.engine(), parse_id(&id)?);
    let Given { name, integration, tags, faults } =
        Given::read(body.map_err(unreadable)?.0, SchemaOf::Update);
    let form = integration.clone();
    let patch = ConnectionPatch { name, integration, tags, ..ConnectionPatch::default() };
    let outcome = match faults.is_empty() {
        true => engine.update_connection(&permit, id, patch).await,
        // What else is wrong is told too.
        false => match engine.try_update_connection(&permit, id, patch).await {
            Ok(_) => return Err(invalid(&faults)),
            Err(error) => Err(error),
        },
    };
    match outcome {
        Ok(changed) => {
            let answer = VendorJson(wire(changed.value, Seen::Updated));
            Ok(positioned(changed.position, answer))
        }
        Err(EngineError::BadConnection(more)) => Err(invalid(&faults.and(within(more)))),
        // The vendor looks at a body's form before it looks for the connection.
        Err(error @ EngineError::Absent(_)) => {
            let form = form.and_then(|form| engine.catalog().check_update(form.take()).err());
            let faults = faults.and(form.map(within).unwrap_or_default());
            match faults.is_empty() {
                true => Err(Verb::Update.failed(error)),
                false => Err(invalid(&faults)),
            }
        }
        Err(error) => Err(Verb::Update.failed(error)),
    }
}

async fn delete(
    State(app): State<App>,
    ActionPermitted(permit): ActionPermitted<ConnectionsWrite>,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let gone = app.engine().delete_connection(&permit, parse_id(&id)?).await;
    let gone = gone.map_err(|error| Verb::Delete.failed(error))?;
    Ok(positioned(gone.position, StatusCode::NO_CONTENT))
}

/// One of this dialect's: others' are absent here.
fn parse_id(text: &str) -> Result<ConnectionKey, Error> {
    let id: ConnectionId = text.parse().map_err(|_| malformed_id())?;
    Ok(ConnectionKey { id, dialect: Some(ConnectionDialect::Datadog) })
}

/// Stands in for a name that was refused already, while the rest is looked at.
fn placeholder() -> Name {
    Name::parse("-").expect("a dash is a name")
}

/// By what a connection is seen: the vendor shows more of it to who reads it than to who has just made it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Created,
    Read,
    Updated,
}

#[derive(Serialize, JsonSchema)]
struct Wire {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: Attributes,
    #[serde(skip_serializing_if = "Option::is_none")]
    relationships: Option<Relationships>,
}

#[derive(Serialize, JsonSchema)]
struct Attributes {
    acting_user_can_resolve: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    external_secrets_manager: Option<()>,
    integration: Value,
    is_favorite: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_updated: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    created_by: Relation<Reference>,
}

/// Whether the caller could use it is told to readers alone: what is made or changed is recorded with `false`,
/// always.
fn wire(shown: ShownConnection, seen: Seen) -> One<Wire> {
    let ShownConnection { connection, integration, is_resolvable, .. } = shown;
    let told = |moment| (seen != Seen::Created).then(|| times::go(moment));
    let created_by = Relation { data: Reference::to("created_by", connection.created_by) };
    let data = Wire {
        id: connection.id.to_string(),
        kind: "action_connection",
        attributes: Attributes {
            acting_user_can_resolve: seen == Seen::Read && is_resolvable,
            created_at: told(connection.created_at),
            external_secrets_manager: None,
            integration,
            is_favorite: false,
            last_updated: told(connection.modified_at),
            name: connection.name,
            tags: connection.tags.map(|tags| tags.iter().map(ToString::to_string).collect()),
        },
        relationships: (seen != Seen::Created).then_some(Relationships { created_by }),
    };
    One { data, included: None }
}

fn answer(catalog: &Catalog) -> Named {
    let place = "/properties/data/properties/attributes/properties/integration";
    Named::of::<One<Wire>>("ActionConnection").with(place, catalog.schema(SchemaOf::Answer))
}
