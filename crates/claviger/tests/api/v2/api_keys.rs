//! `/api/v2/api_keys`

use serde_json::{Value, json};

use crate::support::{Answer, Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/api_keys";

fn named(name: &str) -> Value {
    json!({ "data": { "type": "api_keys", "attributes": { "name": name } } })
}

on_both_engines! {
    async fn a_key_lives_from_create_to_revoke(server: &TestServer) {
        let client = server.client();
        let answer = client.post(PATH, &named("One")).await.expect(201);
        assert!(answer.header("claviger-position").starts_with("1."));
        let made = answer.json();
        let attributes = &made["data"]["attributes"];
        assert_eq!(attributes["created_at"], "2026-03-04T05:06:07.123456+00:00");
        assert_eq!(attributes["created_at"], attributes["modified_at"]);
        assert_eq!(attributes["remote_config_read_enabled"], true);
        assert_eq!(attributes["category"], "default");
        assert!(attributes.get("date_last_used").is_none() && attributes.get("status").is_none());
        let secret = attributes["key"].as_str().unwrap().to_owned();
        assert_eq!(attributes["last4"], secret[28..]);

        let id = made["data"]["id"].as_str().unwrap();
        let path = format!("{PATH}/{id}");
        let keys = Keys { api_key: Some(secret.clone()), ..Keys::default() };
        server.client_with(keys.clone()).get("/api/v1/validate").await.expect(200);

        let read = client.get(&path).await.expect(200).json();
        assert_eq!(read["data"]["attributes"]["key"], secret);
        assert_eq!(read["data"]["attributes"]["used_in_last_24_hours"], false);

        client.delete(&path).await.expect(204);
        server.client_with(keys).get("/api/v1/validate").await.expect(403);
        assert_eq!(client.delete(&path).await.expect(404).text, r#"{"errors":["API key not found"]}"#);
        let dead = client.get(&path).await.expect(200).json();
        assert_eq!(dead["data"]["attributes"]["status"], "revoked");
        assert!(dead["data"]["attributes"].get("key").is_none());
        client.patch(&path, &json!({ "data": { "type": "api_keys", "id": id, "attributes": { "name": "x" } } })).await.expect(404);
    }

    async fn an_update_keeps_what_it_does_not_name(server: &TestServer) {
        let client = server.client();
        let new = json!({ "data": { "type": "api_keys",
            "attributes": { "name": "One", "category": "mine", "remote_config_read_enabled": false } } });
        let made = client.post(PATH, &new).await.expect(201).json();
        let id = made["data"]["id"].as_str().unwrap();
        let path = format!("{PATH}/{id}");
        let rename = |name: &str| json!({ "data": { "type": "api_keys", "id": id, "attributes": { "name": name } } });
        server.clock.advance_micros(1_000_000);
        let same = client.patch(&path, &rename("One")).await.expect(200).json();
        assert_eq!(same, made, "nothing changed, the time of change included");
        let renamed = client.patch(&path, &rename("Two")).await.expect(200).json();
        let attributes = &renamed["data"]["attributes"];
        assert_eq!(attributes["name"], "Two");
        assert_eq!(attributes["category"], "mine");
        assert_eq!(attributes["remote_config_read_enabled"], false);
        assert_eq!(attributes["key"], made["data"]["attributes"]["key"]);
        assert_eq!(attributes["modified_at"], "2026-03-04T05:06:08.123456+00:00");
        let other = json!({ "data": { "type": "api_keys", "id": server.founded.application_key_id.to_string(),
            "attributes": { "name": "x" } } });
        client.patch(&path, &other).await.expect(400);
    }

    async fn every_fault_of_a_body_is_named(server: &TestServer) {
        let client = server.client();
        let body = json!({ "data": { "type": "users", "attributes": { "name": 1, "owner": "me" } }, "x": 1 });
        let answer = client.post(PATH, &body).await.expect(400).json();
        assert_eq!(answer["errors"], json!([
            "'users' is not one of ['api_keys']",
            "1 is not of type 'string'",
            "Additional properties are not allowed ('owner' was unexpected)",
            "Additional properties are not allowed ('x' was unexpected)",
        ]));
        for name in ["", "   ", "a\nb", &"x".repeat(256)] {
            client.post(PATH, &named(name)).await.expect(400);
        }
        let list = client.get(PATH).await.expect(200).json();
        assert_eq!(list["meta"]["page"]["total_filtered_count"], 1, "nothing was made");
    }

    async fn the_limit_of_the_org_holds(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "api_keys_max": 2 })).await.expect(200);
        client.post(PATH, &named("One")).await.expect(201);
        let refused = client.post(PATH, &named("Two")).await.expect(400).text;
        assert!(refused.contains("You have exceeded the maximum number of permitted API keys"), "{refused}");
        assert_eq!(client.get(PATH).await.expect(200).json()["meta"]["max_allowed"], 2);
    }

    async fn lists_page_sort_filter_and_include(server: &TestServer) {
        let client = server.client();
        for name in ["beta", "Alpha", "[alpha] 2", "100%"] {
            server.clock.advance_micros(1_000_000);
            client.post(PATH, &named(name)).await.expect(201);
        }
        let names = async |query: &str| -> Vec<String> {
            let list = client.get(&format!("{PATH}?{query}")).await.expect(200).json();
            let name = |item: &Value| item["attributes"]["name"].as_str().unwrap().to_owned();
            list["data"].as_array().unwrap().iter().map(name).collect()
        };
        assert_eq!(names("").await, ["100%", "Alpha", "[alpha] 2", "beta", "First API key"]);
        assert_eq!(names("sort=-created_at&page[size]=2").await, ["100%", "[alpha] 2"]);
        assert_eq!(names("page[size]=2&page[number]=2").await, ["First API key"]);
        assert_eq!(names("filter=ALPHA").await, ["Alpha", "[alpha] 2"]);
        assert_eq!(names("filter=%25").await, ["100%"]);
        assert_eq!(names("filter[created_at][start]=2026-03-04T05:06:10.123456Z").await, ["100%", "[alpha] 2"]);
        let list = client.get(&format!("{PATH}?include=created_by,modified_by&filter=beta")).await.expect(200).json();
        let included = list["included"].as_array().unwrap();
        assert_eq!(included.len(), 1, "the same user once");
        assert_eq!(included[0]["attributes"]["email"], "admin@example.com");
        assert_eq!(list["meta"]["page"]["total_filtered_count"], 1);
        for query in ["page[size]=101", "page[number]=-1", "sort=owner", "include=owned_by"] {
            client.get(&format!("{PATH}?{query}")).await.expect(400);
        }
    }

    /// Changes that wait together are committed together; a refused one undoes nothing of the others.
    async fn creates_at_once_stop_at_the_limit_exactly(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "api_keys_max": 20 })).await.expect(200);
        let mut creates = tokio::task::JoinSet::new();
        for number in 0..60 {
            let client = client.clone();
            creates.spawn(async move { client.post(PATH, &named(&format!("Key {number}"))).await });
        }
        let answers = creates.join_all().await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).map(Answer::json).collect();
        assert_eq!(made.len(), 19, "the first key is there already");
        let listed = client.get(PATH).await.expect(200).json();
        assert_eq!(listed["meta"]["page"]["total_filtered_count"], 20);
        for key in made {
            let secret = key["data"]["attributes"]["key"].as_str().map(str::to_owned);
            let keys = Keys { api_key: secret, ..Keys::default() };
            server.client_with(keys).get("/api/v1/validate").await.expect(200);
        }
    }
}
