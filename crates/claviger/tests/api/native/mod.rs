//! `/claviger/v1/…`. What concerns several paths stands above: guards, rotation, revocation. The list of
//! integrations is read by the tests of connections, and with the operator's own by those of the program (`catalog.rs`);
//! the settings of an org are changed wherever a test needs others.

mod actions;
pub(crate) mod connections;
mod credential_permissions;
mod keys;
mod leaks;
mod orgs;
mod permissions;
mod role_permissions;
mod session;
mod users;
mod verify;
mod webhooks;

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Keys, TestServer};

/// Defines permissions of the org's own.
async fn define(admin: &Client, names: &[&str]) {
    for name in names {
        admin.post("/claviger/v1/permissions", &json!({ "name": name })).await.expect(201);
    }
}

/// What `/verify` says of a secret that is presented as a bearer token, where these permissions are required.
async fn verify(server: &TestServer, secret: &str, require: &str) -> Answer {
    let client = server.client_with(Keys { bearer: Some(secret.to_owned()), ..Keys::default() });
    client.send(Method::GET, "/verify", &[("claviger-require", require)], None::<String>).await
}

/// The fields that an error names, in order.
fn fields(answer: &Answer) -> Vec<String> {
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let mut fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect();
    fields.sort();
    fields
}

/// How often each of the org's own permissions is named, by name.
async fn uses(admin: &Client) -> Value {
    let list = admin.get("/claviger/v1/permissions").await.expect(200).json();
    let named = list["permissions"].as_array().unwrap().iter();
    named
        .map(|one| (one["name"].as_str().unwrap().to_owned(), one["uses"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
