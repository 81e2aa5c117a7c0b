//! What was called through a connection is listed: all of it, to whoever may see it, and nothing that is a secret.

use claviger_engine::CallBatch;
use claviger_model::Timestamp;
use http::Method;
use serde_json::{Value, json};

use super::{PATH, aws, made, path_of};
use crate::broker::{Scene, with_a_world};
use crate::native::fields;
use crate::support::connections::gitlab;
use crate::support::restrictions::{Someone, restrict};
use crate::support::third_party::Reply;
use crate::support::{Answer, Client, Keys, START, TestDatabase, TestServer, on_both_engines, tokens, until};

const SECRET: &str = "glpat-canary-7Qx2";

fn path(id: &str, query: &str) -> String {
    format!("{PATH}/{id}/calls{query}")
}

fn calls(answer: &Value) -> &[Value] {
    answer["calls"].as_array().unwrap()
}

/// The list, once it is of so many.
pub(crate) async fn listed(client: &Client, id: &str, count: usize) -> Value {
    let list = until(&format!("{count} calls are listed"), async || {
        let list = client.get(&path(id, "")).await.expect(200).json();
        if calls(&list).len() >= count { Ok(list) } else { Err(list) }
    })
    .await;
    assert_eq!(calls(&list).len(), count, "{list}");
    list
}

/// Calls until the answer is as it should become.
async fn call_until(client: &Client, path: &str, mut is_it: impl FnMut(&Answer) -> bool) {
    until("the answer is another", async || {
        let answer = client.get(path).await;
        if is_it(&answer) { Ok(()) } else { Err((answer.status, answer.text)) }
    })
    .await;
}

/// How often something could not be written.
fn failures(scene: &Scene) -> u64 {
    let page = scene.server.metrics();
    let count = page.lines().find_map(|line| line.strip_prefix("claviger_store_failures_total "));
    count.unwrap().parse().unwrap()
}

/// All of a list, by pages of so many.
async fn walked(client: &Client, id: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let page = client.get(&path(id, &format!("?limit={limit}&before={before}"))).await.expect(200).json();
        all.extend_from_slice(calls(&page));
        let Some(next) = page["next"].as_str() else { return all };
        assert_eq!(calls(&page).len(), limit, "a page with another behind it is full");
        before = next.to_owned();
    }
}

with_a_world! {
    async fn calls_are_listed_without_what_must_not_be_seen(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let keys = Keys { bearer: Some(token.secret.clone()), ..Keys::default() };
        let caller = scene.server.client_with(keys);
        scene.world.answer(|seen| Reply::with("202 Accepted", &format!("x-echo: {}\r\n", seen.header("private-token")), &seen.head));
        let call = format!("/broker/{id}/projects/a%20b?q=query-canary");
        let answered = caller.send(Method::POST, &call, &[("x-own", "header-canary")], Some("body-canary")).await.expect(202);
        listed(&scene.admin, &id, 1).await;
        scene.server.clock.advance_micros(1_000_000);
        let call = format!("/broker/{id}/secret");
        caller.send(Method::DELETE, &call, &[("claviger-host", "evil.example")], None::<String>).await.expect(403);
        let list = listed(&scene.admin, &id, 2).await;

        assert_eq!(list["next"], Value::Null);
        let [refused, forwarded] = calls(&list) else { panic!("{list}") };
        let me = scene.admin.get(&format!("{PATH}/{id}")).await.expect(200).json()["created_by"].clone();
        for (call, second) in [(forwarded, 0), (refused, 1)] {
            assert_eq!((&call["credential"], &call["user"]), (&json!(token.id), &me));
            let at = Timestamp::parse_rfc3339(call["at"].as_str().unwrap()).unwrap();
            assert_eq!(at.micros() - Timestamp::parse_rfc3339(START).unwrap().micros(), second * 1_000_000);
            assert!(call["duration_us"].as_u64().is_some_and(|it| it > 0 && it < 60_000_000), "{call}");
        }
        let went = |call: &Value| ["method", "host", "path", "status", "error"].map(|it| call[it].clone());
        assert_eq!(went(forwarded), [json!("POST"), json!("gitlab.com"), json!("/api/v4/projects/a%20b"), json!(202), Value::Null]);
        assert_eq!(went(refused), [json!("DELETE"), json!("evil.example"), json!("/secret"), json!(403), json!("host_not_allowed")]);
        let sizes = |call: &Value| ["bytes_sent", "bytes_received", "masked"].map(|it| call[it].as_u64().unwrap());
        assert_eq!(sizes(forwarded), ["body-canary".len() as u64, answered.text.len() as u64, 2]);
        assert_eq!(sizes(refused), [0, 0, 0]);
        let text = list.to_string();
        assert!(!text.contains("canary") && !text.contains(&token.secret), "{text}");
    }

    /// A call that nobody could find afterwards is not made.
    async fn where_calls_cannot_be_recorded_none_is_made(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let (call, database) = (format!("/broker/{id}/version"), scene.server.database());
        database.execute("ALTER TABLE connection_calls RENAME TO elsewhere").await;
        let mut answered = 0;
        call_until(&scene.admin, &call, |answer| match answer.status.as_u16() {
            200 => { answered += 1; false }
            status => status == 503 && answer.header("claviger-error") == "unrecorded",
        }).await;
        assert!(answered > 0);
        assert_eq!(scene.world.take_seen().len(), answered);
        // It stays so for as long as it lasts, however often it is tried to write them.
        let before = failures(scene);
        until("it was tried again", async || {
            let refused = scene.admin.get(&call).await.expect(503);
            assert_eq!(refused.header("claviger-error"), "unrecorded");
            match failures(scene) - before {
                tried if tried >= 2 => Ok(()),
                tried => Err(tried),
            }
        }).await;
        assert_eq!(scene.world.take_seen().len(), 0);
        database.execute("ALTER TABLE elsewhere RENAME TO connection_calls").await;
        call_until(&scene.admin, &call, |answer| answer.status == 200).await;
        // What was called before is not lost.
        let list = listed(&scene.admin, &id, answered + 1).await;
        assert!(calls(&list).iter().all(|call| call["status"] == 200), "{list}");
    }
}

