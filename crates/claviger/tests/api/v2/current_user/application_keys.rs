//! `/api/v2/current_user/application_keys`

use serde_json::{Value, json};

use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/current_user/application_keys";

fn key(name: &str, scopes: Value) -> Value {
    json!({ "data": { "type": "application_keys", "attributes": { "name": name, "scopes": scopes } } })
}

fn patch(id: &str, attributes: Value) -> Value {
    json!({ "data": { "type": "application_keys", "id": id, "attributes": attributes } })
}

/// The keys of an admin whose application key is narrowed to these scopes.
async fn narrowed(server: &TestServer, scopes: Value) -> Keys {
    let made = server.client().post(PATH, &key("narrow", scopes)).await.expect(201).json();
    let secret = made["data"]["attributes"]["key"].as_str().unwrap().to_owned();
    Keys { application_key: Some(secret), ..server.admin() }
}

on_both_engines! {
    async fn a_key_lives_from_create_to_revoke(server: &TestServer) {
        let client = server.client();
        let made = client.post(PATH, &key("One", json!(["monitors_read", "dashboards_read"]))).await.expect(201).json();
        assert_eq!(made["data"]["attributes"]["scopes"], json!(["monitors_read", "dashboards_read"]));
        let id = made["data"]["id"].as_str().unwrap();
        let path = format!("{PATH}/{id}");
        let read = client.get(&path).await.expect(200).json();
        assert_eq!(read["data"]["attributes"]["key"], made["data"]["attributes"]["key"]);
        assert_eq!(read["data"]["attributes"]["last_used_at"], Value::Null);
        assert_eq!(read["included"][0]["type"], "users");
        assert_eq!(read["included"][1]["attributes"]["name"], "Datadog Admin Role");
        let cleared = client.patch(&path, &patch(id, json!({ "scopes": [] }))).await.expect(200).json();
        assert_eq!(cleared["data"]["attributes"]["scopes"], Value::Null);
        assert_eq!(cleared["data"]["attributes"]["key"], made["data"]["attributes"]["key"]);
        let org = client.get(&format!("/api/v2/application_keys/{id}")).await.expect(200).json();
        assert!(org["data"]["attributes"].get("key").is_none());
        client.delete(&format!("/api/v2/application_keys/{id}")).await.expect(204);
        let gone = client.get(&path).await.expect(404);
        assert_eq!(gone.text, r#"{"errors":["Application key not found"]}"#);
    }

    async fn unknown_scopes_are_all_named(server: &TestServer) {
        let answer = server.client().post(PATH, &key("One", json!(["dashboards_read", "nope", "no"]))).await.expect(400);
        assert_eq!(answer.text, r#"{"errors":["Invalid scopes: nope, no"]}"#);
    }

    async fn a_narrowed_caller_hands_on_no_more_than_it_has(server: &TestServer) {
        let keys = narrowed(server, json!(["user_app_keys", "dashboards_read"])).await;
        let client = server.client_with(keys);
        client.get("/api/v2/api_keys").await.expect(403);
        client.post(PATH, &key("all", Value::Null)).await.expect(403);
        client.post(PATH, &key("more", json!(["dashboards_read", "monitors_read"]))).await.expect(403);
        let made = client.post(PATH, &key("less", json!(["dashboards_read"]))).await.expect(201).json();
        let id = made["data"]["id"].as_str().unwrap();
        client.patch(&format!("{PATH}/{id}"), &patch(id, json!({ "scopes": null }))).await.expect(403);
        let wide = server.founded.application_key_id;
        let read = client.get(&format!("{PATH}/{wide}")).await.expect(200).json();
        assert!(read["data"]["attributes"].get("key").is_none(), "a wider key's secret is not shown");
    }

    async fn one_time_read_shows_a_secret_once(server: &TestServer) {
        let client = server.client();
        let before = client.post(PATH, &key("before", Value::Null)).await.expect(201).json();
        client.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
        let after = client.post(PATH, &key("after", Value::Null)).await.expect(201).json();
        client.patch("/claviger/v1/org", &json!({ "one_time_read": false })).await.expect(200);
        for made in [before, after] {
            let secret = made["data"]["attributes"]["key"].as_str().unwrap().to_owned();
            let path = format!("{PATH}/{}", made["data"]["id"].as_str().unwrap());
            let read = client.get(&path).await.expect(200).json();
            assert!(read["data"]["attributes"].get("key").is_none(), "turning it off brings nothing back");
            let keys = Keys { application_key: Some(secret), ..server.admin() };
            server.client_with(keys).get("/api/v2/validate_keys").await.expect(200);
        }
    }
}
