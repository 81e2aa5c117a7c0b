//! Requests to the routes of tokens, of service accounts and of what belongs to these, and those that tests make by
//! them.

use claviger_http::RouteInfo;
use serde_json::{Value, json};

use super::Client;
use super::sample::{Made, Sample, application_key_attributes, by_id, made};

/// When tokens end: by a test's clock a month after it begins.
pub(crate) const TOKEN_END: &str = "2026-04-03T05:06:07.54Z";

/// Whether a path is one of these routes'.
pub(super) fn knows(path: &str) -> bool {
    ["/api/v2/personal_access_tokens", "/api/v2/service_accounts"]
        .iter()
        .any(|family| path.starts_with(family))
}

/// A request to one of these routes that would succeed for an admin.
pub(super) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let with =
        |path: String, body: Option<Value>, success: u16| Sample { path, headers: Vec::new(), body, success };
    let plain = |body, success| with(route.path.to_owned(), body, success);
    match (route.method.as_str(), route.path) {
        ("GET", "/api/v2/personal_access_tokens") => plain(None, 200),
        ("POST", "/api/v2/personal_access_tokens") => {
            let attributes = token_attributes();
            let body = json!({ "data": { "type": "personal_access_tokens", "attributes": attributes } });
            plain(Some(body), 201)
        }
        (method, "/api/v2/personal_access_tokens/{pat_id}") => {
            let id = personal_access_token(admin, json!(SCOPES)).await.id;
            let body = json!({ "data": { "type": "personal_access_tokens", "id": id,
                "attributes": token_attributes() } });
            by_id(method, format!("/api/v2/personal_access_tokens/{id}"), body)
        }
        ("POST", "/api/v2/service_accounts") => {
            let attributes = json!({ "email": "machine@example.com", "service_account": true, "name": "Sample",
                "title": "Sample" });
            let body = json!({ "data": { "type": "users", "attributes": attributes,
                "relationships": { "roles": { "data": [] } } } });
            plain(Some(body), 201)
        }
        (
            method,
            "/api/v2/service_accounts/{service_account_id}/application_keys"
            | "/api/v2/service_accounts/{service_account_id}/access_tokens",
        ) => {
            let account = service_account(admin, json!([])).await;
            let path = route.path.replace("{service_account_id}", &account);
            match method == "POST" {
                false => with(path, None, 200),
                true if path.ends_with("/access_tokens") => {
                    let attributes = token_attributes();
                    let body =
                        json!({ "data": { "type": "service_access_tokens", "attributes": attributes } });
                    with(path, Some(body), 201)
                }
                true => {
                    let attributes = application_key_attributes();
                    let body = json!({ "data": { "type": "application_keys", "attributes": attributes } });
                    with(path, Some(body), 201)
                }
            }
        }
        (method, "/api/v2/service_accounts/{service_account_id}/application_keys/{app_key_id}") => {
            let account = service_account(admin, json!([])).await;
            let id = service_account_key(admin, &account, Value::Null).await.id;
            let attributes = application_key_attributes();
            let body = json!({ "data": { "type": "application_keys", "id": id, "attributes": attributes } });
            by_id(method, format!("/api/v2/service_accounts/{account}/application_keys/{id}"), body)
        }
        (method, "/api/v2/service_accounts/{service_account_id}/access_tokens/{token_id}") => {
            let account = service_account(admin, json!([])).await;
            let id = service_access_token(admin, &account, json!(SCOPES)).await.id;
            let unending = json!({ "name": "Sample", "scopes": SCOPES, "expires_at": null });
            let body = json!({ "data": { "type": "service_access_tokens", "id": id,
                "attributes": unending } });
            by_id(method, format!("/api/v2/service_accounts/{account}/access_tokens/{id}"), body)
        }
        (method, path) => {
            panic!("{method} {path} is a route that this table does not know: add a request to it")
        }
    }
}

/// A new personal access token of the client's own.
pub(crate) async fn personal_access_token(owner: &Client, scopes: Value) -> Made {
    let attributes = json!({ "name": "Made", "scopes": scopes, "expires_at": TOKEN_END });
    let body = json!({ "data": { "type": "personal_access_tokens", "attributes": attributes } });
    made(owner.post("/api/v2/personal_access_tokens", &body).await)
}

/// The id of a new service account with these roles.
pub(crate) async fn service_account(admin: &Client, roles: Value) -> String {
    let attributes = json!({ "email": "machine@example.com", "service_account": true });
    let body = json!({ "data": { "type": "users", "attributes": attributes,
        "relationships": { "roles": { "data": roles } } } });
    let made = admin.post("/api/v2/service_accounts", &body).await.expect(201).json();
    made["data"]["id"].as_str().unwrap().to_owned()
}

/// A new application key of a service account.
pub(crate) async fn service_account_key(admin: &Client, account: &str, scopes: Value) -> Made {
    let attributes = json!({ "name": "Made", "scopes": scopes });
    let body = json!({ "data": { "type": "application_keys", "attributes": attributes } });
    made(admin.post(&format!("/api/v2/service_accounts/{account}/application_keys"), &body).await)
}

/// A new access token of a service account, without an end.
pub(crate) async fn service_access_token(admin: &Client, account: &str, scopes: Value) -> Made {
    let attributes = json!({ "name": "Made", "scopes": scopes });
    let body = json!({ "data": { "type": "service_access_tokens", "attributes": attributes } });
    made(admin.post(&format!("/api/v2/service_accounts/{account}/access_tokens"), &body).await)
}

/// Of samples, before and after they are changed: nobody is asked to hand on more than is there.
const SCOPES: [&str; 2] = ["user_app_keys", "monitors_read"];

fn token_attributes() -> Value {
    json!({ "name": "Sample", "scopes": SCOPES, "expires_at": TOKEN_END })
}
