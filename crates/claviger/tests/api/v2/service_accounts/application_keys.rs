//! `/api/v2/service_accounts/{service_account_id}/application_keys`

use serde_json::{Value, json};

use super::PATH;
use crate::support::people::built_in_role;
use crate::support::tokens::{service_account, service_account_key};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

fn key(attributes: Value) -> Value {
    json!({ "data": { "type": "application_keys", "attributes": attributes } })
}

on_both_engines! {
    async fn a_key_lives_from_create_to_revoke_as_recorded(server: &TestServer) {
        let client = server.client();
        let account = service_account(&client, json!([])).await;
        let all = format!("{PATH}/{account}/application_keys");
        let empty = client.get(&all).await.expect(200);
        assert_eq!(empty.text, r#"{"data":[],"meta":{"page":{"total_filtered_count":0},"max_allowed_per_user":1000}}"#);
        let new = json!({ "name": "One", "scopes": ["monitors_read", "dashboards_read"] });
        let made = client.post(&all, &key(new)).await.expect(201);
        let body = made.json();
        let id = body["data"]["id"].as_str().unwrap();
        let secret = body["data"]["attributes"]["key"].as_str().unwrap();
        let start = |name: &str| format!(
            r#""type":"application_keys","id":"{id}","attributes":{{"name":"{name}","created_at":"2026-03-04T05:06:07.123456+00:00","last4":"{}""#,
            &secret[36..],
        );
        let scopes = r#""scopes":["monitors_read","dashboards_read"]"#;
        let leak = r#""leak_information":{"data":null}"#;
        assert_eq!(made.header("content-type"), "application/json");
        assert_eq!(made.text, format!(
            r#"{{"data":{{{},"key":"{secret}",{scopes}}},"relationships":{{"owned_by":{{"data":{{"type":"users","id":"{account}"}}}},{leak}}}}}}}"#,
            start("One"),
        ));
        let one = format!("{all}/{id}");
        let read = |name: &str, used: &str| format!(
            r#"{{{},{scopes}{used}}},"relationships":{{{leak}}}}}"#, start(name),
        );
        let got = client.get(&one).await.expect(200);
        assert_eq!(got.text, format!(r#"{{"data":{}}}"#, read("One", r#","last_used_at":null"#)));
        let patch = json!({ "data": { "type": "application_keys", "id": id, "attributes": { "name": "Two" } } });
        let changed = client.patch(&one, &patch).await.expect(200);
        assert_eq!(changed.text, format!(r#"{{"data":{}}}"#, read("Two", "")));
        let list = client.get(&all).await.expect(200);
        assert_eq!(list.text, format!(
            r#"{{"data":[{}],"meta":{{"page":{{"total_filtered_count":1}},"max_allowed_per_user":1000}}}}"#,
            read("Two", r#","last_used_at":null"#),
        ));
        client.delete(&one).await.expect(204);
        let absent = r#"{"errors":["Application key not found"]}"#;
        assert_eq!(client.delete(&one).await.expect(404).text, absent);
        assert_eq!(client.get(&one).await.expect(404).text, absent);
        assert_eq!(client.patch(&one, &patch).await.expect(404).text, absent);
    }

    async fn a_key_acts_for_its_account(server: &TestServer) {
        let client = server.client();
        let admin = built_in_role(&client, "Datadog Admin Role").await;
        let account = service_account(&client, json!([{ "type": "roles", "id": admin }])).await;
        let made = service_account_key(&client, &account, Value::Null).await;
        let machine = server.client_with(Keys { application_key: Some(made.secret.clone()), ..server.admin() });
        let verified = machine.get("/verify?permission=api_keys_read").await.expect(200);
        assert_eq!(verified.header("claviger-user"), account);
        // To itself it is one of its own keys, and its secret is shown.
        let own = machine.get(&format!("/api/v2/current_user/application_keys/{}", made.id)).await.expect(200).json();
        assert_eq!(own["data"]["attributes"]["key"], made.secret);
        assert_eq!(own["included"][0]["attributes"]["service_account"], true);
    }

    /// In an org of one-time read, a service account's key is shown by the answer that makes it and by no other.
    async fn one_time_read_shows_a_secret_once(server: &TestServer) {
        let client = server.client();
        let admin = built_in_role(&client, "Datadog Admin Role").await;
        let account = service_account(&client, json!([{ "type": "roles", "id": admin }])).await;
        let before = service_account_key(&client, &account, Value::Null).await;
        client.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
        let after = service_account_key(&client, &account, Value::Null).await;
        for made in [before, after] {
            let machine = server.client_with(Keys { application_key: Some(made.secret), ..server.admin() });
            let path = format!("/api/v2/current_user/application_keys/{}", made.id);
            let own = machine.get(&path).await.expect(200).json();
            assert!(own["data"]["attributes"].get("key").is_none());
            machine.get("/api/v1/application_key").await.expect(403);
        }
    }

    async fn each_account_has_a_limit_of_its_own(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "application_keys_per_user_max": 1 })).await.expect(200);
        for _ in 0..2 {
            let account = service_account(&client, json!([])).await;
            service_account_key(&client, &account, Value::Null).await;
            let all = format!("{PATH}/{account}/application_keys");
            let refused = client.post(&all, &key(json!({ "name": "more" }))).await.expect(400);
            let text = r#"{"errors":["You have exceeded the maximum number of permitted application keys"]}"#;
            assert_eq!(refused.text, text);
            let list = client.get(&all).await.expect(200).json();
            assert_eq!(list["meta"], json!({ "page": { "total_filtered_count": 1 }, "max_allowed_per_user": 1 }));
        }
    }

    async fn unknown_scopes_are_all_named(server: &TestServer) {
        let client = server.client();
        let account = service_account(&client, json!([])).await;
        let body = key(json!({ "name": "One", "scopes": ["dashboards_read", "nope", "no"] }));
        let answer = client.post(&format!("{PATH}/{account}/application_keys"), &body).await.expect(400);
        assert_eq!(answer.text, r#"{"errors":["Invalid scopes: nope, no"]}"#);
    }
}
