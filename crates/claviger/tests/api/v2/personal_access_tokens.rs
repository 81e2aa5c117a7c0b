//! `/api/v2/personal_access_tokens`

mod lists;
mod reach;

use serde_json::{Value, json};

use crate::support::sample::application_key;
use crate::support::tokens::{TOKEN_END, personal_access_token};
use crate::support::{Keys, START, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/personal_access_tokens";
const VENDOR_JSON: &str = "application/vnd.api+json";
const DAY_MICROS: i64 = 24 * 3600 * 1_000_000;

fn token(attributes: Value) -> Value {
    json!({ "data": { "type": "personal_access_tokens", "attributes": attributes } })
}

fn patch(id: &str, attributes: Value) -> Value {
    json!({ "data": { "type": "personal_access_tokens", "id": id, "attributes": attributes } })
}

/// The moment so long after the test's beginning, as a client would write it.
fn after(micros: i64) -> String {
    let start = claviger_model::Timestamp::parse_rfc3339(START).unwrap();
    let t = claviger_model::Timestamp::from_micros(start.micros() + micros).utc();
    let (date, (hour, minute, second)) = (t.date(), t.time().as_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{:06}Z", t.microsecond())
}

on_both_engines! {
    async fn a_token_lives_from_create_to_revoke_as_recorded(server: &TestServer) {
        let client = server.client();
        let user = server.founded.user;
        let new = json!({ "name": "One", "scopes": ["monitors_read", "dashboards_read"],
            "expires_at": "2027-03-04T07:06:07.540+02:00" });
        let made = client.post(PATH, &token(new)).await.expect(201);
        assert_eq!(made.header("content-type"), VENDOR_JSON);
        let body = made.json();
        let id = body["data"]["id"].as_str().unwrap();
        let secret = body["data"]["attributes"]["key"].as_str().unwrap();
        let (portion, tail) = secret.strip_prefix("ddpat_").unwrap().split_once('_').unwrap();
        assert_eq!((portion.len(), tail.len()), (22, 36));
        let owner = format!(r#""relationships":{{"owned_by":{{"data":{{"id":"{user}","type":"users"}}}}}}"#);
        assert_eq!(made.text, format!(concat!(
            r#"{{"data":{{"id":"{}","type":"personal_access_tokens","attributes":{{"#,
            r#""created_at":"2026-03-04T05:06:07.123456000Z","expires_at":"2027-03-04T05:06:07.54Z","key":"{}","#,
            r#""name":"One","public_portion":"{}","scopes":["monitors_read","dashboards_read"]}},{}}}}}"#,
        ), id, secret, portion, owner));
        let read = |name: &str, modified: &str| format!(concat!(
            r#"{{"data":{{"id":"{}","type":"personal_access_tokens","attributes":{{"#,
            r#""created_at":"2026-03-04T05:06:07.123456Z","expires_at":"2027-03-04T05:06:07.54Z","#,
            r#""last_used_at":null,{}"name":"{}","public_portion":"{}","#,
            r#""scopes":["monitors_read","dashboards_read"]}},{}}}}}"#,
        ), id, modified, name, portion, owner);
        let path = format!("{PATH}/{id}");
        let got = client.get(&path).await.expect(200);
        assert_eq!((got.header("content-type"), &got.text), (VENDOR_JSON, &read("One", "")));
        server.clock.advance_micros(876_544);
        let changed = client.patch(&path, &patch(id, json!({ "name": "Two" }))).await.expect(200);
        let modified = r#""modified_at":"2026-03-04T05:06:08Z","#;
        assert_eq!((changed.header("content-type"), &changed.text), (VENDOR_JSON, &read("Two", modified)));
        assert_eq!(client.get(&path).await.expect(200).text, read("Two", modified));
        server.verify_state().await;
        for _ in 0..2 {
            let gone = client.delete(&path).await.expect(204);
            assert_eq!((gone.header("content-type"), gone.text.as_str()), ("", ""));
            assert_ne!(gone.header("claviger-position"), "");
        }
        let absent = r#"{"errors":["Personal access token not found"]}"#;
        assert_eq!(client.get(&path).await.expect(404).text, absent);
        assert_eq!(client.patch(&path, &patch(id, json!({}))).await.expect(404).text, absent);
        server.verify_state().await;
    }

    async fn what_never_was_is_revoked_already_and_otherwise_absent(server: &TestServer) {
        let client = server.client();
        let (never, key) = (server.founded.org.to_string(), server.founded.application_key_id.to_string());
        for id in [&never, &key] {
            client.delete(&format!("{PATH}/{id}")).await.expect(204);
            client.get(&format!("{PATH}/{id}")).await.expect(404);
            client.patch(&format!("{PATH}/{id}"), &patch(id, json!({ "name": "x" }))).await.expect(404);
        }
        client.get("/api/v2/validate_keys").await.expect(200);
        client.delete(&format!("{PATH}/invalidId")).await.expect(404);
        client.get(&format!("{PATH}/invalidId")).await.expect(404);
    }

    async fn its_end_is_from_a_day_to_a_year_ahead(server: &TestServer) {
        let client = server.client();
        let with = |end: String| token(json!({ "name": "One", "scopes": ["monitors_read"], "expires_at": end }));
        let slack = 5 * 60 * 1_000_000;
        for life in [DAY_MICROS, 365 * DAY_MICROS, 365 * DAY_MICROS + slack] {
            client.post(PATH, &with(after(life))).await.expect(201);
        }
        let refused = |text: &str| format!(r#"{{"errors":["'expires_at' {text}"]}}"#);
        for life in [DAY_MICROS - 1, 0, -DAY_MICROS] {
            let answer = client.post(PATH, &with(after(life))).await.expect(400);
            assert_eq!(answer.text, refused("must be at least 24 hours ahead"));
        }
        let answer = client.post(PATH, &with(after(365 * DAY_MICROS + slack + 1))).await.expect(400);
        assert_eq!(answer.text, refused("must be at most 365 days ahead"));
        let answer = client.post(PATH, &with("tomorrow".to_owned())).await.expect(400);
        assert_eq!(answer.text, refused("must be an RFC 3339 time"));
    }

    async fn every_bad_member_is_named_and_unknown_ones_are_passed_over(server: &TestServer) {
        let client = server.client();
        let answer = client.post(PATH, &token(json!({ "scopes": "all", "expires_at": null }))).await.expect(400);
        let named = ["'name' is a required property", "'all' is not of type 'array'", "None is not of type 'string'"];
        assert_eq!(answer.json(), json!({ "errors": named }));
        let bad = json!({ "name": " ", "scopes": ["nope", "monitors_read"], "expires_at": after(0) });
        let texts = client.post(PATH, &token(bad)).await.expect(400).json();
        let texts: Vec<_> = texts["errors"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].starts_with("'name' "), "{texts:?}");
        assert_eq!(texts[1..], ["Invalid scopes: nope", "'expires_at' must be at least 24 hours ahead"]);
        let none = json!({ "name": "One", "scopes": [], "expires_at": TOKEN_END });
        let answer = client.post(PATH, &token(none)).await.expect(400);
        assert_eq!(answer.text, r#"{"errors":["'scopes' must have at least one scope"]}"#);
        let more = json!({ "name": "One", "scopes": ["monitors_read"], "expires_at": TOKEN_END, "alias": 1 });
        client.post(PATH, &token(more)).await.expect(201);
    }

    async fn an_end_may_be_sent_back_but_not_changed(server: &TestServer) {
        let client = server.client();
        let made = personal_access_token(&client, json!(["monitors_read"])).await;
        let path = format!("{PATH}/{}", made.id);
        let read = client.get(&path).await.expect(200).json()["data"]["attributes"].clone();
        let same = client.patch(&path, &patch(&made.id, read.clone())).await.expect(200).json();
        assert_eq!(same["data"]["attributes"]["modified_at"], read["created_at"], "nothing was changed");
        for other in [json!("2026-04-04T05:06:07.54Z"), Value::Null] {
            let attributes = json!({ "name": "Two", "expires_at": other });
            let answer = client.patch(&path, &patch(&made.id, attributes)).await.expect(400);
            assert_eq!(answer.text, r#"{"errors":["'expires_at' cannot be changed"]}"#);
        }
        assert_eq!(client.get(&path).await.expect(200).json()["data"]["attributes"], read);
        let answer = client.patch(&path, &patch(&made.id, json!({ "scopes": [] }))).await.expect(400);
        assert_eq!(answer.text, r#"{"errors":["'scopes' must have at least one scope"]}"#);
    }

    async fn a_narrowed_caller_hands_on_no_more_than_it_has(server: &TestServer) {
        let made = personal_access_token(&server.client(), json!(["user_app_keys", "dashboards_read"])).await;
        let narrow = server.client_with(Keys { bearer: Some(made.secret), ..Keys::default() });
        let with = |scopes: Value| token(json!({ "name": "One", "scopes": scopes, "expires_at": TOKEN_END }));
        narrow.post(PATH, &with(json!(["dashboards_read", "monitors_read"]))).await.expect(403);
        narrow.post(PATH, &with(json!(["dashboards_read"]))).await.expect(201);
        let path = format!("{PATH}/{}", made.id);
        narrow.patch(&path, &patch(&made.id, json!({ "scopes": ["monitors_read"] }))).await.expect(403);
        let key = json!({ "data": { "type": "application_keys", "attributes": { "name": "all" } } });
        narrow.post("/api/v2/current_user/application_keys", &key).await.expect(403);
        narrow.patch(&path, &patch(&made.id, json!({ "scopes": ["user_app_keys"] }))).await.expect(200);
        narrow.post(PATH, &with(json!(["dashboards_read"]))).await.expect(403);
    }

    async fn an_owner_may_have_as_many_as_application_keys_and_no_more(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "application_keys_per_user_max": 2 })).await.expect(200);
        let first = personal_access_token(&client, json!(["monitors_read"])).await;
        personal_access_token(&client, json!(["monitors_read"])).await;
        let third = token(json!({ "name": "x", "scopes": ["monitors_read"], "expires_at": TOKEN_END }));
        let refused = client.post(PATH, &third).await.expect(400);
        let text = r#"{"errors":["You have exceeded the maximum number of permitted personal access tokens"]}"#;
        assert_eq!(refused.text, text);
        // Each kind counts for itself; the admin has one application key from the start.
        application_key(&client, Value::Null).await;
        client.delete(&format!("{PATH}/{}", first.id)).await.expect(204);
        client.post(PATH, &third).await.expect(201);
    }

    async fn one_time_read_changes_nothing_for_what_is_shown_once_anyway(server: &TestServer) {
        let client = server.client();
        client.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
        let made = personal_access_token(&client, json!(["monitors_read"])).await;
        let read = client.get(&format!("{PATH}/{}", made.id)).await.expect(200).json();
        assert!(read["data"]["attributes"].get("key").is_none());
        let bearer = Keys { bearer: Some(made.secret), ..Keys::default() };
        server.client_with(bearer).get("/api/v2/validate_keys").await.expect(200);
    }
}
