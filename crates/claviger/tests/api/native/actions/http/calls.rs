//! What goes out.

use std::time::Duration;

use ::http::Method;
use serde_json::{Value, json};

use super::{PATH, SECRET, action, ran, refusal, told};
use crate::broker::with_a_world;
use crate::native::connections::listed;
use crate::support::connections::{gitlab, http};
use crate::support::native_connections::aws;
use crate::support::oauth::Stage;
use crate::support::third_party::{Reply, ThirdParty};
use crate::support::{TestDatabase, connections, with_either_database};

with_a_world! {
    async fn an_action_reaches_the_connections_host_with_its_secret(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let body = format!(
            r#"{{"connection": "{id}", "method": "POST", "path": "/projects/a%20b?x=%2F..",
                "query": [{{"key": "q", "value": "a b&c=d"}}, {{"key": "private_token", "value": "mine"}}],
                "headers": [{{"key": "X-Own", "value": "1"}}, {{"key": "x-own", "value": "é"}}, {{"key": "Accept", "value": "text/plain"}}],
                "requestBody": {{ "z": 12345678901234567890123, "a": [1.0, "\u00e9"]}} }}"#
        );
        let answer = scene.admin.send(Method::POST, PATH, &[], Some(body)).await.expect(200);
        assert_eq!(answer.header("content-security-policy"), "sandbox");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("claviger-error"), "");
        let mut told = answer.json();
        let timing = told["timing"].take();
        let millis = ["firstByteMs", "totalMs"].map(|it| timing[it].as_f64().unwrap());
        assert!(0.0 < millis[0] && millis[0] <= millis[1] && millis[1] < 60_000.0, "{timing}");
        let headers = json!([{ "key": "content-type", "value": "text/plain" }, { "key": "content-length", "value": "2" }]);
        assert_eq!(told, json!({ "status": 200, "headers": headers, "bodyType": "text", "body": "ok", "attempts": 1, "timing": null }));
        let seen = scene.world.only();
        assert_eq!((seen.name.as_str(), seen.header("host")), ("gitlab.com", "gitlab.com"));
        // The private token is the connection's alone to give.
        assert_eq!(seen.line(), "POST /api/v4/projects/a%20b?x=%2F..&q=a%20b%26c%3Dd");
        // As it was written: no digit and no escape is lost.
        let sent = r#"{ "z": 12345678901234567890123, "a": [1.0, "\u00e9"]}"#;
        assert_eq!(String::from_utf8_lossy(&seen.body), sent);
        assert_eq!(seen.header("content-length"), sent.len().to_string());
        assert_eq!((seen.header("content-type"), seen.header("accept")), ("application/json", "text/plain"));
        assert_eq!((seen.all("x-own"), seen.header("user-agent")), (vec!["1", "é"], "claviger"));
        assert_eq!((seen.header("private-token"), seen.header("accept-encoding")), (SECRET, "identity"));
        assert_eq!(seen.head.matches(SECRET).count(), 1, "{}", seen.head);
        for gone in ["cookie", "dd-api-key", "dd-application-key", "authorization"] {
            assert_eq!(seen.all(gone), Vec::<&str>::new(), "{gone}");
        }
    }

    async fn a_body_is_a_text_or_json_or_nothing(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let json = vec!["application/json"];
        for (body, sent, media) in [
            (json!("<x>é</x>"), "<x>é</x>", vec![]),
            (json!(r#"{"a":1}"#), r#"{"a":1}"#, vec![]),
            (json!(""), "", vec![]),
            (Value::Null, "", vec![]),
            (json!([1, {}]), "[1,{}]", json.clone()),
            (json!(17), "17", json.clone()),
            (json!(false), "false", json),
        ] {
            ran(&scene.admin, &id, json!({ "method": "POST", "path": "/x", "requestBody": body })).await;
            let seen = scene.world.only();
            assert_eq!((String::from_utf8_lossy(&seen.body), seen.all("content-type")), (sent.into(), media), "{body}");
        }
        // What the caller says of it counts.
        let headers = json!([{ "key": "Content-Type", "value": "application/vnd.api+json" }, { "key": "user-agent", "value": "mine" }]);
        ran(&scene.admin, &id, json!({ "method": "PATCH", "path": "/x", "requestBody": {}, "headers": headers })).await;
        let seen = scene.world.only();
        assert_eq!((seen.header("content-type"), seen.header("user-agent")), ("application/vnd.api+json", "mine"));
    }

    async fn every_method_of_the_documents_goes_through(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|seen| match seen.line().starts_with("HEAD ") {
            true => Reply::raw(&[b"HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n"]),
            false => Reply::ok("ok"),
        });
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let answer = ran(&scene.admin, &id, json!({ "method": method, "path": "" })).await;
            let expected = if method == "HEAD" { ["none", "17"] } else { ["text", "2"] };
            assert_eq!(json!([answer["bodyType"], told(&answer, "content-length")[0]]), json!(expected), "{method}");
            assert_eq!(scene.world.only().line(), format!("{method} /api/v4"));
        }
    }

    async fn a_url_is_from_its_hosts_root(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (url, target) in [
            ("https://gitlab.com/oauth/token/info?x", "/oauth/token/info?x&q=1"),
            ("HTTPS://GITLAB.com.:443/a", "/a?q=1"),
            ("https://gitlab.com", "/?q=1"),
        ] {
            ran(&scene.admin, &id, json!({ "url": url, "query": [{ "key": "q", "value": "1" }] })).await;
            let seen = scene.world.only();
            assert_eq!((seen.line(), seen.header("host")), (format!("GET {target}").as_str(), "gitlab.com"));
            assert_eq!(seen.header("private-token"), SECRET);
        }
        // Where there is no single base URL, there is nothing for a path to be below.
        let id = scene.connection(&aws()).await;
        let answer = scene.admin.post(PATH, &action(&id, json!({ "path": "/x" }))).await;
        assert_eq!(refusal(&answer), (400, "host_needed".to_owned(), "path".to_owned()));
        assert_eq!(scene.world.take_seen().len(), 0);
    }

    /// The caller's texts are none of the connection's templates.
    async fn a_connections_templates_are_added(scene: &Scene) {
        let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
        let pair = |key: &str| json!([{ "key": key, "value": "{{ token1 }}" }]);
        let more = json!({ "method": "POST", "path": "/in", "query": pair("own"), "headers": pair("x-own"),
            "requestBody": { "own": "{{ token1 }}", "token": "mine" } });
        ran(&scene.admin, &id, more).await;
        let seen = scene.world.only();
        assert_eq!(seen.line(), "POST /base/in?own=%7B%7B%20token1%20%7D%7D&page=1");
        assert_eq!((seen.header("x-key"), seen.header("x-own")), ("canary-7Qx2-value", "{{ token1 }}"));
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body, json!({ "own": "{{ token1 }}", "token": "canary-7Qx2-value" }));
        // What cannot be put together with the connection's body is told of the body.
        let answer = scene.admin.post(PATH, &action(&id, json!({ "method": "POST", "path": "/in", "requestBody": [1] }))).await;
        assert_eq!(refusal(&answer), (400, "body".to_owned(), "requestBody".to_owned()));
    }

    async fn an_action_is_recorded_as_every_call(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|_| Reply::with("201 Created", "", "made"));
        ran(&scene.admin, &id, json!({ "method": "PUT", "path": "/a%20b?query-canary", "requestBody": "12345" })).await;
        scene.admin.post(PATH, &action(&id, json!({ "url": "https://evil.example/x" }))).await.expect(403);
        let list = listed(&scene.admin, &id, 2).await;
        let lines: Vec<_> = list["calls"].as_array().unwrap().iter().map(|call| {
            json!(["method", "host", "path", "status", "error", "bytes_sent", "bytes_received"].map(|it| &call[it]))
        }).collect();
        assert!(lines.contains(&json!(["PUT", "gitlab.com", "/api/v4/a%20b", 201, null, 5, 4])), "{list}");
        assert!(lines.contains(&json!(["GET", "evil.example", "/x", 403, "host_not_allowed", 0, 0])), "{list}");
        assert!(!list.to_string().contains("canary"), "{list}");
        let metrics = scene.server.metrics();
        for line in [r#"claviger_broker_calls_total{outcome="forwarded"} 1"#, r#"{outcome="host_not_allowed"} 1"#] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
    }
}

