//! A request's body has one end, told in one way.

use tokio::io::AsyncReadExt;

use super::{Caller, check_ok, head_of, say};
use crate::broker::{Scene, with_a_world};

/// What is hidden in a body: a request of its own.
const HIDDEN: &[u8] = b"GET /smuggled HTTP/1.1\r\nhost: gitlab.com\r\n\r\n";

/// Third parties that read no body, and take it for what comes next; they answer that only once somebody waits for an
/// answer. Others they answer by this status.
fn reads_no_bodies(scene: &Scene, status: &'static str) {
    scene.world.script(move |mut line| async move {
        let mut first = String::new();
        loop {
            let head = first.clone() + &head_of(&mut line).await;
            first.clear();
            if head.is_empty() {
                return;
            }
            let body = if head.contains("/smuggled") { "poison" } else { "own" };
            if body == "poison" {
                let Ok(next) = line.read_u8().await else { return };
                first.push(char::from(next));
            }
            let shown = if head.starts_with("HEAD") { "" } else { body };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{shown}", body.len());
            say(&mut line, answer.as_bytes()).await;
        }
    });
}

with_a_world! {
    async fn a_body_has_one_end(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        for (lines, body, framing) in [
            ("content-length: 3\r\n", "abc", "content-length"),
            ("transfer-encoding: chunked\r\n", "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "transfer-encoding"),
            ("transfer-encoding: chunked\r\ntrailer: x-t\r\n", "3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n", "transfer-encoding"),
            ("expect: 100-continue\r\ncontent-length: 3\r\n", "abc", "content-length"),
        ] {
            caller.ask("POST", lines, body.as_bytes()).await;
            let mut answer = caller.answer().await;
            if answer.0.starts_with("http/1.1 100") {
                answer = caller.answer().await;
            }
            check_ok(&answer);
            let seen = scene.world.only();
            assert_eq!(seen.body, b"abc", "{lines}");
            let both = ["content-length", "transfer-encoding"].map(|name| seen.all(name).len());
            assert_eq!(both, if framing == "content-length" { [1, 0] } else { [0, 1] }, "{}", seen.head);
            for gone in ["trailer", "expect", "te", "x-t"] {
                assert_eq!(seen.all(gone), Vec::<&str>::new(), "{gone}");
            }
        }
        // With both, chunks count, and no length goes along.
        for lines in ["content-length: 9\r\ntransfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\ncontent-length: 9\r\n"] {
            let mut caller = caller.again(scene).await;
            caller.ask("POST", lines, b"3\r\nabc\r\n0\r\n\r\n").await;
            caller.answer().await;
            for seen in scene.world.take_seen() {
                assert_eq!((seen.all("content-length").len(), seen.all("transfer-encoding").len()), (0, 1));
                assert_eq!(seen.body, b"abc");
            }
        }
        assert_eq!(scene.world.connections(), 1);
    }

    async fn a_body_where_few_expect_one_is_nobodys_next_request(scene: &Scene) {
        reads_no_bodies(scene, "200 OK");
        let mut thief = Caller::new(scene).await;
        let mut other = thief.again(scene).await;
        for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
            thief.ask(method, &format!("content-length: {}\r\n", HIDDEN.len()), HIDDEN).await;
            let head = thief.head().await;
            assert!(head.starts_with("http/1.1 200 "), "{head}");
            if method != "HEAD" {
                thief.until(|read| read == b"own").await;
            }
            other.ask("GET", "", b"").await;
            assert_eq!(other.answer().await.1, "own", "after a {method}");
        }
    }

    /// Where a body is usual, too: that it was not read shows in the answer, or the caller sees that of its own
    /// connection alone.
    async fn a_body_that_nobody_read_is_nobodys_next_request(scene: &Scene) {
        let length = format!("content-length: {}\r\n", HIDDEN.len());
        for (method, status) in [
            ("POST", "200 OK"), ("PUT", "200 OK"), ("PATCH", "200 OK"),
            ("POST", "404 Not Found"), ("PUT", "500 Internal Server Error"), ("PATCH", "405 Method Not Allowed"),
            ("PROPFIND", "200 OK"), ("QUERY", "200 OK"), ("get", "200 OK"),
        ] {
            reads_no_bodies(scene, status);
            // Each is a caller of a connection of its own.
            let (mut thief, mut other) = (Caller::new(scene).await, Caller::new(scene).await);
            thief.ask(method, &length, HIDDEN).await;
            assert_eq!(thief.answer().await.1, "own");
            other.ask("GET", "", b"").await;
            assert_eq!(other.answer().await.1, "own", "after {method} and {status}");
            if method.starts_with('P') && status == "200 OK" && method != "PROPFIND" {
                continue;
            }
            let mut same = thief.again(scene).await;
            same.ask("GET", "", b"").await;
            assert_eq!(same.answer().await.1, "own", "after {method} and {status}");
        }
        // An answer that comes before the body.
        reads_no_bodies(scene, "200 OK");
        let mut thief = Caller::new(scene).await;
        thief.ask("POST", &length, b"").await;
        assert_eq!(thief.answer().await.1, "own");
        thief.send(HIDDEN).await;
        for _ in 0..20 {
            let mut same = thief.again(scene).await;
            same.ask("GET", "", b"").await;
            assert_eq!(same.answer().await.1, "own", "after an early answer");
        }
    }

    async fn headers_may_be_large(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        let large = format!("x-large: {}\r\n", "a".repeat(60_000));
        caller.ask("GET", &large, b"").await;
        check_ok(&caller.answer().await);
        assert_eq!(scene.world.only().header("x-large").len(), 60_000);
        // Too large, or too many: refused, and nobody is called.
        for lines in [format!("x-large: {}\r\n", "a".repeat(2_000_000)), "x-a: b\r\n".repeat(500)] {
            let mut caller = caller.again(scene).await;
            caller.ask("GET", &lines, b"").await;
            assert!(caller.answer().await.0.starts_with("http/1.1 431 "), "{}", lines.len());
            assert_eq!(scene.world.take_seen().len(), 0);
        }
    }
}
