//! `/claviger/v1/users/{user_id}/application_keys`

use serde_json::{Value, json};

use crate::support::people::{API_KEYS_READ, role, user};
use crate::support::tokens::service_account;
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

fn path(user: &str) -> String {
    format!("/claviger/v1/users/{user}/application_keys")
}

/// Who presents the org's API key and this application key.
fn as_owner(server: &TestServer, key: &Value) -> Client {
    let application_key = key["secret"].as_str().map(str::to_owned);
    server.client_with(Keys { application_key, ..server.client().keys().clone() })
}

async fn status(admin: &Client, user: &str) -> Value {
    admin.get(&format!("/api/v2/users/{user}")).await.expect(200).json()["data"]["attributes"]["status"]
        .clone()
}

on_both_engines! {
    async fn whoever_was_brought_in_gets_a_key_and_is_not_pending_any_more(server: &TestServer) {
        let admin = server.client();
        let role = role(&admin, &[API_KEYS_READ]).await;
        let person = user(&admin, &[&role]).await;
        assert_eq!(status(&admin, &person).await, "Pending");
        let key = admin.post(&path(&person), &json!({ "name": "First" })).await.expect(201).json();
        assert_eq!(key["owner"], person.as_str());
        assert_eq!(status(&admin, &person).await, "Active");

        let owner = as_owner(server, &key);
        owner.get("/api/v2/api_keys").await.expect(200);
        owner.post("/api/v2/api_keys", &json!({})).await.expect(403);
        let oneself = owner.get("/api/v2/current_user").await.expect(200).json();
        assert_eq!(oneself["data"]["id"], person.as_str());
        let again = format!("/claviger/v1/application_keys/{}", key["id"].as_str().unwrap());
        assert!(admin.get(&again).await.expect(200).json().get("secret").is_none());
    }

    async fn only_people_who_are_there_and_not_disabled_are_given_any(server: &TestServer) {
        let admin = server.client();
        let body = json!({ "name": "First" });
        let machine = service_account(&admin, json!([])).await;
        for nobody in [machine.as_str(), "0b1d9a4e-0000-4000-8000-000000000000", "nobody"] {
            admin.post(&path(nobody), &body).await.expect(404);
        }
        let person = user(&admin, &[]).await;
        admin.delete(&format!("/api/v2/users/{person}")).await.expect(204);
        let refused = admin.post(&path(&person), &body).await.expect(400).json();
        assert_eq!(refused["errors"][0]["field"], "user_id");
    }

    async fn a_narrowed_caller_gives_no_more_than_it_has(server: &TestServer) {
        let admin = server.client();
        let role = role(&admin, &[API_KEYS_READ]).await;
        let person = user(&admin, &[&role]).await;
        let scopes = json!(["user_access_manage", "user_app_keys"]);
        let body = json!({ "name": "Narrow", "scopes": scopes });
        let narrow = admin.post("/claviger/v1/application_keys", &body).await.expect(201).json();
        let narrow = as_owner(server, &narrow);
        narrow.post(&path(&person), &json!({ "name": "All" })).await.expect(403);
        narrow.post(&path(&person), &json!({ "name": "Other", "scopes": ["api_keys_read"] })).await.expect(403);
        narrow.post(&path(&person), &json!({ "name": "Same", "scopes": ["user_app_keys"] })).await.expect(201);
    }
}
