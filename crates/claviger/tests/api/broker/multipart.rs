//! HTTP connections that add fields to `multipart/form-data` bodies: each field is a part of its own, whatever stands in a
//! token, and whatever the caller sends.

use http::Method;
use serde_json::{Value, json};

use super::with_a_world;
use crate::support::connections::{ALL, body, http};
use crate::support::third_party::Seen;

const SECRET: &str = "canary-7Qx2-of-a-field";
const FIELDS: &str = r#"[{"key": "token", "value": "x {{ token1 }}"}, {"key": "fixed", "value": "1"}]"#;
const TYPE: &str = "multipart/form-data; boundary=B";

/// The `integration` value of a connection that adds these fields.
fn adding(content: &str, content_type: &str, secret: &str) -> Value {
    let mut integration = http("https://api.example.com", secret);
    integration["credentials"]["body"] = json!({ "content": content, "content_type": content_type });
    integration["credentials"]["headers"] = json!([]);
    integration
}

/// The parts of a request's body, as its headers and content, by the boundary that its media type names.
#[track_caller]
fn parts(seen: &Seen) -> Vec<(String, String)> {
    let media_type = seen.header("content-type");
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let body = std::str::from_utf8(&seen.body).unwrap();
    let body = body.strip_prefix(&format!("--{boundary}\r\n")).unwrap();
    let body = body.strip_suffix(&format!("\r\n--{boundary}--\r\n")).unwrap();
    let split = |part: &str| {
        let (head, content) = part.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), content.to_owned())
    };
    body.split(&format!("\r\n--{boundary}\r\n")).map(split).collect()
}

/// A part as ours and most clients' are.
fn field(name: &str, content: &str) -> (String, String) {
    (format!("Content-Disposition: form-data; name=\"{name}\""), content.to_owned())
}

fn body_of(parts: &[&str]) -> String {
    let parts: String = parts.iter().map(|part| format!("--B\r\n{part}\r\n")).collect();
    format!("{parts}--B--\r\n")
}

