//! What comes back.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_broker::Options as BrokerOptions;
use serde_json::{Value, json};

use super::{PATH, SECRET, action, ran, refusal, told};
use crate::broker::{Scene, with_a_world};
use crate::native::connections::listed;
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;
use crate::support::{Setup, TestDatabase, with_either_database};

const MIB: usize = 1024 * 1024;

fn x() -> Value {
    json!({ "path": "/x" })
}

with_a_world! {
    /// Whatever the third party says of the call is its own word.
    async fn a_status_is_told_and_not_taken(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (line, status) in [
            ("302 Found", 302), ("308 Permanent Redirect", 308), ("401 Unauthorized", 401), ("404 Not Found", 404),
            ("429 Too Many Requests", 429), ("500 Internal Server Error", 500), ("999 Odd", 999),
        ] {
            scene.world.answer(move |_| Reply::with(line, "location: https://evil.example/\r\nclaviger-error: forged\r\n", "x"));
            let answer = ran(&scene.admin, &id, x()).await;
            assert_eq!((&answer["status"], told(&answer, "location")), (&json!(status), vec!["https://evil.example/".to_owned()]));
            assert_eq!(told(&answer, "claviger-error"), Vec::<String>::new());
            // Nobody follows it.
            assert_eq!(scene.world.only().name, "gitlab.com");
        }
    }

    async fn a_body_is_told_as_what_it_is(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let big = r#"{"z": 12345678901234567890123, "a": [1.0]}"#;
        for (headers, body, kind, shown) in [
            ("content-type: application/json; charset=utf-8\r\n", big.as_bytes(), "json", big.to_owned()),
            ("content-type: text/plain\r\n", b"17", "text", "\"17\"".to_owned()),
            ("", "é".as_bytes(), "text", "\"é\"".to_owned()),
            ("content-type: image/png\r\n", b"\x89PNG\0", "base64", format!("\"{}\"", STANDARD.encode(b"\x89PNG\0"))),
            ("content-type: application/json\r\n", b"", "none", "null".to_owned()),
        ] {
            let body = body.to_vec();
            scene.world.answer(move |_| Reply::with("200 OK", headers, &body));
            let answer = scene.admin.post(PATH, &action(&id, x())).await.expect(200);
            let expected = format!(r#""bodyType":"{kind}","body":{shown},"#);
            assert!(answer.text.contains(&expected), "{expected}: {}", answer.text);
        }
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 204 No Content\r\n\r\n"]));
        let answer = ran(&scene.admin, &id, json!({ "method": "DELETE", "path": "/x" })).await;
        assert_eq!(json!([answer["status"], answer["bodyType"], answer["body"]]), json!([204, "none", null]));
    }

    async fn headers_are_told_but_for_what_goes_no_further(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let lines = "x-own: 1\r\nX-Own: 2\r\nx-latin: \u{1}\r\nset-cookie: a=b\r\nclaviger-position: 1.1\r\nconnection: x-hop\r\n\
            x-hop: 1\r\nkeep-alive: timeout=5\r\ncontent-security-policy: none\r\nx-content-type-options: own\r\n";
        let lines = lines.replace("x-latin: \u{1}\r\n", "");
        scene.world.answer(move |_| {
            let mut reply = Reply::with("200 OK", &lines, "ok");
            let latin = b"HTTP/1.1 200 OK\r\nx-latin: \xe9\r\n";
            reply.bytes[0].splice(..b"HTTP/1.1 200 OK\r\n".len(), latin.iter().copied());
            reply
        });
        let answer = ran(&scene.admin, &id, x()).await;
        let expected = json!([
            { "key": "x-latin", "value": "é" }, { "key": "x-own", "value": "1" }, { "key": "x-own", "value": "2" },
            { "key": "content-length", "value": "2" },
        ]);
        assert_eq!(answer["headers"], expected);
    }

    async fn what_is_echoed_of_a_secret_is_masked(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|seen| {
            let secret = seen.header("private-token");
            let (base64, escaped) = (STANDARD.encode(secret), secret.replace('-', "\\u002d"));
            let body = format!(r#"{{"plain": "{secret}!", "base64": "{base64}", "escaped": "{escaped}", "head": {:?}}}"#, seen.head);
            Reply::with("200 OK", &format!("content-type: application/json\r\nx-echo: <{secret}>\r\n"), body)
        });
        let answer = ran(&scene.admin, &id, x()).await;
        let stars = "*".repeat(SECRET.len());
        assert_eq!((&answer["bodyType"], &answer["body"]["plain"]), (&json!("json"), &json!(format!("{stars}!"))));
        assert_eq!(told(&answer, "x-echo"), [format!("<{stars}>")]);
        let text = answer.to_string();
        for secret in [SECRET, &STANDARD.encode(SECRET), "canary"] {
            assert!(!text.contains(secret), "{text}");
        }
        // And of no text.
        scene.world.answer(|seen| Reply::ok([b"\xff\xfe", seen.header("private-token").as_bytes()].concat()));
        let answer = ran(&scene.admin, &id, x()).await;
        let bytes = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(bytes, [b"\xff\xfe", stars.as_bytes()].concat());
        let list = listed(&scene.admin, &id, 2).await;
        assert!(list["calls"].as_array().unwrap().iter().all(|call| call["masked"].as_u64() > Some(0)), "{list}");
    }

    async fn an_answer_that_is_too_long_is_refused(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let long = |length: usize| Reply::ok("x".repeat(length));
        scene.world.answer(move |_| long(MIB));
        assert_eq!(ran(&scene.admin, &id, x()).await["body"].as_str().unwrap().len(), MIB);
        scene.world.answer(move |_| long(MIB + 1));
        let answer = scene.admin.post(PATH, &action(&id, x())).await;
        assert_eq!(refusal(&answer), (502, "answer_too_large".to_owned(), String::new()));
        // Without an end, too. What may begin a secret is held back, and counts once it is let go.
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; MIB], &[b'x'; 4096]]));
        let answer = scene.admin.post(PATH, &action(&id, x())).await;
        assert_eq!(refusal(&answer), (502, "answer_too_large".to_owned(), String::new()));
        let list = listed(&scene.admin, &id, 3).await;
        let errors = list["calls"].as_array().unwrap().iter().filter(|call| call["error"] == "answer_too_large");
        assert_eq!(errors.count(), 2, "{list}");
        // Each counts once, as what it came to.
        let metrics = scene.server.metrics();
        for line in [r#"{outcome="answer_too_large"} 2"#, r#"{outcome="forwarded"} 1"#] {
            assert!(metrics.contains(&format!("claviger_broker_calls_total{line}")), "{line}: {metrics}");
        }
    }

    async fn what_is_no_whole_answer_is_refused(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (answer, code) in [
            (&b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"[..], "upstream_broken"),
            (b"nonsense\r\n\r\n", "upstream_broken"),
            (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "upstream_broken"),
            (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx", "upstream_encoded"),
        ] {
            scene.world.answer(move |_| Reply::raw(&[answer]).closing());
            let answer = scene.admin.post(PATH, &action(&id, x())).await;
            assert_eq!(refusal(&answer), (502, code.to_owned(), String::new()));
        }
    }
}

with_either_database! {
    async fn an_answer_that_takes_too_long_is_refused(database: TestDatabase) {
        let broker = BrokerOptions { patience: Duration::from_millis(300), ..BrokerOptions::default() };
        let scene = Scene::start_with(database, Setup { broker, ..Setup::default() }).await;
        let id = scene.connection(&gitlab(SECRET)).await;
        // Before it begins, and within.
        for begun in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"] {
            scene.world.answer(move |_| Reply::raw(&[begun]));
            let answer = scene.admin.post(PATH, &action(&id, x())).await;
            assert_eq!(refusal(&answer), (504, "upstream_timeout".to_owned(), String::new()));
        }
        let list = listed(&scene.admin, &id, 2).await;
        assert!(list["calls"].as_array().unwrap().iter().all(|it| it["error"] == "upstream_timeout"), "{list}");
        scene.server.stop().await;
    }
}
