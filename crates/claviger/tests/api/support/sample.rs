//! What a complete, valid request to each route is: the one table that must grow with the routes.

use claviger_http::RouteInfo;
use serde_json::{Value, json};

use super::{Answer, Client, people, tokens};

/// A request.
#[derive(Clone)]
pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// With every member that the route knows.
    pub(crate) body: Option<Value>,
    /// The status of its success.
    pub(crate) success: u16,
}

/// What `/verify` is asked to require.
pub(crate) const REQUIRED: &str = "api_keys_read";

/// The keys by which the sample of GitHub's alerts is signed, as GitHub publishes its own.
pub(crate) const GITHUB_KEYS: &str = r#"{"public_keys":[{"key_identifier":"test","key":"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEHeivi/IEF0XVSGckMXrQluk4vWGo\nshu5ZZRWBbdPGES6fJWhyLTDni+hvcCEGUdEffR6aKbU+7PNIeXoc0Oltw==\n-----END PUBLIC KEY-----\n","is_current":true}]}"#;
/// By OpenSSL, over the sample as it is written.
pub(crate) const GITHUB_SIGNATURE: &str =
    "MEUCIQCjF6iKqauwLHiR4J4WnYiYbOCUNpy4fwTg+PQVN0L6lAIgD6j/qswj11UdCpuKOQ2Cy4DnEzAAekhis6RIFtitYQw=";

/// A request to a route that would succeed for an admin; what it is about is made through `admin`.
pub(crate) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let with =
        |path: String, body: Option<Value>, success: u16| Sample { path, headers: Vec::new(), body, success };
    let plain = |body, success| with(route.path.to_owned(), body, success);
    let name = json!({ "name": "Sample" });
    match (route.method.as_str(), route.path) {
        (
            "GET",
            "/healthz"
            | "/readyz"
            | "/openapi.json"
            | "/api/v1/validate"
            | "/api/v2/validate"
            | "/api/v2/validate_keys",
        ) => plain(None, 200),
        ("GET", "/verify") => Sample { headers: vec![("claviger-require", REQUIRED)], ..plain(None, 200) },
        ("GET", "/verify/{*path}") => Sample {
            headers: vec![("claviger-require", REQUIRED)],
            ..with("/verify/orders/17?x=y".to_owned(), None, 200)
        },
        ("GET", "/claviger/v1/org") => plain(None, 200),
        ("PATCH", "/claviger/v1/org") => {
            let body = json!({ "name": "Sample", "one_time_read": false, "api_keys_max": 1000,
                "application_keys_per_user_max": 1000, "leaks": "revoke" });
            plain(Some(body), 200)
        }
        ("GET", "/claviger/v1/webhooks") => plain(None, 200),
        ("POST", "/claviger/v1/webhooks") => plain(Some(webhook_body()), 201),
        (method, "/claviger/v1/webhooks/{id}") => {
            let mut body = webhook_body();
            body["rotate_secret"] = json!(true);
            by_id(method, format!("/claviger/v1/webhooks/{}", webhook(admin).await), body)
        }
        ("POST", "/claviger/v1/webhooks/{id}/test") => {
            with(format!("/claviger/v1/webhooks/{}/test", webhook(admin).await), None, 202)
        }
        ("POST", "/claviger/v1/leaks") => {
            let body = json!({ "secret": "0123456789abcdef0123456789abcdee", "source": "a scanner",
                "url": "https://example.com/found" });
            plain(Some(body), 200)
        }
        ("POST", "/claviger/v1/leaks/github") => Sample {
            headers: vec![
                ("github-public-key-identifier", "test"),
                ("github-public-key-signature", GITHUB_SIGNATURE),
            ],
            ..plain(
                Some(json!([{
                    "source": "content",
                    "token": "0123456789abcdef0123456789abcdee",
                    "type": "claviger_api_key",
                    "url": "https://github.com/octocat/Hello-World/blob/main/foo.txt",
                }])),
                200,
            )
        },
        ("GET", "/api/v1/api_key" | "/api/v1/application_key") => plain(None, 200),
        ("POST", "/api/v1/api_key") => plain(Some(name), 200),
        // Version 1 wants each of an owner's application keys to have a name of its own.
        ("POST", "/api/v1/application_key") => plain(Some(json!({ "name": unique_name() })), 200),
        (method, "/api/v1/api_key/{key}") => {
            let path = format!("/api/v1/api_key/{}", api_key(admin).await.secret);
            with(path, (method == "PUT").then_some(name), 200)
        }
        (method, "/api/v1/application_key/{key}") => {
            let path =
                format!("/api/v1/application_key/{}", application_key(admin, Value::Null).await.secret);
            with(path, (method == "PUT").then(|| json!({ "name": unique_name() })), 200)
        }
        (
            "GET",
            "/api/v2/api_keys" | "/api/v2/application_keys" | "/api/v2/current_user/application_keys",
        ) => plain(None, 200),
        ("POST", "/api/v2/api_keys") => {
            plain(Some(json!({ "data": { "type": "api_keys", "attributes": api_key_attributes() } })), 201)
        }
        (method, "/api/v2/api_keys/{api_key_id}") => {
            let id = api_key(admin).await.id;
            let body =
                json!({ "data": { "type": "api_keys", "id": id, "attributes": api_key_attributes() } });
            by_id(method, format!("/api/v2/api_keys/{id}"), body)
        }
        ("POST", "/api/v2/current_user/application_keys") => {
            let attributes = application_key_attributes();
            plain(Some(json!({ "data": { "type": "application_keys", "attributes": attributes } })), 201)
        }
        (
            method,
            "/api/v2/application_keys/{app_key_id}" | "/api/v2/current_user/application_keys/{app_key_id}",
        ) => {
            let id = application_key(admin, Value::Null).await.id;
            let attributes = application_key_attributes();
            let body = json!({ "data": { "type": "application_keys", "id": id, "attributes": attributes } });
            by_id(method, route.path.replace("{app_key_id}", &id), body)
        }
        (_, path) if tokens::knows(path) => tokens::sample(route, admin).await,
        (_, path) if people::knows(path) => people::sample(route, admin).await,
        (method, path) => {
            panic!("{method} {path} is a route that this table does not know: add a request to it")
        }
    }
}

