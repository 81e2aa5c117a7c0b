//! Who is shown a token, and what is kept of all this.

use std::time::Duration;

use claviger_engine::ImportError;
use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{APP, CLIENTS, ONE, Stage, id_of, showing};
use crate::support::people::Member;
use crate::support::provider::{CODE, Mood, SECRET};
use crate::support::restrictions::restrict;
use crate::support::{TestDatabase, with_either_database};

async fn history(stage: &Stage, id: &str) -> Vec<String> {
    let path = format!("/claviger/v1/connections/{id}/history");
    let history = stage.server.client().get(&path).await.expect(200).json();
    history["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

with_either_database! {
    async fn tokens_are_in_clear_only_where_the_operator_wants_it(database: TestDatabase) {
        let stage = Stage::set_with(database, Duration::from_secs(2), |setup| setup.zendesk = showing()).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let id = made["uuid"].as_str().unwrap().to_owned();
        // Not in the answer that finishes it.
        assert_eq!((&made["access_token"], &made["refresh_token"]), (&json!("*****"), &json!("*****")));
        assert_eq!(history(&stage, &id).await, ["connection.created"]);
        let answer = stage.zis.get(&format!("{ONE}?name=one")).await.expect(200);
        assert!(answer.header("claviger-position").starts_with("1."));
        let shown = answer.json();
        assert_eq!((&shown["access_token"], &shown["refresh_token"]), (&json!("canary-access-1"), &json!("canary-refresh-1")));
        let body: Value = serde_json::from_str(shown["oauth_access_token_response_body"].as_str().unwrap()).unwrap();
        assert_eq!((&body["access_token"], &body["expires_in"]), (&json!("canary-access-1"), &json!(3600)));
        let mut rest = shown.clone();
        for member in ["access_token", "refresh_token", "oauth_access_token_response_body"] {
            rest[member] = json!("*****");
        }
        assert_eq!(rest, made);
        // Each time it is recorded, before it is shown.
        stage.zis.get(&format!("{ONE}?uuid={id}")).await.expect(200);
        assert_eq!(history(&stage, &id).await, ["connection.shown", "connection.shown", "connection.created"]);
        // Lists and everything else never show one.
        let all = "/api/services/zis/integrations/my_integration/connections/all";
        assert_eq!(stage.zis.get(all).await.expect(200).json()["oauth"][0]["access_token"], "*****");
        let renewed = stage.refresh("one").await.expect(200);
        assert!(!renewed.text.contains("canary"), "{}", renewed.text);
        let native = stage.server.client().get(&format!("/claviger/v1/connections/{id}")).await.expect(200);
        assert!(!native.text.contains("canary"), "{}", native.text);

        // One that is over is renewed before it is shown; one that cannot be is shown as it is.
        stage.wait_seconds(3600);
        assert_eq!(stage.show("one").await["access_token"], "canary-access-3");
        stage.wait_seconds(3600);
        stage.provider.set(Mood::Broken(500));
        let stale = stage.show("one").await;
        assert_eq!((&stale["access_token"], &stale["token_expiry"]), (&json!("canary-access-3"), &json!("2026-03-04T07:06:07Z")));

        // Whoever may only see it is refused; what it kept is told nobody.
        let member = Member::join(&stage.server, "human", &["Datadog Standard Role"], Value::Null).await;
        let given = [("editor", format!("user:{}", member.id)), ("viewer", format!("org:{}", stage.org()))];
        restrict(&stage.server.client(), &id, &given).await;
        let refused = stage.zis.get(&format!("{ONE}?name=one")).await.expect(403);
        assert!(!refused.text.contains("canary"));
        stage.stop().await;
    }

    async fn nothing_is_stored_in_clear(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        let made = stage.connect("one").await;
        stage.connect_by_credentials("two").await;
        stage.refresh("one").await.expect(200);
        // And what is under way.
        let begun = stage.begin("three").await;
        let granted = stage.begin("four").await;
        stage.provider.expect_challenge(&granted["code_challenge"]);
        let code = stage.come_back(&granted).await;
        let verifiers: Vec<_> = stage.provider.asked().iter().filter_map(|it| it.form.get("code_verifier").cloned()).collect();
        let contents = stage.server.database().contents().await;
        let holds = |text: &str| {
            contents.iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
        };
        assert!(holds("auth.example.com") && holds(APP), "the search finds what is there");
        for text in ["canary-access", "canary-refresh", "canary-client", CODE, SECRET, &begun["state"], &granted["state"], &code] {
            assert!(!holds(text), "{text}");
        }
        assert_eq!(verifiers.len(), 2);
        assert!(verifiers.iter().all(|verifier| !holds(verifier)));
        assert!(!stage.server.metrics().contains("canary"));
        // A secret that stands in another's place does not open there.
        stage.server.verify_state().await;
        let id = id_of(&made);
        let swap = |from: &str, to: &str| format!(
            "UPDATE connection_secrets SET sealed = (SELECT sealed FROM connection_secrets WHERE connection_id = '{id}' AND name = '{from}')
             WHERE connection_id = '{id}' AND name = '{to}'");
        stage.server.database().execute(&swap("refresh_token", "access_token")).await;
        assert_eq!(stage.token(id).await.unwrap_err().code(), "unavailable");
        assert!(!stage.server.check_record().await.is_clean());
        drop(uuid);
        stage.server.stop().await;
    }

    /// An export leaves it out with its client, and nothing that comes in takes its place.
    async fn one_neither_goes_out_nor_is_put_in_the_place_of(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let typed = "/api/services/zis/integrations/my_integration/connections/bearer_token";
        let other = json!({ "name": "two", "allowed_domain": "a.example.com", "token": "canary-canary" });
        stage.zis.post(typed, &other).await.expect(201);
        let export = stage.server.client().get("/claviger/v1/connections/export").await.expect(200).json();
        let names = export["orgs"][0]["zis_connections"].as_array().unwrap().iter().map(|one| one["name"].as_str());
        assert_eq!(names.collect::<Vec<_>>(), [Some("two")]);
        assert!(!export.to_string().contains("my-client"));
        let before = stage.server.engine.applied();
        for (id, name) in [(Value::Null, "one"), (made["uuid"].clone(), "one"), (made["uuid"].clone(), "three")] {
            let mut entry = json!({ "integration": "my_integration", "type": "bearer_token", "name": name,
                "allowed_domain": "auth.example.com", "token": "canary-canary" });
            if id.is_string() {
                entry["id"] = id;
            }
            let file = json!({ "orgs": [{ "id": stage.org().to_string(), "zis_connections": [entry] }] });
            let Err(ImportError::Faults(faults)) = stage.server.engine.import(&file).await else { panic!("{file}") };
            let differing = "/orgs/0/zis_connections/0/type";
            assert!(faults.iter().any(|it| it.pointer == differing && it.reason == "differs from what is there"), "{faults:?}");
        }
        assert_eq!(stage.server.engine.applied(), before);
        assert_eq!(stage.token(id_of(&made)).await.unwrap(), "canary-access-1");
        stage.stop().await;
    }

    async fn what_is_edited_behind_the_servers_back_is_found(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        let path = format!("{CLIENTS}/{uuid}");
        stage.zis.send(Method::PATCH, &path, Some(json!({ "client_secret": SECRET }))).await.expect(204);
        stage.connect("one").await;
        stage.server.verify_state().await;
        for (table, edit, undo) in [
            ("zis_oauth_clients", "token_url = 'https://evil.example.com/token'", "token_url = 'https://auth.example.com/token'"),
            ("zis_oauth_clients", "auth_url = NULL", "auth_url = 'https://auth.example.com/authorize?prompt=consent'"),
            ("zis_oauth_clients", "allowed_domain = 'evil.example.com'", "allowed_domain = NULL"),
            ("zis_oauth_clients", "client_id = 'evil'", "client_id = 'my-client'"),
            ("zis_oauth_clients", "default_scopes = 'admin'", "default_scopes = 'read write'"),
            ("zis_oauth_clients", "name = 'evil'", "name = 'mine'"),
            ("zis_oauth_clients", "integration = 'evil'", "integration = 'my_integration'"),
            ("zis_oauth_clients", "grant_type = 'client_credentials'", "grant_type = 'authorization_code'"),
            ("zis_oauth_clients", "grant_revision = grant_revision - 1", "grant_revision = grant_revision + 1"),
            ("zis_oauth_clients", "secret_revision = secret_revision - 1", "secret_revision = secret_revision + 1"),
            ("zis_integrations", "redirect_origins = 'https://evil.example.com'", "redirect_origins = 'https://app.example.com'"),
            ("zis_integrations", "redirect_origins = ''", "redirect_origins = 'https://app.example.com'"),
            (
                "connections",
                "settings = replace(settings, 'auth.example.com', 'evil.example.com')",
                "settings = replace(settings, 'evil.example.com', 'auth.example.com')",
            ),
        ] {
            stage.server.database().execute(&format!("UPDATE {table} SET {edit}")).await;
            assert!(!stage.server.check_record().await.is_clean(), "{table}: {edit}");
            stage.server.database().execute(&format!("UPDATE {table} SET {undo}")).await;
            let report = stage.server.check_record().await;
            assert!(report.is_clean(), "{table}: {undo}: {:?}", report.findings);
        }
        stage.stop().await;
    }

    /// What was kept is good after a restart.
    async fn a_restart_loses_nothing(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let way = stage.begin("two").await;
        let Stage { server, provider, zis, admin, number } = stage;
        let setup = crate::support::oauth::setup(&provider, Duration::from_secs(5));
        let server = server.halt().await.start(setup).await;
        let (zis, admin) = (zis.to(&server), admin.to(&server));
        let stage = Stage { server, provider, zis, admin, number };
        assert_eq!(stage.token(id_of(&made)).await.unwrap(), "canary-access-1");
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        stage.finish(&code).await.expect(200);
        stage.wait_seconds(3600);
        // Only the last token for renewing is good, and it is the second connection's.
        assert_eq!(stage.token(id_of(&stage.show("two").await)).await.unwrap(), "canary-access-3");
        stage.stop().await;
    }
}
