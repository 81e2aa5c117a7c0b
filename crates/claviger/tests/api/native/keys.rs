//! `/claviger/v1/keys`

use serde_json::{Value, json};

use super::{define, fields, uses, verify};
use crate::support::sample::{application_key, native_key};
use crate::support::{Client, Keys, START, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/claviger/v1/keys";

fn full() -> Value {
    json!({
        "name": "Ada's laptop",
        "prefix": "acme_live",
        "permissions": ["orders:write", "orders:read"],
        "external_id": "cus_17",
        "metadata": { "plan": "gold", "seats": [1, 2.5, null], "ä": "\"\\ \u{0} ß" },
        "allow_list": ["127.0.0.0/8", "::1"],
        "request_limit": { "requests": 1000, "period_seconds": 60 },
        "expires_at": "2030-01-01T00:00:00Z",
    })
}

/// The names of the keys of a list.
async fn listed(admin: &Client, query: &str) -> (Vec<String>, i64) {
    let list = admin.get(&format!("{PATH}{query}")).await.expect(200).json();
    let name = |key: &Value| key["name"].as_str().unwrap().to_owned();
    (list["keys"].as_array().unwrap().iter().map(name).collect(), list["total"].as_i64().unwrap())
}

on_both_engines! {
    async fn one_is_issued_shown_once_changed_and_revoked(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read", "orders:write"]).await;
        let made = admin.post(PATH, &full()).await.expect(201);
        assert_ne!(made.header("claviger-position"), "");
        let mut made = made.json();
        let secret = made["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("acme_live_") && secret.len() == "acme_live_".len() + 34, "{secret}");
        assert_eq!(made["last4"], secret[secret.len() - 4..]);
        for (name, value) in full().as_object().unwrap() {
            assert_eq!(made[name], *value, "{name}");
        }
        assert_eq!(made["created_by"], server.founded.user.to_string());
        assert_eq!((&made["created_at"], &made["modified_at"]), (&json!(START), &json!(START)));
        assert_eq!(uses(&admin).await, json!({ "orders:read": 1, "orders:write": 1 }));

        made.as_object_mut().unwrap().remove("secret");
        let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
        assert_eq!(admin.get(PATH).await.expect(200).json(), json!({ "keys": [made], "total": 1 }));
        made["old_secret_valid_until"] = Value::Null;
        let found = admin.get(&path).await.expect(200);
        assert_eq!(found.json(), made);
        assert!(!found.text.contains(&secret));
        assert_eq!(admin.patch(&path, &json!({})).await.expect(200).json(), made, "nothing to change");

        server.clock.advance_micros(1_000_000);
        let patch = json!({ "name": "New", "permissions": ["orders:read"], "external_id": null,
            "metadata": { "plan": "none" }, "allow_list": null, "request_limit": null, "expires_at": null });
        let changed = admin.patch(&path, &patch).await.expect(200).json();
        for (name, value) in patch.as_object().unwrap() {
            assert_eq!(changed[name], *value, "{name}");
        }
        assert_eq!(changed["prefix"], "acme_live");
        assert_ne!(changed["modified_at"], made["modified_at"]);
        assert_eq!(admin.get(&path).await.expect(200).json(), changed);
        assert_eq!(uses(&admin).await, json!({ "orders:read": 1, "orders:write": 0 }));

        verify(server, &secret, "orders:read").await.expect(200);
        admin.delete(&path).await.expect(204);
        verify(server, &secret, "").await.expect(401);
        for refused in [admin.get(&path).await, admin.delete(&path).await, admin.patch(&path, &patch).await] {
            refused.expect(404);
        }
        assert_eq!(listed(&admin, "").await, (vec![], 0));
        assert_eq!(uses(&admin).await, json!({ "orders:read": 0, "orders:write": 0 }));
    }

    async fn little_is_needed_and_the_org_has_a_prefix(server: &TestServer) {
        let admin = server.client();
        let plain = json!({ "name": "n", "prefix": null, "permissions": [], "external_id": null,
            "metadata": null, "allow_list": null, "request_limit": null, "expires_at": null });
        for body in [json!({ "name": "n" }), plain] {
            let made = admin.post(PATH, &body).await.expect(201).json();
            assert!(made["secret"].as_str().unwrap().starts_with("clv_"));
            assert_eq!((&made["permissions"], &made["metadata"]), (&json!([]), &Value::Null));
        }
        admin.patch("/claviger/v1/org", &json!({ "native_key_prefix": "acme_test" })).await.expect(200);
        let made = native_key(&admin, &json!({ "name": "n" })).await;
        assert!(made.secret.starts_with("acme_test_"));
        let refused = admin.patch("/claviger/v1/org", &json!({ "native_key_prefix": "ddapp" })).await;
        assert_eq!(fields(&refused.expect(400)), ["native_key_prefix"]);
    }

    async fn bad_input_is_named_all_of_it_and_changes_nothing(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let key = native_key(&admin, &json!({ "name": "n" })).await;
        let path = format!("{PATH}/{}", key.id);
        let before = server.engine.applied();
        let wrong = json!({
            "name": "\u{7}",
            "permissions": ["orders:read", "orders:fly", "api_keys_read", ":0", 1],
            "external_id": "a b",
            "metadata": { "long": "x".repeat(4096) },
            "allow_list": ["10.0.0.0/33", "10.0.0.0/8", "010.0.0.0/8"],
            "request_limit": { "requests": 0 },
            "expires_at": "soon",
            "colour": "red",
        });
        let common = ["allow_list/0", "allow_list/2", "colour", "expires_at", "external_id", "metadata", "name", "permissions/1",
            "permissions/2", "permissions/3", "permissions/4"];
        let limit = ["request_limit/period_seconds", "request_limit/requests"];
        let named = fields(&admin.patch(&path, &wrong).await.expect(400));
        assert_eq!(named, [&common[..], &limit[..]].concat());
        let mut wrong = wrong;
        wrong["prefix"] = json!("ddpat");
        let named = fields(&admin.post(PATH, &wrong).await.expect(400));
        assert_eq!(named, [&common[..], &["prefix"], &limit[..]].concat());
        assert_eq!(fields(&admin.post(PATH, &json!({})).await.expect(400)), ["name"]);
        assert_eq!(fields(&admin.patch(&path, &json!({ "prefix": "x" })).await.expect(400)), ["prefix"]);
        let over = json!({ "name": "n", "expires_at": START });
        assert_eq!(fields(&admin.post(PATH, &over).await.expect(400)), ["expires_at"]);
        let listed = admin.get(&format!("{PATH}?limit=0&offset=x&external_id=%20&name=%00")).await.expect(400);
        assert_eq!(fields(&listed), ["external_id", "limit", "name", "offset"]);
        assert_eq!(server.engine.applied(), before);
        for id in ["nonsense", "67e55044-10b1-426f-9247-bb680e5fe0c8"] {
            admin.get(&format!("{PATH}/{id}")).await.expect(404);
        }
    }

    async fn lists_page_and_filter(server: &TestServer) {
        let admin = server.client();
        for (name, external_id) in [("c", "cus_1"), ("a", "cus_2"), ("b", "cus_1"), ("Abba", "CUS_1")] {
            native_key(&admin, &json!({ "name": name, "external_id": external_id })).await;
        }
        // Keys of other kinds and of other orgs are not among them.
        application_key(&admin, Value::Null).await;
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        native_key(&other, &json!({ "name": "a", "external_id": "cus_1" })).await;
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(listed(&admin, "").await, (names(&["a", "Abba", "b", "c"]), 4));
        assert_eq!(listed(&admin, "?limit=2").await, (names(&["a", "Abba"]), 4));
        assert_eq!(listed(&admin, "?limit=2&offset=3").await, (names(&["c"]), 4));
        assert_eq!(listed(&admin, "?external_id=cus_1").await, (names(&["b", "c"]), 2));
        assert_eq!(listed(&admin, "?name=B").await, (names(&["Abba", "b"]), 2));
        assert_eq!(listed(&admin, "?name=B&external_id=cus_1").await, (names(&["b"]), 1));
        assert_eq!(listed(&other, "").await, (names(&["a"]), 1));
    }

    async fn another_org_reaches_none(server: &TestServer) {
        let admin = server.client();
        let key = native_key(&admin, &json!({ "name": "n" })).await;
        let path = format!("{PATH}/{}", key.id);
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.get(&path).await.expect(404);
        other.patch(&path, &json!({ "name": "x" })).await.expect(404);
        other.delete(&path).await.expect(404);
        define(&admin, &["orders:read"]).await;
        let foreign = json!({ "name": "n", "permissions": ["orders:read"] });
        assert_eq!(fields(&other.post(PATH, &foreign).await.expect(400)), ["permissions/0"]);
        // No route of another kind reaches it either.
        for path in ["/api/v2/api_keys", "/api/v2/application_keys"] {
            admin.delete(&format!("{path}/{}", key.id)).await.expect(404);
        }
        verify(server, &key.secret, "").await.expect(200);
    }

    /// It goes on with the prefix that it has, whatever the org's is by now, and with all that it may.
    async fn one_is_given_a_new_secret(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let body = json!({ "name": "n", "prefix": "acme_live", "permissions": ["orders:read"], "external_id": "cus_1" });
        let key = native_key(&admin, &body).await;
        let path = format!("{PATH}/{}", key.id);
        let rotated = admin.post(&format!("{path}/rotate"), &json!({ "grace_seconds": 60 })).await.expect(200).json();
        let secret = rotated["secret"].as_str().unwrap();
        assert!(secret.starts_with("acme_live_") && secret != key.secret);
        assert_eq!(rotated["old_secret_valid_until"], "2026-03-04T05:07:07.123456Z");
        assert_eq!(rotated["id"], key.id);
        for secret in [secret, &key.secret] {
            let answer = verify(server, secret, "orders:read").await.expect(200);
            assert_eq!(answer.header("claviger-external-id"), "cus_1");
        }
        let shown = admin.get(&path).await.expect(200).json();
        assert_eq!(shown["old_secret_valid_until"], rotated["old_secret_valid_until"]);
        assert_eq!(uses(&admin).await, json!({ "orders:read": 1 }));
        server.clock.advance_micros(60_000_000);
        verify(server, &key.secret, "").await.expect(401);
        verify(server, secret, "orders:read").await.expect(200);
        admin.delete(&path).await.expect(204);
        verify(server, secret, "").await.expect(401);
        assert_eq!(uses(&admin).await, json!({ "orders:read": 0 }));
    }

    async fn guards_hold_for_it(server: &TestServer) {
        let admin = server.client();
        let reason = async |secret: &str| verify(server, secret, "").await.json()["reason"].clone();
        let elsewhere = native_key(&admin, &json!({ "name": "n", "allow_list": ["192.0.2.0/24"] })).await;
        assert_eq!(reason(&elsewhere.secret).await, "address_not_allowed");
        let limit = json!({ "name": "n", "request_limit": { "requests": 1, "period_seconds": 3600 } });
        let limited = native_key(&admin, &limit).await;
        verify(server, &limited.secret, "").await.expect(200);
        verify(server, &limited.secret, "").await.expect(429);
        let path = format!("{PATH}/{}", limited.id);
        admin.patch(&path, &json!({ "request_limit": null })).await.expect(200);
        verify(server, &limited.secret, "").await.expect(200);
        let path = format!("{PATH}/{}", elsewhere.id);
        admin.patch(&path, &json!({ "allow_list": ["127.0.0.1"] })).await.expect(200);
        verify(server, &elsewhere.secret, "").await.expect(200);
        // A narrowed caller does not loosen what it may not itself.
        define(&admin, &["orders:read"]).await;
        admin.patch(&path, &json!({ "permissions": ["orders:read"] })).await.expect(200);
        let narrow = application_key(&admin, json!(["api_keys_write"])).await.secret;
        let narrow = server.client_with(Keys { application_key: Some(narrow), ..server.admin() });
        narrow.patch(&path, &json!({ "allow_list": null })).await.expect(403);
        narrow.post(&format!("{path}/rotate"), &json!({})).await.expect(403);
        narrow.patch(&path, &json!({ "name": "renamed" })).await.expect(200);
    }

    async fn there_is_a_limit(server: &TestServer) {
        let admin = server.client();
        admin.patch("/claviger/v1/org", &json!({ "native_keys_max": 1 })).await.expect(200);
        let first = native_key(&admin, &json!({ "name": "n" })).await;
        let refused = admin.post(PATH, &json!({ "name": "n" })).await.expect(409);
        assert_eq!(refused.json()["errors"][0]["code"], "limit_reached");
        admin.delete(&format!("{PATH}/{}", first.id)).await.expect(204);
        native_key(&admin, &json!({ "name": "n" })).await;
    }

    /// A narrowed credential gives no permission that it does not have itself.
    async fn a_narrowed_caller_gives_what_it_has(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read", "orders:write"]).await;
        let issuer = application_key(&admin, json!(["api_keys_write", "api_keys_read"])).await;
        let narrow = server.client_with(Keys { application_key: Some(issuer.secret.clone()), ..server.admin() });
        let reader = json!({ "name": "n", "permissions": ["orders:read"] });
        narrow.post(PATH, &reader).await.expect(403);
        let bare = native_key(&narrow, &json!({ "name": "n" })).await;

        let own = format!("/claviger/v1/credentials/{}/permissions", issuer.id);
        admin.put(&own, &json!({ "permissions": ["orders:read"] })).await.expect(200);
        native_key(&narrow, &reader).await;
        let path = format!("{PATH}/{}", bare.id);
        narrow.patch(&path, &json!({ "permissions": ["orders:read"] })).await.expect(200);
        narrow.patch(&path, &json!({ "permissions": ["orders:read", "orders:write"] })).await.expect(403);
        narrow.patch(&path, &json!({ "permissions": [] })).await.expect(200);
    }
}
