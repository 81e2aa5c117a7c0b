//! Bodies that do not fit, made from the ones that do.

use claviger_http::{BATCH_BYTES_MAX, BODY_BYTES_MAX, CONNECTION_BYTES_MAX, RouteInfo};
use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::harmless::is_harmless;
use super::mutations::{mutations, places};
use super::{assert_refused, state};
use crate::support::sample::{self, Sample};
use crate::support::{Answer, Keys, TestDatabase, TestServer, on_both_engines};

/// Every route that takes a body, with one that it takes.
async fn with_bodies(server: &TestServer) -> Vec<(RouteInfo, Sample)> {
    let mut found = Vec::new();
    for route in &server.routes {
        let sample = sample::sample(route, &server.client()).await;
        // What is signed is refused for its signature, whatever stands in it.
        if sample.body.is_some() && sample.headers.is_empty() {
            found.push((route.clone(), sample));
        }
    }
    assert!(found.len() >= 10, "a route went missing");
    found
}

/// The largest body that a route takes.
fn bytes_max(route: &RouteInfo) -> usize {
    match route.path {
        "/claviger/v1/actions/http" => BATCH_BYTES_MAX,
        path if path.contains("/connections") => CONNECTION_BYTES_MAX,
        _ => BODY_BYTES_MAX,
    }
}

async fn send(server: &TestServer, route: &RouteInfo, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
    server.client().send(route.method.clone(), path, &[], Some(body)).await
}

/// What must be new each time: version 1's names, the names of roles, and people's addresses.
fn freshen(route: &RouteInfo, body: &mut Value) {
    let fresh = sample::unique_name();
    if route.path == "/api/v1/application_key" {
        body["name"] = json!(fresh);
    }
    if route.path == "/claviger/v1/permissions" {
        body["name"] = json!(format!("a{fresh}:read"));
    }
    if let Some(email) = body.pointer_mut("/data/attributes/email").filter(|email| email.is_string()) {
        *email = json!(format!("{fresh}@example.com"));
    }
    let is_role = route.path.starts_with("/api/v2/roles");
    if let Some(name) = body.pointer_mut("/data/attributes/name").filter(|name| is_role && name.is_string()) {
        *name = json!(fresh);
    }
}

