//! `/claviger/v1/api_keys`, `/claviger/v1/application_keys`, `/claviger/v1/tokens` and `/claviger/v1/keys`: guards of
//! keys are set, shown, enforced wherever the key is presented, and left alone by the vendor's dialect.

use serde_json::{Value, json};

use crate::support::tokens::{personal_access_token, service_access_token, service_account};
use crate::support::{
    Answer, Keys, Setup, TestDatabase, TestServer, guarded, on_both_engines, with_either_database,
};

const API_KEYS: &str = "/claviger/v1/api_keys";
const APPLICATION_KEYS: &str = "/claviger/v1/application_keys";
const SECOND: i64 = 1_000_000;

/// Nobody's at the test.
const ELSEWHERE: [&str; 1] = ["203.0.113.0/24"];

fn limited(requests: u32, period_seconds: u32) -> Value {
    json!({ "request_limit": { "requests": requests, "period_seconds": period_seconds } })
}

fn limit_headers(answer: &Answer) -> [&str; 5] {
    ["x-ratelimit-limit", "x-ratelimit-period", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]
        .map(|name| answer.header(name))
}

on_both_engines! {
    async fn guards_are_shown_as_they_were_set(server: &TestServer) {
        let client = server.client();
        let guards = json!({
            "name": "Deploys", "allow_list": ["::ffff:192.0.2.0/120", "2001:DB8::1"],
            "request_limit": { "requests": 5, "period_seconds": 60 }, "expires_at": "2026-03-05T05:06:07+01:00",
        });
        let made = client.post(API_KEYS, &guards).await.expect(201);
        assert!(made.header("claviger-position").starts_with("1."));
        let made = made.json();
        let secret = made["secret"].as_str().unwrap();
        let expected = json!({
            "id": made["id"], "kind": "api_key", "name": "Deploys", "last4": secret[28..], "public_portion": null,
            "owner": null, "scopes": [], "created_at": "2026-03-04T05:06:07.123456Z",
            "modified_at": "2026-03-04T05:06:07.123456Z", "last_used_at": null,
            "allow_list": ["192.0.2.0/24", "2001:db8::1"],
            "request_limit": { "requests": 5, "period_seconds": 60 }, "expires_at": "2026-03-05T04:06:07Z",
            "old_secret_valid_until": null,
        });
        let path = format!("{API_KEYS}/{}", made["id"].as_str().unwrap());
        assert_eq!(client.get(&path).await.expect(200).json(), expected);

        server.clock.advance_micros(SECOND);
        let before = server.engine.applied();
        assert_eq!(client.patch(&path, &json!({})).await.expect(200).json(), expected, "nothing to change");
        assert_eq!(server.engine.applied(), before);
        let patch = json!({ "allow_list": null, "request_limit": { "requests": 9, "period_seconds": 1 } });
        let changed = client.patch(&path, &patch).await.expect(200).json();
        assert_eq!(changed["allow_list"], Value::Null);
        assert_eq!(changed["request_limit"], json!({ "requests": 9, "period_seconds": 1 }));
        assert_eq!(changed["expires_at"], expected["expires_at"], "what is not named stays");
        assert_eq!(changed["modified_at"], "2026-03-04T05:06:08.123456Z");
        let lifted = client.patch(&path, &json!({ "request_limit": null, "expires_at": null })).await.expect(200).json();
        assert_eq!((&lifted["request_limit"], &lifted["expires_at"]), (&Value::Null, &Value::Null));

        let scoped = json!({ "name": "Mine", "scopes": ["monitors_read", "user_app_keys"], "allow_list": ["127.0.0.1"] });
        let made = client.post(APPLICATION_KEYS, &scoped).await.expect(201).json();
        assert_eq!(made["scopes"], json!(["monitors_read", "user_app_keys"]));
        assert_eq!(made["owner"], server.founded.user.to_string());
        assert_eq!(server.verdict(made["secret"].as_str().unwrap()).await, "ok");
        assert!(server.check_record().await.is_clean());
    }

    async fn everything_that_is_wrong_with_guards_is_named(server: &TestServer) {
        let body = json!({ "name": "", "allow_list": ["10.0.0.1/8", "x"], "request_limit": { "requests": 0 },
            "expires_at": "soon", "colour": "red" });
        let refused = server.client().post(API_KEYS, &body).await.expect(400).json();
        let mut fields: Vec<_> =
            refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        fields.sort_unstable();
        let expected = [
            "allow_list/0", "allow_list/1", "colour", "expires_at", "name", "request_limit/period_seconds",
            "request_limit/requests",
        ];
        assert_eq!(fields, expected);
        for path in [API_KEYS, APPLICATION_KEYS] {
            let past = json!({ "name": "n", "expires_at": "2026-03-04T05:06:07.123456Z" });
            let refused = server.client().post(path, &past).await.expect(400).json();
            assert_eq!(refused["errors"][0], json!({ "code": "invalid", "field": "expires_at", "detail": "must be in the future" }));
        }
    }

    async fn a_key_ends_when_its_expiry_comes_and_not_before(server: &TestServer) {
        let client = server.client();
        let key = guarded::api_key(&client, json!({ "expires_at": "2026-03-04T05:07:07.123456Z" })).await;
        let path = format!("{API_KEYS}/{}", key.id);
        server.clock.advance_micros(60 * SECOND - 1);
        assert_eq!(server.verdict(&key.secret).await, "ok");
        server.clock.advance_micros(1);
        assert_eq!(server.verdict(&key.secret).await, "expired");
        let refused = client.patch(&path, &json!({ "expires_at": "2026-03-04T05:07:07.123456Z" })).await.expect(200);
        assert_eq!(refused.json()["expires_at"], "2026-03-04T05:07:07.123456Z", "as it was");
        client.patch(&path, &json!({ "expires_at": "2026-03-04T05:07:07.123455Z" })).await.expect(400);
        assert_eq!(server.verdict(&key.secret).await, "expired");
        client.patch(&path, &json!({ "expires_at": "2026-03-04T05:07:08Z" })).await.expect(200);
        assert_eq!(server.verdict(&key.secret).await, "ok");
    }

    async fn from_elsewhere_a_key_is_nobodys_to_the_vendors_dialect(server: &TestServer) {
        let (client, guards) = (server.client(), json!({ "allow_list": ELSEWHERE }));
        let api_key = guarded::api_key(&client, guards.clone()).await;
        let application_key = guarded::application_key(&client, guards).await;
        let nobodys = "0123456789abcdef0123456789abcdef".to_owned();
        let with_api_key = |api_key: String| server.client_with(Keys { api_key: Some(api_key), ..server.admin() });
        for path in ["/api/v1/validate", "/api/v2/validate", "/api/v1/api_key", "/api/v2/api_keys", "/api/v2/validate_keys"] {
            let [refused, unknown] = [api_key.secret.clone(), nobodys.clone()].map(&with_api_key);
            let (refused, unknown) = (refused.get(path).await.expect(403), unknown.get(path).await.expect(403));
            assert_eq!(refused.text, unknown.text, "{path}");
        }
        for path in ["/api/v1/api_key", "/api/v2/api_keys", "/api/v2/validate_keys"] {
            let refused = server.beside(&application_key.secret).get(path).await.expect(401);
            assert_eq!(refused.text, server.beside(&nobodys).get(path).await.expect(401).text, "{path}");
        }
        let refused = server.bearer(&application_key.secret).get("/verify").await.expect(403);
        assert_eq!(refused.json(), json!({ "valid": false, "reason": "address_not_allowed" }));
        assert_eq!((refused.header("claviger-error"), refused.header("www-authenticate")), ("address_not_allowed", ""));
        let lone = server.client_with(Keys { api_key: Some(api_key.secret.clone()), ..Keys::default() });
        assert_eq!(lone.get("/verify").await.expect(403).header("claviger-error"), "address_not_allowed");
        let refused = server.beside(&application_key.secret).get("/claviger/v1/org").await.expect(403).json();
        assert_eq!(refused["errors"][0]["code"], "address_not_allowed");
        // Seen from here, they are in use by nobody; and from here an admin may let them in.
        for (path, key) in [(API_KEYS, &api_key), (APPLICATION_KEYS, &application_key)] {
            let path = format!("{path}/{}", key.id);
            let changed = client.patch(&path, &json!({ "allow_list": ["127.0.0.1"] })).await.expect(200).json();
            assert_eq!(changed["last_used_at"], Value::Null);
            assert_eq!(server.verdict(&key.secret).await, "ok");
        }
    }

    async fn a_limit_holds_wherever_the_key_is_presented(server: &TestServer) {
        // The tests begin 7.123456 seconds into a minute.
        let client = server.client();
        let key = guarded::api_key(&client, limited(4, 60)).await;
        let pair = server.client_with(Keys { api_key: Some(key.secret.clone()), ..server.admin() });
        for path in ["/api/v1/validate", "/api/v2/validate", "/verify", "/api/v2/api_keys"] {
            pair.get(path).await.expect(200);
        }
        let exceeded = r#"{"errors":["Rate limit exceeded"]}"#;
        for (path, text) in [
            ("/api/v1/validate", exceeded),
            ("/api/v2/validate", r#"{"errors":[{"status":"429","title":"Too many requests","detail":"Rate limit exceeded"}]}"#),
            ("/api/v1/api_key", exceeded),
            ("/api/v2/api_keys", exceeded),
            ("/api/v2/validate_keys", exceeded),
            ("/verify", r#"{"valid":false,"reason":"rate_limited"}"#),
            ("/claviger/v1/org", r#"{"errors":[{"code":"rate_limited","detail":"Rate limit exceeded"}]}"#),
        ] {
            let refused = pair.get(path).await.expect(429);
            assert_eq!(refused.text, text, "{path}");
            assert_eq!(limit_headers(&refused), ["4", "60", "0", "53", "53"], "{path}");
            assert_eq!(refused.header("content-type"), "application/json", "{path}");
        }
        // Only this key, and only until the next period.
        client.get("/api/v2/api_keys").await.expect(200);
        server.clock.advance_micros(52 * SECOND);
        assert_eq!(server.verdict(&key.secret).await, "rate_limited");
        server.clock.advance_micros(SECOND);
        assert_eq!(server.verdict(&key.secret).await, "ok");
        assert!(server.metrics().contains("rate_limited"));
    }

    async fn a_request_counts_once_nothing_else_refuses_it(server: &TestServer) {
        let client = server.client();
        let api_key = guarded::api_key(&client, limited(1, 3600)).await;
        let application_key = guarded::application_key(&client, limited(1, 3600)).await;
        let keys = |application_key: &str| Keys {
            api_key: Some(api_key.secret.clone()),
            application_key: Some(application_key.to_owned()),
            bearer: None,
        };
        let stranger = server.client_with(keys("0123456789abcdef0123456789abcdef"));
        for _ in 0..3 {
            stranger.get("/api/v2/validate_keys").await.expect(401);
        }
        let pair = server.client_with(keys(&application_key.secret));
        pair.get("/api/v2/validate_keys").await.expect(200);
        pair.get("/api/v2/validate_keys").await.expect(429);
        assert_eq!(server.verdict(&application_key.secret).await, "rate_limited");
    }

    async fn what_was_used_of_a_limit_outlives_edits_and_rotation(server: &TestServer) {
        let client = server.client();
        let key = guarded::application_key(&client, limited(3, 3600)).await;
        let path = format!("{APPLICATION_KEYS}/{}", key.id);
        assert_eq!(server.verdict(&key.secret).await, "ok");
        let body = json!({ "data": { "type": "application_keys", "id": key.id, "attributes": { "name": "Renamed" } } });
        client.patch(&format!("/api/v2/application_keys/{}", key.id), &body).await.expect(200);
        let new = guarded::rotate(&client, &path, 60).await;
        assert_eq!(server.verdict(&new.secret).await, "ok");
        assert_eq!(server.verdict(&key.secret).await, "ok");
        for secret in [&new.secret, &key.secret] {
            assert_eq!(server.verdict(secret).await, "rate_limited");
        }
        client.patch(&path, &limited(4, 3600)).await.expect(200);
        assert_eq!([server.verdict(&new.secret).await, server.verdict(&new.secret).await], ["ok", "rate_limited"]);
    }

    async fn the_vendors_dialect_preserves_guards(server: &TestServer) {
        let client = server.client();
        let guards = json!({ "allow_list": ["127.0.0.0/8"], "request_limit": { "requests": 100, "period_seconds": 60 },
            "expires_at": "2027-03-04T05:06:07Z" });
        let api_key = guarded::api_key(&client, guards.clone()).await;
        let application_key = guarded::application_key(&client, guards.clone()).await;
        let named = |kind: &str, id: &str| json!({ "data": { "type": kind, "id": id, "attributes": { "name": "New" } } });
        let v2 = format!("/api/v2/api_keys/{}", api_key.id);
        client.patch(&v2, &named("api_keys", &api_key.id)).await.expect(200);
        client.put(&format!("/api/v1/api_key/{}", api_key.secret), &json!({ "name": "Newer" })).await.expect(200);
        let scopes = json!({ "data": { "type": "application_keys", "id": application_key.id,
            "attributes": { "name": "New", "scopes": ["monitors_read"] } } });
        for path in ["/api/v2/application_keys", "/api/v2/current_user/application_keys"] {
            client.patch(&format!("{path}/{}", application_key.id), &scopes).await.expect(200);
        }
        let v1 = format!("/api/v1/application_key/{}", application_key.secret);
        client.put(&v1, &json!({ "name": "Newer" })).await.expect(200);
        for (path, id) in [(API_KEYS, &api_key.id), (APPLICATION_KEYS, &application_key.id)] {
            let shown = client.get(&format!("{path}/{id}")).await.expect(200).json();
            assert_eq!(shown["name"], "Newer");
            for guard in ["allow_list", "request_limit", "expires_at"] {
                assert_eq!(shown[guard], guards[guard], "{path}: {guard}");
            }
        }
        assert!(server.check_record().await.is_clean());
    }

    async fn a_narrowed_caller_loosens_neither_itself_nor_what_may_do_more(server: &TestServer) {
        let client = server.client();
        let guards = json!({ "allow_list": ["127.0.0.0/8"], "request_limit": { "requests": 100, "period_seconds": 60 },
            "expires_at": "2027-03-04T05:06:07Z" });
        let mut scoped = guards.clone();
        scoped["scopes"] = json!(["user_app_keys", "api_keys_write"]);
        let own = guarded::application_key(&client, scoped).await;
        let mightier = guarded::application_key(&client, guards.clone()).await;
        let mut lesser = guards.clone();
        lesser["scopes"] = json!(["user_app_keys"]);
        let lesser = guarded::application_key(&client, lesser).await;
        let api_key = guarded::api_key(&client, guards).await;
        let narrowed = server.beside(&own.secret);
        let looser = [
            json!({ "allow_list": null }),
            json!({ "allow_list": ["127.0.0.0/8", "192.0.2.1"] }),
            json!({ "request_limit": null }),
            json!({ "request_limit": { "requests": 101, "period_seconds": 60 } }),
            json!({ "request_limit": { "requests": 100, "period_seconds": 59 } }),
            json!({ "expires_at": null }),
            json!({ "expires_at": "2027-03-04T05:06:08Z" }),
            // Tighter in one way does not make up for looser in another.
            json!({ "allow_list": ["127.0.0.1"], "expires_at": null }),
        ];
        for key in [&own, &mightier] {
            let path = format!("{APPLICATION_KEYS}/{}", key.id);
            let before = client.get(&path).await.expect(200).json();
            for patch in &looser {
                narrowed.patch(&path, patch).await.expect(403);
            }
            assert_eq!(client.get(&path).await.expect(200).json()["modified_at"], before["modified_at"]);
        }
        for patch in &looser {
            narrowed.patch(&format!("{APPLICATION_KEYS}/{}", lesser.id), patch).await.expect(200);
            narrowed.patch(&format!("{API_KEYS}/{}", api_key.id), patch).await.expect(200);
        }
        let tighter = json!({ "allow_list": ["127.0.0.1"], "request_limit": { "requests": 99, "period_seconds": 60 },
            "expires_at": "2026-12-31T00:00:00Z" });
        for key in [&mightier, &own] {
            narrowed.patch(&format!("{APPLICATION_KEYS}/{}", key.id), &tighter).await.expect(200);
        }
        // Who is not narrowed may loosen what is theirs.
        for patch in &looser {
            client.patch(&format!("{APPLICATION_KEYS}/{}", mightier.id), patch).await.expect(200);
        }
    }

    async fn a_personal_token_ends_within_a_year_whatever_is_asked(server: &TestServer) {
        let client = server.client();
        let token = personal_access_token(&client, json!(["monitors_read"])).await;
        let path = format!("/claviger/v1/tokens/{}", token.id);
        for wrong in [json!(null), json!("2027-03-04T05:11:07.123457Z"), json!("2026-03-05T05:06:07.123455Z"), json!("2020-01-01T00:00:00Z")] {
            let refused = client.patch(&path, &json!({ "expires_at": wrong })).await.expect(400).json();
            assert_eq!(refused["errors"][0]["field"], "expires_at");
        }
        for right in ["2027-03-04T05:06:07Z", "2026-03-05T05:06:08Z"] {
            assert_eq!(client.patch(&path, &json!({ "expires_at": right })).await.expect(200).json()["expires_at"], right);
        }
        // However late it is asked for.
        server.clock.advance_micros(3600 * SECOND);
        client.patch(&path, &json!({ "expires_at": "2027-03-04T06:06:07Z" })).await.expect(400);
        client.patch(&path, &json!({ "allow_list": ELSEWHERE })).await.expect(200);
        assert_eq!(server.verdict(&token.secret).await, "address_not_allowed");

        let account = service_account(&client, json!([])).await;
        let machines = service_access_token(&client, &account, json!(["monitors_read"])).await;
        let path = format!("/claviger/v1/tokens/{}", machines.id);
        for end in [json!("2036-03-04T05:06:07Z"), json!(null)] {
            assert_eq!(client.patch(&path, &json!({ "expires_at": end })).await.expect(200).json()["expires_at"], end);
        }
    }
}

with_either_database! {
    async fn guards_outlive_a_restart(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let key = guarded::application_key(&server.client(), json!({ "allow_list": ELSEWHERE })).await;
        let limited = guarded::api_key(&server.client(), limited(1, 3600)).await;
        let server = server.halt().await.start(Setup::default()).await;
        assert_eq!(server.verdict(&key.secret).await, "address_not_allowed");
        assert_eq!([server.verdict(&limited.secret).await, server.verdict(&limited.secret).await], ["ok", "rate_limited"]);
        server.stop().await;
    }
}
