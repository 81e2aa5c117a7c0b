//! `/claviger/v1/permissions`

use serde_json::json;

use super::{define, fields, verify};
use crate::support::sample::native_key;
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/claviger/v1/permissions";

on_both_engines! {
    async fn one_is_defined_described_found_by_both_names_and_deleted(server: &TestServer) {
        let admin = server.client();
        let new = json!({ "name": "orders:read", "description": "See orders\nof all kinds" });
        let made = admin.post(PATH, &new).await.expect(201);
        assert_ne!(made.header("claviger-position"), "");
        let made = made.json();
        assert_eq!((&made["name"], &made["uses"]), (&json!("orders:read"), &json!(0)));
        let by_id = format!("{PATH}/{}", made["id"].as_str().unwrap());
        assert_eq!(admin.get(&by_id).await.expect(200).json(), made);
        assert_eq!(admin.get(&format!("{PATH}/orders:read")).await.expect(200).json(), made);
        assert_eq!(admin.get(&format!("{PATH}/orders%3Aread")).await.expect(200).json(), made);

        server.clock.advance_micros(1_000_000);
        let described = admin.patch(&by_id, &json!({ "description": "" })).await.expect(200).json();
        assert_eq!(described["description"], "");
        assert_ne!(described["modified_at"], made["modified_at"]);
        assert_eq!(admin.patch(&by_id, &json!({})).await.expect(200).json(), described);
        assert_eq!(admin.get(PATH).await.expect(200).json(), json!({ "permissions": [described] }));

        admin.delete(&format!("{PATH}/orders:read")).await.expect(204);
        for path in [by_id, format!("{PATH}/orders:read"), format!("{PATH}/nonsense")] {
            admin.get(&path).await.expect(404);
            admin.patch(&path, &json!({})).await.expect(404);
            admin.delete(&path).await.expect(404);
        }
    }

    async fn they_are_listed_by_name_and_each_org_has_its_own(server: &TestServer) {
        let admin = server.client();
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        define(&admin, &["orders:write", "orders:read", "bills:read"]).await;
        define(&other, &["orders:read"]).await;
        let list = admin.get(PATH).await.expect(200).json();
        let names: Vec<_> = list["permissions"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["bills:read", "orders:read", "orders:write"]);
        let id = list["permissions"][0]["id"].as_str().unwrap();
        other.get(&format!("{PATH}/{id}")).await.expect(404);
        other.get(&format!("{PATH}/bills:read")).await.expect(404);
        other.delete(&format!("{PATH}/bills:read")).await.expect(404);
        // The vendor's list knows nothing of them.
        let vendor = admin.get("/api/v2/permissions").await.expect(200).text;
        assert!(!vendor.contains("orders:read") && vendor.contains("monitors_read"));
    }

    async fn bad_input_is_named_and_changes_nothing(server: &TestServer) {
        let admin = server.client();
        let before = server.engine.applied();
        for name in ["api_keys_read", "Orders:read", "orders", "a:b:c", "a:", ""] {
            let refused = admin.post(PATH, &json!({ "name": name })).await.expect(400);
            assert_eq!(fields(&refused), ["name"], "{name}");
        }
        let wrong = json!({ "description": "x".repeat(1001), "colour": 1 });
        assert_eq!(fields(&admin.post(PATH, &wrong).await.expect(400)), ["colour", "description", "name"]);
        assert_eq!(fields(&admin.post(PATH, &json!([])).await.expect(400)), [""]);
        assert_eq!(server.engine.applied(), before);
        define(&admin, &["orders:read"]).await;
        let renamed = json!({ "name": "orders:see", "description": 1 });
        let refused = admin.patch(&format!("{PATH}/orders:read"), &renamed).await.expect(400);
        assert_eq!(fields(&refused), ["description", "name"]);
        let taken = admin.post(PATH, &json!({ "name": "orders:read" })).await.expect(409);
        assert_eq!(taken.json()["errors"][0]["code"], "conflict");
    }

    async fn what_is_named_is_not_deleted_and_its_number_is_not_given_anew(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let key = native_key(&admin, &json!({ "name": "k", "permissions": ["orders:read"] })).await;
        let in_use = admin.delete(&format!("{PATH}/orders:read")).await.expect(409);
        let error = in_use.json()["errors"][0].clone();
        assert_eq!(error["code"], "in_use");
        assert_eq!(error["detail"], "Permission orders:read is used by 1 keys and 0 roles");
        verify(server, &key.secret, "orders:read").await.expect(200);

        let path = format!("/claviger/v1/keys/{}", key.id);
        admin.patch(&path, &json!({ "permissions": [] })).await.expect(200);
        admin.delete(&format!("{PATH}/orders:read")).await.expect(204);
        let unknown = verify(server, &key.secret, "orders:read").await.expect(403);
        assert_eq!(unknown.json()["reason"], "unknown_permission");
        // The next one has its number, and the key has nothing of it.
        define(&admin, &["orders:delete"]).await;
        let missing = verify(server, &key.secret, "orders:delete").await.expect(403);
        assert_eq!(missing.json()["reason"], "missing_permission");
    }

    async fn there_are_256_at_most(server: &TestServer) {
        let admin = server.client();
        for number in 0..256 {
            admin.post(PATH, &json!({ "name": format!("n{number}:x") })).await.expect(201);
        }
        let refused = admin.post(PATH, &json!({ "name": "one:more" })).await.expect(409);
        assert_eq!(refused.json()["errors"][0]["code"], "limit_reached");
        let last = native_key(&admin, &json!({ "name": "k", "permissions": ["n255:x"] })).await;
        verify(server, &last.secret, "n255:x").await.expect(200);
        verify(server, &last.secret, "n254:x").await.expect(403);
        admin.delete(&format!("{PATH}/n17:x")).await.expect(204);
        define(&admin, &["one:more"]).await;
    }
}
