//! A connection's rules: what they do not admit does not go out, however it is written.

mod overrides;

use serde_json::{Value, json};

use super::ends::{BEGUN, breaks_off, goes_on, streaming};
use super::raw::{Caller, change_terms, code, on_terms};
use super::{Scene, with_a_world};
use crate::native::connections::calls::listed;
use crate::support::connections::{examples, gitlab};
use crate::support::native_connections::CONNECTIONS as PATH;
use crate::support::third_party::Reply;
use crate::support::zis::Zis;

const SECRET: &str = "glpat-canary-7Qx2";

/// One rule, of any host.
fn rule(methods: &[&str], path: &str) -> Value {
    json!({ "methods": methods, "host": null, "path": path })
}

fn rules(rules: &[Value]) -> Value {
    json!({ "rules": rules })
}

/// Calls, and checks that what was admitted went out, and nothing else.
async fn check(scene: &Scene, caller: &Caller, id: &str, cases: &[(&str, &str, &str)]) {
    for (method, target, expected) in cases {
        let answer = caller.call(method, &format!("{id}{target}"), &[], "").await;
        assert_eq!(code(&answer), *expected, "{method} {target}: {}", answer.text);
        let seen = scene.world.take_seen();
        match *expected == "ok" {
            true => assert_eq!(seen[0].line(), format!("{method} /api/v4{target}"), "{seen:?}"),
            false => assert!(seen.is_empty(), "{method} {target}: {seen:?}"),
        }
    }
}