with_a_world! {
    async fn fields_are_parts_beside_the_callers(scene: &Scene) {
        let id = scene.connection(&adding(FIELDS, "multipart/form-data", SECRET)).await;
        let path = format!("/broker/{id}/x");
        let secret = field("token", &format!("x {SECRET}"));
        let sent = async |media_type: Option<&str>, body: Option<String>| {
            let headers: Vec<_> = media_type.map(|it| ("content-type", it)).into_iter().collect();
            scene.admin.send(Method::POST, &path, &headers, body).await.expect(200);
            parts(&scene.world.only())
        };
        assert_eq!(sent(None, None).await, [secret.clone(), field("fixed", "1")]);
        let file = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nline\r\n{{ token1 }}";
        let own = "content-disposition: form-data; name=own\r\n\r\n2";
        let same = "Content-Disposition: form-data; name=\"token\"\r\n\r\nmine";
        let found = sent(Some(TYPE), Some(body_of(&[file, same, own]))).await;
        let file = ("Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain".to_owned(), "line\r\n{{ token1 }}".to_owned());
        assert_eq!(found, [secret, field("fixed", "1"), file, field("own", "2")]);
        // Whatever boundary the connection's own media type names is not used: it could be known.
        let id = scene.connection(&adding(FIELDS, "multipart/form-data; boundary=known", SECRET)).await;
        scene.admin.send(Method::POST, &format!("/broker/{id}/x"), &[], None::<String>).await.expect(200);
        let seen = scene.world.only();
        assert!(!seen.header("content-type").contains("known"), "{}", seen.head);
        assert_eq!(parts(&seen).len(), 2);
    }

    /// Each of them with its control: the same in the place of a value, which may hold anything.
    async fn no_token_breaks_out_of_its_part(scene: &Scene) {
        let own = "Content-Disposition: form-data; name=\"own\"\r\n\r\n2";
        let headers = [("content-type", TYPE)];
        for secret in [
            "canary\"; filename=\"x",
            "canary\"; name=\"admin",
            "canary%22; name=%22admin",
            "canary--B",
            "canary------claviger-",
            "canary\", \"value\": \"x\"}, {\"key\": \"admin",
            "{{ token1 }}{{ token2 }}",
        ] {
            // The connection's own texts may have ends of lines, too.
            let content = r#"[{"key": "n\r\n\r\n--B\n{{ token1 }}", "value": "v"}, {"key": "n", "value": "v\r\n--B--\r\n{{ token1 }}"}]"#;
            let id = scene.connection(&adding(content, "multipart/form-data", secret)).await;
            let answer = scene.admin.send(Method::POST, &format!("/broker/{id}/x"), &headers, Some(body_of(&[own]))).await;
            answer.expect(200);
            let named = format!("n%0D%0A%0D%0A--B%0A{}", secret.replace('"', "%22"));
            let expected = [field(&named, "v"), field("n", &format!("v\r\n--B--\r\n{secret}")), field("own", "2")];
            assert_eq!(parts(&scene.world.only()), expected, "{secret:?}");
        }
        // Tokens with ends of lines there are none.
        for secret in ["canary\r\nContent-Type: text/html\r\n\r\nx", "canary\n\nx", "canary\r", "canary\0x"] {
            let refused = scene.admin.post(ALL, &body("Bad", &adding(FIELDS, "multipart/form-data", secret))).await;
            refused.expect(400);
        }
    }

    /// What two readers could read differently is refused, and the control beside it goes through.
    async fn a_body_that_cannot_be_taken_apart_goes_nowhere(scene: &Scene) {
        let id = scene.connection(&adding(FIELDS, "multipart/form-data", SECRET)).await;
        let path = format!("/broker/{id}/x");
        let good = body_of(&["Content-Disposition: form-data; name=\"own\"\r\n\r\n2"]);
        let with = |from: &str, to: &str| {
            let bad = good.replace(from, to);
            assert_ne!(bad, good, "{from}");
            bad
        };
        let long = format!("name=\"own{}\"", "x".repeat(9_000));
        for (media_type, body) in [
            ("multipart/form-data", good.clone()),
            ("multipart/form-data; boundary=C", good.clone()),
            ("multipart/form-data; boundary=B; boundary=C", good.clone()),
            ("multipart/mixed; boundary=B", good.clone()),
            ("application/json", "{}".to_owned()),
            (TYPE, "{}".to_owned()),
            (TYPE, with("--B--\r\n", "")),
            (TYPE, with("--B--\r\n", "--B--\r\nmore")),
            (TYPE, with("name=\"own\"", "name=\"own\"; name=\"token\"")),
            (TYPE, with("name=\"own\"", "name=\"own\\\"; name=\\\"token\"")),
            (TYPE, with("name=\"own\"", "name*=utf-8''token")),
            (TYPE, with("name=\"own\"", "name=\"own\nname=token\"")),
            (TYPE, with("; name=\"own\"", ";\r\n name=\"token\"")),
            (TYPE, with("; name=\"own\"", "")),
            (TYPE, with("name=\"own\"", &long)),
            (TYPE, with("\r\n\r\n2", "\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\n2")),
            (TYPE, with("\r\n", "\n")),
            (TYPE, with("--B\r\n", "x\r\n--B\r\n")),
        ] {
            let headers = [("content-type", media_type)];
            let refused = scene.admin.send(Method::POST, &path, &headers, Some(body.clone())).await.expect(400);
            assert_eq!(refused.header("claviger-error"), "body", "{media_type} {body:.200}");
            assert_eq!(scene.world.take_seen().len(), 0);
            let headers = [("content-type", TYPE)];
            scene.admin.send(Method::POST, &path, &headers, Some(good.clone())).await.expect(200);
            assert_eq!(parts(&scene.world.only()).len(), 3);
        }
        let large = body_of(&[&format!("Content-Disposition: form-data; name=\"own\"\r\n\r\n{}", "x".repeat(1024 * 1024))]);
        let answer = scene.admin.send(Method::POST, &path, &[("content-type", TYPE)], Some(large)).await.expect(413);
        assert_eq!(answer.header("claviger-error"), "body_too_large");
    }

    /// A name of a token that is written with escapes of JSON's would not be seen by what keeps tokens where they are.
    async fn a_token_that_is_named_by_escapes_is_not_filled_in(scene: &Scene) {
        for (content, content_type) in [
            (r#"[{"key": "a", "value": "{\u007b token1 }}"}]"#, "multipart/form-data"),
            (r#"{"a": "{\u007b token1 }}"}"#, "application/json"),
        ] {
            let bad = scene.connection(&adding(content, content_type, SECRET)).await;
            let answer = scene.admin.send(Method::POST, &format!("/broker/{bad}/x"), &[], None::<String>).await.expect(409);
            assert_eq!(answer.header("claviger-error"), "connection_unusable");
            let good = scene.connection(&adding(&content.replace("\\u007b", "{"), content_type, SECRET)).await;
            scene.admin.send(Method::POST, &format!("/broker/{good}/x"), &[], None::<String>).await.expect(200);
            assert!(String::from_utf8(scene.world.only().body).unwrap().contains(SECRET));
        }
        for content in ["", "text", "{}", r#"[{"key": "a", "value": 1}]"#, r#"[{"key": "a\\", "value": "1"}]"#] {
            let bad = scene.connection(&adding(content, "multipart/form-data", SECRET)).await;
            let answer = scene.admin.send(Method::POST, &format!("/broker/{bad}/x"), &[], None::<String>).await;
            // Without content, there is nothing to add.
            answer.expect(if content.is_empty() { 200 } else { 409 });
        }
    }
}
