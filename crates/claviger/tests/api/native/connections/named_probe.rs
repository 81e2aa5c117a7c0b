//! `terms.probe`: the request that proves a connection's credential, where whoever owns the connection names it.

use std::time::{Duration, Instant};

use claviger_broker::Options;
use serde_json::{Value, json};

use super::calls::listed;
use super::{PATH, aws, gitlab, made};
use crate::broker::{Scene, with_a_world};
use crate::support::native_connections::http;
use crate::support::oauth::{Stage, id_of};
use crate::support::provider::Mood;
use crate::support::third_party::{Reply, ThirdParty};
use crate::support::zis::Zis;
use crate::support::{Client, Setup, TestDatabase, tokens, with_either_database};

const SECRET: &str = "canary-canary-7Qx2";

/// What a test says: result, reason, status.
async fn tested(client: &Client, id: &str) -> (String, String, Value) {
    let said = client.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
    let text = |member: &str| said[member].as_str().unwrap().to_owned();
    (text("result"), text("reason"), said["status"].clone())
}

fn told(result: &str, reason: &str, status: Option<u16>) -> (String, String, Value) {
    (result.to_owned(), reason.to_owned(), json!(status))
}

async fn health(client: &Client, id: &str) -> [Value; 2] {
    let shown = client.get(&format!("{PATH}/{id}")).await.expect(200).json();
    ["status", "reason"].map(|member| shown["health"][member].clone())
}

async fn set(client: &Client, id: &str, terms: Value) {
    client.patch(&format!("{PATH}/{id}"), &json!({ "terms": terms })).await.expect(200);
}

/// An HTTP connection on terms.
async fn made_on(client: &Client, base_url: &str, terms: Value) -> String {
    let shown = made(client, "n", &http(base_url, SECRET), json!({ "terms": terms })).await;
    shown["id"].as_str().unwrap().to_owned()
}

/// A bearer connection of ZIS.
async fn zis_connection(scene: &Scene, domain: &str) -> String {
    let admin = Zis::admin(&scene.server).await;
    let number = admin.integration("one").await;
    let zis = Zis::bearer(&scene.server, &admin.token(number, &["read", "write"]).await.1);
    let body = json!({ "name": "mine", "allowed_domain": domain, "token": SECRET });
    zis.post("/api/services/zis/integrations/one/connections/bearer_token", &body).await.expect(201);
    let list = scene.admin.get(&format!("{PATH}?dialect=zendesk")).await.expect(200).json();
    list["connections"][0]["id"].as_str().unwrap().to_owned()
}

