//! `/api/v1/application_key`

use serde_json::json;

use crate::support::{TestDatabase, TestServer, on_both_engines};

on_both_engines! {
    async fn a_key_lives_from_create_to_delete(server: &TestServer) {
        let client = server.client();
        let made = client.post("/api/v1/application_key", &json!({ "name": "One" })).await.expect(200).json();
        let key = made["application_key"]["hash"].as_str().unwrap().to_owned();
        assert_eq!(made["application_key"]["owner"], "admin@example.com");
        assert_eq!(made["application_key"]["org_id"], 100_001);
        let path = format!("/api/v1/application_key/{key}");
        assert_eq!(client.get(&path).await.expect(200).json(), made);
        client.put(&path, &json!({ "name": "Two" })).await.expect(200);
        let gone = client.delete(&path).await.expect(200).json();
        assert_eq!(gone["application_key"]["revoked"], true);
        assert_eq!(gone["application_key"]["hash"], key);
        assert_eq!(client.get(&path).await.expect(404).text, r#"{"errors": ["Application key not found"]}"#);
    }

    async fn a_name_is_taken_within_one_owner(server: &TestServer) {
        let client = server.client();
        client.post("/api/v1/application_key", &json!({ "name": "One" })).await.expect(200);
        let refused = client.post("/api/v1/application_key", &json!({ "name": "One" })).await.expect(409);
        assert_eq!(refused.text, r#"{"errors": ["An application key with the name One already exists"]}"#);
        let other = client.post("/api/v1/application_key", &json!({ "name": "Two" })).await.expect(200).json();
        let path = format!("/api/v1/application_key/{}", other["application_key"]["hash"].as_str().unwrap());
        client.put(&path, &json!({ "name": "One" })).await.expect(409);
        client.put(&path, &json!({ "name": "Two" })).await.expect(200);
    }

    async fn none_of_it_is_there_in_an_org_of_one_time_read(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
        for answer in [
            client.get("/api/v1/application_key").await,
            client.post("/api/v1/application_key", &json!({ "name": "One" })).await,
        ] {
            assert_eq!(answer.expect(403).text, r#"{"errors":["Forbidden"]}"#);
        }
    }
}
