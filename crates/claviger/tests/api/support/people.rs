//! Requests to the routes of users, invitations, roles and orgs, and the people and roles that tests make by them.

use std::sync::Arc;

use claviger_engine::Engine;
use claviger_http::RouteInfo;
use serde_json::{Value, json};

use super::sample::{Sample, by_id, unique_name};
use super::{Client, Keys, TestServer};

const FAMILIES: [&str; 8] = [
    "/api/v2/users",
    "/api/v2/current_user",
    "/api/v2/user_invitations",
    "/api/v2/permissions",
    "/api/v2/roles",
    "/api/v1/org",
    "/claviger/v1/orgs",
    "/api/v2/service_accounts",
];

/// `api_keys_read`, by the vendor's id.
pub(crate) const API_KEYS_READ: &str = "372896c4-f923-11ea-adbc-4fecd107156d";

/// Whether a path is one of these routes'.
pub(super) fn knows(path: &str) -> bool {
    FAMILIES.iter().any(|family| path == *family || path.starts_with(&format!("{family}/")))
}

/// A request to one of these routes that would succeed for an admin.
pub(super) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let with =
        |path: String, body: Option<Value>, success: u16| Sample { path, headers: Vec::new(), body, success };
    let plain = |body, success| with(route.path.to_owned(), body, success);
    match (route.method.as_str(), route.path) {
        ("GET", "/api/v2/users" | "/api/v2/current_user" | "/api/v2/permissions" | "/api/v2/roles") => {
            plain(None, 200)
        }
        ("POST", "/api/v2/users") => {
            // A role that allows nothing: whoever may invite may hand it on.
            let roles = json!({ "data": [{ "type": "roles", "id": role(admin, &[]).await }] });
            let body = json!({ "data": { "type": "users", "attributes": user_attributes(),
                "relationships": { "roles": roles } } });
            plain(Some(body), 201)
        }
        (method, "/api/v2/users/{user_id}") => {
            let id = user(admin, &[]).await;
            let mut attributes = user_attributes();
            attributes["disabled"] = json!(false);
            let body = json!({ "data": { "type": "users", "id": id, "attributes": attributes } });
            by_id(method, format!("/api/v2/users/{id}"), body)
        }
        ("GET", path) if path.starts_with("/api/v2/users/") => {
            with(path.replace("{user_id}", &user(admin, &[]).await), None, 200)
        }
        ("POST", "/api/v2/user_invitations") => plain(Some(invitation(&user(admin, &[]).await)), 201),
        ("GET", "/api/v2/user_invitations/{user_invitation_uuid}") => {
            let body = invitation(&user(admin, &[]).await);
            let sent = admin.post("/api/v2/user_invitations", &body).await.expect(201).json();
            let id = sent["data"][0]["id"].as_str().unwrap();
            with(format!("/api/v2/user_invitations/{id}"), None, 200)
        }
        ("POST", "/api/v2/roles") => {
            let body = json!({ "data": { "type": "roles", "attributes": role_attributes(),
                "relationships": permissions(&[API_KEYS_READ]) } });
            plain(Some(body), 200)
        }
        (method, "/api/v2/roles/{role_id}") => {
            let id = role(admin, &[]).await;
            let body = json!({ "data": { "type": "roles", "id": id, "attributes": role_attributes(),
                "relationships": permissions(&[API_KEYS_READ]) } });
            by_id(method, format!("/api/v2/roles/{id}"), body)
        }
        ("POST", "/api/v2/roles/{role_id}/clone") => {
            let attributes = json!({ "name": unique_name(), "receives_permissions_from": [] });
            let body = json!({ "data": { "type": "roles", "attributes": attributes } });
            with(route.path.replace("{role_id}", &role(admin, &[]).await), Some(body), 200)
        }
        (method, "/api/v2/roles/{role_id}/permissions") => {
            let body = json!({ "data": { "type": "permissions", "id": API_KEYS_READ } });
            let path = route.path.replace("{role_id}", &role(admin, &[]).await);
            with(path, (method != "GET").then_some(body), 200)
        }
        (method, "/api/v2/roles/{role_id}/users") => {
            let id = role(admin, &[]).await;
            let members: &[&str] = if method == "POST" { &[] } else { &[&id] };
            let body = json!({ "data": { "type": "users", "id": user(admin, members).await } });
            with(route.path.replace("{role_id}", &id), (method != "GET").then_some(body), 200)
        }
        ("POST", "/api/v1/org") => plain(Some(json!({ "name": "Sample" })), 200),
        ("GET", "/claviger/v1/orgs") => plain(None, 200),
        ("POST", "/claviger/v1/orgs") => {
            plain(Some(json!({ "name": "Sample", "admin_email": "sample@example.com" })), 201)
        }
        (method, "/claviger/v1/orgs/{org_id}") => {
            let made = admin.post("/claviger/v1/orgs", &json!({ "name": "Made" })).await.expect(201).json();
            let body = json!({ "name": "Sample", "disabled": false });
            by_id(method, format!("/claviger/v1/orgs/{}", made["org"]["id"].as_str().unwrap()), body)
        }
        (method, path) => {
            panic!("{method} {path} is a route that this table does not know: add a request to it")
        }
    }
}

