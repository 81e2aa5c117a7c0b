//! `/claviger/v1/connections/{connection_id}/calls`: what was called through a connection, by whom, and how it went.

use axum::Json;
use axum::extract::{Path, State};
use claviger_engine::CallPlace;
use claviger_engine::rights::ConnectionsRead;
use claviger_http::openapi::{Named, Query};
use claviger_http::{App, Route};
use http::{Method, StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{READ, operation, parse_id};
use crate::Error;
use crate::guards::shown_time;
use crate::info::for_users;
use crate::permitted::Permitted;
use crate::reading::Parameters;

const PATH: &str = "/claviger/v1/connections/{connection_id}/calls";
/// The largest page, of some 500 KB at most, and the usual one.
const LIMIT_MAX: usize = 1000;
const LIMIT: usize = 100;

pub(super) fn route() -> Route {
    Route::new(for_users(Method::GET, PATH, READ, "Get what was called through a connection"), list)
        .described(
            operation("GetConnectionCalls")
                .query(parameters())
                .answers(StatusCode::OK, Named::of::<Calls>("ConnectionCalls")),
        )
}

fn parameters() -> Vec<Query> {
    let query = |name, description: &str, schema| Query { name, description: description.to_owned(), schema };
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT });
    vec![
        query("limit", "How many at most", limit),
        query("before", "What the page before gave as next", json!({ "type": "string" })),
    ]
}

/// A page, the newest first.
#[derive(Serialize, JsonSchema)]
struct Calls {
    calls: Vec<Call>,
    /// What `before` must be for the next page; null where there is none.
    next: Option<String>,
}

/// One call.
#[derive(Serialize, JsonSchema)]
struct Call {
    /// When it ended, or began if it has not ended.
    at: String,
    /// Whether its end is known. Where calls are written down before they are made, it is not while they go on, nor ever
    /// after the server was killed meanwhile.
    ended: bool,
    /// The credential's id; `server` for a test that the server made by itself.
    credential: String,
    user: Option<String>,
    method: String,
    /// Where it went; null where it was refused before that was known.
    host: Option<String>,
    /// Without the query, and cut off after 512 characters.
    path: Option<String>,
    /// What the caller was answered; null where it did not wait for that.
    status: Option<u16>,
    /// The code of the broker's refusal, or of why the answer broke off.
    error: Option<String>,
    /// Bytes of bodies, without headers.
    bytes_sent: u64,
    bytes_received: u64,
    /// Null where it has not ended.
    duration_us: Option<u64>,
    /// How often a secret was masked in the answer's headers and body.
    masked: u64,
}

impl From<claviger_engine::Call> for Call {
    fn from(call: claviger_engine::Call) -> Self {
        Self {
            at: shown_time(call.at),
            ended: call.duration_us.is_some(),
            credential: call.credential,
            user: call.user,
            method: call.method,
            host: call.host,
            path: call.path,
            status: call.status,
            error: call.error,
            bytes_sent: call.bytes_sent,
            bytes_received: call.bytes_received,
            duration_us: call.duration_us,
            masked: call.masked,
        }
    }
}

async fn list(
    State(app): State<App>,
    Permitted(permit): Permitted<ConnectionsRead>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Json<Calls>, Error> {
    let mut query = Parameters::of(&uri);
    let limit = query.read("limit", |text| {
        let number = text.parse().ok().filter(|number| (1..=LIMIT_MAX).contains(number));
        number.ok_or_else(|| format!("must be a number from 1 to {LIMIT_MAX}"))
    });
    let before = query.read("before", str::parse::<CallPlace>);
    query.check()?;
    let limit = limit.unwrap_or(LIMIT);
    let (calls, next) = app.engine().list_calls(&permit, parse_id(&id)?, before, limit).await?;
    let next = next.map(|place| place.to_string());
    Ok(Json(Calls { calls: calls.into_iter().map(Call::from).collect(), next }))
}
