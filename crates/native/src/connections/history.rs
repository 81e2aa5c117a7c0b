//! `/claviger/v1/connections/{connection_id}/history`: what was done about a connection, by whom, from where.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use claviger_engine::HistoryEntry;
use claviger_engine::rights::ConnectionsRead;
use claviger_http::openapi::Named;
use claviger_http::{App, Route};
use claviger_model::Restriction;
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;

use super::{READ, operation, parse_id};
use crate::Error;
use crate::guards::shown_time;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::{Parameters, page_parameters};

const PATH: &str = "/claviger/v1/connections/{connection_id}/history";

pub(super) fn route() -> Route {
    Route::new(for_users(Method::GET, PATH, READ, "Get what was done about a connection"), history).described(
        operation("GetConnectionHistory")
            .query(page_parameters())
            .answers(StatusCode::OK, Named::of::<History>("ConnectionHistory")),
    )
}

/// A page, the newest first.
#[derive(Serialize, JsonSchema)]
struct History {
    entries: Vec<Done>,
    total: i64,
}

/// One thing that was done.
#[derive(Serialize, JsonSchema)]
struct Done {
    id: String,
    position: String,
    at: String,
    action: String,
    /// None where the server, or its operator, did it.
    user: Option<String>,
    /// Through which credentials.
    credentials: Vec<String>,
    from: Option<String>,
    request: Option<String>,
    /// The connection's name then.
    name: Option<String>,
    /// What changed beside secrets: names, never values.
    changed: Vec<String>,
    secrets_written: Vec<String>,
    secrets_erased: Vec<String>,
    /// What was said of who may do what: relations, and whom they are given to. Left out where nothing was, null where
    /// the permission alone decides from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    restriction: Option<Option<BTreeMap<String, Vec<String>>>>,
}

async fn history(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<History>, Error> {
    let mut query = Parameters::of(&uri);
    let page = query.page();
    query.check()?;
    let (entries, total) = app.engine().connection_history(&permit, parse_id(&id)?, page).await?;
    Ok(Json(History { entries: entries.into_iter().map(wire).collect(), total }))
}

fn wire(entry: HistoryEntry) -> Done {
    Done {
        id: entry.id.to_string(),
        position: entry.position.to_string(),
        at: shown_time(entry.at),
        action: entry.action,
        user: entry.user.map(|id| id.to_string()),
        credentials: entry.credentials.iter().map(ToString::to_string).collect(),
        from: entry.from,
        request: entry.request.map(|id| id.to_string()),
        name: entry.name,
        changed: entry.changed,
        secrets_written: entry.secrets_written,
        secrets_erased: entry.secrets_erased,
        restriction: entry.restriction.map(|given| given.as_ref().map(by_relation)),
    }
}

/// Whom each relation is given to.
pub(super) fn by_relation(restriction: &Restriction) -> BTreeMap<String, Vec<String>> {
    let mut given = BTreeMap::<String, Vec<String>>::new();
    for (relation, principal) in restriction.iter() {
        given.entry(relation.to_string()).or_default().push(principal.to_string());
    }
    given
}