on_both_engines! {
    async fn pages_have_every_call_once(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &aws(), Value::Null).await;
        let id = shown["id"].as_str().unwrap();
        let none = admin.get(&path(id, "")).await.expect(200).json();
        assert_eq!(none, json!({ "calls": [], "next": null }));
        let at = server.clock_micros();
        // More rows than are read at once, of which two end at the same moment each; and one of many lines.
        let rows = (0..41).map(|row| {
            let lines = if row == 20 { 40 } else { 3 };
            let last = at + row / 2 * 100;
            let line = |line| format!("[{last},\"k\",\"\",\"GET\",\"\",\"/{row}/{line}\",0,null,1,2,3,4]\n");
            CallBatch {
                id: server.engine.new_batch_id(),
                org: server.founded.org,
                connection: id.parse().unwrap(),
                begun_at: None,
                first_at: Timestamp::from_micros(last),
                last_at: Timestamp::from_micros(last),
                calls: lines,
                lines: (0..lines).map(line).collect(),
            }
        });
        let mut rows: Vec<_> = rows.collect();
        server.engine.record_calls(&rows).await.unwrap();
        // Given again, they are not there twice.
        server.engine.record_calls(&rows).await.unwrap();
        rows.sort_by_key(|row| (row.last_at, row.id));
        let paths = |lines: &str| lines.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap()[5].clone()).collect::<Vec<_>>();
        let wanted: Vec<_> = rows.iter().rev().flat_map(|row| paths(&row.lines)).collect();
        assert_eq!(wanted.len(), 160);
        for limit in [1, 2, 3, 7, 40, 159, 160, 161, 1000] {
            let found: Vec<_> = walked(&admin, id, limit).await.iter().map(|call| call["path"].clone()).collect();
            assert_eq!(found, wanted, "{limit}");
        }
        let first = admin.get(&path(id, "")).await.expect(200).json();
        assert_eq!(calls(&first).len(), 100);
        // What is not known is null.
        let call = &calls(&first)[0];
        assert_eq!([&call["user"], &call["host"], &call["status"]], [&Value::Null; 3]);
        for (query, field) in [("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"), ("before=x", "before"), ("before=1.2.3", "before")] {
            let answer = admin.get(&path(id, &format!("?{query}"))).await.expect(400);
            assert_eq!(fields(&answer), [field], "{query}");
        }
        assert_eq!(fields(&admin.get(&path(id, "?limit=0&before=x")).await.expect(400)), ["before", "limit"]);
        admin.delete(&path_of(&shown)).await.expect(204);
        admin.get(&path(id, "")).await.expect(404);
    }

    async fn only_viewers_see_them(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &aws(), Value::Null).await;
        let (id, me) = (shown["id"].as_str().unwrap(), shown["created_by"].as_str().unwrap());
        let (viewer, stranger) = (Someone::join(server).await, Someone::join(server).await);
        stranger.client.get(&path(id, "")).await.expect(200);
        restrict(&admin, id, &[("viewer", format!("user:{}", viewer.user)), ("editor", format!("user:{me}"))]).await;
        viewer.client.get(&path(id, "")).await.expect(200);
        admin.get(&path(id, "")).await.expect(200);
        assert_eq!(stranger.client.get(&path(id, "")).await.expect(403).json()["errors"][0]["code"], "restricted");
        let token = tokens::personal_access_token(&admin, json!(["connections_resolve"])).await;
        let resolver = server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        resolver.get(&path(id, "")).await.expect(403);
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.get(&path(id, "")).await.expect(404);
        admin.get(&path("nothing", "")).await.expect(404);
    }
}
