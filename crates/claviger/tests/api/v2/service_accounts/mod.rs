//! `/api/v2/service_accounts`

mod access_tokens;
mod application_keys;
mod reach;

use serde_json::{Value, json};

use crate::support::people::{built_in_role, role};
use crate::support::tokens::{service_access_token, service_account, service_account_key};
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/service_accounts";

fn account(attributes: Value, roles: Value) -> Value {
    json!({ "data": { "type": "users", "attributes": attributes, "relationships": { "roles": { "data": roles } } } })
}

/// A reference to a role, as bodies have it.
fn reference(role: &str) -> Value {
    json!({ "type": "roles", "id": role })
}

/// The account's own client, by a token of it that is narrowed to these scopes.
async fn machine(server: &TestServer, account: &str, scopes: Value) -> Client {
    let token = service_access_token(&server.client(), account, scopes).await;
    server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() })
}

on_both_engines! {
    async fn an_account_is_active_from_the_start_and_called_by_its_id(server: &TestServer) {
        let client = server.client();
        let admin_role = built_in_role(&client, "Datadog Admin Role").await;
        let attributes = json!({ "email": "Machine@Example.com", "name": "CI", "title": "runs", "service_account": true });
        let made = client.post(PATH, &account(attributes.clone(), json!([reference(&admin_role)]))).await.expect(201);
        assert_eq!(made.header("content-type"), "application/json");
        let made = made.json();
        let id = made["data"]["id"].as_str().unwrap();
        let shown = &made["data"]["attributes"];
        for (name, value) in [
            ("handle", json!(id)),
            ("email", json!("machine@example.com")),
            ("name", json!("CI")),
            ("title", json!("runs")),
            ("verified", json!(true)),
            ("service_account", json!(true)),
            ("disabled", json!(false)),
            ("status", json!("Active")),
        ] {
            assert_eq!(shown[name], value, "{name}");
        }
        assert_eq!(made["data"]["relationships"]["roles"]["data"], json!([reference(&admin_role)]));
        assert_eq!(made["included"][0]["id"], admin_role);
        let read = client.get(&format!("/api/v2/users/{id}")).await.expect(200).json();
        assert_eq!(read, made);
        // Several accounts may share an address.
        let again = client.post(PATH, &account(attributes, json!([]))).await.expect(201).json();
        assert_ne!(again["data"]["id"], made["data"]["id"]);
        assert!(again.get("included").is_none());
    }

    async fn every_bad_member_is_named(server: &TestServer) {
        let client = server.client();
        let bad = client.post(PATH, &account(json!({ "name": 1 }), json!([]))).await.expect(400).json();
        let named = ["'email' is a required property", "'service_account' is a required property", "1 is not of type 'string'"];
        assert_eq!(bad, json!({ "errors": named }));
        let human = json!({ "email": "nobody", "service_account": false });
        let bad = client.post(PATH, &account(human, json!([reference("invalid")]))).await.expect(400).json();
        let texts: Vec<_> = bad["errors"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].starts_with("'email' "), "{texts:?}");
        assert_eq!(texts[1..], ["'roles' must be roles of this org", "'service_account' must be true"]);
    }

    /// Its keys and tokens die with it for good, and nothing new can be made for it.
    async fn disabling_an_account_kills_what_it_has(server: &TestServer) {
        let client = server.client();
        let id = service_account(&client, json!([])).await;
        let key = service_account_key(&client, &id, Value::Null).await;
        let token = machine(server, &id, json!(["monitors_read"])).await;
        let by_key = server.client_with(Keys { application_key: Some(key.secret), ..server.admin() });
        for one in [&by_key, &token] {
            one.get("/api/v2/validate_keys").await.expect(200);
        }
        client.delete(&format!("/api/v2/users/{id}")).await.expect(204);
        for one in [&by_key, &token] {
            one.get("/api/v2/validate_keys").await.expect(401);
        }
        let refused = r#"{"errors":["'service_account_id' is a disabled service account"]}"#;
        let new_key = json!({ "data": { "type": "application_keys", "attributes": { "name": "x" } } });
        let answer = client.post(&format!("{PATH}/{id}/application_keys"), &new_key).await.expect(400);
        assert_eq!(answer.text, refused);
        let new_token = json!({ "data": { "type": "service_access_tokens",
            "attributes": { "name": "x", "scopes": ["monitors_read"] } } });
        let answer = client.post(&format!("{PATH}/{id}/access_tokens"), &new_token).await.expect(400);
        assert_eq!(answer.text, refused);
        let enabled = json!({ "data": { "type": "users", "id": id, "attributes": { "disabled": false } } });
        client.patch(&format!("/api/v2/users/{id}"), &enabled).await.expect(200);
        for one in [&by_key, &token] {
            one.get("/api/v2/validate_keys").await.expect(401);
        }
        for family in ["application_keys", "access_tokens"] {
            let list = client.get(&format!("{PATH}/{id}/{family}")).await.expect(200).json();
            assert_eq!((&list["data"], &list["meta"]["page"]["total_filtered_count"]), (&json!([]), &json!(0)));
        }
        client.post(&format!("{PATH}/{id}/access_tokens"), &new_token).await.expect(201);
        server.verify_state().await;
    }

    /// A role's change takes effect on the next request of an account that has it.
    async fn an_account_may_what_its_roles_and_its_tokens_scopes_allow(server: &TestServer) {
        let client = server.client();
        let role = role(&client, &[]).await;
        let id = service_account(&client, json!([reference(&role)])).await;
        let machine = machine(server, &id, json!(["api_keys_read", "monitors_read"])).await;
        machine.get("/api/v2/api_keys").await.expect(403);
        let granted = json!({ "data": { "type": "permissions", "id": crate::support::people::API_KEYS_READ } });
        client.post(&format!("/api/v2/roles/{role}/permissions"), &granted).await.expect(200);
        machine.get("/api/v2/api_keys").await.expect(200);
        client.delete(&format!("/api/v2/users/{id}")).await.expect(204);
        machine.get("/api/v2/api_keys").await.expect(401);
    }
}