with_a_world! {
    async fn it_proves_what_nothing_else_would(scene: &Scene) {
        let probe = json!({ "probe": { "path": "/me?fields=id&a=%20" } });
        let id = made_on(&scene.admin, "https://a.example/api/v1", probe).await;
        let position = scene.server.engine.applied();
        for (line, expected) in [
            ("200 OK", told("ok", "accepted", Some(200))),
            ("204 No Content", told("ok", "accepted", Some(204))),
            ("401 Unauthorized", told("bad", "refused", Some(401))),
            ("403 Forbidden", told("bad", "refused", Some(403))),
            // Nothing of these is about the credential.
            ("404 Not Found", told("unknown", "unexpected_status", Some(404))),
            ("429 Too Many Requests", told("unknown", "unexpected_status", Some(429))),
            ("302 Found", told("unknown", "unexpected_status", Some(302))),
            ("500 Oops", told("unknown", "unexpected_status", Some(500))),
        ] {
            scene.world.answer(move |_| Reply::with(line, "location: https://elsewhere.example/\r\n", ""));
            assert_eq!(tested(&scene.admin, &id).await, expected, "{line}");
            assert_eq!(health(&scene.admin, &id).await, [json!(expected.0), json!(expected.1)]);
            let seen = scene.world.only();
            assert_eq!((seen.name.as_str(), seen.line()), ("a.example", "GET /api/v1/me?fields=id&a=%20"));
            assert_eq!((seen.header("x-key"), seen.header("accept"), seen.body.len()), (SECRET, "application/json", 0));
        }
        // Calls like any other, but for their queries; and nothing of the ledger.
        let list = listed(&scene.admin, &id, 8).await;
        let calls = list["calls"].as_array().unwrap();
        assert!(calls.iter().all(|call| call["path"] == "/api/v1/me" && call["host"] == "a.example"), "{list}");
        assert_eq!(scene.server.engine.applied(), position);

        set(&scene.admin, &id, json!({ "probe": { "method": "HEAD", "path": "/" } })).await;
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"]));
        assert_eq!(tested(&scene.admin, &id).await, told("ok", "accepted", Some(200)));
        assert_eq!(scene.world.only().line(), "HEAD /api/v1/");
        // Without it nobody is asked, as before.
        set(&scene.admin, &id, Value::Null).await;
        assert_eq!(tested(&scene.admin, &id).await, told("unknown", "no_probe", None));
        assert!(scene.world.take_seen().is_empty());
        scene.server.verify_state().await;
    }

    /// Rules, hosts and addresses hold for it as for whatever a caller asks.
    async fn it_goes_nowhere_that_a_call_would_not(scene: &Scene) {
        let rules = json!([{ "methods": ["GET"], "path": "/api/me" }]);
        let id = made_on(&scene.admin, "https://a.example/api", json!({ "rules": rules, "probe": { "path": "/you" } })).await;
        assert_eq!(tested(&scene.admin, &id).await, told("unknown", "not_in_rules", None));
        for (probe, expected) in [
            (json!({ "path": "/me?_method=DELETE" }), told("unknown", "override", None)),
            (json!({ "path": "/me", "host": "b.example" }), told("unknown", "host_not_allowed", None)),
            // From the root of the host: another path than the rules'.
            (json!({ "path": "/me", "host": "a.example" }), told("unknown", "not_in_rules", None)),
            (json!({ "path": "/api/me%2f..", "host": "a.example" }), told("unknown", "path_encoded_slash", None)),
        ] {
            set(&scene.admin, &id, json!({ "rules": rules, "probe": probe })).await;
            assert_eq!(tested(&scene.admin, &id).await, expected, "{probe}");
        }
        scene.world.name("a.example", &["169.254.169.254"]);
        for probe in [json!({ "path": "/me" }), json!({ "path": "/api/me", "host": "a.example" })] {
            set(&scene.admin, &id, json!({ "rules": rules, "probe": probe })).await;
            assert_eq!(tested(&scene.admin, &id).await, told("unknown", "address_metadata", None));
        }
        assert_eq!((scene.world.take_seen().len(), scene.world.dialled().len()), (0, 0));
        scene.world.name("a.example", &["93.184.216.34"]);
        assert_eq!(tested(&scene.admin, &id).await, told("ok", "accepted", Some(200)));
        assert_eq!(scene.world.only().line(), "GET /api/me");
    }

    /// Whoever owns the credential knows what it may do.
    async fn it_takes_the_place_of_what_the_catalog_knows(scene: &Scene) {
        let shown = made(&scene.admin, "n", &gitlab("glpat-canary-7Qx2"), Value::Null).await;
        let id = shown["id"].as_str().unwrap();
        scene.world.answer(|seen| match seen.line() {
            "GET /api/v4/projects/7" => Reply::ok("{}"),
            _ => Reply::with("403 Forbidden", "", "{}"),
        });
        assert_eq!(tested(&scene.admin, id).await, told("limited", "not_allowed", Some(403)));
        set(&scene.admin, id, json!({ "probe": { "path": "/projects/7" } })).await;
        assert_eq!(tested(&scene.admin, id).await, told("ok", "accepted", Some(200)));
        assert_eq!(scene.world.take_seen().len(), 2);

        // Of one that is proved by an exchange, that comes before.
        scene.world.answer(|_| Reply::ok("no XML"));
        let shown = made(&scene.admin, "n", &aws(), Value::Null).await;
        let id = shown["id"].as_str().unwrap();
        for (probe, expected) in [
            (json!({ "path": "/" }), "host_needed"),
            (json!({ "path": "/", "host": "sqs.eu-west-1.amazonaws.com" }), "exchange_garbage"),
        ] {
            set(&scene.admin, id, json!({ "probe": probe })).await;
            assert_eq!(tested(&scene.admin, id).await, told("unknown", expected, None));
        }
    }

    async fn a_connection_of_zis_has_one_too(scene: &Scene) {
        let id = zis_connection(scene, "*.example.com").await;
        assert_eq!(tested(&scene.admin, &id).await, told("unknown", "no_probe", None));
        set(&scene.admin, &id, json!({ "probe": { "path": "/me" } })).await;
        assert_eq!(tested(&scene.admin, &id).await, told("unknown", "host_needed", None));
        set(&scene.admin, &id, json!({ "probe": { "path": "/me", "host": "a.example.com" } })).await;
        assert_eq!(tested(&scene.admin, &id).await, told("ok", "accepted", Some(200)));
        let seen = scene.world.only();
        assert_eq!((seen.name.as_str(), seen.line()), ("a.example.com", "GET /me"));
        assert_eq!(seen.header("authorization"), format!("Bearer {SECRET}"));
        assert_eq!(health(&scene.admin, &id).await, [json!("ok"), json!("accepted")]);
    }

    /// What was said is of the request by which it was seen.
    async fn another_probe_is_another_test(scene: &Scene) {
        let id = made_on(&scene.admin, "https://a.example", json!({ "probe": { "path": "/me" } })).await;
        let untold = [Value::Null, Value::Null];
        for terms in [json!({ "probe": { "path": "/you" } }), json!({ "probe": { "path": "/you", "method": "HEAD" } }), Value::Null] {
            scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]));
            assert_eq!(tested(&scene.admin, &id).await.0, "ok");
            // The same terms but for the rest.
            let shown = scene.admin.get(&format!("{PATH}/{id}")).await.expect(200).json();
            let mut same = shown["terms"].clone();
            same["retries"] = json!(1);
            set(&scene.admin, &id, same).await;
            assert_eq!(health(&scene.admin, &id).await, [json!("ok"), json!("accepted")]);
            let tried = scene.admin.patch(&format!("{PATH}/{id}?dry_run=true"), &json!({ "terms": terms })).await.expect(200);
            assert_eq!(tried.json()["health"], Value::Null);
            assert_eq!(health(&scene.admin, &id).await, [json!("ok"), json!("accepted")]);
            let answer = scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "terms": terms })).await.expect(200);
            assert_eq!((answer.json()["health"].clone(), health(&scene.admin, &id).await), (Value::Null, untold.clone()));
        }
        scene.server.verify_state().await;
    }

    /// To name it is to change the connection, and to have it made by hand is to use it.
    async fn who_may_name_it_is_not_who_may_ask_for_it(scene: &Scene) {
        let id = made_on(&scene.admin, "https://a.example", Value::Null).await;
        let of = async |scope: &str| {
            let token = tokens::personal_access_token(&scene.admin, json!([scope, "connections_read"])).await;
            scene.server.client_with(crate::support::Keys { bearer: Some(token.secret), ..Default::default() })
        };
        let (editor, user) = (of("connections_write").await, of("connections_resolve").await);
        let terms = json!({ "terms": { "probe": { "path": "/me" } } });
        user.patch(&format!("{PATH}/{id}"), &terms).await.expect(403);
        editor.patch(&format!("{PATH}/{id}"), &terms).await.expect(200);
        editor.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(403);
        assert!(scene.world.take_seen().is_empty());
        assert_eq!(tested(&user, &id).await, told("ok", "accepted", Some(200)));
    }
}

