//! What a complete, valid request to each route is: the one table that must grow with the routes.

use claviger_http::RouteInfo;
use serde_json::{Value, json};

use super::{Answer, Client, actions, native_connections, people, restrictions, tokens};

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
                "application_keys_per_user_max": 1000, "native_keys_max": 1000, "connections_max": 1000, "native_key_prefix": "acme",
                "leaks": "revoke" });
            plain(Some(body), 200)
        }
        ("POST", "/claviger/v1/api_keys") => plain(Some(guarded(json!({ "name": "Sample" }))), 201),
        ("POST", "/claviger/v1/application_keys") => {
            plain(Some(guarded(json!({ "name": "Sample", "scopes": ["user_app_keys"] }))), 201)
        }
        ("POST", "/claviger/v1/users/{user_id}/application_keys") => {
            let path = route.path.replace("{user_id}", &super::people::user(admin, &[]).await);
            with(path, Some(guarded(json!({ "name": "Sample", "scopes": ["user_app_keys"] }))), 201)
        }
        (method, path) if path.starts_with("/claviger/v1/api_keys/{api_key_id}") => {
            guards(method, path.replace("{api_key_id}", &api_key(admin).await.id))
        }
        (method, path) if path.starts_with("/claviger/v1/application_keys/{app_key_id}") => {
            guards(method, path.replace("{app_key_id}", &application_key(admin, Value::Null).await.id))
        }
        (method, path) if path.starts_with("/claviger/v1/tokens/{token_id}") => {
            let token = tokens::personal_access_token(admin, json!(["monitors_read"])).await;
            guards(method, path.replace("{token_id}", &token.id))
        }
        ("GET", "/claviger/v1/permissions" | "/claviger/v1/keys") => plain(None, 200),
        ("POST", "/claviger/v1/permissions") => {
            plain(Some(json!({ "name": unique_permission(), "description": "Sample" })), 201)
        }
        (method, "/claviger/v1/permissions/{permission}") => {
            let path = format!("/claviger/v1/permissions/{}", own_permission(admin).await);
            by_id(method, path, json!({ "description": "Sample" }))
        }
        ("POST", "/claviger/v1/keys") => {
            plain(Some(merged(native_key_body(), json!({ "prefix": "acme_test" }))), 201)
        }
        ("POST", "/claviger/v1/keys/{key_id}/rotate") => {
            let id = native_key(admin, &json!({ "name": "Made" })).await.id;
            guards("POST", format!("/claviger/v1/keys/{id}/rotate"))
        }
        (method, "/claviger/v1/keys/{key_id}") => {
            let id = native_key(admin, &json!({ "name": "Made" })).await.id;
            by_id(method, format!("/claviger/v1/keys/{id}"), native_key_body())
        }
        (method, "/claviger/v1/roles/{role_id}/permissions") => {
            let path = format!("/claviger/v1/roles/{}/permissions", super::people::role(admin, &[]).await);
            with(path, (method == "PUT").then(|| json!({ "permissions": [] })), 200)
        }
        (method, "/claviger/v1/credentials/{credential_id}/permissions") => {
            let id = application_key(admin, Value::Null).await.id;
            let path = format!("/claviger/v1/credentials/{id}/permissions");
            with(path, (method == "PUT").then(|| json!({ "permissions": [] })), 200)
        }
        (method, "/claviger/v1/zis_integrations/{integration}") => by_id(
            method,
            format!("/claviger/v1/zis_integrations/{}", zis_integration(admin).await),
            json!({ "redirect_origins": ["https://app.example.com"] }),
        ),
        (_, path) if path.starts_with("/api/v2/restriction_policy/") => {
            restrictions::sample(route, admin).await
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
        (_, path) if native_connections::knows(path) => native_connections::sample(route, admin).await,
        (_, path) if actions::knows(path) => actions::sample(route, admin).await,
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

/// A request about the guards of a key, or for a new secret.
fn guards(method: &str, path: String) -> Sample {
    let body = match method {
        "POST" => Some(json!({ "grace_seconds": 60 })),
        "PATCH" => Some(guarded(json!({}))),
        _ => None,
    };
    Sample { path, headers: Vec::new(), body, success: 200 }
}

/// A body with guards that let the tests through.
fn guarded(mut body: Value) -> Value {
    body["allow_list"] = json!(["127.0.0.0/8", "::1"]);
    body["request_limit"] = json!({ "requests": 1_000_000, "period_seconds": 60 });
    body["expires_at"] = json!("2027-01-02T03:04:05Z");
    body
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

/// With every member but the prefix, which only a new one takes. No permissions: a narrowed caller gives none that it
/// does not have itself, and no other org has them.
fn native_key_body() -> Value {
    json!({ "name": "Sample", "permissions": [], "external_id": "customer-17",
        "metadata": { "plan": "gold" }, "allow_list": ["0.0.0.0/0", "::/0"],
        "request_limit": { "requests": 1_000_000, "period_seconds": 1 },
        "expires_at": "2100-01-01T00:00:00Z" })
}

fn merged(mut one: Value, other: Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

fn unique_permission() -> String {
    format!("a{}:read", unique_name())
}

/// The name of a new permission of the org's own.
pub(crate) async fn own_permission(admin: &Client) -> String {
    let name = unique_permission();
    admin.post("/claviger/v1/permissions", &json!({ "name": name })).await.expect(201);
    name
}

/// A new native key.
pub(crate) async fn native_key(admin: &Client, body: &Value) -> Made {
    let made = admin.post("/claviger/v1/keys", body).await.expect(201).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Made { id: text(&made["id"]), secret: text(&made["secret"]) }
}

/// The name of a new ZIS integration of the founding org, whose admin the client is.
async fn zis_integration(admin: &Client) -> String {
    let token = tokens::personal_access_token(admin, json!(["org_management"])).await;
    let name = unique_name();
    let authorization = format!("Bearer {}", token.secret);
    let headers = [("authorization", authorization.as_str())];
    let path = super::zis::registry(&name);
    admin.send(http::Method::POST, &path, &headers, Some("{}")).await.expect(200);
    name
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
