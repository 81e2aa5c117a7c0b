//! Lists of tokens: whose, in what order, and how much of them.

use serde_json::{Value, json};

use super::{DAY_MICROS, PATH, after, token};
use crate::support::sample::Made;
use crate::support::tokens::{personal_access_token, service_access_token, service_account};
use crate::support::{Client, Keys, Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

async fn make(client: &Client, name: &str, end: &str) -> Made {
    let attributes = json!({ "name": name, "scopes": ["monitors_read"], "expires_at": end });
    let made = client.post(PATH, &token(attributes)).await.expect(201).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Made { id: text(&made["data"]["id"]), secret: text(&made["data"]["attributes"]["key"]) }
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{PATH}?{query}")).await.expect(200).json();
    let names = list["data"].as_array().unwrap().iter();
    names.map(|item| item["attributes"]["name"].as_str().unwrap().to_owned()).collect()
}

on_both_engines! {
    async fn a_list_shows_service_accounts_tokens_as_recorded(server: &TestServer) {
        let client = server.client();
        let (empty, user) = (client.get(PATH).await.expect(200), server.founded.user);
        assert_eq!(empty.text, r#"{"data":[],"meta":{"page":{"total_filtered_count":0}}}"#);
        let account = service_account(&client, json!([])).await;
        let service = service_access_token(&client, &account, json!(["monitors_read"])).await;
        let own = make(&client, "Own", &after(DAY_MICROS)).await;
        let list = client.get(PATH).await.expect(200);
        assert_eq!(list.header("content-type"), "application/vnd.api+json");
        let item = |id: &str, end: &str, name: &str, portion: &str, owner: &str| format!(concat!(
            r#"{{"id":"{}","type":"personal_access_tokens","attributes":{{"created_at":"2026-03-04T05:06:07.123456Z","#,
            r#""expires_at":{},"last_used_at":null,"name":"{}","public_portion":"{}","scopes":["monitors_read"]}},"#,
            r#""relationships":{{"owned_by":{{"data":{{"id":"{}","type":"users"}}}}}}}}"#,
        ), id, end, name, portion, owner);
        let service_item = item(&service.id, "null", "Made", &service.secret[..28], &account);
        let end = r#""2026-03-05T05:06:07.123456Z""#;
        let own_item = item(&own.id, end, "Own", &own.secret[6..28], &user.to_string());
        let meta = r#""meta":{"page":{"total_filtered_count":2}}"#;
        assert_eq!(list.text, format!(r#"{{"data":[{service_item},{own_item}],{meta}}}"#));
        // What the list shows can be reached one by one.
        let path = format!("{PATH}/{}", service.id);
        assert_eq!(client.get(&path).await.expect(200).text, format!(r#"{{"data":{service_item}}}"#));
        let renamed = json!({ "data": { "type": "personal_access_tokens", "id": service.id,
            "attributes": { "name": "Renamed" } } });
        client.patch(&path, &renamed).await.expect(200);
        client.delete(&path).await.expect(204);
        assert_eq!(names(&client, "").await, ["Own"]);
        let bearer = Keys { bearer: Some(service.secret), ..Keys::default() };
        server.client_with(bearer).get("/api/v2/validate_keys").await.expect(401);
    }

    async fn lists_are_filtered_sorted_and_paged(server: &TestServer) {
        let client = server.client();
        let account = service_account(&client, json!([])).await;
        let (first, other) = (make(&client, "beta", &after(3 * DAY_MICROS)).await, &account);
        server.clock.advance_micros(1);
        make(&client, "Alpha", &after(2 * DAY_MICROS)).await;
        server.clock.advance_micros(1);
        service_access_token(&client, &account, json!(["monitors_read"])).await;
        let user = server.founded.user;
        for (query, expected) in [
            ("", vec!["Alpha", "beta", "Made"]),
            ("sort=-name", vec!["Made", "beta", "Alpha"]),
            ("sort=created_at", vec!["beta", "Alpha", "Made"]),
            ("sort=-created_at", vec!["Made", "Alpha", "beta"]),
            ("sort=expires_at", vec!["Alpha", "beta", "Made"]),
            ("sort=-expires_at", vec!["Made", "beta", "Alpha"]),
            ("filter=PH", vec!["Alpha"]),
            ("filter=nobody", vec![]),
            (&format!("filter={}", &first.secret[61..]), vec![]),
            ("page[size]=2&page[number]=1", vec!["Made"]),
            (&format!("filter[owner_uuid]={user}"), vec!["Alpha", "beta"]),
            (&format!("filter[owned_by]={other}"), vec!["Made"]),
            (&format!("filter[owner_uuid]={user}&filter[owner_uuid]={other}"), vec!["Alpha", "beta", "Made"]),
            (&format!("filter[owned_by]={user},{other}&sort=-name"), vec!["Made", "beta", "Alpha"]),
            (&format!("filter[owned_by]={}", server.founded.org), vec![]),
        ] {
            assert_eq!(names(&client, query).await, expected, "{query}");
        }
        let page = client.get(&format!("{PATH}?page[size]=1&filter=a")).await.expect(200).json();
        assert_eq!(page["meta"]["page"]["total_filtered_count"], 3);
        let bad = client.get(&format!("{PATH}?sort=owner&page[size]=101&filter[owner_uuid]=me")).await.expect(400);
        assert_eq!(bad.json()["errors"].as_array().unwrap().len(), 3, "{}", bad.text);
    }
}

with_either_database! {
    async fn what_was_used_last_is_shown_and_sorted_by(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let client = server.client();
        let used = make(&client, "used", &after(2 * DAY_MICROS)).await;
        personal_access_token(&client, json!(["monitors_read"])).await;
        let later = make(&client, "later", &after(2 * DAY_MICROS)).await;
        for made in [used, later] {
            server.clock.advance_micros(60_000_000);
            let bearer = Keys { bearer: Some(made.secret), ..Keys::default() };
            server.client_with(bearer).get("/api/v2/validate_keys").await.expect(200);
        }
        // What is noted is written when a server stops.
        let server = server.halt().await.start(Setup::default()).await;
        let client = server.client();
        assert_eq!(names(&client, "sort=last_used_at").await, ["Made", "used", "later"]);
        assert_eq!(names(&client, "sort=-last_used_at").await, ["later", "used", "Made"]);
        assert_eq!(names(&client, "sort=-last_used_at&filter=use").await, ["used"]);
        let list = client.get(&format!("{PATH}?filter=used")).await.expect(200).json();
        assert_eq!(list["data"][0]["attributes"]["last_used_at"], "2026-03-04T05:07:07.123456000Z");
        server.stop().await;
    }
}
