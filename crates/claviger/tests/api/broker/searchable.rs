//! Third parties that would answer so that nobody finds the secret in it: in parts, or in a charset that hides it. What a
//! caller could ask for that with goes no further, and what answers so all the same is refused.

use serde_json::json;

use super::raw::{Caller, code};
use super::with_a_world;
use crate::support::connections::{ALL, body, gitlab, http};
use crate::support::third_party::{Reply, Seen};

const SECRET: &str = "glpat-canary-7Qx2hK91";

/// By which some server or other answers in parts, or in another charset.
const ASKING: [(&str, &str); 14] = [
    ("Range", "bytes=1-7"),
    ("Request-Range", "bytes=1-7"),
    ("Request_Range", "bytes=1-7"),
    ("X-Request-Range", "bytes=1-7"),
    ("x-ms-range", "bytes=1-7"),
    ("X_Ms_Range", "bytes=1-7"),
    ("If-Range", "bytes=1-7"),
    ("A-IM", "bytes=1-7"),
    ("Accept-Charset", "utf-32"),
    ("Accept_Charset", "utf-32"),
    ("Accept", "text/plain;charset=utf-32"),
    ("Accept", "text/html, text/plain; q=0.5 ; Charset = \"UTF-32\""),
    ("Accept", "text/plain;charset*=utf-8''utf-32"),
    ("accept", "*/*;charset=utf-32, */*;charset=utf-8"),
];

/// Echoes the secret as it is asked to, by whichever header: in UTF-32, or seven bytes of it.
fn obeying(is_told: bool) -> impl Fn(&Seen) -> Reply {
    move |seen| {
        let head = seen.head.to_lowercase();
        let text = format!("<{}>", seen.header("private-token"));
        if head.contains("utf-32") {
            let told = if is_told { "content-type: text/plain; charset=UTF-32\r\n" } else { "" };
            return Reply::with(
                "200 OK",
                told,
                text.chars().flat_map(|it| u32::from(it).to_be_bytes()).collect::<Vec<u8>>(),
            );
        }
        if head.contains("bytes=") {
            let told = if is_told { "content-range: bytes 1-7/23\r\n" } else { "" };
            return Reply::with("206 Partial Content", told, &text[1..8]);
        }
        Reply::ok(&text)
    }
}

