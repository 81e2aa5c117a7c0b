//! Calls that fail for a moment are made again where somebody asked for it, and never where that could do harm.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::hygiene::{head_of, say};
use super::raw::{Caller, code, on_terms};
use super::{Scene, with_a_world};
use crate::support::connections::{gitlab, http};
use crate::support::third_party::Reply;
use crate::support::{Keys, tokens};

const SECRET: &str = "glpat-canary-7Qx2";

fn asking(retries: &str) -> [(&str, &str); 1] {
    [("claviger-retries", retries)]
}

/// Answers with this status and these headers so often, and then well.
fn failing(scene: &Scene, times: usize, status: &'static str, headers: &'static str) {
    let left = Arc::new(AtomicUsize::new(times));
    scene.world.answer(move |_| match left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Reply::with(status, headers, "later"),
        Err(_) => Reply::ok("ok"),
    });
}

/// The status, how often it was made, and how often the third party saw it.
async fn made(
    scene: &Scene,
    caller: &Caller,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
) -> (u16, String, usize) {
    let answer = caller.call(method, target, headers, if method == "PUT" { "body" } else { "" }).await;
    let seen = scene.world.take_seen();
    assert!(seen.iter().all(|it| it.line() == seen[0].line() && it.body == seen[0].body), "{seen:?}");
    assert!(
        seen.iter().all(|it| it.all("claviger-retries").is_empty() && it.header("private-token") == SECRET)
    );
    (answer.status.as_u16(), answer.header("claviger-attempts").to_owned(), seen.len())
}

