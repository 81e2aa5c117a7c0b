//! `/api/v2/service_accounts/{service_account_id}/access_tokens`

use serde_json::{Value, json};

use super::PATH;
use crate::support::tokens::{TOKEN_END, personal_access_token, service_access_token, service_account};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const VENDOR_JSON: &str = "application/vnd.api+json";

fn token(attributes: Value) -> Value {
    json!({ "data": { "type": "service_access_tokens", "attributes": attributes } })
}

on_both_engines! {
    async fn a_token_lives_from_create_to_revoke_as_recorded(server: &TestServer) {
        let client = server.client();
        let account = service_account(&client, json!([])).await;
        let all = format!("{PATH}/{account}/access_tokens");
        let empty = client.get(&all).await.expect(200);
        assert_eq!(empty.text, r#"{"data":[],"meta":{"page":{"total_filtered_count":0}}}"#);
        let made = client.post(&all, &token(json!({ "name": "One", "scopes": ["monitors_read"] }))).await.expect(201);
        assert_eq!(made.header("content-type"), VENDOR_JSON);
        let body = made.json();
        let id = body["data"]["id"].as_str().unwrap();
        let secret = body["data"]["attributes"]["key"].as_str().unwrap();
        let (portion, tail) = secret.rsplit_once('_').unwrap();
        assert_eq!((portion.len(), tail.len(), portion.starts_with("ddsat_")), (28, 36, true));
        let object = |members: &str, name: &str| format!(concat!(
            r#"{{"id":"{}","type":"service_access_tokens","attributes":{{{},"name":"{}","public_portion":"{}","#,
            r#""scopes":["monitors_read"]}},"relationships":{{"owned_by":{{"data":{{"id":"{}","type":"service_account"}}}}}}}}"#,
        ), id, members, name, portion, account);
        let one = |members: &str, name: &str| format!(r#"{{"data":{}}}"#, object(members, name));
        let created = format!(r#""created_at":"2026-03-04T05:06:07.123456000Z","expires_at":null,"key":"{secret}""#);
        assert_eq!(made.text, one(&created, "One"));
        let read = r#""created_at":"2026-03-04T05:06:07.123456Z","expires_at":null,"last_used_at":null"#;
        let path = format!("{all}/{id}");
        let got = client.get(&path).await.expect(200);
        assert_eq!((got.header("content-type"), &got.text), (VENDOR_JSON, &one(read, "One")));
        server.clock.advance_micros(80);
        // Clients of before these had a type of their own send the other.
        let patch = json!({ "data": { "type": "personal_access_tokens", "id": id, "attributes": { "name": "Two" } } });
        let changed = client.patch(&path, &patch).await.expect(200);
        let modified = format!(r#"{read},"modified_at":"2026-03-04T05:06:07.123536Z""#);
        assert_eq!((changed.header("content-type"), &changed.text), (VENDOR_JSON, &one(&modified, "Two")));
        let list = client.get(&all).await.expect(200);
        let meta = r#""meta":{"page":{"total_filtered_count":1}}"#;
        assert_eq!(list.text, format!(r#"{{"data":[{}],{meta}}}"#, object(&modified, "Two")));
        let bearer = server.client_with(Keys { bearer: Some(secret.to_owned()), ..Keys::default() });
        assert_eq!(bearer.get("/verify").await.expect(200).header("claviger-user"), account);
        for _ in 0..2 {
            let gone = client.delete(&path).await.expect(204);
            assert_eq!((gone.header("content-type"), gone.text.as_str()), ("", ""));
        }
        let absent = r#"{"errors":["Service access token not found"]}"#;
        assert_eq!(client.get(&path).await.expect(404).text, absent);
        assert_eq!(client.patch(&path, &patch).await.expect(404).text, absent);
        bearer.get("/verify").await.expect(401);
        server.verify_state().await;
    }

    async fn an_end_is_optional_and_within_the_bounds(server: &TestServer) {
        let client = server.client();
        let account = service_account(&client, json!([])).await;
        let all = format!("{PATH}/{account}/access_tokens");
        let with = |end: Value| token(json!({ "name": "One", "scopes": ["monitors_read"], "expires_at": end }));
        let made = client.post(&all, &with(json!(TOKEN_END))).await.expect(201).json();
        assert_eq!(made["data"]["attributes"]["expires_at"], TOKEN_END);
        client.post(&all, &with(Value::Null)).await.expect(201);
        for (end, reason) in [
            ("2026-03-05T05:06:07Z", "must be at least 24 hours ahead"),
            ("2027-03-05T05:06:07Z", "must be at most 365 days ahead"),
        ] {
            let refused = client.post(&all, &with(json!(end))).await.expect(400);
            assert_eq!(refused.text, format!(r#"{{"errors":["'expires_at' {reason}"]}}"#));
        }
        let bad = client.post(&all, &token(json!({ "scopes": ["nope"] }))).await.expect(400);
        assert_eq!(bad.text, r#"{"errors":["'name' is a required property"]}"#);
        let bad = json!({ "name": "x", "scopes": ["nope"] });
        assert_eq!(client.post(&all, &token(bad)).await.expect(400).text, r#"{"errors":["Invalid scopes: nope"]}"#);
    }

    async fn lists_show_the_accounts_own_alone(server: &TestServer) {
        let client = server.client();
        let [one, other] = [service_account(&client, json!([])).await, service_account(&client, json!([])).await];
        personal_access_token(&client, json!(["monitors_read"])).await;
        let first = service_access_token(&client, &one, json!(["monitors_read"])).await;
        let second = service_access_token(&client, &other, json!(["monitors_read"])).await;
        for (account, own, others) in [(&one, &first, &second), (&other, &second, &first)] {
            let all = format!("{PATH}/{account}/access_tokens");
            let list = client.get(&format!("{all}?filter=made&sort=-created_at")).await.expect(200).json();
            let ids: Vec<_> = list["data"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            assert_eq!(ids, [&json!(own.id)]);
            client.get(&format!("{all}/{}", others.id)).await.expect(404);
            client.delete(&format!("{all}/{}", others.id)).await.expect(204);
            client.get(&format!("{all}/{}", own.id)).await.expect(200);
        }
        client.get(&format!("{PATH}/{one}/access_tokens/{}", first.id)).await.expect(200);
        let bad = client.get(&format!("{PATH}/{one}/access_tokens?sort=last4&page[number]=x")).await.expect(400);
        assert_eq!(bad.json()["errors"].as_array().unwrap().len(), 2);
    }

    async fn each_account_has_a_limit_of_its_own(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "application_keys_per_user_max": 1 })).await.expect(200);
        for _ in 0..2 {
            let account = service_account(&client, json!([])).await;
            let made = service_access_token(&client, &account, json!(["monitors_read"])).await;
            let all = format!("{PATH}/{account}/access_tokens");
            let more = token(json!({ "name": "more", "scopes": ["monitors_read"] }));
            let refused = client.post(&all, &more).await.expect(400);
            let text = r#"{"errors":["You have exceeded the maximum number of permitted service access tokens"]}"#;
            assert_eq!(refused.text, text);
            client.delete(&format!("{all}/{}", made.id)).await.expect(204);
            client.delete(&format!("{all}/{}", made.id)).await.expect(204);
            client.post(&all, &more).await.expect(201);
        }
    }
}