with_either_database! {
    /// A body that is in memory can be sent once more.
    async fn a_token_that_was_taken_back_is_renewed(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let stage = Stage::set_with(database, Duration::from_secs(30), |setup| setup.egress = Some(world.egress())).await;
        stage.client().await;
        stage.connect("one").await;
        world.answer(|seen| match seen.header("authorization") {
            "Bearer canary-access-1" => Reply::with("401 Unauthorized", "", "no"),
            _ => Reply::ok("ok"),
        });
        let body = json!({ "connectionName": "one", "method": "POST", "path": "/api/tickets", "requestBody": { "a": 1 } });
        let told = stage.zis.post(PATH, &body).await.expect(200).json();
        assert_eq!((&told["status"], &told["body"]), (&json!(200), &json!("ok")));
        let seen = world.take_seen();
        let sent: Vec<_> = seen.iter().map(|it| (it.header("authorization"), it.body.as_slice())).collect();
        let whole = br#"{"a":1}"#.as_slice();
        assert_eq!(sent, [("Bearer canary-access-1", whole), ("Bearer canary-access-2", whole)]);
        stage.stop().await;
    }

    /// Private places are reached as at the door: where the org is allowed to, and in clear where that host is named.
    async fn private_places_are_reached_where_the_org_may(database: TestDatabase) {
        let scene = crate::broker::Scene::start(database).await;
        scene.world.name("git.house", &["10.1.2.3"]);
        let id = connections::made(&scene.admin, &http("http://git.house", "canary-7Qx2-value")).await;
        let body = action(&id, json!({ "url": "http://git.house/x" }));
        assert_eq!(refusal(&scene.admin.post(PATH, &body).await), (403, "clear_text".to_owned(), String::new()));
        assert_eq!(scene.world.dialled(), []);
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        let reach = json!({ "private_reach": ["10.1.0.0/16", "http://git.house"] });
        scene.admin.patch(&org, &reach).await.expect(200);
        scene.admin.post(PATH, &body).await.expect(200);
        // The scheme is the connection's.
        let other = action(&id, json!({ "url": "https://git.house/x" }));
        let answer = scene.admin.post(PATH, &other).await;
        assert_eq!(refusal(&answer), (403, "host_not_allowed".to_owned(), "url".to_owned()));
        assert_eq!(scene.world.only().line(), "GET /x?page=1");
        scene.server.stop().await;
    }
}
