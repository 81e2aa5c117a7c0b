//! `/api/v1/org`

use serde_json::json;

use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v1/org";

on_both_engines! {
    async fn a_child_org_begins_with_keys_that_work(server: &TestServer) {
        let made = server.client().post(PATH, &json!({ "name": "Acme" })).await.expect(200).json();
        assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["api_key", "application_key", "org", "user"]);
        assert_eq!(made["org"]["name"], "Acme");
        assert_eq!(made["org"]["created"], "2026-03-04 05:06:07");
        assert_eq!(made["api_key"]["created"], "2026-03-04 05:06:07");
        assert_eq!(made["api_key"]["created_by"], "admin@example.com");
        assert_eq!((&made["api_key"]["is_active"], &made["api_key"]["disabled"]), (&json!(true), &json!(false)));
        assert_eq!(made["user"]["handle"], "admin@example.com");
        let text = |value: &serde_json::Value| Some(value.as_str().unwrap().to_owned());
        let keys = Keys {
            api_key: text(&made["api_key"]["key"]),
            application_key: text(&made["application_key"]["hash"]),
            bearer: None,
        };
        let me = server.client_with(keys).get("/api/v2/current_user").await.expect(200).json();
        assert_eq!(me["data"]["relationships"]["org"]["data"]["id"], made["org"]["public_id"]);
        server.verify_state().await;
    }

    async fn it_needs_a_name(server: &TestServer) {
        let refused = server.client().post(PATH, &json!({})).await.expect(400).text;
        assert_eq!(refused, r#"{"errors": ["Required parameter 'name' is missing"]}"#);
    }
}