with_a_world! {
    async fn nobody_asks_for_what_cannot_be_searched(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let caller = Caller::new(scene).await;
        for is_told in [true, false] {
            scene.world.answer(obeying(is_told));
            for asking in ASKING {
                let answer = caller.call("GET", &format!("{id}/x"), &[asking, ("x-own", "1")], "").await;
                let text = answer.text.clone();
                assert_eq!((code(&answer), text.as_str()), ("ok", &*format!("<{}>", "*".repeat(SECRET.len()))), "{asking:?}");
                assert_eq!(scene.world.only().header("x-own"), "1");
            }
        }
        // It does obey, and what it then says is refused.
        scene.world.answer(obeying(true));
        for (control, refusal) in [(("x-own", "utf-32"), "upstream_charset"), (("x-own", "bytes=1-7"), "upstream_partial")] {
            let answer = caller.call("GET", &format!("{id}/x"), &[control], "").await;
            assert_eq!((answer.status.as_u16(), code(&answer)), (502, refusal));
            assert!(!answer.text.contains("canary") && !answer.text.contains("glpat"), "{}", answer.text);
        }
    }

    async fn what_cannot_be_searched_is_refused(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let caller = Caller::new(scene).await;
        for (status, lines, expected) in [
            ("200 OK", "content-type: text/plain; charset=utf-8\r\n", "ok"),
            ("200 OK", "content-type: text/html; charset=ISO-8859-1\r\n", "ok"),
            ("200 OK", "content-type: text/html; charset=Shift_JIS\r\n", "ok"),
            ("200 OK", "content-type: text/xml; charset=\"utf-16\"\r\n", "ok"),
            ("200 OK", "accept-ranges: bytes\r\n", "ok"),
            ("200 OK", "content-range: 0-24/300\r\n", "ok"),
            ("206 Partial Content", "content-range: 0-24/300\r\n", "ok"),
            ("200 OK", "content-type: text/plain; charset=IBM037\r\n", "upstream_charset"),
            ("404 Not Found", "content-type: text/plain;charset='utf-7'\r\n", "upstream_charset"),
            ("200 OK", "content-type: text/plain\r\ncontent-type: text/plain; charset=utf-32le\r\n", "upstream_charset"),
            ("200 OK", "content-type: text/plain; charset=made-up\r\n", "upstream_charset"),
            ("206 Partial Content", "", "upstream_partial"),
            ("206 Partial Content", "content-range: bytes 0-4/27\r\n", "upstream_partial"),
            ("206 Partial Content", "content-type: multipart/byteranges; boundary=x\r\n", "upstream_partial"),
            ("200 OK", "content-range: bytes 0-4/27\r\n", "upstream_partial"),
            ("226 IM Used", "im: diffe\r\n", "upstream_partial"),
        ] {
            scene.world.answer(move |_| Reply::with(status, lines, "hello"));
            let answer = caller.get(&format!("{id}/x")).await;
            assert_eq!(code(&answer), expected, "{status} {lines}");
            assert_eq!(answer.text == "hello", expected == "ok");
            scene.world.take_seen();
        }
        // That there is no such part is no part.
        scene.world.answer(|_| Reply::with("416 Range Not Satisfiable", "content-range: bytes */27\r\n", "none"));
        let answer = caller.get(&format!("{id}/x")).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (416, "none"));
    }

    /// What a connection adds to is what it is said to be.
    async fn a_body_that_is_added_to_is_written_as_it_says(scene: &Scene) {
        let mut connection = http("https://hooks.example.com/base", SECRET);
        connection["credentials"]["body"].as_object_mut().unwrap().remove("content_type");
        let untyped = scene.admin.post(ALL, &body("Untyped", &connection)).await;
        let ids = [scene.connection(&http("https://hooks.example.com/base", SECRET)).await, untyped.expect(201).json()["data"]["id"].as_str().unwrap().to_owned()];
        let caller = Caller::new(scene).await;
        let callers = r#"{"n":9007199254740993,"b":1.10,"a":{ "z": 1e400 },"a":2}"#;
        let joined = format!(r#"{{"n":9007199254740993,"b":1.10,"a":{{ "z": 1e400 }},"a":2,"token":"{SECRET}"}}"#);
        for id in &ids {
            for (lines, expected) in [
                (&[][..], "ok"),
                (&[("content-type", "application/json; charset=utf-8")], "ok"),
                (&[("content-encoding", "identity")], "ok"),
                (&[("content-type", "application/json; charset=utf-16")], "body"),
                (&[("content-type", "application/json; charset=ibm037")], "body"),
                (&[("content-encoding", "gzip")], "body"),
                (&[("content_encoding", "gzip")], "body"),
            ] {
                let answer = caller.call("POST", &format!("{id}/x"), lines, callers).await;
                assert_eq!(code(&answer), expected, "{lines:?}");
                if expected == "ok" {
                    let seen = scene.world.only();
                    assert_eq!(String::from_utf8_lossy(&seen.body), joined);
                    assert!(seen.header("content-type").starts_with("application/json"), "{}", seen.head);
                }
                assert!(scene.world.take_seen().is_empty());
            }
        }
    }

    /// In the header of an HTTP connection in which its token stands, too.
    async fn a_token_is_taken_from_a_connections_own_header(scene: &Scene) {
        let mut connection = http("https://hooks.example.com/base", SECRET);
        connection["credentials"]["headers"] = json!([{ "name": "X-Key", "value": "{{ token1 }}" }, { "name": "X-Own", "value": "plain" }]);
        let id = scene.connection(&connection).await;
        let token = scene.token().await;
        let caller = Caller::new(scene).await;
        for (name, value, status) in [
            ("x-key", token.clone(), 200),
            ("x-key", format!("Token {token}"), 200),
            ("x-own", token.clone(), 401),
            ("x-other", token.clone(), 401),
            ("x-key", "glpat-of-somebody".to_owned(), 401),
        ] {
            let answer = caller.bare("GET", &format!("{id}/x"), &[(name, &*value)], "").await;
            assert_eq!(answer.status.as_u16(), status, "{name}: {value}");
            let seen = scene.world.take_seen();
            assert_eq!(seen.len(), usize::from(status == 200));
            assert!(seen.iter().all(|seen| seen.header("x-key") == SECRET && !seen.head.contains(&token)));
        }
    }
}
