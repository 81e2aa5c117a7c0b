//! A test says whether a third party takes a connection's credential, and the list shows what it said last.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;

use super::calls::listed;
use super::{API, PATH, aws, made};
use crate::broker::{Scene, with_a_world};
use crate::support::connections::{ALL, examples, gitlab, patch};
use crate::support::native_connections::http;
use crate::support::restrictions::{Someone, restrict};
use crate::support::third_party::Reply;
use crate::support::zis::Zis;
use crate::support::{Client, Keys, START, TestDatabase, TestServer, on_both_engines, tokens};

const SECRET: &str = "glpat-canary-7Qx2";

/// What a test says: result, reason, status.
async fn tested(client: &Client, id: &str) -> [Value; 3] {
    let said = client.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
    assert!(said["duration_ms"].is_u64(), "{said}");
    ["result", "reason", "status"].map(|member| said[member].clone())
}

/// The health that is shown, in the list too.
async fn health(client: &Client, id: &str) -> Value {
    let one = client.get(&format!("{PATH}/{id}")).await.expect(200).json()["health"].clone();
    let list = client.get(PATH).await.expect(200).json();
    let listed = list["connections"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap();
    assert_eq!(listed["health"], one);
    one
}

async fn expect(scene: &Scene, id: &str, result: &str, reason: &str, status: Option<u16>) {
    assert_eq!(tested(&scene.admin, id).await, [json!(result), json!(reason), json!(status)]);
    let shown = health(&scene.admin, id).await;
    assert_eq!(
        [&shown["status"], &shown["reason"], &shown["at"]],
        [&json!(result), &json!(reason), &json!(START)]
    );
}

fn greynoise() -> Value {
    let credentials = json!({ "type": "GreyNoiseAPIKey", "api_key": "canary-0123456789abcdef" });
    json!({ "type": "GreyNoise", "credentials": credentials })
}

with_a_world! {
    async fn a_status_tells_and_is_kept(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        assert_eq!(health(&scene.admin, &id).await, Value::Null);
        let position = scene.server.engine.applied();
        expect(scene, &id, "ok", "accepted", Some(200)).await;
        let seen = scene.world.only();
        assert!(seen.line() == "GET /api/v4/personal_access_tokens/self", "{}", seen.line());
        assert_eq!((seen.name.as_str(), seen.header("private-token")), ("gitlab.com", SECRET));
        for (line, status, result, reason) in [
            ("401 Unauthorized", 401, "bad", "refused"),
            ("403 Forbidden", 403, "limited", "not_allowed"),
            ("429 Too Many Requests", 429, "unknown", "unexpected_status"),
            ("302 Found", 302, "unknown", "unexpected_status"),
        ] {
            scene.world.answer(move |_| Reply::with(line, "location: https://elsewhere.example/\r\n", "x"));
            expect(scene, &id, result, reason, Some(status)).await;
            assert_eq!(scene.world.only().name, "gitlab.com");
        }
        scene.world.answer(|_| Reply::raw(&[b"no http\r\n\r\n"]));
        expect(scene, &id, "unknown", "upstream_broken", None).await;
        let named = |found: &Value| found["total"].clone();
        assert_eq!(named(&scene.admin.get(&format!("{PATH}?health=unknown")).await.expect(200).json()), 1);
        assert_eq!(named(&scene.admin.get(&format!("{PATH}?health=bad")).await.expect(200).json()), 0);
        // Tests are calls like any other, and nothing of the ledger.
        let list = listed(&scene.admin, &id, 6).await;
        let statuses: BTreeSet<_> = list["calls"].as_array().unwrap().iter().map(|call| call["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, BTreeSet::from([200, 302, 401, 403, 429, 502]));
        assert_eq!(list["calls"][0]["path"], "/api/v4/personal_access_tokens/self");
        assert_eq!(scene.server.engine.applied(), position);
        scene.server.verify_state().await;
    }

    async fn where_the_body_tells_it_is_read(scene: &Scene) {
        let id = scene.connection(&greynoise()).await;
        let long = format!("{{\"message\": \"pong\", \"more\": \"{}\"}}", "x".repeat(64 * 1024));
        for (body, result, reason) in [
            (r#"{"message": "pong"}"#, "ok", "accepted"),
            (r#"{"message": "no"}"#, "bad", "refused"),
            (r#"{}"#, "bad", "refused"),
            ("pong", "unknown", "unexpected_answer"),
            (&long, "unknown", "unexpected_answer"),
        ] {
            let answer = body.to_owned();
            scene.world.answer(move |_| Reply::ok(&answer));
            expect(scene, &id, result, reason, Some(200)).await;
        }
    }

    /// The guard of addresses and the end of a connection hold for tests too.
    async fn a_test_goes_nowhere_that_a_call_would_not(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.name("gitlab.com", &["169.254.169.254"]);
        expect(scene, &id, "unknown", "address_metadata", None).await;
        scene.world.name("gitlab.com", &["10.1.2.3"]);
        expect(scene, &id, "unknown", "address_not_public", None).await;
        scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "expires_at": "2026-03-04T05:06:08Z" })).await.expect(200);
        scene.server.clock.advance_micros(3_600_000_000);
        assert_eq!(tested(&scene.admin, &id).await, [json!("unknown"), json!("connection_expired"), Value::Null]);
        assert_eq!((scene.world.take_seen().len(), scene.world.dialled().len()), (0, 0));
    }

    /// What was said is of a secret and of what it is aimed at; other changes leave it.
    async fn health_is_forgotten_with_what_was_tested(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let path = format!("{PATH}/{id}");
        expect(scene, &id, "ok", "accepted", Some(200)).await;
        let before = health(&scene.admin, &id).await;
        for patch in [
            json!({ "name": "Another" }),
            json!({ "tags": ["env:test"] }),
            json!({ "terms": { "retries": 1 } }),
            json!({ "expires_at": "2027-01-01T00:00:00Z" }),
        ] {
            scene.admin.patch(&path, &patch).await.expect(200);
            assert_eq!(health(&scene.admin, &id).await, before, "{patch}");
        }
        let me = scene.admin.get(&path).await.expect(200).json()["created_by"].as_str().unwrap().to_owned();
        restrict(&scene.admin, &id, &[("editor", format!("user:{me}"))]).await;
        assert_eq!(health(&scene.admin, &id).await, before);
        // The same secret once more is another secret to the server.
        let answer = scene.admin.patch(&path, &json!({ "integration": gitlab(SECRET) })).await.expect(200);
        assert_eq!(answer.json()["health"], Value::Null);
        assert_eq!(health(&scene.admin, &id).await, Value::Null);
        assert_eq!(scene.admin.get(&format!("{PATH}?health=ok")).await.expect(200).json()["total"], 0);
        // By the vendor's API too.
        expect(scene, &id, "ok", "accepted", Some(200)).await;
        let attributes = json!({ "integration": gitlab("glpat-canary-another") });
        scene.admin.patch(&format!("{ALL}/{id}"), &patch(attributes)).await.expect(200);
        assert_eq!(health(&scene.admin, &id).await, Value::Null);

        // Of one without secrets: a setting, and the hosts that it names by itself.
        let id = scene.connection(&aws()).await;
        let role = json!({ "type": "AWS", "credentials": { "type": "AWSAssumeRole", "role": "another" } });
        let anew = json!({ "type": "AWS", "credentials": { "type": "AWSAssumeRole", "generate_new_external_id": true } });
        for patch in [json!({ "integration": role }), json!({ "integration": anew }), json!({ "hosts": [API] })] {
            expect(scene, &id, "unknown", "exchange_garbage", None).await;
            scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "name": "Another" })).await.expect(200);
            assert_eq!(health(&scene.admin, &id).await["status"], "unknown");
            scene.admin.patch(&format!("{PATH}/{id}"), &patch).await.expect(200);
            assert_eq!(health(&scene.admin, &id).await, Value::Null, "{patch}");
        }
        scene.server.verify_state().await;
    }

    /// Whoever loses the right to it loses the test too, while it goes on.
    async fn a_test_ends_with_its_callers_credential(scene: &Scene) {
        let (read, hung) = (Arc::new(Notify::new()), scene.connection(&gitlab(SECRET)).await);
        let seen = read.clone();
        scene.world.script(move |mut line| {
            let seen = seen.clone();
            async move {
                let mut bytes = Vec::new();
                while line.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                    seen.notify_one();
                }
            }
        });
        let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let caller = scene.server.client_with(Keys { bearer: Some(token.secret.clone()), ..Keys::default() });
        let path = format!("{PATH}/{hung}/test");
        let under_way = tokio::spawn(async move { caller.post(&path, &Value::Null).await });
        read.notified().await;
        scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
        // A third party may take a minute to begin its answer.
        let answer = tokio::time::timeout(Duration::from_secs(30), under_way).await.unwrap().unwrap();
        answer.expect(503);
        assert_eq!(health(&scene.admin, &hung).await, Value::Null);
        let list = listed(&scene.admin, &hung, 1).await;
        assert_eq!((&list["calls"][0]["error"], &list["calls"][0]["credential"]), (&json!("ended"), &json!(token.id)));
    }

    async fn every_type_is_tested_or_says_that_it_cannot_be(scene: &Scene) {
        scene.world.answer(|_| Reply::with("401 Unauthorized", "", "{}"));
        let mut untested = Vec::new();
        for example in examples() {
            let id = scene.connection(&example.create).await;
            let [result, reason, status] = tested(&scene.admin, &id).await;
            let seen = scene.world.take_seen();
            if reason == "no_probe" {
                assert_eq!((&result, &status, seen.len()), (&json!("unknown"), &Value::Null, 0), "{}", example.credentials);
                assert_eq!(health(&scene.admin, &id).await, Value::Null);
                untested.push(example.credentials);
                continue;
            }
            let expected = match example.credentials.as_str() {
                "AWSAssumeRole" | "AzureTenant" => (1, "bad", "exchange_refused", Some(401)),
                // The example has no key that could sign.
                "GCPServiceAccount" => (0, "bad", "exchange_unusable", None),
                _ => (1, "bad", "refused", Some(401)),
            };
            let (count, wanted, why, answered) = expected;
            assert_eq!((&result, &reason, &status), (&json!(wanted), &json!(why), &json!(answered)), "{}", example.credentials);
            assert_eq!(seen.len(), count, "{}", example.credentials);
            assert_eq!(health(&scene.admin, &id).await["status"], wanted);
            if why != "refused" {
                continue;
            }
            assert!(seen[0].head.contains("canary") || seen[0].head.contains("Basic "), "{}", seen[0].head);
        }
        assert_eq!(untested, ["HTTPTokenAuth"]);
    }
}