/// Sends a sample.
pub(crate) async fn send(route: &RouteInfo, sample: &Sample, client: &Client) -> Answer {
    let body = sample.body.as_ref().map(ToString::to_string);
    client.send(route.method.clone(), &sample.path, &sample.headers, body).await
}

pub(super) fn by_id(method: &str, path: String, body: Value) -> Sample {
    let (body, success) = match method {
        "PATCH" => (Some(body), 200),
        "DELETE" => (None, 204),
        _ => (None, 200),
    };
    Sample { path, headers: Vec::new(), body, success }
}

fn webhook_body() -> Value {
    json!({ "url": "https://hooks.example.com/sample", "events": ["credential.revoked"], "enabled": true })
}

/// A new webhook's id.
async fn webhook(admin: &Client) -> String {
    let made = admin.post("/claviger/v1/webhooks", &webhook_body()).await.expect(201).json();
    made["id"].as_str().unwrap().to_owned()
}

fn api_key_attributes() -> Value {
    json!({ "name": "Sample", "category": "mine", "remote_config_read_enabled": false })
}

pub(super) fn application_key_attributes() -> Value {
    json!({ "name": "Sample", "scopes": ["user_app_keys", "monitors_read"] })
}

pub(crate) fn unique_name() -> String {
    super::database::random_uuid().to_string()
}

/// A key that was made.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A new API key.
pub(crate) async fn api_key(admin: &Client) -> Made {
    let body = json!({ "data": { "type": "api_keys", "attributes": { "name": "Made" } } });
    made(admin.post("/api/v2/api_keys", &body).await)
}

/// A new application key of the client's own.
pub(crate) async fn application_key(admin: &Client, scopes: Value) -> Made {
    let attributes = json!({ "name": "Made", "scopes": scopes });
    let body = json!({ "data": { "type": "application_keys", "attributes": attributes } });
    made(admin.post("/api/v2/current_user/application_keys", &body).await)
}

pub(super) fn made(answer: Answer) -> Made {
    let made = answer.expect(201).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Made { id: text(&made["data"]["id"]), secret: text(&made["data"]["attributes"]["key"]) }
}
