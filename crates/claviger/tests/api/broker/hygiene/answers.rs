//! An answer arrives as it was meant, and the connection goes on.

use super::{Caller, check_ok, check_refused};
use crate::broker::with_a_world;
use crate::support::third_party::Reply;

/// An answer as bytes, its own length told in whichever way.
fn raw(bytes: &'static str) -> impl Fn(&crate::support::third_party::Seen) -> Reply {
    move |_| Reply::raw(&[bytes.as_bytes()])
}

with_a_world! {
    async fn an_answer_has_one_end(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        for (answer, framing) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "content-length: 5"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "transfer-encoding: chunked"),
            // What is said beside chunks means nothing.
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "transfer-encoding: chunked"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 20\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "transfer-encoding: chunked"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-t\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n", "transfer-encoding: chunked"),
            ("HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 5\r\n\r\nhello", "content-length: 5"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello", "content-length: 5"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n5;a=b\r\nhello\r\n000;x\r\n\r\n", "transfer-encoding: chunked"),
            ("HTTP/1.1 200 OK\r\nconnection: content-length, x-t\r\nx-t: 1\r\ncontent-length: 5\r\n\r\nhello", "transfer-encoding: chunked"),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "content-length: 5"),
        ] {
            scene.world.answer(raw(answer));
            caller.ask("GET", "", b"").await;
            let got = caller.answer().await;
            check_ok(&got);
            assert!(got.0.contains(framing) && got.1.contains("hello"), "{answer}: {got:?}");
            let ends = ["content-length:", "transfer-encoding:"].map(|name| got.0.matches(name).count());
            assert_eq!(ends[0] + ends[1], 1, "{got:?}");
            for gone in ["trailer:", "x-t", "link:"] {
                assert!(!got.0.contains(gone) && !got.1.contains(gone), "{got:?}");
            }
        }
        assert_eq!(scene.world.connections(), 1);
        // The end of the connection is the answer's too.
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\n\r\nhello"]).closing());
        caller.ask("GET", "", b"").await;
        let got = caller.answer().await;
        assert_eq!(got.1, "5\r\nhello\r\n0\r\n\r\n", "{got:?}");
    }

    async fn answers_without_a_body_have_none(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        for (method, answer, status, length) in [
            ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n", 200, "content-length: 1234"),
            ("HEAD", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 7\r\n\r\n", 200, "content-length: 7"),
            ("HEAD", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", 200, ""),
            ("GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
            ("DELETE", "HTTP/1.1 204 No Content\r\netag: x\r\n\r\n", 204, "etag: x"),
            ("GET", "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\netag: x\r\n\r\n", 204, "etag: x"),
            ("GET", "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\netag: x\r\n\r\n", 204, "etag: x"),
            ("GET", "HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", 304, "etag: x"),
            ("GET", "HTTP/1.1 304 Not Modified\r\netag: x\r\ncontent-length: 99\r\n\r\n", 304, "etag: x"),
            ("GET", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, "content-length: 0"),
        ] {
            scene.world.answer(raw(answer));
            caller.ask(method, "", b"").await;
            let head = caller.head().await;
            assert!(head.starts_with(&format!("http/1.1 {status} ")) && head.contains(length), "{answer}: {head}");
            if status == 204 {
                assert!(!head.contains("content-length") && !head.contains("transfer-encoding"), "{head}");
            }
            // Nothing follows: the next answer begins right there.
            scene.world.answer(|_| Reply::ok("next"));
            caller.ask("GET", "", b"").await;
            let next = caller.answer().await;
            check_ok(&next);
            assert_eq!(next.1, "next", "after {method} {answer}");
        }
    }

    async fn the_words_behind_a_status_go_no_further(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        scene.world.answer(|_| Reply::with("200 glpat-canary-7Qx2", "", "hello"));
        caller.ask("GET", "", b"").await;
        let head = caller.head().await;
        assert!(head.starts_with("http/1.1 200 ok\r\n") && !head.contains("canary"), "{head}");
    }

    async fn what_would_speak_for_all_of_our_host_goes_no_further(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        let lines = [
            "set-cookie: claviger_session=x; path=/", "set-cookie2: a=b", "clear-site-data: \"*\"", "alt-svc: h2=\"thief.example:443\"; persist=1",
            "strict-transport-security: max-age=31536000", "public-key-pins: pin-sha256=x", "nel: {\"report_to\":\"x\"}", "report-to: {\"group\":\"x\"}",
            "reporting-endpoints: x=\"https://thief.example/\"", "service-worker-allowed: /", "expect-ct: report-uri=x", "accept-ch: x", "critical-ch: x",
            "origin-agent-cluster: ?1", "content-security-policy: default-src *",
            "claviger-error: restricted", "claviger-position: 9.9", "x-content-type-options: none", "proxy-authenticate: Basic", "keep-alive: timeout=9",
        ];
        scene.world.answer(move |_| Reply::with("200 OK", &(lines.join("\r\n") + "\r\netag: x\r\n"), "hello"));
        caller.ask("GET", "", b"").await;
        let got = caller.answer().await;
        check_ok(&got);
        for line in lines {
            assert!(!got.0.contains(&line.to_lowercase()), "{line}: {}", got.0);
        }
        for line in ["content-security-policy: sandbox\r\n", "x-content-type-options: nosniff\r\n", "etag: x\r\n"] {
            assert!(got.0.contains(line), "{}", got.0);
        }
    }

    async fn an_answers_headers_may_be_large(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        scene.world.answer(|_| Reply::with("200 OK", &format!("x-large: {}\r\n", "a".repeat(60_000)), "hello"));
        caller.ask("GET", "", b"").await;
        let got = caller.answer().await;
        check_ok(&got);
        assert!(got.0.len() > 60_000);
        for lines in [format!("x-large: {}\r\n", "a".repeat(200_000)), "x-a: b\r\n".repeat(400)] {
            scene.world.answer(move |_| Reply::with("200 OK", &lines, "hello"));
            caller.ask("GET", "", b"").await;
            check_refused(&caller.answer().await, 502, "upstream_broken");
        }
    }
}