on_both_engines! {
    async fn what_cannot_be_proved_is_not_asked(server: &TestServer) {
        let admin = server.client();
        for (secret, unsearched) in [("canary", 1), ("canary-canary", 0)] {
            let id = made(&admin, "n", &http("https://a.example", secret), Value::Null).await["id"].as_str().unwrap().to_owned();
            let said = admin.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
            assert_eq!((&said["result"], &said["reason"], &said["unsearched_secrets"]), (&json!("unknown"), &json!("no_probe"), &json!(unsearched)));
            assert_eq!(health(&admin, &id).await, Value::Null);
        }
    }

    async fn nor_is_a_zis_connection(server: &TestServer) {
        let admin = server.client();
        let scopes = json!(["org_management", "connections_read", "connections_write", "connections_resolve"]);
        let zis = Zis::bearer(server, &tokens::personal_access_token(&admin, scopes).await.secret);
        let client = zis.integration("acme").await;
        let holder = Zis::bearer(server, &zis.token(client, &["read", "write"]).await.1);
        let body = json!({ "name": "mine", "allowed_domain": "api.example.com", "token": "canary-canary" });
        holder.post("/api/services/zis/integrations/acme/connections/bearer_token", &body).await.expect(201);
        let list = admin.get(&format!("{PATH}?dialect=zendesk")).await.expect(200).json();
        let id = list["connections"][0]["id"].as_str().unwrap();
        assert_eq!(tested(&admin, id).await, [json!("unknown"), json!("no_probe"), Value::Null]);
        assert_eq!(health(&admin, id).await, Value::Null);
    }

    async fn only_resolvers_test(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &http("https://a.example", "canary-canary"), Value::Null).await;
        let (id, me) = (shown["id"].as_str().unwrap(), shown["created_by"].as_str().unwrap());
        let path = format!("{PATH}/{id}/test");
        let (resolver, viewer) = (Someone::join(server).await, Someone::join(server).await);
        viewer.client.post(&path, &Value::Null).await.expect(200);
        restrict(&admin, id, &[("resolver", format!("user:{}", resolver.user)), ("viewer", format!("user:{}", viewer.user)),
            ("editor", format!("user:{me}"))]).await;
        resolver.client.post(&path, &Value::Null).await.expect(200);
        assert_eq!(viewer.client.post(&path, &Value::Null).await.expect(403).json()["errors"][0]["code"], "restricted");
        let token = tokens::personal_access_token(&admin, json!(["connections_read", "connections_write"])).await;
        let reader = server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        reader.post(&path, &Value::Null).await.expect(403);
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.post(&path, &Value::Null).await.expect(404);
        admin.post(&format!("{PATH}/nothing/test"), &Value::Null).await.expect(404);
    }
}
