//! Connections for tests.

use claviger_http::RouteInfo;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Client;
use super::sample::Sample;

pub(crate) const ALL: &str = "/api/v2/actions/connections";

/// A valid connection of one credential type, and how it may change. Clients' tests use the same file.
#[derive(Deserialize)]
pub(crate) struct Example {
    pub(crate) credentials: String,
    /// The `integration` values of a create, and of an update that brings every secret anew.
    pub(crate) create: Value,
    pub(crate) update: Value,
    /// Where secrets stand in both.
    pub(crate) secrets: Vec<String>,
}

/// One of each credential type.
pub(crate) fn examples() -> Vec<Example> {
    serde_json::from_str(include_str!("../../../../../conformance/connections.json")).unwrap()
}

/// An `integration` value with every secret emptied, as answers show it.
pub(crate) fn emptied(integration: &Value, secrets: &[String]) -> Value {
    let mut shown = integration.clone();
    for secret in secrets {
        *shown.pointer_mut(secret).unwrap() = json!("");
    }
    shown
}

/// The body of a create, around an `integration` value.
pub(crate) fn body(name: &str, integration: &Value) -> Value {
    let attributes = json!({ "name": name, "integration": integration, "tags": ["env:test"] });
    json!({ "data": { "type": "action_connection", "attributes": attributes } })
}

/// The body of an update.
pub(crate) fn patch(attributes: Value) -> Value {
    json!({ "data": { "type": "action_connection", "attributes": attributes } })
}

/// A plain connection's `integration` value, with this secret.
pub(crate) fn gitlab(secret: &str) -> Value {
    json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": secret } })
}

/// An HTTP connection's, with this secret as its only token.
pub(crate) fn http(base_url: &str, secret: &str) -> Value {
    json!({
        "type": "HTTP",
        "base_url": base_url,
        "credentials": {
            "type": "HTTPTokenAuth",
            "tokens": [{ "name": "token1", "type": "SECRET", "value": secret }],
            "headers": [{ "name": "X-Key", "value": "{{ token1 }}" }],
            "url_parameters": [{ "name": "page", "value": "1" }],
            "body": { "content": "{\"token\": \"{{ token1 }}\"}", "content_type": "application/json" },
        },
    })
}

/// Makes one and gives its id.
pub(crate) async fn made(admin: &Client, integration: &Value) -> String {
    let answer = admin.post(ALL, &body("Made", integration)).await.expect(201).json();
    answer["data"]["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let with =
        |path: String, body: Option<Value>, success: u16| Sample { path, headers: Vec::new(), body, success };
    match (route.method.as_str(), route.path) {
        ("POST", ALL) => with(ALL.to_owned(), Some(body("Sample", &gitlab("glpat-sample-sample"))), 201),
        (method, "/api/v2/actions/connections/{connection_id}") => {
            let path = format!("{ALL}/{}", made(admin, &gitlab("glpat-sample-sample")).await);
            match method {
                "PATCH" => {
                    let attributes = json!({ "name": "Sample", "integration": gitlab("glpat-other-other"), "tags": ["a:b"] });
                    with(path, Some(patch(attributes)), 200)
                }
                "DELETE" => with(path, None, 204),
                _ => with(path, None, 200),
            }
        }
        (method, path) => panic!("no sample of {method} {path}"),
    }
}
