//! Connections to third parties are kept between calls, and a third party may end one just when the next call goes out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::hygiene::{head_of, say};
use super::raw::{Caller, code, on_terms};
use super::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;
use crate::support::{Keys, tokens};

const SECRET: &str = "glpat-canary-7Qx2";
/// Longer than it may take until a connection counts as one that was closed before it was used.
const LONG: Duration = Duration::from_millis(1300);

/// A third party that answers the first call over each connection. Over the next it says nothing, and closes it: after
/// so long, or once it is told to. Counts the calls.
fn closing(scene: &Scene, pause: Duration, told: Option<Arc<Notify>>) -> (Arc<AtomicUsize>, Arc<Notify>) {
    let (calls, called) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (count, tell) = (calls.clone(), called.clone());
    scene.world.script(move |mut line| {
        let (count, tell, told) = (count.clone(), tell.clone(), told.clone());
        async move {
            for is_kept in [true, false] {
                if head_of(&mut line).await.is_empty() {
                    return;
                }
                count.fetch_add(1, SeqCst);
                if is_kept {
                    say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                } else {
                    tell.notify_one();
                    if let Some(told) = &told {
                        told.notified().await;
                    }
                    // Does anything more come?
                    let _ = timeout(pause, line.read_u8()).await;
                }
            }
        }
    });
    (calls, called)
}

with_a_world! {
    async fn a_call_over_a_kept_connection_is_made_twice_only_where_that_was_closed_at_once(scene: &Scene) {
        let caller = Caller::new(scene).await;
        for (method, terms, retries, pause, expected) in [
            ("GET", Value::Null, "", Duration::ZERO, ("ok", "2", 3)),
            ("DELETE", Value::Null, "", Duration::ZERO, ("ok", "2", 3)),
            ("GET", Value::Null, "", LONG, ("upstream_broken", "", 2)),
            ("DELETE", Value::Null, "", LONG, ("upstream_broken", "", 2)),
            // What does harm when it is done twice is not, and what is not to be made again is not.
            ("POST", Value::Null, "", Duration::ZERO, ("upstream_broken", "", 2)),
            ("GET", Value::Null, "0", Duration::ZERO, ("upstream_broken", "", 2)),
            ("GET", json!({ "retries": 2 }), "0", Duration::ZERO, ("upstream_broken", "", 2)),
            // Whoever asks for it gets it, later too.
            ("GET", Value::Null, "1", Duration::ZERO, ("ok", "2", 3)),
            ("GET", Value::Null, "1", LONG, ("ok", "2", 3)),
            ("GET", json!({ "retries": 1 }), "", LONG, ("ok", "2", 3)),
        ] {
            let (calls, _) = closing(scene, pause, None);
            let target = format!("{}/x", on_terms(scene, &gitlab(SECRET), terms).await);
            // Each has a way of its own: nothing is kept for it yet.
            assert_eq!(code(&caller.get(&target).await), "ok");
            let header = [("claviger-retries", retries)];
            let headers = if retries.is_empty() { &header[..0] } else { &header };
            let answer = caller.call(method, &target, headers, "").await;
            let told = (code(&answer), answer.header("claviger-attempts"), calls.load(SeqCst));
            assert_eq!(told, expected, "{method} {retries:?} {pause:?}");
        }
    }

    /// It is one of the attempts that were asked for.
    async fn no_call_is_made_more_often_than_was_asked_for(scene: &Scene) {
        let caller = Caller::new(scene).await;
        let is_closing = Arc::new(AtomicUsize::new(0));
        let closes = is_closing.clone();
        scene.world.answer(move |_| match closes.load(SeqCst) {
            0 => Reply::ok("ok"),
            turn => {
                closes.store(turn + 1, SeqCst);
                // Nothing at all, and then one answer after the other that means "later".
                if turn == 1 { Reply::raw(&[]).closing() } else { Reply::with("503 Service Unavailable", "", "later") }
            }
        });
        for (retries, expected) in [("1", (503, "2", 2)), ("2", (503, "3", 3))] {
            is_closing.store(0, SeqCst);
            let target = format!("{}/x", on_terms(scene, &gitlab(SECRET), Value::Null).await);
            assert_eq!(code(&caller.get(&target).await), "ok");
            scene.world.take_seen();
            is_closing.store(1, SeqCst);
            let answer = caller.call("GET", &target, &[("claviger-retries", retries)], "").await;
            let told = (answer.status.as_u16(), answer.header("claviger-attempts"), scene.world.take_seen().len());
            assert_eq!(told, expected, "{retries}");
        }
    }

    async fn a_call_whose_right_ended_is_not_made_over_another_connection(scene: &Scene) {
        let close = Arc::new(Notify::new());
        let (calls, called) = closing(scene, Duration::ZERO, Some(close.clone()));
        let path = format!("/broker/{}/x", on_terms(scene, &gitlab(SECRET), Value::Null).await);
        let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let caller = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        caller.get(&path).await.expect(200);
        let revoking = async {
            called.notified().await;
            scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
            close.notify_one();
        };
        let (answer, ()) = tokio::join!(caller.get(&path), revoking);
        assert_eq!((answer.status.as_u16(), answer.header("claviger-error")), (403, "ended"));
        assert_eq!(calls.load(SeqCst), 2);
    }

    /// What one connection's callers bring about at a third party, another's have no part in.
    async fn a_connection_to_a_third_party_is_of_one_connection(scene: &Scene) {
        let caller = Caller::new(scene).await;
        let (one, other) = (on_terms(scene, &gitlab(SECRET), Value::Null).await, on_terms(scene, &gitlab(SECRET), Value::Null).await);
        for _ in 0..3 {
            for id in [&one, &other] {
                assert_eq!(code(&caller.get(&format!("{id}/x")).await), "ok");
            }
        }
        assert_eq!(scene.world.connections(), 2);
    }
}
