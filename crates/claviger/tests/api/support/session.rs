//! Passwords of admins, and a client that keeps a session's cookie as a browser does.

use std::sync::{Arc, Mutex};

use claviger_engine::Operator;
use claviger_model::{OrgId, UserId};
use claviger_vault::Password;
use http::Method;
use serde_json::{Value, json};

use super::{Answer, Client, Keys, TestServer};

pub(crate) const SESSION: &str = "/claviger/v1/session";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const ADMIN: &str = "admin@example.com";

/// Gives a person a password, as the machine's operator does.
pub(crate) async fn set_password(
    server: &TestServer,
    org: OrgId,
    user: UserId,
    password: Option<&str>,
) -> usize {
    let password = password.map(|text| Password::parse(text.to_owned().into()).unwrap());
    let set = server.engine.set_password(&Operator::of_machine(), org, user, password).await;
    set.unwrap().value.sessions
}

/// One browser: a jar of cookies, and the CSRF token that its page has been told.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client,
    jar: Arc<Mutex<Option<String>>>,
    pub(crate) csrf: Option<String>,
    host: Option<String>,
}

impl Browser {
    /// A new one, which nobody has signed in with.
    pub(crate) fn new(server: &TestServer) -> Self {
        Self { client: server.client_with(Keys::default()), jar: Arc::default(), csrf: None, host: None }
    }

    /// The first admin's, who has [`PASSWORD`] and has signed in.
    pub(crate) async fn of_admin(server: &TestServer) -> Self {
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let mut browser = Self::new(server);
        browser.sign_in(ADMIN, PASSWORD).await.expect(201);
        browser
    }

    /// The same browser at another host, where it keeps other cookies.
    pub(crate) fn at(&self, host: &str) -> Self {
        Self { host: Some(host.to_owned()), jar: Arc::default(), csrf: None, ..self.clone() }
    }

    /// The same cookies, as an attacker has them who brings them to another host or server.
    pub(crate) fn stolen(&self, server: &TestServer, host: Option<&str>) -> Self {
        let jar = Arc::new(Mutex::new(self.cookie()));
        let client = server.client_with(Keys::default());
        Self { client, jar, csrf: self.csrf.clone(), host: host.map(str::to_owned) }
    }

    /// The cookie as it is sent.
    pub(crate) fn cookie(&self) -> Option<String> {
        self.jar.lock().unwrap().clone()
    }

    /// What stands in the cookie.
    pub(crate) fn token(&self) -> String {
        self.cookie().unwrap().split_once('=').unwrap().1.to_owned()
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.sign_in_with(&json!({ "email": email, "password": password })).await
    }

    pub(crate) async fn sign_in_with(&mut self, body: &Value) -> Answer {
        let answer = self.send(Method::POST, SESSION, &[], Some(body)).await;
        if answer.status.is_success() {
            self.csrf = answer.json()["csrf_token"].as_str().map(str::to_owned);
        }
        answer
    }

    /// Sends its cookie, the CSRF token that it knows where something may change, and further headers, of which a CSRF
    /// token takes the place of its own.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let cookie = self.cookie();
        let mut all: Vec<(&str, &str)> = cookie.iter().map(|cookie| ("cookie", cookie.as_str())).collect();
        all.extend(self.host.iter().map(|host| ("host", host.as_str())));
        let has_own = headers.iter().any(|(name, _)| *name == "x-csrf-token");
        if let (Some(csrf), false, true) = (&self.csrf, has_own, method != Method::GET) {
            all.push(("x-csrf-token", csrf));
        }
        // An empty one stands for none.
        all.extend(headers.iter().copied().filter(|(_, value)| !value.is_empty()));
        let answer = self.client.send(method, path, &all, body.map(Value::to_string)).await;
        self.keep(answer.header("set-cookie"));
        answer
    }

    /// What a browser does with a cookie.
    fn keep(&self, set: &str) {
        let Some((cookie, attributes)) = set.split_once(';') else { return };
        let is_over = attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
        *self.jar.lock().unwrap() = (!is_over).then(|| cookie.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body)).await
    }
}
