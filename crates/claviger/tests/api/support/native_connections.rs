//! Requests to the native routes of connections.

use claviger_http::RouteInfo;
use serde_json::{Value, json};

use super::sample::{Sample, by_id, unique_name};
use super::{Client, TestServer};

pub(crate) const CONNECTIONS: &str = "/claviger/v1/connections";

/// Where an action is run.
const ACTION: &str = "/claviger/v1/actions/http";

/// Whether a path is one of these routes'.
pub(super) fn knows(path: &str) -> bool {
    path == CONNECTIONS
        || path.starts_with("/claviger/v1/connections/")
        || path == "/claviger/v1/integrations"
        || path == ACTION
}

/// An `integration` value of one secret.
pub(crate) fn gitlab(secret: &str) -> Value {
    json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": secret } })
}

/// Of AWS, which is made without a secret.
pub(crate) fn aws() -> Value {
    json!({ "type": "AWS",
        "credentials": { "type": "AWSAssumeRole", "account_id": "123456789012", "role": "deployer" } })
}

/// An HTTP connection's, with one token.
pub(crate) fn http(base_url: &str, secret: &str) -> Value {
    json!({
        "type": "HTTP",
        "base_url": base_url,
        "credentials": {
            "type": "HTTPTokenAuth",
            "tokens": [{ "name": "token1", "type": "SECRET", "value": secret }],
            "headers": [{ "name": "X-Key", "value": "{{ token1 }}" }],
        },
    })
}

/// Makes a connection natively, with further members, and gives the answer.
pub(crate) async fn made(client: &Client, name: &str, integration: &Value, more: Value) -> Value {
    let mut body = json!({ "name": name, "integration": integration });
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    client.post(CONNECTIONS, &body).await.expect(201).json()
}

/// Brings a connection into the first org by an import, and gives its id as an answer would.
pub(crate) async fn imported(server: &TestServer, mut connection: Value) -> Value {
    let id = unique_name();
    connection["id"] = json!(id);
    let org = server.founded.org.to_string();
    let document = json!({ "orgs": [{ "id": org, "connections": [connection] }] });
    assert_eq!(server.engine.import(&document).await.unwrap().connections, 1);
    json!({ "id": id })
}

/// The path of what an answer shows.
pub(crate) fn path_of(shown: &Value) -> String {
    format!("{CONNECTIONS}/{}", shown["id"].as_str().unwrap())
}

/// A request to one of these routes that would succeed for an admin.
pub(super) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let plain =
        |path: String, body: Option<Value>, success| Sample { path, headers: Vec::new(), body, success };
    let body = || {
        json!({ "name": "Sample", "integration": aws(), "tags": ["env:test"],
            "hosts": ["a1b2c3.execute-api.eu-west-1.amazonaws.com"], "expires_at": "2100-01-01T00:00:00Z" })
    };
    match (route.method.as_str(), route.path) {
        ("POST", CONNECTIONS) => plain(CONNECTIONS.to_owned(), Some(body()), 201),
        ("POST", ACTION) => {
            let id = made(admin, "Made", &gitlab("glpat-sample-sample"), Value::Null).await["id"].take();
            let pairs = json!([{ "key": "x-sample", "value": "sample" }]);
            let body = json!({ "connection": id, "method": "POST", "path": "/sample", "query": pairs, "headers": pairs,
                "requestBody": { "sample": 1 } });
            plain(ACTION.to_owned(), Some(body), 200)
        }
        // The server has no principal at AWS: nobody is called.
        ("POST", path) if path.contains("{connection_id}") => {
            let id = made(admin, "Made", &aws(), Value::Null).await["id"].as_str().unwrap().to_owned();
            plain(path.replace("{connection_id}", &id), None, 200)
        }
        (method, path) if path.contains("{connection_id}") => {
            let id = made(admin, "Made", &aws(), Value::Null).await["id"].as_str().unwrap().to_owned();
            by_id(method, path.replace("{connection_id}", &id), body())
        }
        (_, path) => plain(path.to_owned(), None, 200),
    }
}
