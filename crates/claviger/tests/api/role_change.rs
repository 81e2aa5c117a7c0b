//! A change of a role that very many have: in effect before its answer, and no more work than if one had it. How long it
//! takes is measured by the benchmark.

use http::Method;
use serde_json::{Value, json};

use crate::support::people::{API_KEYS_READ, Member, role, user};
use crate::support::{Setup, TestDatabase, TestServer, with_either_database};

/// Users who have the role.
const USERS: usize = 100_000;
/// Roles that each of them has.
const ROLES: usize = 2;

/// Statements that give very many users these roles, some thousand rows in each.
fn users_with(org: &str, roles: &[String]) -> String {
    let mut sql = String::new();
    for chunk in (0..USERS).collect::<Vec<_>>().chunks(2000) {
        let id = |n: &usize| format!("00000000-0000-4000-8000-{n:012}");
        let user = |n: &usize| {
            let id = id(n);
            format!("('{id}','{org}','human','{n}@example.com','{n}@example.com',1,0,0)")
        };
        let users: Vec<_> = chunk.iter().map(user).collect();
        sql +=
            "INSERT INTO users (id, org_id, kind, email, handle, verified, created_at, modified_at) VALUES ";
        sql += &format!("{};\n", users.join(","));
        for role in roles {
            let held: Vec<_> = chunk.iter().map(|n| format!("('{org}','{}','{role}')", id(n))).collect();
            sql += &format!("INSERT INTO user_roles (org_id, user_id, role_id) VALUES {};\n", held.join(","));
        }
    }
    format!("BEGIN;\n{sql}COMMIT;\n")
}

/// The only entry of this action on a role names nothing but the role as changed, so that nothing else is read again.
async fn check_names_it_alone(server: &TestServer, role: &str, action: &str) {
    let sql = format!("SELECT change FROM ledger WHERE subject_id = '{role}' AND action = '{action}'");
    let entry: Value = serde_json::from_str(&server.database().scalar(&sql).await).unwrap();
    let changed: Vec<_> = entry["states"].as_object().unwrap().keys().collect();
    assert_eq!(changed, [&format!("role:{role}")]);
}

with_either_database! {
    async fn of_a_hundred_thousand_users_is_in_effect_before_its_answer(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let mut roles = Vec::new();
        for _ in 0..ROLES {
            roles.push(role(&admin, &[API_KEYS_READ]).await);
        }
        let names: Vec<_> = roles.iter().map(String::as_str).collect();
        let holder = Member::join(&server, "human", &names, Value::Null).await;
        let org = server.founded.org.to_string();
        let halted = server.halt().await;
        halted.database.execute(&users_with(&org, &roles)).await;
        let server = halted.start(Setup::default()).await;
        let (admin, client) = (server.client(), server.client_with(holder.keys));
        let keys = "/api/v2/api_keys";
        let permission = json!({ "data": { "type": "permissions", "id": API_KEYS_READ } }).to_string();

        for (place, role) in roles.iter().enumerate() {
            client.get(keys).await.expect(200);
            let path = format!("/api/v2/roles/{role}/permissions");
            admin.send(Method::DELETE, &path, &[], Some(permission.clone())).await.expect(200);
            // The other roles allow it still, until the last is changed.
            client.get(keys).await.expect(if place + 1 == ROLES { 403 } else { 200 });
            check_names_it_alone(&server, role, "role.updated").await;
        }
        let path = format!("/api/v2/roles/{}", roles[0]);
        admin.send(Method::POST, &format!("{path}/permissions"), &[], Some(permission)).await.expect(200);
        client.get(keys).await.expect(200);
        let shown = admin.get(&path).await.expect(200).json();
        assert_eq!(shown["data"]["attributes"]["user_count"], USERS + 1);

        let body = json!({ "data": { "type": "users", "id": user(&admin, &[]).await } }).to_string();
        admin.send(Method::POST, &format!("{path}/users"), &[], Some(body)).await.expect(200);
        let listed = admin.get(&format!("{path}/users")).await.expect(200).json();
        assert_eq!(listed["meta"]["page"]["total_count"], USERS + 2);

        for role in &roles {
            admin.send(Method::DELETE, &format!("/api/v2/roles/{role}"), &[], None::<String>).await.expect(204);
            client.get(keys).await.expect(403);
            check_names_it_alone(&server, role, "role.removed").await;
        }
        server.stop().await;
    }
}
