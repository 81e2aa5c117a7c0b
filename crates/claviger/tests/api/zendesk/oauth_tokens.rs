//! `/api/v2/oauth/tokens`

use serde_json::{Value, json};

use crate::support::people::Member;
use crate::support::zis::{ADMIN_SCOPES, TOKENS, Zis};
use crate::support::{Keys, Setup, TestDatabase, TestServer, on_both_engines, tokens, with_either_database};

fn one(id: i64) -> String {
    format!("{TOKENS}/{id}")
}

on_both_engines! {
    async fn a_token_is_shown_whole_once_and_then_by_its_beginning(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let body = json!({ "token": { "client_id": client, "scopes": ["read", "write"] } });
        let answer = admin.post("/api/v2/oauth/tokens.json", &body).await.expect(201);
        assert!(answer.header("claviger-position").starts_with("1."));
        let mut token = answer.json()["token"].take();
        let full = token.as_object_mut().unwrap().remove("full_token").unwrap();
        let full = full.as_str().unwrap();
        assert!(full.len() == 64 && full.bytes().all(|byte| byte.is_ascii_hexdigit()), "{full}");
        let id = token["id"].as_i64().unwrap();
        let expected = json!({ "id": id, "url": format!("/api/v2/oauth/tokens/{id}.json"), "client_id": client,
            "user_id": server.founded.user.to_string(), "scopes": ["read", "write"],
            "created_at": "2026-03-04T05:06:07Z", "used_at": null, "expires_at": null, "refresh_token": null,
            "refresh_token_expires_at": null, "token": &full[..10] });
        assert_eq!(token, expected);
        for path in [one(id), format!("{}.json", one(id))] {
            assert_eq!(admin.get(&path).await.expect(200).json(), json!({ "token": expected }));
        }
        let listed = json!({ "tokens": [expected], "count": 1, "next_page": null, "previous_page": null });
        assert_eq!(admin.get(TOKENS).await.expect(200).json(), listed);
        let holder = Zis::bearer(server, full);
        for path in ["current", "current.json"] {
            let current = holder.get(&format!("{TOKENS}/{path}")).await.expect(200).json();
            assert_eq!((&current["token"]["id"], &current["token"]["token"]), (&json!(id), &json!(&full[..10])));
        }
        server.verify_state().await;
    }

    async fn a_revoked_token_is_dead_at_once(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let (id, token) = admin.token(client, &["read"]).await;
        let holder = Zis::bearer(server, &token);
        holder.get(&format!("{TOKENS}/current")).await.expect(200);
        admin.delete(&one(id)).await.expect(204);
        let refused = holder.get(&format!("{TOKENS}/current")).await.expect(401).json();
        assert_eq!(refused, json!({ "error": "Couldn't authenticate you" }));
        for answer in [admin.delete(&one(id)).await, admin.get(&one(id)).await, admin.get(&one(1)).await, admin.get(&format!("{TOKENS}/x")).await] {
            assert_eq!(answer.expect(404).json(), json!({ "error": "RecordNotFound", "description": "Not found" }));
        }
        server.verify_state().await;
    }

    async fn a_token_dies_with_its_integration(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let (client, other) = (admin.integration("one").await, admin.integration("other").await);
        let holders = [
            Zis::bearer(server, &admin.token(client, &["read"]).await.1),
            Zis::bearer(server, &admin.token(client, &["write"]).await.1),
        ];
        let stays = Zis::bearer(server, &admin.token(other, &["read"]).await.1);
        server.client().delete("/claviger/v1/zis_integrations/one").await.expect(204);
        for holder in &holders {
            holder.get(&format!("{TOKENS}/current")).await.expect(401);
        }
        stays.get(&format!("{TOKENS}/current")).await.expect(200);
        // A new one of that name is another.
        admin.integration("one").await;
        holders[0].get(&format!("{TOKENS}/current")).await.expect(401);
        assert_eq!(admin.get(TOKENS).await.expect(200).json()["count"], 1);
        server.verify_state().await;
    }

    async fn a_token_dies_with_whom_it_acts_for(server: &TestServer) {
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let theirs = server.client_with(member.keys.clone());
        let token = tokens::personal_access_token(&theirs, json!(ADMIN_SCOPES)).await;
        let admin = Zis::bearer(server, &token.secret);
        let client = admin.integration("my_integration").await;
        let holder = Zis::bearer(server, &admin.token(client, &["read"]).await.1);
        holder.get(&format!("{TOKENS}/current")).await.expect(200);
        server.client().delete(&format!("/api/v2/users/{}", member.id)).await.expect(204);
        holder.get(&format!("{TOKENS}/current")).await.expect(401);
        server.verify_state().await;
    }

    async fn every_fault_of_a_body_is_named(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let many: Vec<_> = (0..65).map(|number| number.to_string()).collect();
        for (body, fields) in [
            (json!([]), vec!["token"]),
            (json!({ "token": 1 }), vec!["token"]),
            (json!({ "token": {} }), vec!["client_id", "scopes"]),
            (json!({ "token": { "client_id": "1", "scopes": "read" } }), vec!["client_id", "scopes"]),
            (json!({ "token": { "client_id": client, "scopes": ["read", 1] } }), vec!["scopes"]),
            (json!({ "token": { "client_id": client, "scopes": ["a b"] } }), vec!["scopes"]),
            (json!({ "token": { "client_id": client, "scopes": many } }), vec!["scopes"]),
            (json!({ "token": { "client_id": client + 1, "scopes": ["read"] } }), vec!["client_id"]),
        ] {
            let refused = admin.post(TOKENS, &body).await.expect(422).json();
            assert_eq!(refused["error"], "RecordInvalid");
            let named: Vec<_> = refused["details"].as_object().unwrap().keys().collect();
            assert_eq!(named, fields, "{body}");
        }
        admin.get(&format!("{TOKENS}?page=0")).await.expect(400);
        assert_eq!(admin.get(TOKENS).await.expect(200).json()["count"], 0);
    }

    /// Whatever is asked for is given, and what means nothing allows nothing.
    async fn any_word_is_a_scope(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let (id, token) = admin.token(client, &["tickets:read", "impersonate"]).await;
        assert_eq!(admin.get(&one(id)).await.expect(200).json()["token"]["scopes"], json!(["tickets:read", "impersonate"]));
        Zis::bearer(server, &token).get(&format!("{TOKENS}/current")).await.expect(200);
        admin.token(client, &[]).await;
        server.verify_state().await;
    }

    async fn nobody_makes_a_token_that_may_do_more_than_they(server: &TestServer) {
        // To write is to use, too.
        for scopes in [&ADMIN_SCOPES[..2], &ADMIN_SCOPES[..3]] {
            let narrow = tokens::personal_access_token(&server.client(), json!(scopes)).await;
            let narrow = Zis::bearer(server, &narrow.secret);
            let client = narrow.integration("my_integration").await;
            for scope in ["write", "zis:write"] {
                let body = json!({ "token": { "client_id": client, "scopes": ["read", scope] } });
                narrow.post(TOKENS, &body).await.expect(403);
            }
            narrow.token(client, &["read", "zis:read"]).await;
        }
    }

    /// Neither here what opens the other dialects, nor there what is bound to an integration.
    async fn an_integration_token_opens_its_integration_alone(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let (_, token) = admin.token(client, &["read", "write"]).await;
        let places = [
            Keys { bearer: Some(token.clone()), ..Keys::default() },
            Keys { bearer: Some(token.clone()), ..server.admin() },
            Keys { application_key: Some(token.clone()), ..server.admin() },
            Keys { api_key: Some(token.clone()), ..server.admin() },
        ];
        for keys in places {
            let other = server.client_with(keys);
            for path in ["/api/v2/api_keys", "/api/v2/actions/connections/x", "/claviger/v1/org", "/verify"] {
                let status = other.get(path).await.status.as_u16();
                assert!(matches!(status, 401 | 403), "{path}: {status}");
            }
        }
        let holder = Zis::bearer(server, &token);
        holder.get(TOKENS).await.expect(401);
        holder.get("/api/services/zis/registry/integrations").await.expect(401);
        let personal = tokens::personal_access_token(&server.client(), json!(ADMIN_SCOPES)).await;
        let keys = server.admin();
        for other in [personal.secret, keys.api_key.unwrap(), keys.application_key.unwrap()] {
            Zis::bearer(server, &other).get(&format!("{TOKENS}/current")).await.expect(401);
        }
    }
}

with_either_database! {
    async fn tokens_outlive_a_restart_and_the_dead_stay_dead(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = Zis::admin(&server).await;
        let client = admin.integration("my_integration").await;
        let ((id, dead), (_, live)) = (admin.token(client, &["read"]).await, admin.token(client, &["read"]).await);
        admin.delete(&one(id)).await.expect(204);
        let server = server.halt().await.start(Setup::default()).await;
        Zis::bearer(&server, &live).get(&format!("{TOKENS}/current")).await.expect(200);
        Zis::bearer(&server, &dead).get(&format!("{TOKENS}/current")).await.expect(401);
        server.verify_state().await;
        server.stop().await;
    }
}
