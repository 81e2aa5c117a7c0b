//! `/claviger/v1/roles/{role_id}/permissions`

use serde_json::{Value, json};

use super::{define, fields, verify};
use crate::support::people::{Member, built_in_role, role};
use crate::support::sample::application_key;
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

fn path(role: &str) -> String {
    format!("/claviger/v1/roles/{role}/permissions")
}

on_both_engines! {
    async fn who_has_the_role_has_what_it_is_given(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read", "orders:write"]).await;
        let role = role(&admin, &[]).await;
        let (first, second) = (json!({ "permissions": ["orders:read"] }), json!({ "permissions": ["orders:write"] }));
        assert_eq!(admin.get(&path(&role)).await.expect(200).json()["permissions"], json!([]));
        let answer = admin.put(&path(&role), &first).await.expect(200);
        assert_ne!(answer.header("claviger-position"), "");
        assert_eq!(answer.json(), json!({ "role_id": role, "permissions": ["orders:read"] }));
        assert_eq!(admin.get(&path(&role)).await.expect(200).json(), answer.json());

        let joined = Member::join(server, "human", &[&role], Value::Null).await;
        let secret = joined.keys.application_key.unwrap();
        verify(server, &secret, "orders:read").await.expect(200);
        verify(server, &secret, "orders:write").await.expect(403);
        admin.put(&path(&role), &second).await.expect(200);
        verify(server, &secret, "orders:read").await.expect(403);
        verify(server, &secret, "orders:write").await.expect(200);
        let in_use = admin.delete("/claviger/v1/permissions/orders:write").await.expect(409).json();
        assert_eq!(in_use["errors"][0]["detail"], "Permission orders:write is used by 0 keys and 1 roles");
        admin.delete("/claviger/v1/permissions/orders:read").await.expect(204);
        // A role that is removed names nothing.
        admin.delete(&format!("/api/v2/roles/{role}")).await.expect(204);
        verify(server, &secret, "orders:write").await.expect(403);
        admin.delete("/claviger/v1/permissions/orders:write").await.expect(204);
    }

    /// What the vendor's routes show and change is the vendor's.
    async fn the_vendors_routes_leave_them_alone(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let role = role(&admin, &[]).await;
        let before = admin.get(&format!("/api/v2/roles/{role}/permissions")).await.expect(200).json();
        admin.put(&path(&role), &json!({ "permissions": ["orders:read"] })).await.expect(200);
        let after = admin.get(&format!("/api/v2/roles/{role}/permissions")).await.expect(200).json();
        assert_eq!(before, after);
        let all = admin.get("/api/v2/permissions").await.expect(200).json();
        let id = all["data"][0]["id"].clone();
        let grant = json!({ "data": { "type": "permissions", "id": id } });
        admin.post(&format!("/api/v2/roles/{role}/permissions"), &grant).await.expect(200);
        let patch = json!({ "data": { "type": "roles", "id": role, "attributes": { "name": "Renamed" },
            "relationships": { "permissions": { "data": [] } } } });
        admin.patch(&format!("/api/v2/roles/{role}"), &patch).await.expect(200);
        let kept = admin.get(&path(&role)).await.expect(200).json();
        assert_eq!(kept["permissions"], json!(["orders:read"]));
        // A copy has what the role has.
        let clone = json!({ "data": { "type": "roles", "attributes": { "name": "Copy" } } });
        let copy = admin.post(&format!("/api/v2/roles/{role}/clone"), &clone).await.expect(200).json();
        let copied = admin.get(&path(copy["data"]["id"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(copied["permissions"], json!(["orders:read"]));
    }

    async fn built_in_roles_are_as_they_are(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let wanted = json!({ "permissions": ["orders:read"] });
        for (name, own) in [("Datadog Admin Role", json!(["orders:read"])), ("Datadog Read Only Role", json!([]))] {
            let role = built_in_role(&admin, name).await;
            assert_eq!(admin.get(&path(&role)).await.expect(200).json()["permissions"], own, "{name}");
            let refused = admin.put(&path(&role), &wanted).await.expect(409);
            assert_eq!(refused.json()["errors"][0]["code"], "protected");
        }
        // A copy of the admins' has none of the org's own, now or later.
        let role = built_in_role(&admin, "Datadog Admin Role").await;
        let clone = json!({ "data": { "type": "roles", "attributes": { "name": "Copy" } } });
        let copy = admin.post(&format!("/api/v2/roles/{role}/clone"), &clone).await.expect(200).json();
        let copied = admin.get(&path(copy["data"]["id"].as_str().unwrap())).await.expect(200).json();
        assert_eq!(copied["permissions"], json!([]));
    }

    async fn bad_input_and_narrowed_callers_are_refused(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let role = role(&admin, &[]).await;
        for (body, named) in [
            (json!({}), vec!["permissions"]),
            (json!({ "permissions": "orders:read" }), vec!["permissions"]),
            (json!({ "permissions": ["monitors_read"], "x": 1 }), vec!["permissions/0", "x"]),
        ] {
            assert_eq!(fields(&admin.put(&path(&role), &body).await.expect(400)), named);
        }
        let wanted = json!({ "permissions": ["orders:read"] });
        for id in ["nonsense", "67e55044-10b1-426f-9247-bb680e5fe0c8"] {
            admin.put(&path(id), &wanted).await.expect(404);
            admin.get(&path(id)).await.expect(404);
        }
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.put(&path(&role), &json!({ "permissions": [] })).await.expect(404);
        let narrow = application_key(&admin, json!(["user_access_manage"])).await.secret;
        let narrow = server.client_with(Keys { application_key: Some(narrow), ..server.admin() });
        narrow.put(&path(&role), &wanted).await.expect(403);
        narrow.put(&path(&role), &json!({ "permissions": [] })).await.expect(200);
    }
}
