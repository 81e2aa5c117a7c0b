//! ZIS integrations and their tokens, as tests make them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::{Answer, Client, Keys, TestServer, tokens};

pub(crate) const TOKENS: &str = "/api/v2/oauth/tokens";

/// What an admin's token is narrowed to, so that it may make integration tokens of both scopes.
pub(crate) const ADMIN_SCOPES: [&str; 4] =
    ["org_management", "connections_read", "connections_write", "connections_resolve"];

/// Where an integration is made.
pub(crate) fn registry(name: &str) -> String {
    format!("/api/services/zis/registry/{name}")
}

/// A client that presents one `Authorization` header, to one host.
#[derive(Clone)]
pub(crate) struct Zis {
    client: Client,
    authorization: Option<String>,
    host: Option<String>,
}

impl Zis {
    /// With this header.
    pub(crate) fn with(server: &TestServer, authorization: Option<String>) -> Self {
        Self { client: server.client_with(Keys::default()), authorization, host: None }
    }

    /// With a bearer token.
    pub(crate) fn bearer(server: &TestServer, token: &str) -> Self {
        Self::with(server, Some(format!("Bearer {token}")))
    }

    /// With an address and a personal access token.
    pub(crate) fn basic(server: &TestServer, email: &str, token: &str) -> Self {
        Self::with(server, Some(basic(&format!("{email}/token:{token}"))))
    }

    /// The first admin, with a new token.
    pub(crate) async fn admin(server: &TestServer) -> Self {
        let token = tokens::personal_access_token(&server.client(), json!(ADMIN_SCOPES)).await;
        Self::basic(server, "admin@example.com", &token.secret)
    }

    /// The header that it presents.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The same client for another server, as after a restart.
    pub(crate) fn to(&self, server: &TestServer) -> Self {
        Self { client: server.client_with(Keys::default()), ..self.clone() }
    }

    /// The same client at another host.
    pub(crate) fn at(&self, host: &str) -> Self {
        Self { host: Some(host.to_owned()), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let authorization = self.authorization.as_deref().map(|value| ("authorization", value));
        let host = self.host.as_deref().map(|host| ("host", host));
        let headers: Vec<_> = authorization.into_iter().chain(host).collect();
        self.client.send(method, path, &headers, body.map(|body| body.to_string())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.clone())).await
    }

    /// A new integration's OAuth client.
    pub(crate) async fn integration(&self, name: &str) -> i64 {
        let made = self.post(&registry(name), &json!({ "description": "Made" })).await.expect(200).json();
        made["zendesk_oauth_client"]["id"].as_i64().unwrap()
    }

    /// A new token of an OAuth client: its number and itself.
    pub(crate) async fn token(&self, client: i64, scopes: &[&str]) -> (i64, String) {
        let body = json!({ "token": { "client_id": client, "scopes": scopes } });
        let made = self.post(TOKENS, &body).await.expect(201).json();
        (made["token"]["id"].as_i64().unwrap(), made["token"]["full_token"].as_str().unwrap().to_owned())
    }
}

/// A header of the scheme Basic.
pub(crate) fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode(text))
}
