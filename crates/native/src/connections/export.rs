//! `/claviger/v1/connections/export`: everything of connections but their secrets, as a file that `claviger import`
//! takes once the secrets are filled in.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use claviger_engine::rights::ConnectionsRead;
use claviger_engine::{Error as EngineError, ExportedConnection, Permit, ShownZisConnection, shown_terms};
use claviger_http::openapi::Named;
use claviger_http::{App, Route};
use claviger_model::{ConnectionId, Terms};
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::history::by_relation;
use super::{READ, operation};
use crate::Error;
use crate::guards::shown_time;
use crate::info::for_users;
use crate::permitted::Permitted;

const PATH: &str = "/claviger/v1/connections/export";
/// Connections that are in memory at once: each may have the content of a body.
const AT_ONCE: u32 = 20;

pub(super) fn route() -> Route {
    let operation =
        operation("ExportConnections").answers(StatusCode::OK, Named::of::<File>("ConnectionExport"));
    Route::new(for_users(Method::GET, PATH, READ, "Export connections without their secrets"), export)
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
    zis_connections: Vec<ExportedZis>,
    /// Those in which these are.
    zis_integrations: Vec<Integration>,
}

#[derive(Serialize, JsonSchema)]
struct Integration {
    name: String,
    /// Only for whoever may manage integrations.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

/// A ZIS connection as an import takes it, but for its secret, which is empty: `api_key`, `password` or `token`.
#[derive(Serialize, JsonSchema)]
struct ExportedZis {
    id: String,
    integration: String,
    r#type: &'static str,
    name: String,
    allowed_domain: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    header_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<BTreeMap<String, Vec<String>>>,
    /// Left out where they are as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Value>,
    created_by: String,
    created_at: String,
    #[serde(flatten)]
    #[schemars(skip)]
    secret: BTreeMap<&'static str, &'static str>,
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
    /// Left out where they are as usual.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Value>,
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
            terms: unusual(&connection.terms),
            created_by: connection.created_by.to_string(),
            created_at: shown_time(connection.created_at),
        }
    }
}

impl From<ShownZisConnection> for ExportedZis {
    fn from(ShownZisConnection { connection, of, settings }: ShownZisConnection) -> Self {
        Self {
            id: connection.id.to_string(),
            integration: connection.container.unwrap_or_default(),
            r#type: of.as_str(),
            name: connection.name,
            allowed_domain: settings.allowed_domain().to_owned(),
            header_name: settings.header_name().map(str::to_owned),
            username: settings.username().map(str::to_owned),
            restriction: connection.restriction.as_ref().map(by_relation),
            terms: unusual(&connection.terms),
            created_by: connection.created_by.to_string(),
            created_at: shown_time(connection.created_at),
            secret: BTreeMap::from([(of.secret(), "")]),
        }
    }
}

fn unusual(terms: &Terms) -> Option<Value> {
    (!terms.is_default()).then(|| shown_terms(terms))
}

async fn export(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
) -> Result<Response, Error> {
    let mut writing = Writing {
        app,
        permit,
        after: None,
        stage: Stage::Catalogued,
        text: String::new(),
        is_first: true,
        integrations: BTreeSet::new(),
    };
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
    /// The last connection of the stage that was read.
    after: Option<ConnectionId>,
    stage: Stage,
    /// What is not sent yet.
    text: String,
    /// Whether nothing of the stage's list was written yet.
    is_first: bool,
    /// Those of the ZIS connections that were written; an org has at most a thousand.
    integrations: BTreeSet<String>,
}

/// The lists, in the order in which they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Catalogued,
    Zis,
    Integrations,
    Over,
}

impl Writing {
    /// The next piece of the file.
    async fn next(&mut self) -> Result<Option<Bytes>, EngineError> {
        match self.stage {
            Stage::Catalogued => self.catalogued().await?,
            Stage::Zis => self.zis().await?,
            Stage::Integrations => self.integrations().await?,
            Stage::Over => return Ok(None),
        }
        Ok(Some(Bytes::from(std::mem::take(&mut self.text))))
    }

    async fn catalogued(&mut self) -> Result<(), EngineError> {
        let found = self.app.engine().export_connections(&self.permit, self.after, AT_ONCE).await?;
        if self.after.is_none() {
            let id = json!(self.permit.org().to_string());
            self.text += &format!("{{\"orgs\":[{{\"id\":{id},\"existing\":true,\"connections\":[");
        }
        let next = found.last().filter(|_| found.len() == AT_ONCE as usize).map(|last| last.connection.id);
        for exported in found {
            self.item(&Exported::from(exported))?;
        }
        self.go_on(next, Stage::Zis, "\"zis_connections\":[");
        Ok(())
    }

    async fn zis(&mut self) -> Result<(), EngineError> {
        let found = self.app.engine().export_zis_connections(&self.permit, self.after, AT_ONCE).await?;
        for shown in found.connections {
            self.integrations.extend(shown.connection.container.clone());
            self.item(&ExportedZis::from(shown))?;
        }
        self.go_on(found.next, Stage::Integrations, "\"zis_integrations\":[");
        Ok(())
    }

    async fn integrations(&mut self) -> Result<(), EngineError> {
        for name in std::mem::take(&mut self.integrations) {
            let description = self.app.engine().exported_description(&self.permit, &name).await?;
            self.item(&Integration { name, description })?;
        }
        self.text += "\n]}]}\n";
        self.stage = Stage::Over;
        Ok(())
    }

    /// Adds an item to the list that is being written.
    fn item(&mut self, item: &impl Serialize) -> Result<(), EngineError> {
        self.text += if self.is_first { "\n" } else { ",\n" };
        self.is_first = false;
        self.text += &serde_json::to_string(item).map_err(|error| EngineError::Internal(Box::new(error)))?;
        Ok(())
    }

    /// Goes on behind a connection, or where there is none, with the next list.
    fn go_on(&mut self, next: Option<ConnectionId>, stage: Stage, list: &str) {
        self.after = next;
        if next.is_none() {
            self.text += &format!("\n],{list}");
            (self.stage, self.is_first) = (stage, true);
        }
    }
}
