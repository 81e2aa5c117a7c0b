//! `/claviger/v1/connections/export`: everything of connections but their secrets, as a file that `claviger import`
//! takes once the secrets are filled in.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use claviger_engine::rights::ConnectionsRead;
use claviger_engine::{Error as EngineError, ExportedConnection, Permit};
use claviger_http::openapi::Named;
use claviger_http::{App, Route};
use claviger_model::ConnectionId;
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::history::by_relation;
use super::{READ, info, operation};
use crate::Error;
use crate::guards::shown_time;
use crate::permitted::Permitted;

const PATH: &str = "/claviger/v1/connections/export";
/// Connections that are in memory at once: each may have the content of a body.
const AT_ONCE: u32 = 20;

pub(super) fn route() -> Route {
    let operation =
        operation("ExportConnections").answers(StatusCode::OK, Named::of::<File>("ConnectionExport"));
    Route::new(info(Method::GET, PATH, READ, "Export connections without their secrets"), export)
        .described(operation)
}

/// What an export is; it is written piece by piece.
#[derive(Serialize, JsonSchema)]
struct File {
    orgs: Vec<Org>,
}

#[derive(Serialize, JsonSchema)]
struct Org {
    id: String,
    /// The org must be there, with its people, when this is imported.
    existing: bool,
    connections: Vec<Exported>,
}

/// A connection as an import takes it, but for its empty secrets.
#[derive(Serialize, JsonSchema)]
struct Exported {
    id: String,
    name: String,
    integration: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<BTreeMap<String, Vec<String>>>,
    created_by: String,
    created_at: String,
}

impl From<ExportedConnection> for Exported {
    fn from(ExportedConnection { connection, integration }: ExportedConnection) -> Self {
        Self {
            id: connection.id.to_string(),
            name: connection.name,
            integration,
            tags: connection.tags.map(|tags| tags.iter().map(ToString::to_string).collect()),
            hosts: connection.hosts,
            expires_at: connection.expires_at.map(shown_time),
            restriction: connection.restriction.as_ref().map(by_relation),
            created_by: connection.created_by.to_string(),
            created_at: shown_time(connection.created_at),
        }
    }
}

async fn export(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
) -> Result<Response, Error> {
    let mut writing = Writing { app, permit, after: None, stage: Stage::Beginning };
    // What fails at once is told as any other failure; later, the answer breaks off.
    let first = writing.next().await?;
    let rest = stream::try_unfold(writing, |mut writing| async move {
        let piece = writing.next().await.inspect_err(|error| {
            tracing::error!(error = claviger_model::chain(error), "an export broke off");
        })?;
        Ok::<_, EngineError>(piece.map(|piece| (piece, writing)))
    });
    let body = stream::iter(first.map(Ok));
    let mut response = Response::new(Body::from_stream(stream::StreamExt::chain(body, rest)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let file = HeaderValue::from_static("attachment; filename=\"connections.json\"");
    headers.insert(CONTENT_DISPOSITION, file);
    Ok(response)
}

/// An export on its way out.
struct Writing {
    app: App,
    permit: Permit<ConnectionsRead>,
    after: Option<ConnectionId>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Beginning,
    Within,
    Over,
}

impl Writing {
    /// The next piece of the file.
    async fn next(&mut self) -> Result<Option<Bytes>, EngineError> {
        if self.stage == Stage::Over {
            return Ok(None);
        }
        let engine = self.app.engine();
        let found = engine.export_connections(&self.permit, self.after, AT_ONCE).await?;
        let is_last = found.len() < AT_ONCE as usize;
        self.after = found.last().map(|last| last.connection.id).or(self.after);
        let mut text = String::new();
        if self.stage == Stage::Beginning {
            let id = json!(self.permit.org().to_string());
            text += &format!("{{\"orgs\":[{{\"id\":{id},\"existing\":true,\"connections\":[");
        }
        for (place, exported) in found.into_iter().enumerate() {
            let is_first = self.stage == Stage::Beginning && place == 0;
            let one = serde_json::to_string(&Exported::from(exported));
            text += if is_first { "\n" } else { ",\n" };
            text += &one.map_err(|error| EngineError::Internal(Box::new(error)))?;
        }
        if is_last {
            text += "\n]}]}\n";
        }
        self.stage = if is_last { Stage::Over } else { Stage::Within };
        Ok(Some(Bytes::from(text)))
    }
}
