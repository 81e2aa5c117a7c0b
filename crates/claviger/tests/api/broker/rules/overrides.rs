//! Nothing in a header, a query or a form makes another call of one that a rule admits.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{SECRET, rule, rules};
use crate::broker::raw::{Caller, change_terms, code, on_terms};
use crate::broker::with_a_world;
use crate::support::connections::{gitlab, http as templated};
use crate::support::native_connections::http;
use crate::support::third_party::Reply;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PARTS: (&str, &str) = ("content-type", "multipart/form-data; boundary=x");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A busy machine may take long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A body of one part.
fn part(head: &str) -> String {
    format!("--x\r\n{head}\r\n\r\nDELETE\r\n--x--\r\n")
}

/// A twist, and the same call without it.
struct Twist {
    method: &'static str,
    query: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Twist {
    fn of(
        method: &'static str,
        query: &'static str,
        headers: &[(&'static str, &'static str)],
        body: impl Into<String>,
    ) -> Self {
        Self { method, query, headers: headers.to_vec(), body: body.into() }
    }
}

/// By which servers take the method for another; beside each what is harmless.
fn of_methods() -> Vec<(Twist, Twist)> {
    let mut twists = Vec::new();
    for name in [
        "X-HTTP-Method-Override",
        "x-http-method-override",
        "X-HTTP-Method",
        "X-Method-Override",
        "X_HTTP_Method_Override",
        "x-http_method-override",
        "X-Method",
        "X-Original-Method",
    ] {
        for method in ["GET", "POST"] {
            let harmless = Twist::of(method, "", &[("x-http-methods", "DELETE")], "");
            twists.push((Twist::of(method, "", &[(name, "DELETE")], ""), harmless));
        }
    }
    for query in [
        "?_method=DELETE",
        "?a=1&_method=DELETE",
        "?a=1;_method=DELETE",
        "?%5Fmethod=DELETE",
        "?_METHOD=DELETE",
        "?_method",
        "?_method[]=DELETE",
        "?.method=DELETE",
        "?_method%00=DELETE",
        "?X-HTTP-Method-Override=DELETE",
        "?_HttpMethod=DELETE",
    ] {
        for method in ["GET", "POST"] {
            let harmless = Twist::of(method, "?method=DELETE&a=_method", &[], "");
            twists.push((Twist::of(method, query, &[], ""), harmless));
        }
    }
    for (headers, body, harmless) in [
        (&[FORM][..], "_method=DELETE", "method=DELETE"),
        (&[FORM], "a=1&%5fmethod=DELETE", "a=%5fmethod"),
        (&[FORM], "x-http-method-override=DELETE", "a=1"),
        (&[("content-type", "Application/X-WWW-FORM-urlencoded;charset=utf-8")], "_method=DELETE", "a=1"),
        (&[("content-type", "text/plain"), FORM], "_method=DELETE", "a=1"),
        (&[("content-type", "text/plain, application/x-www-form-urlencoded")], "_method=DELETE", "a=1"),
        // A body that nobody says the type of is a form to some.
        (&[], "_method=DELETE", "a=1"),
        (&[JSON], r#"{"_method":"DELETE"}"#, r#"{"method":"DELETE"}"#),
        (
            &[("content-type", "application/vnd.api+json")],
            r#"{"\u005Fmethod":"DELETE"}"#,
            r#"{"a":"_method"}"#,
        ),
    ] {
        twists.push((Twist::of("POST", "", headers, body), Twist::of("POST", "", headers, harmless)));
    }
    for head in [
        "Content-Disposition: form-data; name=\"_method\"",
        "content-disposition:form-data;NAME=_method",
        "Content-Disposition: form-data;\r\n\tname=\"_method\"",
        "Content-Disposition: form-data; filename=\"a\"; name=\"_method\"",
        "Content-Disposition: form-data; name=\"\\_method\"",
        "Content-Type: text/plain\r\nContent-Disposition: form-data; name=\"_method\"",
    ] {
        let harmless = Twist::of("POST", "", &[PARTS], part("Content-Disposition: form-data; name=\"a\""));
        twists.push((Twist::of("POST", "", &[PARTS], part(head)), harmless));
    }
    twists
}

/// By which servers take the path for another, or a second one.
const OF_PATHS: [(&str, &str); 18] = [
    ("X-Override-URL", "/api/v4/projects/43"),
    ("X-Original-Path", "/api/v4/projects/43"),
    ("X_Rewrite_Uri", "/api/v4/projects/43"),
    ("Request-URI", "/api/v4/projects/43"),
    ("X-HTTP-DestinationURL", "https://gitlab.com/api/v4/projects/43"),
    ("Destination", "https://gitlab.com/api/v4/projects/43"),
    ("x-amz-copy-source", "/other/key"),
    ("x-ms-copy-source", "https://gitlab.com/other/key"),
    ("x-goog-copy-source", "/other/key"),
    ("x-amz-rename-source", "/other/key"),
    ("X-Amz-Rename_Source", "/other/key"),
    ("x-ms-rename-source", "/other/key"),
    ("x-ms-file-rename-source", "https://gitlab.com/other/key"),
    ("x-oss-copy-source", "/other/key"),
    ("X-Copy-From", "/other/key"),
    ("X-Copy-From-Account", "AUTH_other"),
    ("X-Object-Manifest", "other/key"),
    ("X-Symlink-Target", "other/key"),
];

/// These go to nobody, whether there are rules or not.
const NEVER_OUT: [&str; 10] = [
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-Forwarded-Uri",
    "X-Forwarded-Path",
    "X-Forwarded-Method",
    "X-Forwarded-Prefix",
    "X-Forwarded-Host",
    "X_Original_URL",
    "X-Envoy-Original-Path",
];

with_a_world! {
    async fn a_method_is_what_the_request_line_says(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), rules(&[rule(&["GET", "POST"], "/api/v4/projects/42")])).await;
        let open = on_terms(scene, &gitlab(SECRET), rules(&[rule(&[], "/api/v4/projects/42"), rule(&["GET"], "/")])).await;
        let plain = on_terms(scene, &gitlab(SECRET), Value::Null).await;
        let caller = Caller::new(scene).await;
        let twists = of_methods();
        assert!(twists.len() >= 50, "{}", twists.len());
        for (twist, harmless) in twists {
            let call = async |id: &str, twist: &Twist| {
                let target = format!("{id}/projects/42{}", twist.query);
                caller.call(twist.method, &target, &twist.headers, twist.body.clone()).await
            };
            let about = format!("{} {} {:?} {}", twist.method, twist.query, twist.headers, twist.body);
            let refused = call(&id, &twist).await;
            assert_eq!((refused.status.as_u16(), code(&refused)), (400, "override"), "{about}");
            assert!(scene.world.take_seen().is_empty(), "{about}");
            // Without the twist; and with it where any method is admitted there, or no rule is.
            for (id, twist) in [(&id, &harmless), (&open, &twist), (&plain, &twist)] {
                assert_eq!(code(&call(id, twist).await), "ok", "{about}");
                assert_eq!(scene.world.only().body, twist.body.as_bytes(), "{about}");
            }
        }
    }

