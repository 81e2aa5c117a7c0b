//! What was done about a connection: names, never values; also of one that is gone.

use claviger_engine::Engine;
use serde_json::{Value, json};

use super::{API, PATH, aws, registered_key};
use crate::native::fields;
use crate::support::native_connections::{http, imported, made, path_of};
use crate::support::people::Member;
use crate::support::{Client, Keys, START, TestDatabase, TestServer, on_both_engines, until};

async fn history(client: &Client, shown: &Value, query: &str) -> Value {
    client.get(&format!("{}/history{query}", path_of(shown))).await.expect(200).json()
}

/// What each entry is, the newest first.
fn actions(history: &Value) -> Vec<String> {
    let entries = history["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

on_both_engines! {
    async fn it_tells_who_did_what_by_names_alone(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "first", &http("https://a.example", "canary-1"), Value::Null).await;
        let path = path_of(&shown);
        let mut integration = http("https://b.example", "canary-2");
        integration["credentials"]["tokens"].as_array_mut().unwrap().push(json!({ "name": "token2", "type": "SECRET", "value": "canary-3" }));
        integration["credentials"]["headers"] = json!([{ "name": "X-Key", "value": "{{ token1 }} {{ token2 }}" }]);
        admin.patch(&path, &json!({ "name": "second", "tags": ["a:b"], "expires_at": "2027-01-01T00:00:00Z", "integration": integration })).await.expect(200);
        let gone = json!({ "type": "HTTP", "credentials": { "type": "HTTPTokenAuth",
            "tokens": [{ "name": "token2", "type": "SECRET", "value": "", "deleted": true }],
            "headers": [{ "name": "X-Key", "value": "plain" }] } });
        admin.patch(&path, &json!({ "integration": gone })).await.expect(200);
        // What asks for nothing, and what was only tried, is nothing that was done.
        admin.patch(&path, &json!({})).await.expect(200);
        admin.patch(&format!("{path}?dry_run=true"), &json!({ "name": "tried" })).await.expect(200);

        let told = history(&admin, &shown, "").await;
        assert_eq!(told["total"], 3);
        assert_eq!(actions(&told), ["connection.updated", "connection.updated", "connection.created"]);
        let [last, second, first] = told["entries"].as_array().unwrap().as_slice() else { panic!("{told}") };
        assert_eq!(first["name"], "first");
        assert_eq!(first["secrets_written"], json!(["tokens/token1"]));
        assert_eq!(second["changed"], json!(["name", "tags", "expires_at", "base_url", "headers", "tokens"]));
        assert_eq!((&second["name"], &second["secrets_written"]), (&json!("second"), &json!(["tokens/token1", "tokens/token2"])));
        assert_eq!((&last["secrets_written"], &last["secrets_erased"]), (&json!([]), &json!(["tokens/token2"])));
        for entry in [first, second, last] {
            assert_eq!((&entry["user"], &entry["from"], &entry["at"]), (&shown["created_by"], &json!("127.0.0.1"), &json!(START)));
            assert_eq!(entry["credentials"].as_array().unwrap().len(), 2, "the API key and the application key");
            assert!(entry["request"].is_string() && entry.get("restriction").is_none(), "{entry}");
        }
        let text = told.to_string();
        assert!(!text.contains("canary") && !text.contains("b.example"), "{text}");

        assert_eq!(actions(&history(&admin, &shown, "?limit=1&offset=2").await), ["connection.created"]);
        let answer = admin.get(&format!("{path}/history?limit=x")).await.expect(400);
        assert_eq!(fields(&answer), ["limit"]);
    }

    async fn of_a_deleted_connection_it_stays(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &aws(), json!({ "hosts": [API] })).await;
        admin.delete(&path_of(&shown)).await.expect(204);
        assert_eq!(actions(&history(&admin, &shown, "").await), ["connection.deleted", "connection.created"]);
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.get(&format!("{}/history", path_of(&shown))).await.expect(404);
        admin.get(&format!("{PATH}/00000000-0000-4000-8000-000000000000/history")).await.expect(404);
        admin.get(&format!("{PATH}/nothing/history")).await.expect(404);
    }

    /// Whom a restriction kept from a connection does not see afterwards what was done about it.
    async fn what_was_hidden_stays_hidden(server: &TestServer) {
        let admin = server.client();
        let me = made(&admin, "n", &aws(), Value::Null).await["created_by"].as_str().unwrap().to_owned();
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let key = registered_key(server, &member).await;
        let member = server.client_with(Keys { application_key: Some(key), ..server.admin() });
        let editor = json!({ "editor": [format!("user:{me}")] });
        let shown = imported(server, json!({ "name": "hidden", "integration": aws(), "restriction": editor })).await;
        let path = format!("{}/history", path_of(&shown));
        assert_eq!(member.get(&path).await.expect(403).json()["errors"][0]["code"], "restricted");
        let told = history(&admin, &shown, "").await;
        assert_eq!((actions(&told), &told["entries"][0]["restriction"]), (vec!["connection.imported".to_owned()], &editor));
        admin.delete(&path_of(&shown)).await.expect(204);
        assert_eq!(member.get(&path).await.expect(403).json()["errors"][0]["code"], "restricted");
        assert_eq!(history(&admin, &shown, "").await["total"], 2);
    }

    /// What a broker notes is written in the background, and shows.
    async fn uses_are_noted_and_shown(server: &TestServer) {
        let admin = server.client();
        let used = made(&admin, "used", &aws(), Value::Null).await;
        let gone = made(&admin, "gone", &aws(), Value::Null).await;
        made(&admin, "unused", &aws(), Value::Null).await;
        let engine: &Engine = &server.engine;
        engine.note_connection_used(gone["id"].as_str().unwrap().parse().unwrap());
        admin.delete(&path_of(&gone)).await.expect(204);
        let position = engine.applied();
        engine.note_connection_used(used["id"].as_str().unwrap().parse().unwrap());
        until("its last use is shown", async || {
            let shown = admin.get(&path_of(&used)).await.expect(200).json();
            if shown["last_used_at"] == START { Ok(()) } else { Err(shown) }
        }).await;
        let names = async |query: &str| {
            let list = admin.get(&format!("{PATH}?{query}")).await.expect(200).json();
            list["connections"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&format!("used_since={START}")).await, ["used"]);
        assert_eq!(names("used_since=2026-03-05T00:00:00Z").await, Vec::<String>::new());
        assert_eq!(names("unused_since=2026-03-05T00:00:00Z").await, ["unused", "used"]);
        assert_eq!(names(&format!("unused_since={START}")).await, ["unused"]);
        assert_eq!(engine.applied(), position, "nothing of it is in the ledger");
        server.verify_state().await;
    }
}