with_either_database! {
    async fn the_server_tests_by_it(database: TestDatabase) {
        let broker = Options { check_period: Duration::from_millis(10), ..Options::default() };
        let scene = Scene::start_with(database, Setup { broker, ..Setup::default() }).await;
        scene.world.answer(|_| Reply::with("401 Unauthorized", "", ""));
        let id = made_on(&scene.admin, "https://a.example", json!({ "check_every_seconds": 300 })).await;
        let becomes = async |expected: [&str; 2]| {
            let deadline = Instant::now() + Duration::from_secs(60);
            while health(&scene.admin, &id).await != expected.map(|it| json!(it)) {
                assert!(Instant::now() < deadline, "{:?}", health(&scene.admin, &id).await);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        becomes(["unknown", "no_probe"]).await;
        // At once, and not when its time would have come.
        set(&scene.admin, &id, json!({ "check_every_seconds": 300, "probe": { "path": "/me" } })).await;
        becomes(["bad", "refused"]).await;
        assert_eq!(scene.world.only().line(), "GET /me");
        let list = listed(&scene.admin, &id, 1).await;
        assert_eq!(list["calls"][0]["credential"], "server");
        scene.server.stop().await;
    }

    /// First that there is a token, and by it the call.
    async fn an_oauth_connection_is_asked_for_its_token_first(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let egress = world.egress();
        let stage = Stage::set_with(database, Duration::from_secs(30), |setup| setup.egress = Some(egress)).await;
        stage.client().await;
        let admin = stage.server.client();
        let id = id_of(&stage.connect("one").await).to_string();
        set(&admin, &id, json!({ "probe": { "path": "/me" } })).await;
        // The second time the token is renewed, which changes the connection: it is that one whose health it is.
        for token in ["canary-access-1", "canary-access-2"] {
            assert_eq!(tested(&admin, &id).await, told("ok", "accepted", Some(200)));
            let seen = world.only();
            assert_eq!((seen.line(), seen.header("authorization")), ("GET /me", &*format!("Bearer {token}")));
            assert_eq!(health(&admin, &id).await, [json!("ok"), json!("accepted")]);
            stage.wait_seconds(3600);
        }
        stage.provider.set(Mood::Refusing("invalid_grant"));
        assert_eq!(tested(&admin, &id).await, told("bad", "grant_refused", None));
        assert_eq!(health(&admin, &id).await, [json!("bad"), json!("oauth: invalid_grant")]);
        assert!(world.take_seen().is_empty());
        stage.stop().await;
    }
}