    async fn a_path_is_what_the_request_line_says(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), rules(&[rule(&[], "/api/v4/projects/42")])).await;
        let plain = on_terms(scene, &gitlab(SECRET), Value::Null).await;
        let caller = Caller::new(scene).await;
        for header in OF_PATHS {
            let refused = caller.call("PUT", &format!("{id}/projects/42"), &[header], "").await;
            assert_eq!((refused.status.as_u16(), code(&refused)), (400, "override"), "{header:?}");
            assert!(scene.world.take_seen().is_empty(), "{header:?}");
            assert_eq!(code(&caller.call("PUT", &format!("{plain}/projects/42"), &[header], "").await), "ok");
            assert_eq!(scene.world.only().header(header.0), header.1);
        }
        for name in NEVER_OUT {
            assert_eq!(code(&caller.call("GET", &format!("{id}/projects/42"), &[(name, "/api/v4/projects/43"), ("x-own", "1")], "").await), "ok");
            let seen = scene.world.only();
            assert_eq!((seen.all(name), seen.header("x-own")), (Vec::new(), "1"), "{name}");
            assert!(!seen.head.contains("projects/43"), "{}", seen.head);
        }
    }

    /// What the connection says of the type counts, whatever the caller says.
    async fn a_form_is_what_goes_out_as_one(scene: &Scene) {
        let caller = Caller::new(scene).await;
        let bound = || rules(&[rule(&["POST"], "/")]);
        let mut headers = http("https://api.example.com", SECRET);
        headers["credentials"]["headers"] = json!([{ "name": "X-Key", "value": "{{ token1 }}" }, { "name": "Content-Type", "value": FORM.1 }]);
        let mut template = http("https://api.example.com", SECRET);
        template["credentials"]["body"] = json!({ "content_type": JSON.1, "content": r#"{"own":1}"# });
        for (integration, twist, harmless) in [
            (&headers, "a=1&_method=DELETE", "a=1"),
            (&template, r#"{"_method":"DELETE"}"#, r#"{"a":1}"#),
        ] {
            let id = on_terms(scene, integration, bound()).await;
            let plain = on_terms(scene, integration, Value::Null).await;
            let types: &[&[(&str, &str)]] = if integration == &headers { &[&[], &[("content-type", "text/plain")]] } else { &[&[]] };
            for types in types {
                assert_eq!(code(&caller.call("POST", &format!("{id}/x"), types, twist).await), "override", "{twist}");
                assert!(scene.world.take_seen().is_empty());
                for (id, body) in [(&id, harmless), (&plain, twist)] {
                    assert_eq!(code(&caller.call("POST", &format!("{id}/x"), types, body).await), "ok", "{body}");
                    scene.world.only();
                }
            }
        }
    }

    /// What must be read to be judged is read within bounds; what need not be goes through as it comes.
    async fn forms_are_short_and_plain_where_rules_name_methods(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), rules(&[rule(&["POST", "PUT"], "/api/v4/projects/42")])).await;
        let plain = on_terms(scene, &gitlab(SECRET), Value::Null).await;
        let caller = Caller::new(scene).await;
        let long = "a=1&".repeat(300_000);
        let post = async |id: &str, method: &str, headers: &[(&str, &str)], body: &str| {
            let answer = caller.call(method, &format!("{id}/projects/42"), headers, body.to_owned()).await;
            (answer.status.as_u16(), code(&answer).to_owned(), scene.world.take_seen().len())
        };
        let told = |status, code: &str, seen| (status, code.to_owned(), seen);
        for form in [FORM, PARTS, JSON] {
            assert_eq!(post(&id, "POST", &[form], &long).await, told(413, "body_too_large", 0), "{form:?}");
            assert_eq!(post(&plain, "POST", &[form], &long).await, told(200, "ok", 1), "{form:?}");
            // Servers look for another method in POST alone.
            assert_eq!(post(&id, "PUT", &[form], &long).await, told(200, "ok", 1), "{form:?}");
        }
        assert_eq!(post(&id, "POST", &[("content-type", "application/octet-stream")], &long).await, told(200, "ok", 1));
        let zipped = ("content-encoding", "gzip");
        assert_eq!(post(&id, "POST", &[FORM, zipped], "zipped").await, told(400, "body", 0));
        assert_eq!(post(&plain, "POST", &[FORM, zipped], "zipped").await, told(200, "ok", 1));
        let odd = ("content-type", "application/x-www-form-urlencoded; charset=ibm500");
        assert_eq!(post(&id, "POST", &[odd], "a=1").await, told(400, "body", 0));
        assert_eq!(post(&plain, "POST", &[odd], "a=1").await, told(200, "ok", 1));
        assert_eq!(post(&id, "POST", &[JSON], "{\"a\"").await, told(400, "body", 0));
        assert_eq!(post(&id, "POST", &[JSON], "{\"a\":1}").await, told(200, "ok", 1));
        scene.world.answer(|seen| Reply::ok(seen.body.clone()));
        assert_eq!(caller.call("POST", &format!("{id}/projects/42"), &[FORM], "a=1&b=%20").await.text, "a=1&b=%20");
    }

    /// Rules may come while a body is waited for: what they would look for, nobody has looked for.
    async fn what_waited_is_held_to_the_rules_of_now(scene: &Scene) {
        const TWIST: &str = r#"{"_method":"DELETE"}"#;
        let of = |methods: &[&str]| rules(&[rule(methods, "/")]);
        for (before, meanwhile, body, expected) in [
            (Value::Null, of(&["POST"]), TWIST, 503),
            (Value::Null, of(&[]), TWIST, 503),
            (of(&[]), of(&["POST"]), TWIST, 503),
            (of(&[]), rules(&[rule(&["POST"], "/"), rule(&[], "/x")]), TWIST, 200),
            (of(&["POST"]), of(&["POST", "PUT"]), "{}", 200),
            (of(&["POST"]), of(&[]), "{}", 200),
            (of(&["POST"]), Value::Null, "{}", 200),
            (Value::Null, json!({ "concurrency": 5 }), TWIST, 200),
        ] {
            let about = format!("{before} {meanwhile}");
            // Its content is put together with what comes.
            let id = on_terms(scene, &templated("https://hooks.example.com", "canary-7Qx2-value"), before).await;
            let mut stream = TcpStream::connect(scene.server.address).await.unwrap();
            let head = format!("POST /broker/{id}/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n", scene.token().await, body.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut asked = [0; 25];
            timeout(PATIENCE, stream.read_exact(&mut asked)).await.unwrap().unwrap();
            assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n", "{about}");
            change_terms(scene, &id, meanwhile).await;
            stream.write_all(body.as_bytes()).await.unwrap();
            let mut answer = String::new();
            timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{about}: {answer}");
            assert_eq!(answer.contains("claviger-error: changed"), expected == 503, "{about}: {answer}");
            assert_eq!(scene.world.take_seen().len(), usize::from(expected == 200), "{about}");
        }
    }
}