/// A new person with these roles.
pub(crate) async fn user(admin: &Client, roles: &[&str]) -> String {
    let roles: Vec<_> = roles.iter().map(|id| json!({ "type": "roles", "id": id })).collect();
    let body = json!({ "data": { "type": "users", "attributes": user_attributes(),
        "relationships": { "roles": { "data": roles } } } });
    id_of(&admin.post("/api/v2/users", &body).await.expect(201).json())
}

/// A new role that allows exactly this.
pub(crate) async fn role(admin: &Client, ids: &[&str]) -> String {
    let body = json!({ "data": { "type": "roles", "attributes": role_attributes(),
        "relationships": permissions(ids) } });
    id_of(&admin.post("/api/v2/roles", &body).await.expect(200).json())
}

/// The built-in role of that name.
pub(crate) async fn built_in_role(admin: &Client, name: &str) -> String {
    let path = format!("/api/v2/roles?filter={}", name.replace(' ', "%20"));
    let list = admin.get(&path).await.expect(200).json();
    list["data"][0]["id"].as_str().unwrap().to_owned()
}

pub(crate) fn id_of(answer: &Value) -> String {
    answer["data"]["id"].as_str().unwrap().to_owned()
}

fn user_attributes() -> Value {
    json!({ "email": format!("{}@example.com", unique_name()), "name": "Sample", "title": "Sample" })
}

fn role_attributes() -> Value {
    json!({ "name": unique_name(), "default_permissions_opt_out": true, "receives_permissions_from": [] })
}

fn permissions(ids: &[&str]) -> Value {
    let ids: Vec<_> = ids.iter().map(|id| json!({ "type": "permissions", "id": id })).collect();
    json!({ "permissions": { "data": ids } })
}

fn invitation(user: &str) -> Value {
    json!({ "data": [{ "type": "user_invitations",
        "relationships": { "user": { "data": { "type": "users", "id": user } } } }] })
}

/// Somebody with an application key of their own.
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) keys: Keys,
}

impl Member {
    /// Brings in a person or a service account of the first org, with these roles and one application key: the
    /// vendor's API makes users, but no keys for them.
    pub(crate) async fn join(server: &TestServer, kind: &str, roles: &[&str], scopes: Value) -> Self {
        People::of(server).join(kind, roles, scopes).await
    }
}

/// What bringing people in takes.
#[derive(Clone)]
pub(crate) struct People {
    engine: Arc<Engine>,
    org: String,
    admin: Keys,
}

impl People {
    pub(crate) fn of(server: &TestServer) -> Self {
        let (engine, org) = (server.engine.clone(), server.founded.org.to_string());
        Self { engine, org, admin: server.admin() }
    }

    /// See [`Member::join`].
    pub(crate) async fn join(&self, kind: &str, roles: &[&str], scopes: Value) -> Member {
        let (id, email) = (unique_name(), format!("{}@example.com", unique_name()));
        let document = json!({ "orgs": [{
            "id": self.org,
            "users": [{ "id": id, "email": email, "kind": kind, "roles": roles }],
            "application_keys": [{ "name": email, "owner": id, "scopes": scopes }],
        }] });
        let imported = self.engine.import(&document).await.unwrap();
        let application_key = Some(imported.secrets[0].secret.reveal().to_owned());
        Member { id, keys: Keys { application_key, ..self.admin.clone() } }
    }
}
