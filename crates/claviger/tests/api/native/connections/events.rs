//! What webhooks are told of connections, without any value.

use serde_json::{Value, json};

use super::{API, aws};
use crate::native::webhooks::{hook, telling};
use crate::receiver::{Delivery, Receiver};
use crate::support::native_connections::{http, imported, made, path_of};
use crate::support::{TestDatabase, TestServer, with_either_database};

const MINUTE: i64 = 60 * 1_000_000;
const DAY: i64 = 24 * 3600 * 1_000_000;

fn kinds(told: &[Delivery]) -> Vec<String> {
    told.iter().map(Delivery::kind).collect()
}

with_either_database! {
    async fn changes_are_told_by_names_alone(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (admin, receiver) = (server.client(), Receiver::start());
        hook(&admin, &receiver.url(), None).await;
        let shown = made(&admin, "first", &http("https://a.example", "canary-1"), Value::Null).await;
        let path = path_of(&shown);
        admin.patch(&path, &json!({ "name": "second", "integration": http("https://b.example", "canary-2") })).await.expect(200);
        admin.delete(&path).await.expect(204);
        let brought = imported(&server, json!({ "name": "third", "integration": aws(), "hosts": [API] })).await;
        let told = receiver.wait_for(4);
        assert_eq!(kinds(&told), ["connection.created", "connection.updated", "connection.deleted", "connection.created"]);
        let data: Vec<_> = told.iter().map(|delivery| delivery.json()["data"].clone()).collect();
        let subject = |shown: &Value, name: &str| json!({ "kind": "connection", "id": shown["id"], "name": name });
        assert_eq!(data[0], json!({ "subject": subject(&shown, "first") }));
        assert_eq!(data[1], json!({ "subject": subject(&shown, "second"), "changed": ["name", "base_url"],
            "secrets_written": ["tokens/token1"], "secrets_erased": [] }));
        assert_eq!((&data[2]["subject"], &data[3]["subject"]), (&subject(&shown, "second"), &subject(&brought, "third")));
        let all = format!("{told:?}");
        assert!(!all.contains("canary") && !all.contains("b.example"), "{all}");
        server.stop().await;
    }

    async fn an_end_is_told_a_week_and_a_day_before(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (admin, receiver) = (server.client(), Receiver::start());
        hook(&admin, &receiver.url(), Some(json!(["connection.expiring"]))).await;
        let later = made(&admin, "later", &aws(), json!({ "expires_at": "2026-03-24T05:06:07Z" })).await;
        let soon = made(&admin, "soon", &aws(), json!({ "expires_at": "2026-03-05T00:00:00Z" })).await;
        made(&admin, "never", &aws(), Value::Null).await;
        // What is made with less time left is told once, at the next look.
        server.clock.advance_micros(MINUTE);
        let told = receiver.wait_for(1);
        assert_eq!(told[0].json()["data"], json!({
            "subject": { "kind": "connection", "id": soon["id"], "name": "soon" },
            "expires_at": "2026-03-05T00:00:00Z", "within_seconds": 86_400,
        }));
        server.clock.advance_micros(14 * DAY);
        let told = receiver.wait_for(2);
        assert_eq!((&told[1].json()["data"]["subject"]["id"], &told[1].json()["data"]["within_seconds"]), (&later["id"], &json!(604_800)));
        server.clock.advance_micros(5 * DAY + DAY / 2);
        let told = receiver.wait_for(3);
        assert_eq!(told[2].json()["data"]["within_seconds"], 86_400);
        // An end that moves is warned of anew.
        admin.patch(&path_of(&later), &json!({ "expires_at": "2026-04-24T00:00:00Z" })).await.expect(200);
        server.clock.advance_micros(24 * DAY + DAY / 2);
        let told = receiver.wait_for(4);
        assert_eq!(told[3].json()["data"]["expires_at"], "2026-04-24T00:00:00Z");
        assert_eq!(kinds(&told), ["connection.expiring"; 4]);
        let history = admin.get(&format!("{}/history", path_of(&later))).await.expect(200).json();
        assert_eq!((&history["total"], &history["entries"][0]["action"]), (&json!(5), &json!("connection.expiring")));
        server.verify_state().await;
        server.stop().await;
    }
}
