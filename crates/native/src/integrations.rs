//! `/claviger/v1/integrations`: what connections can be made to, and what each type asks for.

use axum::Json;
use axum::extract::State;
use claviger_catalog::{CredentialType, Field, Integration, Place, SchemaOf, Shape};
use claviger_engine::rights::ConnectionsRead;
use claviger_http::openapi::{Named, Operation};
use claviger_http::{App, Route};
use claviger_model::Permission;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::info::for_users;
use crate::permitted::Permitted;
use crate::{Error, error};

pub(crate) fn routes() -> Vec<Route> {
    let info = for_users(
        Method::GET,
        "/claviger/v1/integrations",
        &[Permission::CONNECTIONS_READ],
        "List what connections can be made to",
    );
    let operation = Operation::new("ListIntegrations", "Claviger: connections", error::described());
    let operation =
        operation.takes_bearer().answers(StatusCode::OK, Named::of::<Integrations>("Integrations"));
    vec![Route::new(info, list).described(operation)]
}

#[derive(Serialize, JsonSchema)]
struct Integrations {
    integrations: Vec<Wire>,
}

/// A type of integration.
#[derive(Serialize, JsonSchema)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    /// Where a person reads about its credentials.
    docs: String,
    /// Where secrets of its connections may go: `*.` stands before those below which every host is meant, and `{…}`
    /// for a setting.
    hosts: Vec<String>,
    credentials: Vec<Credentials>,
    /// JSON Schema of the `integration` value that makes one.
    schema: Value,
}

#[derive(Serialize, JsonSchema)]
struct Credentials {
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<Shown>,
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    name: String,
    /// `integration` where it stands beside `credentials`, else `credentials`.
    place: &'static str,
    /// `text`, `list`, `body`, or `made` by the server.
    shape: &'static str,
    secret: bool,
    required: bool,
    /// Whether it has a part in where secrets go: who changes it brings them anew.
    decides_host: bool,
}

async fn list(
    State(app): State<App>,
    Permitted(_permit): Permitted<ConnectionsRead>,
) -> Result<Json<Integrations>, Error> {
    let integrations = app.engine().catalog().integrations().iter().map(wire).collect();
    Ok(Json(Integrations { integrations }))
}

fn wire(integration: &Integration) -> Wire {
    Wire {
        kind: integration.kind().to_owned(),
        title: integration.title().to_owned(),
        docs: integration.docs().to_owned(),
        hosts: integration.hosts(),
        credentials: integration.credentials().iter().map(credentials).collect(),
        schema: integration.schema(SchemaOf::Create),
    }
}

fn credentials(credential: &CredentialType) -> Credentials {
    let field = |field: &Field| Shown {
        name: field.name().to_owned(),
        place: match field.place() {
            Place::Integration => "integration",
            Place::Credentials => "credentials",
        },
        shape: match field.shape() {
            Shape::Text { .. } => "text",
            Shape::List { .. } => "list",
            Shape::HttpBody => "body",
            Shape::Made(_) => "made",
        },
        secret: field.is_secret(),
        required: field.is_required(),
        decides_host: credential.host_fields().contains(field.name()),
    };
    Credentials {
        kind: credential.kind().to_owned(),
        fields: credential.fields().iter().map(field).collect(),
    }
}
