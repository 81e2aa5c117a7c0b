//! Where a connection wants it, a call is written down before it is made, and how it ended afterwards.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::hygiene::{head_of, say};
use super::raw::{Caller, change_terms, code, on_terms};
use super::{Scene, with_a_world};
use crate::native::connections::calls::listed;
use crate::support::connections::{examples, gitlab};
use crate::support::native_connections::CONNECTIONS;
use crate::support::until;

const SECRET: &str = "glpat-canary-7Qx2";
const PATIENCE: Duration = Duration::from_secs(60);

fn strict() -> Value {
    json!({ "audit": "strict" })
}

/// What is in the record now.
async fn now(scene: &Scene, id: &str) -> Vec<Value> {
    let list = scene.admin.get(&format!("{CONNECTIONS}/{id}/calls")).await.expect(200).json();
    list["calls"].as_array().unwrap().clone()
}

/// The record of one call, once it has ended.
async fn ended(scene: &Scene, id: &str) -> Value {
    until("the call has ended", async || {
        let calls = now(scene, id).await;
        assert_eq!(calls.len(), 1, "one line is there, whatever it says: {calls:?}");
        if calls[0]["ended"] == true { Ok(calls[0].clone()) } else { Err(calls) }
    })
    .await
}

/// A third party that tells when it is called, and answers when it is told to.
fn held(scene: &Scene) -> (Arc<Notify>, Arc<Notify>) {
    let (called, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (called.clone(), go_on.clone());
    scene.world.script(move |mut line| {
        let (tell, wait) = (tell.clone(), wait.clone());
        async move {
            head_of(&mut line).await;
            tell.notify_one();
            wait.notified().await;
            say(&mut line, b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    (called, go_on)
}

with_a_world! {
    async fn a_call_is_written_down_before_it_is_made(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), strict()).await;
        let caller = Caller::new(scene).await;
        let (called, go_on) = held(scene);
        let target = format!("{id}/projects/7?q=query-canary");
        let calling = caller.call("PUT", &target, &[], "body");
        let looking = async {
            timeout(PATIENCE, called.notified()).await.unwrap();
            // No waiting: it was kept before the third party heard of it.
            let calls = now(scene, &id).await;
            scene.server.clock.advance_micros(2_000_000);
            go_on.notify_one();
            calls
        };
        let (answer, begun) = tokio::join!(calling, looking);
        assert_eq!(answer.status, 201);
        let [begun] = &begun[..] else { panic!("{begun:?}") };
        let told = |call: &Value| ["ended", "status", "error", "duration_us"].map(|it| call[it].clone());
        assert_eq!(told(begun), [json!(false), Value::Null, Value::Null, Value::Null]);
        let ended = ended(scene, &id).await;
        assert_eq!(told(&ended)[..3], [json!(true), json!(201), Value::Null]);
        assert!(ended["duration_us"].as_u64().is_some_and(|it| it > 0), "{ended}");
        assert_eq!([&ended["bytes_sent"], &ended["bytes_received"]], [4, 2]);
        for member in ["credential", "user", "method", "host", "path"] {
            assert_eq!(begun[member], ended[member]);
        }
        assert_eq!([&ended["method"], &ended["host"], &ended["path"]], ["PUT", "gitlab.com", "/api/v4/projects/7"]);
        assert_ne!(begun["at"], ended["at"]);
        assert!(!format!("{begun} {ended}").contains("canary"));
    }

    /// The connection's secret goes to whoever exchanges it: no more unrecorded than elsewhere.
    async fn an_exchange_comes_after_the_record_too(scene: &Scene) {
        let azure = examples().into_iter().find(|it| it.credentials == "AzureTenant").unwrap();
        let id = on_terms(scene, &azure.create, strict()).await;
        let caller = Caller::new(scene).await;
        let (called, go_on) = held(scene);
        let target = format!("{id}/subscriptions");
        let calling = caller.call("GET", &target, &[("claviger-host", "management.azure.com")], "");
        let looking = async {
            timeout(PATIENCE, called.notified()).await.unwrap();
            let calls = now(scene, &id).await;
            go_on.notify_one();
            calls
        };
        let (answer, begun) = tokio::join!(calling, looking);
        assert!(code(&answer).starts_with("exchange_"), "{}", code(&answer));
        assert_eq!((begun.len(), &begun[0]["ended"], &begun[0]["path"]), (1, &json!(false), &json!("/subscriptions")));
        // The refusal is how it ended.
        let ended = ended(scene, &id).await;
        assert_eq!([&ended["status"], &ended["error"]], [&json!(502), &json!(code(&answer))]);
    }

    async fn what_cannot_be_written_down_is_not_made(scene: &Scene) {
        let (batched, id) = (scene.connection(&gitlab(SECRET)).await, on_terms(scene, &gitlab(SECRET), strict()).await);
        let caller = Caller::new(scene).await;
        let (target, database) = (format!("{id}/x"), scene.server.database());
        assert_eq!(code(&caller.get(&target).await), "ok");
        ended(scene, &id).await;
        scene.world.take_seen();
        database.execute("ALTER TABLE connection_calls RENAME TO elsewhere").await;
        // Nothing waits to be written yet, so that only who asks for it is refused.
        assert_eq!(code(&caller.get(&format!("{batched}/x")).await), "ok");
        assert_eq!(scene.world.take_seen().len(), 1);
        let refused = caller.get(&target).await.expect(503);
        assert_eq!((code(&refused), refused.header("retry-after")), ("unrecorded", "1"));
        assert!(scene.world.take_seen().is_empty());
        database.execute("ALTER TABLE elsewhere RENAME TO connection_calls").await;
        let mut refusals = 1;
        until("calls are made again", async || match code(&caller.get(&target).await) {
            "ok" => Ok(()),
            refusal => {
                refusals += 1;
                Err(refusal.to_owned())
            }
        }).await;
        assert_eq!(scene.world.take_seen().len(), 1);
        // Nothing of it is left begun.
        until("what was made has ended", async || {
            let calls = now(scene, &id).await;
            let of = |status: u16| calls.iter().filter(|it| it["status"] == status && it["ended"] == true).count();
            let (made, refused) = (of(200), of(503));
            if made < 2 {
                return Err(calls);
            }
            assert!((1..=refusals).contains(&refused) && calls.len() == made + refused && made == 2, "{calls:?}");
            Ok(())
        }).await;
    }

    async fn each_is_one_line_whatever_comes_of_it(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), json!({ "audit": "strict", "rules": [{ "path": "/api/v4/x" }] })).await;
        let caller = Caller::new(scene).await;
        let target = format!("{id}/x");
        assert_eq!(code(&caller.get(&target).await), "ok");
        assert_eq!(code(&caller.get(&format!("{id}/y")).await), "not_in_rules");
        scene.world.answer(|_| crate::support::third_party::Reply::raw(&[b"no http\r\n\r\n"]).closing());
        assert_eq!(code(&caller.get(&target).await), "upstream_broken");
        scene.world.name("gitlab.com", &[]);
        assert_eq!(code(&caller.get(&target).await), "lookup_failed");
        // The next call is recorded like most.
        change_terms(scene, &id, Value::Null).await;
        assert_eq!(code(&caller.get(&target).await), "lookup_failed");
        let list = listed(&scene.admin, &id, 5).await;
        let calls = until("all have ended", async || {
            let calls = now(scene, &id).await;
            assert_eq!(calls.len(), 5, "{list} {calls:?}");
            if calls.iter().all(|call| call["ended"] == true) { Ok(calls) } else { Err(calls) }
        }).await;
        let mut errors: Vec<_> = calls.iter().map(|call| call["error"].as_str().unwrap_or("ok")).collect();
        errors.sort_unstable();
        assert_eq!(errors, ["lookup_failed", "lookup_failed", "not_in_rules", "ok", "upstream_broken"]);
    }
}