with_a_world! {
    /// Each that is refused has one beside it that goes through.
    async fn what_no_rule_admits_does_not_go_out(scene: &Scene) {
        let caller = Caller::new(scene).await;
        let terms = rules(&[
            rule(&["GET", "POST"], "/api/v4/projects/42"),
            rule(&[], "/api/v4/users/"),
            rule(&["PUT"], "/api/v4/a%20b"),
            rule(&["HEAD"], "/api/v4/head"),
        ]);
        let id = on_terms(scene, &gitlab(SECRET), terms).await;
        const NO: &str = "not_in_rules";
        check(scene, &caller, &id, &[
            // Methods.
            ("GET", "/projects/42", "ok"), ("HEAD", "/projects/42", "ok"), ("POST", "/projects/42", "ok"),
            ("DELETE", "/projects/42", NO), ("PUT", "/projects/42", NO), ("PATCH", "/projects/42", NO),
            ("OPTIONS", "/projects/42", NO), ("PROPFIND", "/projects/42", NO), ("get", "/projects/42", NO),
            ("Get", "/projects/42", NO), ("GETS", "/projects/42", NO), ("POST", "/a%20b", NO), ("PUT", "/a%20b", "ok"),
            ("HEAD", "/head", "ok"), ("GET", "/head", NO), ("PROPFIND", "/users/me", "ok"), ("DELETE", "/users/7", "ok"),
            // Below, and beside.
            ("GET", "/projects/42/", "ok"), ("GET", "/projects/42/issues?state=x", "ok"), ("GET", "/projects/420", NO),
            ("GET", "/projects/4", NO), ("GET", "/projects", NO), ("GET", "/", NO), ("GET", "/users/", "ok"),
            ("GET", "/users", NO), ("GET", "/usersx", NO), ("GET", "/projects/42-x", NO), ("GET", "/projects/42.json", NO),
            ("GET", "/projects/42;x", NO), ("GET", "/projects/42,x", NO), ("GET", "/projects?/42", NO),
            ("GET", "/?/projects/42", NO), ("GET", "/projects/41/projects/42", NO), ("GET", "/api/v4/projects/42", NO),
            // Other spellings of what is admitted, and of what is not.
            ("GET", "/projects/%34%32", NO), ("GET", "/%70rojects/42", NO), ("GET", "/Projects/42", NO),
            ("GET", "/PROJECTS/42", NO), ("GET", "/projects/42%20", NO), ("GET", "/projects/42%3Fx", NO),
            ("GET", "/projects/42%23x", NO), ("GET", "/projects/42%00", NO), ("GET", "/projects/42%3B/x", NO),
            ("PUT", "/a+b", NO), ("PUT", "/a%2520b", NO), ("PUT", "/a%20b/c%20d", "ok"), ("GET", "/projects/42/%34", "ok"),
            // Out of what is admitted again.
            ("GET", "/projects/42/../43", "path_dots"), ("GET", "/projects/42/%2e%2e/43", "path_dots"),
            ("GET", "/projects/42/%252e%252e/43", "path_dots"), ("GET", "/projects/42/..;/43", "path_dots"),
            ("GET", "/projects/42/..%3b/43", "path_dots"), ("GET", "/projects/42/.%2e", "path_dots"),
            ("GET", "/projects/42%2f..%2f43", "path_encoded_slash"), ("GET", "/projects/42/..%2f43", "path_encoded_slash"),
            ("GET", "/projects/42/%5c..%5c43", "path_encoded_slash"), ("GET", "/projects/42//43", "path_empty_segment"),
            ("GET", "/projects/42/%c0%ae%c0%ae/43", "path_dots"), ("GET", "//projects/42", "path_empty_segment"),
            ("GET", "/projects/42/.../43", "ok"), ("GET", "/projects/42/a..b", "ok"),
        ]).await;
        // From its root, the same host has other paths.
        for (path, expected) in [("/api/v4/projects/42", "ok"), ("/projects/42", NO), ("/api/v4/projects/43", NO), ("/api/v4", NO), ("/", NO)] {
            let answer = caller.call("GET", &format!("{id}{path}"), &[("claviger-host", "gitlab.com")], "").await;
            assert_eq!(code(&answer), expected, "{path}");
            let seen: Vec<_> = scene.world.take_seen().iter().map(|seen| seen.line().to_owned()).collect();
            assert_eq!(seen, if expected == "ok" { vec![format!("GET {path}")] } else { vec![] });
        }
        // A host that the connection does not allow is no matter of rules.
        let elsewhere = caller.call("GET", &format!("{id}/api/v4/projects/42"), &[("claviger-host", "evil.example")], "").await;
        assert_eq!(code(&elsewhere), "host_not_allowed");
        assert!(scene.world.take_seen().is_empty());
    }

    async fn a_rule_of_one_host_is_of_no_other(scene: &Scene) {
        let zis = Zis::admin(&scene.server).await;
        let client = zis.integration("acme").await;
        let holder = Zis::bearer(&scene.server, &zis.token(client, &["read", "write"]).await.1);
        let body = json!({ "name": "mine", "allowed_domain": "*.example.com", "token": "canary-canary" });
        holder.post("/api/services/zis/integrations/acme/connections/bearer_token", &body).await.expect(201);
        let list = scene.admin.get(&format!("{PATH}?dialect=zendesk")).await.expect(200).json();
        let id = list["connections"][0]["id"].as_str().unwrap().to_owned();
        let one = json!({ "methods": ["GET"], "host": "one.example.com", "path": "/v1" });
        change_terms(scene, &id, rules(&[one, rule(&["POST"], "/v1")])).await;
        let caller = Caller::new(scene).await;
        for (method, host, expected) in [
            ("GET", "one.example.com", "ok"), ("GET", "ONE.Example.Com", "ok"), ("GET", "one.example.com.", "ok"),
            ("GET", "two.example.com", "not_in_rules"), ("GET", "one.example.com.example.com", "not_in_rules"),
            ("POST", "two.example.com", "ok"), ("POST", "one.example.com", "ok"), ("DELETE", "one.example.com", "not_in_rules"),
        ] {
            for target in [format!("{id}/v1/x"), "zis:acme:mine/v1/x".to_owned()] {
                let answer = caller.call(method, &target, &[("claviger-host", host)], "").await;
                assert_eq!(code(&answer), expected, "{method} {host}");
                assert_eq!(scene.world.take_seen().len(), usize::from(expected == "ok"), "{method} {host}");
            }
        }
    }

    async fn a_change_holds_for_the_next_call(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), Value::Null).await;
        let caller = Caller::new(scene).await;
        let target = format!("{id}/version");
        for round in 0..20 {
            // In use before each change.
            assert_eq!(code(&caller.get(&target).await), "ok", "{round}");
            change_terms(scene, &id, rules(&[rule(&["GET"], "/api/v4/projects")])).await;
            assert_eq!(code(&caller.get(&target).await), "not_in_rules", "{round}");
            change_terms(scene, &id, if round % 2 == 0 { Value::Null } else { rules(&[rule(&["GET"], "/api/v4/version")]) }).await;
        }
        assert_eq!(scene.world.take_seen().len(), 20);
        scene.server.verify_state().await;
    }

    async fn a_stream_ends_when_the_rules_admit_it_no_more(scene: &Scene) {
        scene.world.answer(|_| Reply::raw(&[BEGUN]));
        let id = on_terms(scene, &gitlab(SECRET), Value::Null).await;
        let (token, other) = (scene.token().await, scene.connection(&gitlab(SECRET)).await);
        let (mut stream, mut control) = (streaming(scene, &id, &token).await, streaming(scene, &other, &token).await);
        // Rules that still admit it do not end it.
        change_terms(scene, &id, rules(&[rule(&["GET"], "/api/v4/events"), rule(&["POST"], "/")])).await;
        assert!(goes_on(&mut stream).await);
        change_terms(scene, &id, rules(&[rule(&["POST"], "/api/v4/events"), rule(&["GET"], "/api/v4/event")])).await;
        assert!(breaks_off(stream).await);
        assert!(goes_on(&mut control).await);
    }

    async fn what_is_refused_is_recorded_and_tests_obey_too(scene: &Scene) {
        let id = on_terms(scene, &gitlab(SECRET), rules(&[rule(&["GET"], "/api/v4/projects")])).await;
        let caller = Caller::new(scene).await;
        let refused = caller.call("DELETE", &format!("{id}/projects/7?token=query-canary"), &[], "").await.expect(403);
        assert_eq!((code(&refused), refused.json()["errors"][0]["code"].clone()), ("not_in_rules", json!("not_in_rules")));
        let said = scene.admin.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
        assert_eq!([&said["result"], &said["reason"], &said["status"]], [&json!("unknown"), &json!("not_in_rules"), &Value::Null]);
        assert!(scene.world.take_seen().is_empty());
        let list = listed(&scene.admin, &id, 2).await;
        let mut lines: Vec<_> = list["calls"].as_array().unwrap().iter().map(|call| ["method", "host", "path", "status", "error"].map(|it| call[it].clone())).collect();
        lines.sort_by_key(|line| line[0].to_string());
        assert_eq!(lines[0], [json!("DELETE"), json!("gitlab.com"), json!("/api/v4/projects/7"), json!(403), json!("not_in_rules")]);
        assert_eq!(lines[1], [json!("GET"), json!("gitlab.com"), json!("/api/v4/personal_access_tokens/self"), json!(403), json!("not_in_rules")]);
        // The test goes through once its call is admitted.
        change_terms(scene, &id, rules(&[rule(&["GET"], "/api/v4/personal_access_tokens/self")])).await;
        let said = scene.admin.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
        assert_eq!(said["result"], "ok");
    }

    /// The secret stays here too: nothing is exchanged for a call that is not made.
    async fn nothing_is_exchanged_for_what_is_refused(scene: &Scene) {
        let azure = examples().into_iter().find(|it| it.credentials == "AzureTenant").unwrap();
        let id = on_terms(scene, &azure.create, rules(&[rule(&["GET", "POST"], "/subscriptions")])).await;
        let caller = Caller::new(scene).await;
        let host = ("claviger-host", "management.azure.com");
        let refused = caller.call("GET", &format!("{id}/tenants"), &[host], "").await;
        assert_eq!(code(&refused), "not_in_rules");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let refused = caller.call("POST", &format!("{id}/subscriptions"), &[host, form], "_method=DELETE").await;
        assert_eq!(code(&refused), "override");
        assert_eq!(scene.world.connections(), 0);
        // What is admitted asks for a token, and is not given one by a third party that only says ok.
        let admitted = caller.call("GET", &format!("{id}/subscriptions"), &[host], "").await;
        assert!(code(&admitted).starts_with("exchange_"), "{}", code(&admitted));
        assert_eq!(scene.world.only().name, "login.microsoftonline.com");
    }
}
