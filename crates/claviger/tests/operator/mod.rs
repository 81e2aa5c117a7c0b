//! The program as an operator runs it: a data directory, its commands, and a server with a plain client.

#![allow(dead_code, unused_imports, reason = "no test needs all of it")]

#[path = "../process/mod.rs"]
mod process;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) use process::{Outcome, Serving as Server, program};
use process::{ask, ask_with};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A data directory.
pub(crate) struct Home {
    pub(crate) directory: TempDir,
    /// A PostgreSQL database in place of the SQLite file.
    pub(crate) database: Option<String>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), database: None }
    }

    pub(crate) fn on(database: String) -> Self {
        Self { database: Some(database), ..Self::new() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    /// Takes another data directory's files as its own.
    pub(crate) fn take(&self, names: &[&str], from: &Self) {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.data()).unwrap();
        for name in names {
            fs::copy(from.file(name), self.file(name)).unwrap();
        }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.directory.path()).args(arguments).arg("--data").arg(self.data());
        if let Some(database) = &self.database {
            command.args(["--database", database]);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }

    pub(crate) fn bootstrap(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.file("bootstrap.json")).unwrap()).unwrap()
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, settings: &[&str]) -> Server {
        Server::start(self.command(&[&["serve", "--listen", "127.0.0.1:0"], settings].concat()))
    }
}

/// Who calls.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) api_key: String,
    pub(crate) application_key: String,
}

impl Keys {
    pub(crate) fn of(home: &Home) -> Self {
        let bootstrap = home.bootstrap();
        let text = |name: &str| bootstrap[name].as_str().unwrap().to_owned();
        Self { api_key: text("api_key"), application_key: text("application_key") }
    }
}

impl Server {
    /// The status and the body of an answer.
    pub(crate) fn call(&self, keys: &Keys, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let keys = [("dd-api-key", keys.api_key.as_str()), ("dd-application-key", &keys.application_key)];
        self.send(&keys, method, path, body)
    }

    /// What an answer to a token says, which must be a success.
    #[allow(dead_code, reason = "not every suite speaks every dialect")]
    pub(crate) fn ask(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) =
            self.send(&[("authorization", &format!("Bearer {token}"))], method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn send(
        &self,
        credentials: &[(&str, &str)],
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let body = body.map(ToString::to_string).unwrap_or_default();
        let headers = [credentials, &[("content-type", "application/json")]].concat();
        let (status, body) = ask_with(self.address, method, path, &headers, &body).unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    pub(crate) fn expect(
        &self,
        status: u16,
        keys: &Keys,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Value {
        let (found, answer) = self.call(keys, method, path, body);
        assert_eq!(found, status, "{method} {path}: {answer}");
        answer
    }

    /// A new API key: its id and its secret.
    pub(crate) fn create_api_key(&self, keys: &Keys, name: &str) -> (String, String) {
        let body = json!({ "data": { "type": "api_keys", "attributes": { "name": name } } });
        key_of(&self.expect(201, keys, "POST", "/api/v2/api_keys", Some(&body)))
    }

    /// A new application key: its id and its secret.
    pub(crate) fn create_application_key(
        &self,
        keys: &Keys,
        name: &str,
        scopes: &[&str],
    ) -> (String, String) {
        let mut attributes = json!({ "name": name });
        if !scopes.is_empty() {
            attributes["scopes"] = json!(scopes);
        }
        let body = json!({ "data": { "type": "application_keys", "attributes": attributes } });
        key_of(&self.expect(201, keys, "POST", "/api/v2/current_user/application_keys", Some(&body)))
    }

    /// A new service account with so many new access tokens: their ids and their secrets.
    pub(crate) fn create_service_access_tokens(&self, keys: &Keys, count: usize) -> Vec<(String, String)> {
        const PATH: &str = "/api/v2/service_accounts";
        let attributes = json!({ "email": "machine@example.com", "service_account": true });
        let body = json!({ "data": { "type": "users", "attributes": attributes } });
        let account = self.expect(201, keys, "POST", PATH, Some(&body));
        let path = format!("{PATH}/{}/access_tokens", account["data"]["id"].as_str().unwrap());
        let token = |n| {
            let attributes = json!({ "name": format!("token {n}"), "scopes": ["dashboards_read"] });
            let body = json!({ "data": { "type": "service_access_tokens", "attributes": attributes } });
            key_of(&self.expect(201, keys, "POST", &path, Some(&body)))
        };
        (0..count).map(token).collect()
    }

    /// Two permissions of the org's own, three native keys that have them or not, and one that is dead; their ids and
    /// their secrets.
    pub(crate) fn create_native_keys(&self, keys: &Keys) -> Vec<(String, String)> {
        for name in ["orders:read", "orders:write", "orders:gone"] {
            let (status, _) =
                self.call(keys, "POST", "/claviger/v1/permissions", Some(&json!({ "name": name })));
            assert!(matches!(status, 201 | 409), "{status}");
        }
        self.expect(204, keys, "DELETE", "/claviger/v1/permissions/orders:gone", None);
        let key = |body: Value| {
            let made = self.expect(201, keys, "POST", "/claviger/v1/keys", Some(&body));
            let text = |name: &str| made[name].as_str().unwrap().to_owned();
            (text("id"), text("secret"))
        };
        let reader = json!({ "name": "reader", "permissions": ["orders:read"], "external_id": "customer-1",
            "metadata": { "plan": "gold" } });
        let both =
            json!({ "name": "both", "permissions": ["orders:write", "orders:read"], "prefix": "acme" });
        let made = vec![key(reader.clone()), key(both), key(json!({ "name": "bare" })), key(reader)];
        self.expect(204, keys, "DELETE", &format!("/claviger/v1/keys/{}", made[3].0), None);
        made
    }

    /// What `/verify` answers to a secret.
    pub(crate) fn verify(&self, secret: &str) -> u16 {
        ask(self.address, "GET", "/verify", &[("x-api-key", secret)]).unwrap().0
    }

    pub(crate) fn revoke_api_key(&self, keys: &Keys, id: &str) {
        self.expect(204, keys, "DELETE", &format!("/api/v2/api_keys/{id}"), None);
    }

    /// Whether an API key is valid.
    pub(crate) fn is_valid(&self, api_key: &str) -> bool {
        let keys = Keys { api_key: api_key.to_owned(), application_key: String::new() };
        match self.call(&keys, "GET", "/api/v1/validate", None).0 {
            200 => true,
            403 => false,
            other => panic!("{other}"),
        }
    }
}

fn key_of(answer: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["data"]["id"]), text(&answer["data"]["attributes"]["key"]))
}

impl Outcome {
    /// Ends with this code, and has all of these in what it says.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, expected: &[&str]) -> Self {
        self.ends(code, expected)
    }
}
