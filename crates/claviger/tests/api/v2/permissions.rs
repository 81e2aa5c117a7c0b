//! `/api/v2/permissions`

use serde_json::{Value, json};

use crate::support::{TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/permissions";

on_both_engines! {
    async fn all_of_the_vendors_are_listed(server: &TestServer) {
        let answer = server.client().get(PATH).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/vnd.api+json");
        let list = answer.json();
        let list = list["data"].as_array().unwrap();
        assert_eq!(list.len(), 345);
        let restricted = list.iter().filter(|item| item["attributes"]["restricted"] == true).count();
        assert_eq!(restricted, 10);
        let named = |name: &str| list.iter().find(|item| item["attributes"]["name"] == name);
        let expected = json!({ "type": "permissions", "id": "7850e390-20da-11ee-bed6-da7ad0900002", "attributes": {
            "created": "2018-10-19T15:35:23.734317Z", "description": "What `api_keys_delete` stands for",
            "display_name": "Api Keys Delete", "display_type": "write", "group_name": "API and Application Keys",
            "name": "api_keys_delete", "name_aliases": [], "restricted": false } });
        assert_eq!(named("api_keys_delete"), Some(&expected));
        assert_eq!(named("user_access_read"), None);
    }

    async fn scopes_are_listed_when_asked_for(server: &TestServer) {
        let list = server.client().get(&format!("{PATH}?include_scopes=true")).await.expect(200).json();
        let list = list["data"].as_array().unwrap();
        assert_eq!(list.len(), 354);
        assert!(list.iter().any(|item: &Value| item["attributes"]["name"] == "user_access_read"));
        server.client().get(&format!("{PATH}?include_scopes=perhaps")).await.expect(400);
    }
}
