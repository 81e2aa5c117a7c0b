//! What a server remembers when it is started again.

use serde_json::{Value, json};

use crate::support::sample::{Made, api_key, application_key};
use crate::support::{Keys, Setup, TestDatabase, TestServer, with_either_database};

/// Keys in the states that must survive.
struct Left {
    kept: Made,
    revoked: Made,
    /// Its scopes were narrowed to `user_app_keys`.
    narrowed: Made,
    deleted: Made,
    /// The moment at which the kept key was last used.
    last_used: String,
}

async fn leave(server: &TestServer) -> Left {
    let admin = server.client();
    let (kept, revoked) = (api_key(&admin).await, api_key(&admin).await);
    let narrowed = application_key(&admin, json!(["monitors_read", "user_app_keys"])).await;
    let deleted = application_key(&admin, Value::Null).await;
    admin.delete(&format!("/api/v2/api_keys/{}", revoked.id)).await.expect(204);
    admin.delete(&format!("/api/v1/application_key/{}", deleted.secret)).await.expect(200);
    let attributes = json!({ "scopes": ["user_app_keys"] });
    let patch =
        json!({ "data": { "type": "application_keys", "id": narrowed.id, "attributes": attributes } });
    admin.patch(&format!("/api/v2/current_user/application_keys/{}", narrowed.id), &patch).await.expect(200);
    admin.patch("/claviger/v1/org", &json!({ "name": "Renamed", "api_keys_max": 3 })).await.expect(200);
    server.clock.advance_micros(60_000_000);
    let used = Keys { api_key: Some(kept.secret.clone()), ..Keys::default() };
    server.client_with(used).get("/api/v1/validate").await.expect(200);
    Left { kept, revoked, narrowed, deleted, last_used: "2026-03-04T05:07:07.123456+00:00".to_owned() }
}

async fn check(server: &TestServer, left: &Left) {
    let validate = async |made: &Made| {
        let keys = Keys { api_key: Some(made.secret.clone()), ..Keys::default() };
        server.client_with(keys).get("/api/v1/validate").await.status.as_u16()
    };
    let read = server.client().get(&format!("/api/v2/api_keys/{}", left.kept.id)).await.expect(200).json();
    let attributes = &read["data"]["attributes"];
    assert_eq!(attributes["date_last_used"], left.last_used, "read before it is used again");
    assert_eq!(attributes["key"], left.kept.secret);
    assert_eq!((validate(&left.kept).await, validate(&left.revoked).await), (200, 403));
    let verify = async |made: &Made, permission: &str| {
        let keys = Keys { bearer: Some(made.secret.clone()), ..Keys::default() };
        server.client_with(keys).get(&format!("/verify?permission={permission}")).await.status.as_u16()
    };
    assert_eq!(verify(&left.narrowed, "user_app_keys").await, 200);
    assert_eq!(verify(&left.narrowed, "monitors_read").await, 403);
    assert_eq!(verify(&left.deleted, "user_app_keys").await, 401);
    let dead = server.client().get(&format!("/api/v2/api_keys/{}", left.revoked.id)).await.expect(200).json();
    assert_eq!(dead["data"]["attributes"]["status"], "revoked");
    let org = server.client().get("/claviger/v1/org").await.expect(200).json();
    assert_eq!((&org["name"], &org["api_keys_max"]), (&json!("Renamed"), &json!(3)));
}

with_either_database! {
    async fn keys_revocations_scopes_settings_and_last_uses_survive(database: TestDatabase) {
        let mut server = TestServer::start(database).await;
        let left = leave(&server).await;
        // Often, since a lock that is let go of too late shows only now and then.
        for _ in 0..10 {
            let applied = server.engine.applied();
            server = server.halt().await.start(Setup::default()).await;
            assert_eq!(server.engine.applied(), applied, "a restart is no change");
            check(&server, &left).await;
        }
        // Changes go on where they stopped, and a client may wait for what it saw before the restart.
        let after = [("claviger-after", server.engine.applied().to_string())];
        let after = [(after[0].0, after[0].1.as_str())];
        let list = server.client().send(http::Method::GET, "/api/v2/api_keys", &after, None::<String>).await;
        assert_eq!(list.expect(200).json()["meta"]["page"]["total_filtered_count"], 2);
        api_key(&server.client()).await;
        let full = json!({ "data": { "type": "api_keys", "attributes": { "name": "One too many" } } });
        server.client().post("/api/v2/api_keys", &full).await.expect(400);
        server.stop().await;
    }
}
