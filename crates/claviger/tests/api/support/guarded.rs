//! Keys with guards, made by the native API, and what is asked of them.

use serde_json::{Value, json};

use super::sample::Made;
use super::{Answer, Client, Keys, TestServer};

/// A new API key with guards.
pub(crate) async fn api_key(admin: &Client, guards: Value) -> Made {
    made(admin.post("/claviger/v1/api_keys", &with_name(guards)).await.expect(201))
}

/// A new application key of the client's own with guards, and perhaps scopes.
pub(crate) async fn application_key(owner: &Client, guards: Value) -> Made {
    made(owner.post("/claviger/v1/application_keys", &with_name(guards)).await.expect(201))
}

/// Gives a key of this path a new secret.
pub(crate) async fn rotate(admin: &Client, path: &str, grace_seconds: u32) -> Made {
    let body = json!({ "grace_seconds": grace_seconds });
    made(admin.post(&format!("{path}/rotate"), &body).await.expect(200))
}

/// What an answer of the native API shows of a key.
pub(crate) fn made(answer: Answer) -> Made {
    let made = answer.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    // Native keys have a word of their own for it.
    let secret = made.get("secret").unwrap_or(&made["key"]);
    Made { id: text(&made["id"]), secret: text(secret) }
}

fn with_name(mut guards: Value) -> Value {
    guards["name"] = json!("Guarded");
    guards
}

impl TestServer {
    /// What `/verify` says of a credential by itself: `ok`, or the reason why not.
    pub(crate) async fn verdict(&self, secret: &str) -> String {
        let answer = self.bearer(secret).get("/verify").await;
        match answer.status.as_u16() {
            200 => "ok".to_owned(),
            _ => answer.json()["reason"].as_str().unwrap().to_owned(),
        }
    }

    /// A client with a credential that stands alone.
    pub(crate) fn bearer(&self, secret: &str) -> Client {
        self.client_with(Keys { bearer: Some(secret.to_owned()), ..Keys::default() })
    }

    /// A client with this application key beside the first admin's API key.
    pub(crate) fn beside(&self, application_key: &str) -> Client {
        self.client_with(Keys { application_key: Some(application_key.to_owned()), ..self.admin() })
    }
}
