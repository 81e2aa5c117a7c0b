//! `/api/v1/api_key`

use serde_json::json;

use crate::support::{TestDatabase, TestServer, on_both_engines};

on_both_engines! {
    async fn a_key_lives_from_create_to_delete(server: &TestServer) {
        let client = server.client();
        let made = client.post("/api/v1/api_key", &json!({ "name": "One" })).await.expect(200).json();
        let key = made["api_key"]["key"].as_str().unwrap().to_owned();
        assert_eq!(made["api_key"]["created_by"], "admin@example.com");
        assert_eq!(made["api_key"]["created"], "2026-03-04 05:06:07");
        let path = format!("/api/v1/api_key/{key}");
        assert_eq!(client.get(&path).await.expect(200).json(), made);
        let renamed = client.put(&path, &json!({ "name": "Two" })).await.expect(200).json();
        assert_eq!(renamed["api_key"]["name"], "Two");
        assert_eq!(renamed["api_key"]["key"], key);
        let list = client.get("/api/v1/api_key").await.expect(200).json();
        assert_eq!(list["api_keys"].as_array().unwrap().len(), 2);
        assert_eq!(client.delete(&path).await.expect(200).json(), renamed);
        for gone in [client.get(&path).await, client.delete(&path).await] {
            assert_eq!(gone.expect(404).text, r#"{"errors": ["API key not found"]}"#);
        }
    }

    async fn the_last_key_stays(server: &TestServer) {
        let key = server.founded.api_key.reveal();
        let refused = server.client().delete(&format!("/api/v1/api_key/{key}")).await.expect(400);
        let text = "Org 100001 has 0 api keys. Orgs must have at least 1 and at most 200 keys.";
        assert_eq!(refused.text, format!(r#"{{"errors": ["{text}"]}}"#));
        server.client().get("/api/v1/validate").await.expect(200);
    }

    async fn a_missing_name_is_told_before_the_key_is_looked_up(server: &TestServer) {
        let client = server.client();
        for answer in [
            client.post("/api/v1/api_key", &json!({})).await,
            client.put("/api/v1/api_key/nobodys", &json!({ "name": null })).await,
        ] {
            assert_eq!(answer.expect(400).text, r#"{"errors": ["Required parameter 'name' is missing"]}"#);
        }
    }
}
