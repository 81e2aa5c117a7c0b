//! What a complete, valid request to each route of the Zendesk dialect is: the table that must grow with them.

use claviger_http::RouteInfo;
use http::Method;
use serde_json::{Value, json};

use super::oauth::{APP, CALLBACK, CLIENTS, CODES, START, client_body, make_client, query};
use super::provider::SECRET;
use super::sample::unique_name;
use super::zis::{TOKENS, Zis, registry};

/// The integration that samples are about; `client` is its OAuth client, and `holder` may read and write in it.
pub(crate) const INTEGRATION: &str = "my_integration";

/// A request.
pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    /// The status of its success.
    pub(crate) success: u16,
    /// Every secret that took part in it.
    pub(crate) secrets: Vec<String>,
}

/// A request to a route that would succeed with good credentials; what it is about is made for it.
pub(crate) async fn sample(route: &RouteInfo, admin: &Zis, holder: &Zis, client: i64) -> Sample {
    let with = |path: String, body, success| Sample { path, body, success, secrets: Vec::new() };
    if is_of_oauth(route) {
        return oauth(route, holder).await;
    }
    if let Some((_, of)) = route.path.split_once("/connections/") {
        return connection(route, of, holder).await;
    }
    match (route.method.as_str(), route.path) {
        ("POST", "/api/services/zis/registry/{integration}") => {
            with(registry("sample"), Some(json!({ "description": "Sample" })), 200)
        }
        ("GET", "/api/services/zis/registry/integrations") => with(route.path.to_owned(), None, 200),
        ("POST", path) if path.starts_with(TOKENS) => {
            let body = json!({ "token": { "client_id": client, "scopes": ["read"] } });
            with(path.to_owned(), Some(body), 201)
        }
        ("GET", path) if !path.contains('{') => with(path.to_owned(), None, 200),
        (method, "/api/v2/oauth/tokens/{token_id}") => {
            let (id, token) = admin.token(client, &["read"]).await;
            let success = if method == "DELETE" { 204 } else { 200 };
            Sample { secrets: vec![token], ..with(format!("{TOKENS}/{id}"), None, success) }
        }
        (method, path) => {
            panic!("{method} {path} is a route that this table does not know: add a request to it")
        }
    }
}

async fn connection(route: &RouteInfo, of: &str, holder: &Zis) -> Sample {
    let path = route.path.replace("{integration}", INTEGRATION);
    let (name, secret, another) = (unique_name(), unique_name(), unique_name());
    let body = json!({ "name": name, "allowed_domain": "api.example.com", "header_name": "x-api-key",
        "api_key": secret, "username": "ada", "password": secret, "token": secret });
    if of == "all" {
        return Sample { path, body: None, success: 200, secrets: Vec::new() };
    }
    if route.method == Method::POST {
        return Sample { path, body: Some(body), success: 201, secrets: vec![secret] };
    }
    holder.post(path.trim_end_matches("/{name}"), &body).await.expect(201);
    let patch = json!({ "api_key": another, "password": another, "token": another });
    let is_patch = route.method == Method::PATCH;
    Sample {
        path: path.replace("{name}", &name),
        body: is_patch.then_some(patch),
        success: if route.method == Method::GET { 200 } else { 204 },
        secrets: vec![secret, another],
    }
}

/// Whether a route is about OAuth clients or OAuth connections.
pub(crate) fn is_of_oauth(route: &RouteInfo) -> bool {
    route.path.starts_with("/api/services/zis/connections/")
}

/// The same of OAuth clients and connections, with one of each for every request. Browsers are sent on to [`APP`], which
/// the integration must allow.
async fn oauth(route: &RouteInfo, holder: &Zis) -> Sample {
    let mut body = client_body();
    body["name"] = json!(unique_name());
    body["allowed_domain"] = json!("api.example.com");
    body["grant_type"] = json!("authorization_code");
    let secret = format!("{SECRET}-{}", unique_name());
    body["client_secret"] = json!(secret);
    let with = |path: String, body, success| Sample { path, body, success, secrets: vec![secret.clone()] };
    let path = route.path.replace("{integration}", INTEGRATION);
    if path == CLIENTS {
        return if route.method == Method::POST {
            with(path, Some(body), 201)
        } else {
            with(path, None, 200)
        };
    }
    let uuid = make_client(holder, &body).await;
    let name = unique_name();
    let begin = async |grant: &str| {
        let body = json!({ "name": name, "oauth_client_uuid": uuid, "oauth_client_name": body["name"],
            "grant_type": grant, "origin_oauth_redirect_url": APP });
        query(holder.post(START, &body).await.expect(200).json()["redirect_url"].as_str().unwrap())
    };
    match (route.method.as_str(), path.as_str()) {
        (method, path) if path.starts_with(CLIENTS) => {
            let is_patch = method == "PATCH";
            let success = if method == "GET" { 200 } else { 204 };
            with(path.replace("{uuid}", &uuid), is_patch.then_some(body.clone()), success)
        }
        (_, START) => {
            let body = json!({ "name": name, "oauth_client_uuid": uuid, "oauth_client_name": body["name"],
                "grant_type": "authorization_code", "permission_scopes": "read", "allow_offline_access": true,
                "origin_oauth_redirect_url": APP });
            with(path, Some(body), 200)
        }
        (_, CALLBACK) => {
            let state = &begin("authorization_code").await["state"];
            let mut sample = with(format!("{path}?state={state}&error=access_denied"), None, 302);
            sample.secrets.push(state.clone());
            sample
        }
        (_, CODES) => {
            let code = &begin("client_credentials").await["verification_code"];
            let mut sample = with(format!("{path}?verification_code={code}"), None, 200);
            sample.secrets.push(code.clone());
            sample
        }
        (method, _) => {
            let code = &begin("client_credentials").await["verification_code"];
            holder.get(&format!("{CODES}?verification_code={code}")).await.expect(200);
            let success = if method == "DELETE" { 204 } else { 200 };
            let mut sample = with(format!("{path}?name={name}"), None, success);
            sample.secrets.push(code.clone());
            sample
        }
    }
}
