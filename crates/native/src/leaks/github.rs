//! The receiver for GitHub's secret-scanning partner programme.
//!
//! Source: docs.github.com, "Secret scanning partner program". The signature, ECDSA on P-256 with SHA-256 over the raw
//! body, is checked against keys that the operator configured; nothing is fetched. The feedback names tokens by their
//! SHA-256, in hexadecimal, and not in clear: GitHub takes either.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use claviger_engine::{FieldError, LeakReport};
use claviger_http::{AddressLimits, App, Batch, BodyError};
use claviger_vault::sha256_hex;
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Caller;
use crate::Error;
use crate::options::GithubKeys;

const KEY_IDENTIFIER: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";

const FAULTS_TOLD_MAX: usize = 32;

/// What GitHub wants to know of each token.
#[derive(Serialize, JsonSchema)]
pub(super) struct Feedback {
    token_hash: String,
    token_type: String,
    label: &'static str,
}

struct Match {
    token: String,
    kind: String,
    source: Option<String>,
    url: Option<String>,
}

pub(super) async fn receive(
    State(app): State<App>,
    Extension(limits): Extension<Arc<AddressLimits>>,
    Extension(keys): Extension<GithubKeys>,
    Caller(origin): Caller,
    headers: HeaderMap,
    batch: Result<Batch, BodyError>,
) -> Result<Json<Vec<Feedback>>, Error> {
    let batch = batch?;
    if !is_signed(&keys, &headers, &batch) {
        // Only strangers are limited: an alert may come in as many requests as GitHub likes.
        return Err(match limits.take(origin.address, app.engine().clock().now()) {
            true => Error::limited(),
            false => Error::new(
                StatusCode::UNAUTHORIZED,
                "bad_signature",
                "The alert is not signed with a key of GitHub's that is configured here",
            ),
        });
    }
    let body = batch.json()?;
    let mut feedback = Vec::new();
    for found in matches(&body)? {
        let source = found.source.map_or_else(|| "github".to_owned(), |source| format!("github:{source}"));
        let report = LeakReport { secret: &found.token, source: Some(&source), url: found.url.as_deref() };
        let is_ours = app.engine().report_leak(report, origin).await?;
        feedback.push(Feedback {
            token_hash: sha256_hex(found.token.as_bytes()),
            token_type: found.kind,
            label: if is_ours { "true_positive" } else { "false_positive" },
        });
    }
    Ok(Json(feedback))
}

fn is_signed(keys: &GithubKeys, headers: &HeaderMap, batch: &Batch) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(identifier), Some(signature)) = (header(KEY_IDENTIFIER), header(SIGNATURE)) else {
        return false;
    };
    keys.find(identifier).is_some_and(|key| key.has_signed(&batch.0, signature))
}

/// The matches of an alert. Members that GitHub may add are nothing to refuse it for.
fn matches(body: &Value) -> Result<Vec<Match>, Error> {
    let fault = |field: String, reason: &str| FieldError { field, reason: reason.to_owned() };
    let Some(items) = body.as_array() else {
        return Err(Error::invalid(vec![fault("body".to_owned(), "must be a list")]));
    };
    let (mut found, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for (place, item) in items.iter().enumerate() {
        let text = |name: &str| item[name].as_str();
        // What is not as it should be of where it was found is left out, and the token revoked all the same.
        let source = text("source").and_then(|source| super::source(source).ok());
        let url = text("url").filter(|url| !url.is_empty()).and_then(|url| super::url(url).ok());
        match (text("token"), text("type")) {
            (Some(token), Some(kind)) => {
                found.push(Match { token: token.to_owned(), kind: kind.to_owned(), source, url });
            }
            (token, kind) => {
                let missing = [("token", token), ("type", kind)].into_iter().filter(|(_, it)| it.is_none());
                faults.extend(missing.map(|(name, _)| fault(format!("{place}.{name}"), "must be a string")));
            }
        }
    }
    // Whoever sends that much nonsense need not be told of all of it.
    faults.truncate(FAULTS_TOLD_MAX);
    if faults.is_empty() { Ok(found) } else { Err(Error::invalid(faults)) }
}

pub(super) fn schema() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": { "token": text, "type": text, "url": text, "source": text },
            "required": ["token", "type"],
        },
    })
}
