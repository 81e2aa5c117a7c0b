//! A change of a role that very many have: in effect before its answer, which is not late.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::support::people::{API_KEYS_READ, Member, role, user};
use crate::support::{Client, Setup, TestDatabase, TestServer, with_either_database};

/// Users who have the role.
const USERS: usize = 100_000;
/// Of a few changes, the quickest must be answered in this time: what else the machine does is not the server's fault.
const ANSWER: Duration = Duration::from_millis(50);
const ROUNDS: usize = 5;

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

/// Sends, and tells how long the answer took.
async fn timed(client: &Client, method: Method, path: &str, body: Option<String>) -> Duration {
    let started = Instant::now();
    let answer = client.send(method, path, &[], body).await;
    let took = started.elapsed();
    assert!(answer.status.is_success(), "{}", answer.text);
    took
}

with_either_database! {
    async fn of_a_hundred_thousand_users_is_in_effect_before_its_answer(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let mut roles = Vec::new();
        for _ in 0..ROUNDS {
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
        let quickest = |times: &[Duration]| *times.iter().min().unwrap();

        let mut changed = Vec::new();
        for (place, role) in roles.iter().enumerate() {
            client.get(keys).await.expect(200);
            let path = format!("/api/v2/roles/{role}/permissions");
            changed.push(timed(&admin, Method::DELETE, &path, Some(permission.clone())).await);
            // The other roles allow it still, until the last is changed.
            client.get(keys).await.expect(if place + 1 == ROUNDS { 403 } else { 200 });
        }
        changed.push(timed(&admin, Method::POST, &format!("/api/v2/roles/{}/permissions", roles[0]), Some(permission)).await);
        client.get(keys).await.expect(200);
        let counted = timed(&admin, Method::GET, &format!("/api/v2/roles/{}", roles[0]), None).await;
        let shown = admin.get(&format!("/api/v2/roles/{}", roles[0])).await.json();
        assert_eq!(shown["data"]["attributes"]["user_count"], USERS + 1);
        let listed = timed(&admin, Method::GET, &format!("/api/v2/roles/{}/users", roles[0]), None).await;

        let path = format!("/api/v2/roles/{}/users", roles[0]);
        let mut given = Vec::new();
        for _ in 0..ROUNDS {
            let body = json!({ "data": { "type": "users", "id": user(&admin, &[]).await } }).to_string();
            given.push(timed(&admin, Method::POST, &path, Some(body)).await);
        }

        let mut removed = Vec::new();
        for role in &roles {
            removed.push(timed(&admin, Method::DELETE, &format!("/api/v2/roles/{role}"), None).await);
            client.get(keys).await.expect(403);
        }
        println!(
            "{USERS} users: permission changed in {:?}, role removed in {:?}, given to one more in {:?}, role read in {counted:?}, its users listed in {listed:?}",
            quickest(&changed), quickest(&removed), quickest(&given)
        );
        assert!(quickest(&changed) < ANSWER, "{changed:?}");
        assert!(quickest(&removed) < ANSWER, "{removed:?}");
        server.stop().await;
    }
}
