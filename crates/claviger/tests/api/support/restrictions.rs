//! Restriction policies for tests, and people whom they are about.

use claviger_http::RouteInfo;
use http::Method;
use serde_json::{Value, json};

use super::people::{self, Member};
use super::sample::{Sample, unique_name};
use super::{Answer, Client, Keys, TestServer, connections, tokens};

/// `connections_read`, `connections_write` and `connections_resolve`, by the vendor's ids.
pub(crate) const CONNECTIONS: [&str; 3] = [
    "f6e917a6-8502-11ec-bf20-da7ad0900002",
    "f6e917a7-8502-11ec-bf20-da7ad0900002",
    "36e2a22e-248a-11ed-b405-da7ad0900002",
];

/// The path of a connection's policy.
pub(crate) fn path(connection: &str) -> String {
    format!("/api/v2/restriction_policy/connection:{connection}")
}

/// The body that gives these relations, each to one principal.
pub(crate) fn policy(connection: &str, given: &[(&str, String)]) -> Value {
    let binding =
        |(relation, principal): &(&str, String)| json!({ "relation": relation, "principals": [principal] });
    let bindings: Vec<_> = given.iter().map(binding).collect();
    with_bindings(connection, json!(bindings))
}

/// The same around any bindings.
pub(crate) fn with_bindings(connection: &str, bindings: Value) -> Value {
    json!({ "data": { "type": "restriction_policy", "id": format!("connection:{connection}"),
        "attributes": { "bindings": bindings } } })
}

/// A request to one of the routes that would succeed for an admin. Everybody keeps access: whoever sends it is nobody
/// whom it could take away from.
pub(super) async fn sample(route: &RouteInfo, admin: &Client) -> Sample {
    let connection = connections::made(admin, &connections::gitlab("glpat-sample-sample")).await;
    let (path, body, success) = match route.method.as_str() {
        "POST" => {
            let me = admin.get("/api/v2/current_user").await.expect(200).json();
            let org = me["data"]["relationships"]["org"]["data"]["id"].as_str().unwrap();
            let body = policy(&connection, &[("editor", format!("org:{org}"))]);
            (path(&connection), Some(body), 200)
        }
        "DELETE" => (path(&connection), None, 204),
        _ => (path(&connection), None, 200),
    };
    Sample { path, headers: Vec::new(), body, success }
}

/// Sets a policy, whoever loses by it.
pub(crate) async fn restrict(admin: &Client, connection: &str, given: &[(&str, String)]) -> Answer {
    let path = format!("{}?allow_self_lockout=true", path(connection));
    let body = policy(connection, given).to_string();
    admin.send(Method::POST, &path, &[], Some(body)).await.expect(200)
}

/// The principal that stands for everybody in the org.
pub(crate) fn everybody(server: &TestServer) -> String {
    format!("org:{}", server.founded.org)
}

/// Somebody with a role of their own, by a token that may do all with connections and nothing else.
pub(crate) struct Someone {
    pub(crate) user: String,
    pub(crate) role: String,
    pub(crate) client: Client,
}

impl Someone {
    pub(crate) async fn join(server: &TestServer) -> Self {
        let role = people::role(&server.client(), &[]).await;
        let roles = ["Datadog Admin Role", role.as_str()];
        let member = Member::join(server, "human", &roles, Value::Null).await;
        let owner = server.client_with(member.keys);
        let scopes = json!(["connections_read", "connections_write", "connections_resolve"]);
        let token = tokens::personal_access_token(&owner, scopes).await;
        let keys = Keys { bearer: Some(token.secret), ..Keys::default() };
        Self { user: member.id, role, client: server.client_with(keys) }
    }
}

/// Somebody who may do all with connections, and manages nobody's access, with an application key that is registered
/// or is not.
pub(crate) async fn keyholder(server: &TestServer, is_registered: bool) -> (String, Client) {
    let role = people::role(&server.client(), &CONNECTIONS).await;
    let (id, email) = (unique_name(), format!("{}@example.com", unique_name()));
    let document = json!({ "orgs": [{
        "id": server.founded.org.to_string(),
        "users": [{ "id": id, "email": email, "kind": "human", "roles": [role] }],
        "application_keys": [{ "name": email, "owner": id, "registered": is_registered }],
    }] });
    let imported = server.engine.import(&document).await.unwrap();
    let application_key = Some(imported.secrets[0].secret.reveal().to_owned());
    (id, server.client_with(Keys { application_key, ..server.admin() }))
}
