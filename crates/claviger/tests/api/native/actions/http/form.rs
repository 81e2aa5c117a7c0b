//! What is no action: every bad member is named, and nothing is called.

use ::http::Method;
use serde_json::{Value, json};

use super::{PATH, SECRET, action, ran};
use crate::broker::with_a_world;
use crate::native::fields;
use crate::support::connections::gitlab;

/// The codes and fields that an error names, in order.
fn faults(answer: &Value) -> Vec<(&str, &str)> {
    let errors = answer["errors"].as_array().unwrap().iter();
    errors.map(|it| (it["code"].as_str().unwrap(), it["field"].as_str().unwrap_or("none"))).collect()
}

with_a_world! {
    async fn every_bad_member_is_named(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let many = vec![json!({ "key": "a", "value": "b" }); 101];
        let pairs = json!([{ "key": "a b", "value": "x\r\nhost: evil" }, { "key": "", "value": "\u{0}" }, 1, { "key": "x", "value": 1, "k": 2 }, {}]);
        let of_pairs = vec!["headers/0/key", "headers/0/value", "headers/1/key", "headers/1/value", "headers/2", "headers/3/k",
            "headers/3/value", "headers/4/key", "headers/4/value"];
        for (body, named) in [
            (json!([]), vec![""]),
            (json!("x"), vec![""]),
            (json!({}), vec!["connection", "method", "url"]),
            (json!({ "connection": "mine", "method": "get", "path": 1 }), vec!["connection", "method", "path"]),
            (json!({ "connection": id, "method": "TRACE", "path": "/x" }), vec!["method"]),
            (json!({ "connection": id, "method": "CONNECT", "path": "/x" }), vec!["method"]),
            (json!({ "connection": id, "method": 1, "url": null }), vec!["method", "url"]),
            (json!({ "connection": id, "connectionName": "name", "method": "GET", "path": "/x" }), vec!["connectionName"]),
            (json!({ "connection": id, "integration": "one", "method": "GET", "path": "/x" }), vec!["integration"]),
            (json!({ "connectionName": "name", "method": "GET", "path": "/x" }), vec!["integration"]),
            (json!({ "connectionName": "a:b", "integration": "A", "method": "GET", "path": "/x" }), vec!["connectionName", "integration"]),
            (json!({ "connection": id, "method": "GET", "url": "https://gitlab.com/", "path": "/x" }), vec!["path"]),
            (json!({ "connection": id, "method": "GET", "path": "/x", "headers": {}, "query": "a=b" }), vec!["headers", "query"]),
            (json!({ "connection": id, "method": "GET", "path": "/x", "headers": many }), vec!["headers"]),
            (json!({ "connection": id, "method": "GET", "path": "/x", "headers": pairs }), of_pairs),
            (json!({ "connection": id, "method": "GET", "path": "/x", "query": [{ "key": "a" }, { "value": "b" }] }), vec!["query/0/value", "query/1/key"]),
            (json!({ "connection": id, "method": "GET", "path": "/x", "body": {}, "Claviger-Host": "x" }), vec!["Claviger-Host", "body"]),
        ] {
            let answer = scene.admin.post(PATH, &body).await.expect(400);
            assert_eq!((fields(&answer), answer.header("claviger-error")), (named.into_iter().map(str::to_owned).collect(), "invalid"), "{body}");
        }
        let long = [("x-long", "x".repeat(65_536))].map(|(key, value)| json!({ "key": key, "value": value }));
        let body = json!({ "connection": id, "method": "GET", "path": "/x", "headers": long });
        assert_eq!(fields(&scene.admin.post(PATH, &body).await.expect(400)), ["headers"]);
        assert_eq!(scene.world.take_seen().len(), 0);
    }

    /// With its own code, beside what else is wrong.
    async fn a_place_that_is_none_is_named(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let long = vec![json!({ "key": "a", "value": "é".repeat(4000) })];
        for (more, named) in [
            (json!({ "path": "x" }), vec![("path_no_slash", "path")]),
            (json!({ "path": "/a/../b", "other": 1 }), vec![("path_dots", "path"), ("invalid", "other")]),
            (json!({ "url": "/x" }), vec![("url_scheme", "url")]),
            (json!({ "path": "/x", "query": long }), vec![("path_long", "query")]),
            (json!({ "path": format!("/{}", "x".repeat(16_384)) }), vec![("path_long", "path")]),
        ] {
            let body = action(&id, more);
            let answer = scene.admin.post(PATH, &body).await.expect(400);
            assert_eq!((faults(&answer.json()), answer.header("claviger-error")), (named.clone(), named[0].0), "{body}");
        }
        assert_eq!(scene.world.take_seen().len(), 0);
    }

    /// Flows' templates are flows' to fill in.
    async fn a_template_of_flows_is_told_as_such(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        for (member, value, field) in [
            ("url.$", json!("$.input.url"), "url.$"),
            ("requestBody.$", json!("$.input"), "requestBody.$"),
            ("headers", json!([{ "key": "a", "value": "b", "value.$": "$.x" }]), "headers/0/value.$"),
        ] {
            let mut body = action(&id, json!({ "path": "/x" }));
            body[member] = value;
            let answer = scene.admin.post(PATH, &body).await.expect(400);
            assert_eq!(fields(&answer), [field]);
            assert!(answer.text.contains("is a template, which flows fill in"), "{}", answer.text);
        }
        // In texts it is what it is.
        let more = json!({ "method": "POST", "path": "/x", "requestBody": { "a.$": "{{$.x}}" } });
        ran(&scene.admin, &id, more).await;
        assert_eq!(scene.world.only().body, br#"{"a.$":"{{$.x}}"}"#);
    }

    async fn a_body_that_is_no_json_is_refused(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let begin = format!(r#"{{"connection": "{id}", "method": "POST", "path": "/x", "requestBody": "#);
        for rest in ["{", "\"x}", "{\"a\": 01}}", "[1,]}", "1} x", "nul}"] {
            let answer = scene.admin.send(Method::POST, PATH, &[], Some(format!("{begin}{rest}"))).await.expect(400);
            assert_eq!(answer.header("claviger-error"), "invalid_body", "{rest}");
        }
        let answer = scene.admin.send(Method::POST, PATH, &[], Some(format!("{begin}\"\\ud800\"}}"))).await.expect(400);
        assert_eq!(fields(&answer), ["requestBody"]);
        // What is only passed on may be as deep as it likes; what is added to may not.
        let deep = format!("{begin}{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        scene.admin.send(Method::POST, PATH, &[], Some(deep)).await.expect(200);
        assert_eq!(scene.world.only().body.len(), 200_000);
        let long = format!("{begin}\"{}\"}}", "x".repeat(1024 * 1024));
        let answer = scene.admin.send(Method::POST, PATH, &[], Some(long)).await.expect(413);
        assert_eq!(answer.header("claviger-error"), "invalid_body");
        assert_eq!(scene.world.take_seen().len(), 0);
    }
}
