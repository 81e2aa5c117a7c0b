//! `?dry_run=true`: says what would be, and changes nothing.

use serde_json::{Value, json};

use super::{PATH, SECRET};
use crate::native::fields;
use crate::support::native_connections::{gitlab, http, made, path_of};
use crate::support::{TestDatabase, TestServer, on_both_engines};

on_both_engines! {
    async fn of_a_create_stores_nothing(server: &TestServer) {
        let admin = server.client();
        let before = server.engine.applied();
        let path = format!("{PATH}?dry_run=true");
        let answer = admin.post(&path, &json!({ "name": "n", "integration": gitlab("unusual"), "tags": ["a:b"] })).await.expect(200);
        assert_eq!(answer.header("claviger-position"), "");
        let shown = answer.json();
        assert_eq!((&shown["id"], &shown["dry_run"]), (&Value::Null, &json!(true)));
        assert_eq!((&shown["integration"], &shown["tags"]), (&gitlab(""), &json!(["a:b"])));
        assert_eq!(shown["warnings"][0]["field"], "integration/credentials/api_token");
        assert!(!answer.text.contains("unusual"), "{}", answer.text);

        let bad = json!({ "name": "n", "integration": gitlab("") });
        assert_eq!(fields(&admin.post(&path, &bad).await.expect(400)), ["integration/credentials/api_token"]);
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 0);
        assert_eq!(server.database().scalar("SELECT COUNT(*) FROM connections").await, "0");
        assert_eq!(server.database().scalar("SELECT COUNT(*) FROM connection_secrets").await, "0");
        assert_eq!(server.engine.applied(), before, "nothing is in the ledger");
        server.verify_state().await;
    }

    async fn of_a_change_changes_nothing(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "n", &http("https://a.example", "canary-1"), Value::Null).await);
        let (before, read) = (server.engine.applied(), admin.get(&path).await.expect(200).json());
        let dry = format!("{path}?dry_run=true");
        let patch = json!({ "name": "other", "integration": http("https://b.example", "canary-2"),
            "expires_at": "2027-01-01T00:00:00Z" });
        let shown = admin.patch(&dry, &patch).await.expect(200).json();
        assert_eq!((&shown["id"], &shown["dry_run"]), (&read["id"], &json!(true)));
        assert_eq!((&shown["name"], &shown["allowed_hosts"]), (&json!("other"), &json!(["https://b.example"])));
        // What the change itself would answer.
        let bare = json!({ "integration": { "type": "HTTP", "base_url": "https://c.example", "credentials": { "type": "HTTPTokenAuth" } } });
        assert_eq!(fields(&admin.patch(&dry, &bare).await.expect(400)), ["integration/credentials/tokens"]);
        let mut moved = json!({ "integration": { "type": "HTTP", "credentials": { "type": "HTTPTokenAuth" } } });
        moved["integration"]["credentials"]["url_parameters"] = json!([{ "name": "key", "value": "{{ token1 }}" }]);
        assert_eq!(fields(&admin.patch(&dry, &moved).await.expect(400)), ["integration/credentials/tokens"]);
        admin.patch(&format!("{PATH}/00000000-0000-4000-8000-000000000000?dry_run=true"), &patch).await.expect(404);

        assert_eq!(admin.get(&path).await.expect(200).json(), read);
        assert_eq!(server.engine.applied(), before, "nothing is in the ledger");
        server.verify_state().await;
    }

    /// Whoever meant a dry run, and wrote it otherwise, has nothing changed.
    async fn another_word_is_refused(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "n", &gitlab(SECRET), Value::Null).await);
        for query in ["dry_run", "dry_run=", "dry_run=1", "dry_run=TRUE", "dry_run=true&dry_run=no"] {
            let body = json!({ "name": "x", "integration": gitlab("glpat-other-other-2") });
            assert_eq!(fields(&admin.post(&format!("{PATH}?{query}"), &body).await.expect(400)), ["dry_run"]);
            assert_eq!(fields(&admin.patch(&format!("{path}?{query}"), &body).await.expect(400)), ["dry_run"]);
        }
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 1);
        assert_eq!(admin.get(&path).await.expect(200).json()["name"], "n");
        let body = json!({ "name": "x" });
        assert_eq!(admin.patch(&format!("{path}?dry_run=false"), &body).await.expect(200).json()["name"], "x");
    }
}