with_a_world! {
    async fn only_who_asks_is_answered_by_another_attempt(scene: &Scene) {
        let plain = format!("{}/x", on_terms(scene, &gitlab(SECRET), Value::Null).await);
        let twice = format!("{}/x", on_terms(scene, &gitlab(SECRET), json!({ "retries": 2 })).await);
        let caller = Caller::new(scene).await;
        for (target, headers, failures, expected) in [
            (&plain, &[][..], 1, (503, "", 1)),
            (&plain, &asking("1"), 1, (200, "2", 2)),
            (&plain, &asking("3"), 0, (200, "", 1)),
            (&plain, &asking("1"), 2, (503, "2", 2)),
            (&twice, &[], 2, (200, "3", 3)),
            (&twice, &[], 3, (503, "3", 3)),
            // The call's word counts.
            (&twice, &asking("0"), 1, (503, "", 1)),
            (&twice, &asking("3"), 3, (200, "4", 4)),
        ] {
            failing(scene, failures, "503 Service Unavailable", "claviger-attempts: 9\r\n");
            let (status, attempts, seen) = made(scene, &caller, "GET", target, headers).await;
            assert_eq!((status, attempts.as_str(), seen), expected, "{headers:?} {failures}");
        }
        for bad in ["4", "-1", "x", "", "1,1", "01"] {
            let refused = caller.call("GET", &plain, &asking(bad), "").await.expect(400);
            assert_eq!(code(&refused), "retries_invalid");
            assert!(refused.text.contains("Claviger-Retries"), "{}", refused.text);
        }
        let refused = caller.call("GET", &plain, &[("claviger-retries", "1"), ("claviger-retries", "1")], "").await.expect(400);
        assert_eq!(code(&refused), "retries_invalid");
        assert!(scene.world.take_seen().is_empty());
    }

    async fn what_could_be_done_twice_is_not_made_again(scene: &Scene) {
        let target = format!("{}/x", on_terms(scene, &gitlab(SECRET), json!({ "retries": 1 })).await);
        let caller = Caller::new(scene).await;
        let once_more = |it| if it { (200, "2".to_owned(), 2) } else { (503, String::new(), 1) };
        for (method, is_repeated) in [("GET", true), ("HEAD", true), ("PUT", true), ("DELETE", true), ("OPTIONS", true), ("POST", false), ("PATCH", false), ("PROPFIND", false)] {
            failing(scene, 1, "503 Service Unavailable", "");
            assert_eq!(made(scene, &caller, method, &target, &[]).await, once_more(is_repeated), "{method}");
        }
        for (status, is_repeated) in [("429 Too Many Requests", true), ("502 Bad Gateway", true), ("504 Gateway Timeout", true), ("500 Internal Server Error", false), ("404 Not Found", false), ("302 Found", false), ("401 Unauthorized", false)] {
            failing(scene, 1, status, "");
            let (told, _, seen) = made(scene, &caller, "GET", &target, &[]).await;
            let expected = if is_repeated { (200, 2) } else { (status[..3].parse().unwrap(), 1) };
            assert_eq!((told, seen), expected, "{status}");
        }
        // What cannot be kept cannot be sent again.
        for (length, expected) in [(1 << 20, (200, 2)), ((1 << 20) + 1, (503, 1))] {
            failing(scene, 1, "503 Service Unavailable", "");
            let answer = caller.call("PUT", &target, &[], vec![b'a'; length]).await;
            let seen = scene.world.take_seen();
            assert_eq!((answer.status.as_u16(), seen.len()), expected, "{length}");
            assert!(seen.iter().all(|it| it.body.len() == length));
        }
    }

    async fn what_certainly_did_not_arrive_is_made_again_by_any_method(scene: &Scene) {
        let caller = Caller::new(scene).await;
        let mut made = 0;
        // Each to a host of its own, to which no connection is open.
        let mut call = async |method: &str, headers: &[(&str, &str)], first: &[&str]| {
            made += 1;
            let host = format!("host{made}.example.com");
            let id = on_terms(scene, &http(&format!("https://{host}"), SECRET), Value::Null).await;
            scene.world.name_in_turn(&host, &[first.to_vec(), vec!["93.184.216.34"]]);
            let answer = caller.call(method, &format!("{id}/x"), headers, "").await;
            assert_eq!(scene.world.take_seen().len(), usize::from(code(&answer) == "ok"));
            answer
        };
        for method in ["GET", "POST"] {
            for (headers, expected) in [(&[][..], "lookup_failed"), (&asking("1"), "ok"), (&asking("0"), "lookup_failed")] {
                let answer = call(method, headers, &[]).await;
                assert_eq!(code(&answer), expected, "{method} {headers:?}");
                assert_eq!(answer.header("claviger-attempts"), if expected == "ok" { "2" } else { "" });
            }
        }
        // A place that may not be reached is none later either.
        assert_eq!(code(&call("GET", &asking("3"), &["10.0.0.1"]).await), "address_not_public");
    }

    async fn a_connection_that_breaks_before_the_answer_is_tried_anew(scene: &Scene) {
        let target = format!("{}/x", on_terms(scene, &gitlab(SECRET), json!({ "retries": 2 })).await);
        let caller = Caller::new(scene).await;
        for (method, expected, calls) in [("GET", "ok", 3), ("POST", "upstream_broken", 1)] {
            let begun = Arc::new(AtomicUsize::new(0));
            let count = begun.clone();
            scene.world.script(move |mut line| {
                let turn = count.fetch_add(1, SeqCst);
                async move {
                    head_of(&mut line).await;
                    if turn == 2 {
                        // Not kept, or the next call could go out over it just before it ends.
                        let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
                        say(&mut line, answer).await;
                    }
                }
            });
            let answer = caller.call(method, &target, &[], "").await;
            assert_eq!((code(&answer), begun.load(SeqCst)), (expected, calls), "{method}");
        }
    }

    async fn a_third_partys_wish_to_be_left_alone_counts(scene: &Scene) {
        let target = format!("{}/x", on_terms(scene, &gitlab(SECRET), json!({ "retries": 1 })).await);
        let caller = Caller::new(scene).await;
        for (headers, is_repeated) in [
            ("retry-after: 0\r\n", true), ("retry-after: 1\r\n", true), ("retry-after: 11\r\n", false),
            ("retry-after: Wed, 04 Mar 2026 05:06:08 GMT\r\n", true), ("retry-after: Wed, 04 Mar 2026 06:06:08 GMT\r\n", false),
            ("ratelimit-reset: 1772604367\r\n", false), ("retry-after: soon\r\n", true),
        ] {
            failing(scene, 1, "429 Too Many Requests", headers);
            let began = Instant::now();
            let (status, _, seen) = made(scene, &caller, "GET", &target, &[]).await;
            assert_eq!((status, seen), if is_repeated { (200, 2) } else { (429, 1) }, "{headers}");
            let waited = began.elapsed();
            assert!(headers != "retry-after: 1\r\n" || waited >= Duration::from_secs(1), "{waited:?}");
        }
        // Where no limit was reached, when limits begin anew means nothing.
        failing(scene, 1, "503 Service Unavailable", "ratelimit-reset: 1772604367\r\n");
        assert_eq!(made(scene, &caller, "GET", &target, &[]).await.0, 200);
    }

    /// What was made ready for a connection as it was does not go out for what it has become; its name says nothing of that.
    async fn nobody_is_called_again_as_before_a_change(scene: &Scene) {
        let caller = Caller::new(scene).await;
        for (patch, expected) in [
            (json!({ "name": "Another" }), (200, "", 2)),
            (json!({ "integration": gitlab("glpat-canary-another") }), (503, "changed", 1)),
            (json!({ "terms": { "retries": 1, "audit": "strict" } }), (503, "changed", 1)),
        ] {
            let id = on_terms(scene, &gitlab(SECRET), json!({ "retries": 1 })).await;
            failing(scene, 1, "503 Service Unavailable", "retry-after: 2\r\n");
            let (target, mut seen) = (format!("{id}/x"), Vec::new());
            let changing = async {
                while seen.is_empty() {
                    seen = scene.world.take_seen();
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                scene.admin.patch(&format!("/claviger/v1/connections/{id}"), &patch).await.expect(200);
            };
            let (answer, ()) = tokio::join!(caller.call("GET", &target, &[], ""), changing);
            let times = seen.len() + scene.world.take_seen().len();
            assert_eq!((answer.status.as_u16(), answer.header("claviger-error"), times), expected, "{patch}");
        }
    }

    async fn nobody_waits_by_a_right_that_ended(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), json!({ "retries": 1 })).await;
        failing(scene, 1, "503 Service Unavailable", "retry-after: 9\r\n");
        let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let caller = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        let path = format!("/broker/{id}/x");
        let (began, mut seen) = (Instant::now(), Vec::new());
        let revoking = async {
            while seen.is_empty() {
                seen = scene.world.take_seen();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
        };
        let (answer, ()) = tokio::join!(caller.get(&path), revoking);
        assert_eq!((answer.status.as_u16(), answer.header("claviger-error")), (403, "ended"));
        assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
        assert!(scene.world.take_seen().is_empty());
    }
}
