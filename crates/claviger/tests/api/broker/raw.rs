//! Calls with exactly the method, headers and body that a test says, by a caller who may use connections and no more.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::Scene;
use crate::support::Answer;
use crate::support::native_connections::{made, path_of};

/// See the module's documentation.
pub(super) struct Caller {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    base: String,
    token: String,
}

impl Caller {
    pub(super) async fn new(scene: &Scene) -> Self {
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        Self { http, base: format!("http://{}/broker/", scene.server.address), token: scene.token().await }
    }

    /// Calls `{connection}/{path}?{query}`.
    pub(super) async fn call(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.bare(method, target, &[&[("authorization", &*bearer)], headers].concat(), body).await
    }

    /// The same without a credential but those that the headers have.
    pub(super) async fn bare(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = Request::builder().method(method).uri(format!("{}{target}", self.base));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = self.http.request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(super) async fn get(&self, target: &str) -> Answer {
        self.call("GET", target, &[], "").await
    }
}

/// What the caller was told: `ok`, or the code of the refusal.
pub(super) fn code(answer: &Answer) -> &str {
    if answer.status.is_success() { "ok" } else { answer.header("claviger-error") }
}

/// The id of a new connection on these terms.
pub(super) async fn on_terms(scene: &Scene, integration: &Value, terms: Value) -> String {
    let more = if terms.is_null() { terms } else { json!({ "terms": terms }) };
    let shown = made(&scene.admin, "On terms", integration, more).await;
    shown["id"].as_str().unwrap().to_owned()
}

/// Changes a connection's terms; once this returns, that is answered.
pub(super) async fn change_terms(scene: &Scene, id: &str, terms: Value) {
    scene.admin.patch(&path_of(&json!({ "id": id })), &json!({ "terms": terms })).await.expect(200);
}