on_both_engines! {
    async fn every_mutation_of_every_body_is_refused_or_known_to_be_harmless(server: &TestServer) {
        let mut count = 0;
        for (route, Sample { path, body, .. }) in with_bodies(server).await {
            let mutations = mutations(&body.unwrap());
            let before = state(server).await;
            let (harmless, bad): (Vec<_>, Vec<_>) = mutations.iter().partition(|one| is_harmless(&route, one));
            for mutation in &bad {
                let about = format!("{} {}: {}", route.method, route.path, mutation.what);
                let answer = send(server, &route, &path, mutation.body.to_string()).await;
                assert_refused(&about, &path, &answer.expect(400));
                count += 1;
            }
            assert_eq!(state(server).await, before, "{} {}", route.method, route.path);
            for mutation in harmless {
                let mut body = mutation.body.clone();
                freshen(&route, &mut body);
                let answer = send(server, &route, &path, body.to_string()).await;
                let about = format!("{} {}: {}: {}", route.method, route.path, mutation.what, answer.text);
                assert!(answer.status.is_success(), "{about}");
            }
        }
        assert!(count > 200, "{count}");
    }

    async fn what_is_no_json_is_refused(server: &TestServer) {
        let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let deep_object = format!("{}1{}", r#"{"data":"#.repeat(5_000), "}".repeat(5_000));
        let digits = format!(r#"{{"name":{}}}"#, "9".repeat(60_000));
        let bad: [(&str, &[u8]); 16] = [
            ("nothing", b""),
            ("blank", b" \n"),
            ("broken off", br#"{"name":"x"#),
            ("two values", br#"{"name":"x"} {"name":"y"}"#),
            ("single quotes", br"{'name':'x'}"),
            ("a trailing comma", br#"{"name":"x",}"#),
            ("a comment", br#"{"name":"x"/**/}"#),
            ("a form", b"name=x&type=api_keys"),
            ("no number", br#"{"name":NaN}"#),
            ("a huge exponent", br#"{"name":1e99999}"#),
            ("many digits", digits.as_bytes()),
            ("lone surrogate", br#"{"name":"\ud800"}"#),
            ("not UTF-8", b"{\"name\":\"\xff\xfe\"}"),
            ("UTF-16", b"\xff\xfe{\0}\0"),
            ("deep", deep.as_bytes()),
            ("deep objects", deep_object.as_bytes()),
        ];
        let routes = with_bodies(server).await;
        let before = state(server).await;
        for (route, Sample { path, .. }) in &routes {
            for (what, body) in bad {
                let about = format!("{} {}: {what}", route.method, route.path);
                let answer = send(server, route, path, body.to_vec()).await;
                assert_refused(&about, path, &answer.expect(400));
            }
        }
        assert_eq!(state(server).await, before);
    }

    async fn bodies_over_the_limit_are_refused(server: &TestServer) {
        let routes = with_bodies(server).await;
        let before = state(server).await;
        for (route, Sample { path, body, .. }) in &routes {
            let body = body.as_ref().unwrap().to_string();
            for excess in [1, 100_000] {
                let padded = format!("{}{body}", " ".repeat(bytes_max(route) + excess - body.len()));
                let answer = send(server, route, path, padded).await;
                assert_refused(&format!("{} {}", route.method, route.path), path, &answer.expect(413));
            }
        }
        assert_eq!(state(server).await, before);
        for (route, Sample { path, body, success, .. }) in routes {
            let body = body.unwrap().to_string();
            let padded = format!("{}{body}", " ".repeat(bytes_max(&route) - body.len()));
            send(server, &route, &path, padded).await.expect(success);
        }
    }

    async fn names_that_are_none_are_refused(server: &TestServer) {
        let long = "x".repeat(256);
        let names = [
            "", " ", "\t", "\u{3000}", &long, "a\0b", "a\nb", "\u{7f}", "\u{85}",
            // Names that show as nothing, or as another name.
            "\u{200b}", "\u{feff}\u{2060}", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b",
        ];
        let routes = with_bodies(server).await;
        let before = state(server).await;
        for (route, Sample { path, body, .. }) in &routes {
            for name in names {
                let mut body = body.clone().unwrap();
                let Some(place) = ["/name", "/data/attributes/name"].into_iter().find(|at| body.pointer(at).is_some())
                else {
                    continue;
                };
                // Forms send an empty name for people who have none.
                let is_user = ["/api/v2/users", "/api/v2/service_accounts"].contains(&route.path);
                if name.is_empty() && (is_user || route.path.starts_with("/api/v2/users/")) {
                    continue;
                }
                *body.pointer_mut(place).unwrap() = json!(name);
                let about = format!("{} {}: {name:?}", route.method, route.path);
                let answer = send(server, route, path, body.to_string()).await;
                assert_refused(&about, path, &answer.expect(400));
            }
        }
        assert_eq!(state(server).await, before);
        for name in ["x".repeat(255), "é".repeat(255), "क्\u{200d}ष 👩\u{200d}💻".to_owned(), "שלום עולם".to_owned()] {
            let body = json!({ "data": { "type": "api_keys", "attributes": { "name": name } } });
            let made = server.client().post("/api/v2/api_keys", &body).await.expect(201).json();
            assert_eq!(made["data"]["attributes"]["name"], name);
        }
    }

    async fn no_text_holds_a_control_character(server: &TestServer) {
        let routes = with_bodies(server).await;
        let before = state(server).await;
        for (route, Sample { path, body, .. }) in &routes {
            let body = body.as_ref().unwrap();
            for place in places(body, String::new()) {
                // Metadata is whatever the org wants, as long as it is JSON.
                // In a query it is encoded.
                let is_free = place.starts_with("/metadata/") || place.starts_with("/query/");
                if !body.pointer(&place).unwrap().is_string() || is_free {
                    continue;
                }
                let mut bad = body.clone();
                *bad.pointer_mut(&place).unwrap() = json!("a\0b");
                let answer = send(server, route, path, bad.to_string()).await;
                // An id that is none may be told as one that nobody has, or as another than the path's.
                let is_id = place.ends_with("/id") && matches!(answer.status.as_u16(), 404 | 422);
                let answer = if is_id { answer } else { answer.expect(400) };
                assert_refused(&format!("{} {}: {place}", route.method, route.path), path, &answer);
            }
        }
        assert_eq!(state(server).await, before);
    }

    async fn of_a_member_that_stands_there_twice_the_last_counts(server: &TestServer) {
        let body = r#"{"data":{"type":"users","type":"api_keys","attributes":{"name":"","name":"Last"}}}"#;
        let made = server.client().send(Method::POST, "/api/v2/api_keys", &[], Some(body)).await.expect(201);
        assert_eq!(made.json()["data"]["attributes"]["name"], "Last");
    }

    async fn keys_of_another_org_are_absent(server: &TestServer) {
        // Whoever manages access may register whatever id; it gives nobody anything.
        const REGISTERS: (Method, &str) = (Method::PUT, "/api/v2/actions/app_key_registrations/{app_key_id}");
        let foreign = server.found_another("Foreign").await;
        let stranger = server.client_with(Keys::of(&foreign));
        let samples = {
            let mut samples = Vec::new();
            let is_about_one = |route: &&RouteInfo| {
                route.path.contains('{')
                    && !route.path.starts_with("/verify")
                    && (route.method.clone(), route.path) != REGISTERS
            };
            for route in server.routes.iter().filter(is_about_one) {
                samples.push((route.clone(), sample::sample(route, &server.client()).await));
            }
            samples
        };
        assert!(samples.len() >= 15, "a route went missing");
        let before = state(server).await;
        for (route, sample) in samples {
            let about = format!("{} {}", route.method, route.path);
            // To revoke a token that is not there is no error: nothing is left to do.
            let is_revocation = route.method == Method::DELETE && route.path.starts_with("/api/v2/personal_access_tokens/");
            let status = if is_revocation { 204 } else { 404 };
            let foreign = sample::send(&route, &sample, &stranger).await.expect(status);
            if !is_revocation {
                assert_refused(&about, &sample.path, &foreign);
            }
            // Nothing tells it from what was never there.
            let place = route.path.split('/').position(|part| part.starts_with('{')).unwrap();
            // Of resources that are named by type and id, the latter.
            let one = sample.path.split('/').nth(place).unwrap().rsplit(':').next().unwrap();
            let nobodys = uuid::Uuid::from_u128(u128::MAX / 3).to_string();
            let text = sample.body.as_ref().map(|body| body.to_string().replace(one, &nobodys));
            let path = sample.path.replace(one, &nobodys);
            let absent = stranger.send(route.method.clone(), &path, &[], text).await.expect(status);
            assert_eq!(absent.text, foreign.text.replace(one, &nobodys), "{about}");
        }
        assert_eq!(state(server).await, before);
    }
}

on_both_engines! {
    /// Any JSON whatsoever, or any bytes.
    async fn no_body_is_our_fault(server: &TestServer) {
        try_any_bodies(server).await;
    }
}

async fn try_any_bodies(server: &TestServer) {
    let routes = with_bodies(server).await;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof!["api_keys", "application_keys", "monitors_read"].prop_map(Value::from),
    ];
    let name =
        prop_oneof!["data", "type", "id", "attributes", "name", "scopes", "one_time_read", "[a-z]{0,4}"];
    let json = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let body = prop_oneof![
        3 => json.prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    let runtime = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&(0..routes.len(), body), |(number, body)| {
                let (route, Sample { path, .. }) = &routes[number];
                let answer = runtime.block_on(send(server, route, path, body));
                prop_assert!(!answer.status.is_server_error(), "{} {}: {}", route.method, path, answer.text);
                Ok(())
            })
            .unwrap();
    });
}
