//! Requests that are hardly HTTP, or come too slowly, or in too many pieces.

use std::time::Duration;

use claviger_http::BODY_BYTES_MAX;

use super::{is_in_words, state};
use crate::support::sample;
use crate::support::wire::{Wire, WireAnswer};
use crate::support::{Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

/// One path of each dialect's form.
const PATHS: [&str; 4] = ["/api/v1/api_key", "/api/v2/api_keys", "/claviger/v1/org", "/verify/x"];

/// The beginning of a request with the admin's keys; the blank line is left to the caller.
fn begin(server: &TestServer, line: &str) -> String {
    let keys = server.admin();
    format!(
        "{line} HTTP/1.1\r\nhost: x\r\ndd-api-key: {}\r\ndd-application-key: {}\r\n",
        keys.api_key.unwrap(),
        keys.application_key.unwrap()
    )
}

#[track_caller]
fn assert_refused(about: &str, path: &str, answer: &WireAnswer, status: u16) {
    assert_eq!(answer.status, status, "{about}: {} {}", answer.head, answer.body);
    assert_eq!(answer.header("content-type"), "application/json", "{about}: {}", answer.head);
    assert!(is_in_words(path, &answer.body), "{about}: {:?}", answer.body);
}

async fn exchange(server: &TestServer, request: impl AsRef<[u8]>) -> WireAnswer {
    Wire::connect(server.address).await.exchange(request.as_ref()).await
}

on_both_engines! {
    async fn too_many_headers_and_too_long_ones(server: &TestServer) {
        let before = state(server).await;
        let many: String = (0..1000).map(|n| format!("x-{n}: y\r\n")).collect();
        let long = format!("x: {}\r\n", "y".repeat(70_000));
        for path in PATHS {
            for (what, headers) in [("many", &many), ("long", &long)] {
                let request = format!("{}{headers}\r\n", begin(server, &format!("GET {path}")));
                assert_refused(&format!("{what} at {path}"), path, &exchange(server, request).await, 431);
            }
        }
        // A connection that was good before is refused in the words of the request that is not.
        let mut wire = Wire::connect(server.address).await;
        let good = format!("{}\r\n", begin(server, "GET /api/v2/api_keys"));
        assert_eq!(wire.exchange(good.as_bytes()).await.status, 200);
        let bad = format!("{}{many}\r\n", begin(server, "GET /claviger/v1/org"));
        assert_refused("the second", "/claviger/v1/org", &wire.exchange(bad.as_bytes()).await, 431);
        assert!(wire.is_ended().await);
        // What fits is no trouble.
        let some: String = (0..90).map(|n| format!("x-{n}: {}\r\n", "y".repeat(300))).collect();
        let request = format!("{}{some}\r\n", begin(server, "GET /api/v2/api_keys"));
        assert_eq!(exchange(server, request).await.status, 200);
        assert_eq!(state(server).await, before);
    }

    async fn what_is_no_http(server: &TestServer) {
        let before = state(server).await;
        let long_line = format!("GET /api/v2/api_keys?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(66_000));
        for (what, request, status) in [
            ("nonsense", "nonsense\r\n\r\n", 400),
            ("no version", "GET /api/v2/api_keys\r\n\r\n", 400),
            ("another version", "GET /api/v2/api_keys HTTP/3.7\r\n\r\n", 400),
            ("a bad header", "GET /api/v2/api_keys HTTP/1.1\r\nno colon\r\n\r\n", 400),
            ("a bad length", "POST /api/v2/api_keys HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
            ("two lengths", "POST /api/v2/api_keys HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
            ("a long line", &long_line, 431),
        ] {
            assert_refused(what, "/api/v2/api_keys", &exchange(server, request).await, status);
        }
        assert_eq!(state(server).await, before);
    }

    async fn methods_that_a_path_does_not_know(server: &TestServer) {
        let before = state(server).await;
        for path in ["/api/v1/api_key", "/api/v2/api_keys", "/claviger/v1/org"] {
            for method in ["OPTIONS", "TRACE", "DELETE", "BREW", "get"] {
                let request = format!("{}\r\n", begin(server, &format!("{method} {path}")));
                let answer = exchange(server, request).await;
                assert_refused(&format!("{method} {path}"), path, &answer, 405);
                assert!(answer.header("allow").contains("GET"), "{method} {path}: {}", answer.head);
            }
        }
        assert_eq!(state(server).await, before);
        for path in ["/api/v1/api_key", "/api/v2/api_keys", "/claviger/v1/org"] {
            let mut wire = Wire::connect(server.address).await;
            wire.send(format!("{}connection: close\r\n\r\n", begin(server, &format!("HEAD {path}"))).as_bytes()).await;
            let bytes = wire.rest().await;
            assert!(bytes.starts_with("HTTP/1.1 200") && bytes.ends_with("\r\n\r\n"), "a head has no body: {bytes}");
        }
    }

    async fn paths_that_nobody_serves(server: &TestServer) {
        let before = state(server).await;
        for path in ["/", "/api", "/api/v2", "/api/v3/api_keys", "/api/v2/api_keys/", "//api/v2/api_keys",
            "/API/v2/api_keys", "/api/v2/../v2/api_keys", "/claviger/v1", "/claviger/v1/org/x", "/verifyx", "/api/v2/api_keys/a/b"] {
            let answer = exchange(server, format!("{}\r\n", begin(server, &format!("GET {path}")))).await;
            assert_refused(path, if path == "/verifyx" { "/claviger/" } else { path }, &answer, 404);
        }
        assert_eq!(state(server).await, before);
    }

    async fn parameters_that_are_no_ids(server: &TestServer) {
        let ours = sample::api_key(&server.client()).await;
        let before = state(server).await;
        let of = ["/api/v1/api_key", "/api/v1/application_key", "/api/v2/api_keys", "/api/v2/application_keys",
            "/api/v2/current_user/application_keys"];
        for parent in of {
            for method in ["GET", "DELETE"] {
                for (id, status) in [("x", 404), ("%00", 404), ("%2F", 404), ("..%2Fapi_keys", 404), ("%ff%fe", 400), ("%zz", 404),
                    ("%E2%80%AE", 404), ("'%20OR%201=1", 404), (&"a".repeat(30_000), 404), (&format!("%7B{}%7D", ours.id), 404)] {
                    let line = format!("{method} {parent}/{id}");
                    let answer = exchange(server, format!("{}\r\n", begin(server, &line))).await;
                    assert_refused(&line[..line.len().min(100)], parent, &answer, status);
                }
            }
        }
        assert_eq!(state(server).await, before);
    }

    async fn queries_that_are_no_lists(server: &TestServer) {
        let before = state(server).await;
        for query in ["filter=%00", "filter[category]=a%00", "page[size]=0", "page[size]=9999999999999999999999", "page[number]=1e3", "page[number]=-0.1",
            "sort=%00", "sort=--name", "filter[created_at][start]=%ff", "include=%2C%2Cx", "page%5Bsize%5D=%F0%9F%98%80"] {
            let answer = server.client().get(&format!("/api/v2/api_keys?{query}")).await;
            crate::bad_input::assert_refused(query, "/api/v2/api_keys", &answer.expect(400));
        }
        for query in ["filter=%ff", "filter=%25_%5C", "&&&=&=", "page[number]=1000000000&page[size]=100"] {
            server.client().get(&format!("/api/v2/api_keys?{query}")).await.expect(200);
        }
        assert_eq!(state(server).await, before);
    }

    async fn bodies_in_pieces(server: &TestServer) {
        let chunked = |path: &str, chunks: &[&str]| {
            let pieces: String = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            format!("{}transfer-encoding: chunked\r\n\r\n{pieces}0\r\n\r\n", begin(server, &format!("POST {path}")))
        };
        let good = chunked("/api/v2/api_keys", &[r#"{"data":{"type":"#, r#""api_keys","attributes":{"name":"#, r#""Pieces"}}}"#]);
        let made = exchange(server, good).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let before = state(server).await;
        let piece = " ".repeat(1000);
        let pieces: Vec<&str> = std::iter::repeat_n(piece.as_str(), BODY_BYTES_MAX / 1000 + 2).collect();
        assert_refused("too much", "/api/v2/api_keys", &exchange(server, chunked("/api/v2/api_keys", &pieces)).await, 413);
        let broken = format!("{}transfer-encoding: chunked\r\n\r\nzz\r\n", begin(server, "POST /api/v2/api_keys"));
        assert_refused("no chunk", "/api/v2/api_keys", &exchange(server, broken).await, 400);
        // Two ways to say where the body ends: a proxy before us may have believed the other one.
        let both = format!("{}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", begin(server, "POST /api/v2/api_keys"));
        assert!((400..500).contains(&exchange(server, both).await.status));
        assert_eq!(state(server).await, before);
    }
}

with_either_database! {
    async fn slow_clients_are_not_waited_for(database: TestDatabase) {
        let mut setup = Setup::default();
        setup.options.header_patience = Duration::from_millis(300);
        setup.options.body_patience = Duration::from_millis(300);
        let server = TestServer::start_with(database, setup).await;
        let before = state(&server).await;
        for (what, begun) in [
            ("nothing", String::new()),
            // As HTTP/2 begins, too.
            ("a letter", "P".to_owned()),
            ("a line", "GET /api/v2/api_keys HTTP/1.1\r\n".to_owned()),
            ("half a header", begin(&server, "GET /api/v2/api_keys")),
        ] {
            let mut wire = Wire::connect(server.address).await;
            wire.send(begun.as_bytes()).await;
            assert!(wire.is_ended().await, "{what}");
        }
        // A connection that was used and is silent then.
        let mut wire = Wire::connect(server.address).await;
        let good = format!("{}\r\n", begin(&server, "GET /api/v2/api_keys"));
        assert_eq!(wire.exchange(good.as_bytes()).await.status, 200);
        assert!(wire.is_ended().await);
        for (method, path) in [("POST", "/api/v1/api_key"), ("POST", "/api/v2/api_keys"), ("PATCH", "/claviger/v1/org")] {
            let half = format!("{}content-length: 100\r\n\r\n{{", begin(&server, &format!("{method} {path}")));
            assert_refused(path, path, &exchange(&server, half).await, 408);
        }
        assert_eq!(state(&server).await, before);
        server.stop().await;
    }
}
