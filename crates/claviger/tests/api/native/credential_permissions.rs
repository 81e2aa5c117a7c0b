//! `/claviger/v1/credentials/{credential_id}/permissions`

use serde_json::{Value, json};

use super::{define, fields, uses, verify};
use crate::support::sample::{api_key, application_key};
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

fn path(id: &str) -> String {
    format!("/claviger/v1/credentials/{id}/permissions")
}

/// What the vendor's API shows of a key's scopes.
async fn vendor_scopes(admin: &Client, id: &str) -> Value {
    let key = admin.get(&format!("/api/v2/application_keys/{id}")).await.expect(200).json();
    key["data"]["attributes"]["scopes"].clone()
}

async fn set_vendor_scopes(admin: &Client, id: &str, scopes: Value) {
    let attributes = json!({ "scopes": scopes });
    let body = json!({ "data": { "type": "application_keys", "id": id, "attributes": attributes } });
    admin.patch(&format!("/api/v2/application_keys/{id}"), &body).await.expect(200);
}

on_both_engines! {
    async fn a_key_is_narrowed_to_own_permissions(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read", "orders:write"]).await;
        let key = application_key(&admin, Value::Null).await;
        let shown = |is_narrowed: bool, permissions: Value| {
            json!({ "credential_id": key.id, "is_narrowed": is_narrowed, "permissions": permissions })
        };
        assert_eq!(admin.get(&path(&key.id)).await.expect(200).json(), shown(false, json!([])));
        admin.put(&path(&key.id), &json!({ "permissions": [] })).await.expect(200);
        verify(server, &key.secret, "orders:write,monitors_read").await.expect(200);
        let narrowed = admin.put(&path(&key.id), &json!({ "permissions": ["orders:read"] })).await.expect(200);
        assert_eq!(narrowed.json(), shown(true, json!(["orders:read"])));
        verify(server, &key.secret, "orders:read").await.expect(200);
        verify(server, &key.secret, "orders:write").await.expect(403);
        verify(server, &key.secret, "monitors_read").await.expect(403);
        assert_eq!(uses(&admin).await, json!({ "orders:read": 1, "orders:write": 0 }));
        // Without any scopes it could do all that its owner may.
        let refused = admin.put(&path(&key.id), &json!({ "permissions": [] })).await.expect(400);
        assert_eq!(fields(&refused), ["permissions"]);
        verify(server, &key.secret, "monitors_read").await.expect(403);
        admin.delete(&format!("/api/v2/application_keys/{}", key.id)).await.expect(204);
        assert_eq!(uses(&admin).await, json!({ "orders:read": 0, "orders:write": 0 }));
        admin.get(&path(&key.id)).await.expect(404);
        admin.put(&path(&key.id), &json!({ "permissions": [] })).await.expect(404);
    }

    /// The vendor's API shows and changes its own scopes alone, and never widens what is narrowed to own permissions.
    async fn the_vendors_routes_leave_them_alone(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let key = application_key(&admin, json!(["monitors_read"])).await;
        admin.put(&path(&key.id), &json!({ "permissions": ["orders:read"] })).await.expect(200);
        assert_eq!(vendor_scopes(&admin, &key.id).await, json!(["monitors_read"]));
        set_vendor_scopes(&admin, &key.id, json!(["dashboards_read"])).await;
        verify(server, &key.secret, "dashboards_read,orders:read").await.expect(200);
        set_vendor_scopes(&admin, &key.id, Value::Null).await;
        assert_eq!(vendor_scopes(&admin, &key.id).await, json!([]));
        verify(server, &key.secret, "orders:read").await.expect(200);
        verify(server, &key.secret, "dashboards_read").await.expect(403);
        let own = json!({ "data": { "type": "application_keys", "attributes": { "name": "n", "scopes": ["orders:read"] } } });
        let refused = admin.post("/api/v2/current_user/application_keys", &own).await.expect(400);
        assert_eq!(refused.json()["errors"], json!(["Invalid scopes: orders:read"]));
    }

    async fn only_what_acts_for_a_user_and_is_in_reach(server: &TestServer) {
        let admin = server.client();
        define(&admin, &["orders:read"]).await;
        let wanted = json!({ "permissions": ["orders:read"] });
        let org_key = api_key(&admin).await;
        for id in [org_key.id.as_str(), "nonsense", "67e55044-10b1-426f-9247-bb680e5fe0c8"] {
            admin.get(&path(id)).await.expect(404);
            admin.put(&path(id), &wanted).await.expect(404);
        }
        let key = application_key(&admin, json!(["monitors_read"])).await;
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.get(&path(&key.id)).await.expect(404);
        // A narrowed caller gives what it has itself.
        let narrow = application_key(&admin, json!(["user_app_keys"])).await.secret;
        let narrow = server.client_with(Keys { application_key: Some(narrow), ..server.admin() });
        narrow.put(&path(&key.id), &wanted).await.expect(403);
        narrow.get(&path(&key.id)).await.expect(200);
        for (body, named) in [
            (json!({}), vec!["permissions"]),
            (json!({ "permissions": ["orders:fly", "monitors_read"] }), vec!["permissions/0", "permissions/1"]),
        ] {
            assert_eq!(fields(&admin.put(&path(&key.id), &body).await.expect(400)), named);
        }
    }
}
