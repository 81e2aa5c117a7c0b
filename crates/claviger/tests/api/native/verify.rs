//! `/verify` with native keys, and with own permissions of other credentials.

use http::Method;
use serde_json::{Value, json};

use super::{define, verify};
use crate::support::sample::{application_key, native_key};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

fn reason(answer: &crate::support::Answer) -> Value {
    answer.json()["reason"].clone()
}

on_both_engines! {
    async fn it_tells_whose_key_it_is_and_what_it_may(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read", "orders:write", "orders:delete"]).await;
        let metadata = json!({ "plan": "gold", "quote": "\"ä\"", "list": [1, null] });
        let body = json!({ "name": "n", "permissions": ["orders:write", "orders:read"],
            "external_id": "cus\"\\17", "metadata": metadata });
        let key = native_key(&admin, &body).await;
        let nobody = server.client_with(Keys::default());
        let in_header = [("x-api-key", key.secret.as_str()), ("claviger-require", "orders:read, orders:write")];
        let by_header = nobody.send(Method::POST, "/verify/orders/1", &in_header, None::<String>).await.expect(200);
        let bearer = server.client_with(Keys { bearer: Some(key.secret.clone()), ..Keys::default() });
        let by_bearer = bearer.get("/verify?permission=orders:read&permission=orders%3Awrite").await.expect(200);
        for answer in [by_header, by_bearer] {
            assert_eq!(answer.json(), json!({
                "valid": true,
                "org": server.founded.org.to_string(),
                "key_id": key.id,
                "kind": "native_key",
                "user": null,
                "scopes": ["orders:write", "orders:read"],
                "permissions": ["orders:write", "orders:read"],
                "external_id": "cus\"\\17",
                "metadata": metadata,
            }));
            assert_eq!(answer.header("claviger-external-id"), "cus\"\\17");
            assert_eq!(answer.header("claviger-scopes"), "orders:write orders:read");
            assert_eq!(answer.header("claviger-key-id"), key.id);
            assert_eq!(answer.header("claviger-org"), server.founded.org.to_string());
            assert_eq!(answer.header("claviger-user"), "");
        }
        for (require, expected) in [
            ("orders:delete", "missing_permission"),
            ("orders:read,orders:delete", "missing_permission"),
            ("orders:fly", "unknown_permission"),
            ("api_keys_read", "missing_permission"),
            (":0", "unknown_permission"),
        ] {
            assert_eq!(reason(&verify(server, &key.secret, require).await.expect(403)), expected, "{require}");
        }
    }

    async fn a_bare_key_is_known_and_may_nothing(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let key = native_key(&admin, &json!({ "name": "n" })).await;
        let answer = verify(server, &key.secret, "").await.expect(200);
        let said = answer.json();
        assert_eq!((&said["permissions"], &said["scopes"]), (&json!([]), &Value::Null));
        assert_eq!((&said["external_id"], &said["metadata"]), (&Value::Null, &Value::Null));
        assert!(!answer.headers.contains_key("claviger-external-id"));
        assert_eq!(reason(&verify(server, &key.secret, "orders:read").await.expect(403)), "missing_permission");
    }

    async fn another_orgs_permission_of_that_name_is_another(server: &TestServer) {
        let admin = server.client();
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        define(&admin, &["orders:read"]).await;
        define(&other, &["bills:read", "orders:read"]).await;
        let key = native_key(&admin, &json!({ "name": "n", "permissions": ["orders:read"] })).await;
        assert_eq!(reason(&verify(server, &key.secret, "bills:read").await.expect(403)), "unknown_permission");
        let foreign = native_key(&other, &json!({ "name": "n", "permissions": ["bills:read"] })).await;
        assert_eq!(reason(&verify(server, &foreign.secret, "orders:read").await.expect(403)), "missing_permission");
        verify(server, &foreign.secret, "bills:read").await.expect(200);
    }

    /// It opens nothing else, wherever it stands.
    async fn a_native_key_opens_no_api_of_claviger(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let key = native_key(&admin, &json!({ "name": "n", "permissions": ["orders:read"] })).await.secret;
        let Keys { api_key, application_key, .. } = server.admin();
        let bearer = server.client_with(Keys { bearer: Some(key.clone()), ..Keys::default() });
        let as_api_key = server.client_with(Keys { api_key: Some(key.clone()), application_key, bearer: None });
        let as_application_key = server.client_with(Keys { api_key, application_key: Some(key.clone()), bearer: None });
        let lone = server.client_with(Keys { api_key: Some(key), ..Keys::default() });
        for path in ["/claviger/v1/org", "/claviger/v1/keys", "/claviger/v1/permissions"] {
            for client in [&bearer, &as_api_key, &as_application_key] {
                let refused = client.get(path).await.expect(401);
                assert_eq!(refused.json()["errors"][0]["code"], "wrong_kind", "{path}");
            }
        }
        for path in ["/api/v1/validate", "/api/v2/validate", "/api/v2/validate_keys", "/api/v2/api_keys", "/api/v1/api_key"] {
            for client in [&bearer, &as_api_key, &as_application_key, &lone] {
                let status = client.get(path).await.status.as_u16();
                // Where an API key alone is enough, what stands beside it is not looked at.
                let is_open = path.ends_with("/validate") && std::ptr::eq(client, &as_application_key);
                assert!(matches!(status, 401 | 403) || (is_open && status == 200), "{path}: {status}");
            }
        }
        for client in [&as_api_key, &as_application_key, &lone] {
            assert_eq!(reason(&client.get("/verify").await.expect(401)), "wrong_kind");
        }
        bearer.get("/verify").await.expect(200);
    }

    /// Admins have all of them; others by their roles and their scopes.
    async fn other_credentials_have_own_permissions_too(server: &TestServer) {
        let admin = server.client();
        let whole = application_key(&admin, Value::Null).await.secret;
        assert_eq!(reason(&verify(server, &whole, "orders:read").await.expect(403)), "unknown_permission");
        define(&admin, &["orders:read", "orders:write"]).await;
        verify(server, &whole, "orders:read,orders:write,api_keys_read").await.expect(200);
        let narrow = application_key(&admin, json!(["monitors_read"])).await;
        assert_eq!(reason(&verify(server, &narrow.secret, "orders:read").await.expect(403)), "missing_permission");
        let lone = server.client_with(Keys { application_key: None, ..server.admin() });
        assert_eq!(reason(&lone.get("/verify?permission=orders:read").await.expect(403)), "no_permissions");
        assert_eq!(reason(&lone.get("/verify?permission=orders:fly").await.expect(403)), "unknown_permission");

        let path = format!("/claviger/v1/credentials/{}/permissions", narrow.id);
        admin.put(&path, &json!({ "permissions": ["orders:write"] })).await.expect(200);
        let answer = verify(server, &narrow.secret, "orders:write").await.expect(200);
        assert_eq!(answer.header("claviger-scopes"), "monitors_read orders:write");
        assert_eq!(answer.json()["scopes"], json!(["monitors_read", "orders:write"]));
        assert!(answer.json().get("metadata").is_none());
        verify(server, &narrow.secret, "orders:read").await.expect(403);
    }

    async fn an_expired_key_is_refused(server: &TestServer) {
        let admin = server.client();
        let body = json!({ "name": "n", "expires_at": "2026-03-04T05:06:08.123456Z" });
        let key = native_key(&admin, &body).await;
        verify(server, &key.secret, "").await.expect(200);
        server.clock.advance_micros(1_000_000);
        assert_eq!(reason(&verify(server, &key.secret, "").await.expect(401)), "expired");
    }
}
