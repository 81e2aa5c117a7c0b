//! `/claviger/v1/…/rotate`: rotation with overlap, of every kind of key that the server issues.

use http::Method;
use serde_json::{Value, json};

use crate::support::sample::{self, Made};
use crate::support::tokens::{
    personal_access_token, service_access_token, service_account, service_account_key,
};
use crate::support::{Keys, TestDatabase, TestServer, guarded, on_both_engines, with_either_database};

const SECOND: i64 = 1_000_000;

/// A key of each kind and the path under which it is rotated.
async fn one_of_each(server: &TestServer) -> Vec<(Made, String)> {
    let client = server.client();
    let account = service_account(&client, json!([])).await;
    let scopes = json!(["monitors_read"]);
    let api_key = sample::api_key(&client).await;
    let application_key = sample::application_key(&client, Value::Null).await;
    let machines_key = service_account_key(&client, &account, scopes.clone()).await;
    let token = personal_access_token(&client, scopes.clone()).await;
    let machines_token = service_access_token(&client, &account, scopes).await;
    let native_key = sample::native_key(&client, &json!({ "name": "Native", "prefix": "acme_test" })).await;
    [
        (api_key, "api_keys"),
        (application_key, "application_keys"),
        (machines_key, "application_keys"),
        (token, "tokens"),
        (machines_token, "tokens"),
        (native_key, "keys"),
    ]
    .into_iter()
    .map(|(made, family)| {
        let path = format!("/claviger/v1/{family}/{}", made.id);
        (made, path)
    })
    .collect()
}

/// Whether these rows of the database still have something to open.
async fn count(server: &TestServer, key: &Made, condition: &str) -> String {
    let sql = format!("SELECT COUNT(*) FROM secrets WHERE credential_id = '{}' AND {condition}", key.id);
    server.database().scalar(&sql).await
}

on_both_engines! {
    async fn the_old_secret_goes_on_until_the_grace_ends(server: &TestServer) {
        for (old, path) in one_of_each(server).await {
            let before = server.client().get(&path).await.expect(200).json();
            let answer = server.client().post(&format!("{path}/rotate"), &json!({ "grace_seconds": 60 })).await.expect(200);
            assert!(answer.header("claviger-position").starts_with("1."), "{path}");
            let (answer, new) = (answer.json(), guarded::made(answer));
            assert_eq!(new.id, old.id);
            assert_ne!(new.secret, old.secret);
            // The new secret is of the old one's form, and everything else of the key stays.
            let form = |secret: &str| (secret.len(), secret.split_once('_').map(|(prefix, _)| prefix.to_owned()));
            assert_eq!(form(&new.secret), form(&old.secret));
            assert_eq!(answer["last4"], new.secret[new.secret.len() - 4..]);
            assert_eq!(before["public_portion"].is_null(), answer["public_portion"].is_null());
            if let Some(portion) = answer["public_portion"].as_str() {
                assert!(new.secret.contains(portion) && !old.secret.contains(portion));
            }
            for same in ["id", "kind", "name", "owner", "scopes", "created_at", "allow_list", "request_limit", "expires_at"] {
                assert_eq!(answer[same], before[same], "{path}: {same}");
            }
            let mut shown = answer.clone();
            shown.as_object_mut().unwrap().remove("secret");
            let mut read = server.client().get(&path).await.expect(200).json();
            read["last_used_at"] = shown["last_used_at"].clone();
            assert_eq!(read, shown, "and it is not shown again");
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["ok", "ok"], "{path}");
            server.clock.advance_micros(60 * SECOND - 1);
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["ok", "ok"], "{path}");
            server.clock.advance_micros(1);
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["expired", "ok"], "{path}");
            assert_eq!(server.client().get(&path).await.expect(200).json()["old_secret_valid_until"], Value::Null);
            // Refused by the clock alone until it is buried, and then as everything that is dead.
            assert_eq!(count(server, &old, "dead_at IS NULL").await, "2");
            server.engine.end_rotations().await.unwrap();
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["unknown", "ok"], "{path}");
            assert_eq!(count(server, &old, "dead_at IS NULL").await, "1");
            assert_eq!(count(server, &old, "dead_at IS NOT NULL AND sealed IS NULL").await, "1", "the tombstone stays");
        }
        assert!(server.check_record().await.is_clean(), "{:?}", server.check_record().await);
    }

    async fn without_a_grace_the_old_secret_dies_at_once(server: &TestServer) {
        for (old, path) in one_of_each(server).await {
            let new = guarded::made(server.client().post(&format!("{path}/rotate"), &json!({})).await.expect(200));
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["unknown", "ok"], "{path}");
            assert_eq!(count(server, &old, "dead_at IS NULL").await, "1");
        }
        assert!(server.check_record().await.is_clean());
    }

    async fn a_second_rotation_kills_the_older_secret(server: &TestServer) {
        for (first, path) in one_of_each(server).await {
            let second = guarded::rotate(&server.client(), &path, 3600).await;
            let third = guarded::rotate(&server.client(), &path, 60).await;
            let verdicts = async || {
                let mut verdicts = Vec::new();
                for made in [&first, &second, &third] {
                    verdicts.push(server.verdict(&made.secret).await);
                }
                verdicts
            };
            assert_eq!(verdicts().await, ["unknown", "ok", "ok"], "{path}");
            server.clock.advance_micros(60 * SECOND);
            assert_eq!(verdicts().await, ["unknown", "expired", "ok"], "{path}: the second has the later grace");
            let fourth = guarded::rotate(&server.client(), &path, 0).await;
            assert_eq!(verdicts().await, ["unknown", "unknown", "unknown"], "{path}");
            assert_eq!(server.verdict(&fourth.secret).await, "ok");
        }
        assert!(server.check_record().await.is_clean());
    }

    async fn revoking_during_the_grace_kills_both(server: &TestServer) {
        for (old, path) in one_of_each(server).await {
            let new = guarded::rotate(&server.client(), &path, 3600).await;
            let vendors = match path.split('/').nth(3).unwrap() {
                "tokens" => format!("/api/v2/personal_access_tokens/{}", old.id),
                "keys" => path.clone(),
                family => format!("/api/v2/{family}/{}", old.id),
            };
            server.client().delete(&vendors).await.expect(204);
            assert_eq!([server.verdict(&old.secret).await, server.verdict(&new.secret).await], ["unknown", "unknown"], "{path}");
            server.client().post(&format!("{path}/rotate"), &json!({})).await.expect(404);
            server.client().get(&path).await.expect(404);
            assert_eq!(count(server, &old, "(dead_at IS NULL OR sealed IS NOT NULL)").await, "0");
            server.clock.advance_micros(3600 * SECOND);
            let before = server.engine.applied();
            server.engine.end_rotations().await.unwrap();
            assert_eq!(server.engine.applied(), before, "nothing is left to bury");
        }
        assert!(server.check_record().await.is_clean());
    }

    async fn no_grace_reaches_beyond_the_keys_own_end(server: &TestServer) {
        let client = server.client();
        let key = guarded::application_key(&client, json!({ "expires_at": "2026-03-04T05:06:37.123456Z" })).await;
        let path = format!("/claviger/v1/application_keys/{}", key.id);
        let answer = client.post(&format!("{path}/rotate"), &json!({ "grace_seconds": 3600 })).await.expect(200);
        assert_eq!(answer.json()["old_secret_valid_until"], "2026-03-04T05:06:37.123456Z");
        let new = guarded::made(answer);
        // A later end of the key is none of the old secret's.
        client.patch(&path, &json!({ "expires_at": null })).await.expect(200);
        server.clock.advance_micros(30 * SECOND);
        assert_eq!([server.verdict(&key.secret).await, server.verdict(&new.secret).await], ["expired", "ok"]);
        // And a sooner one is.
        let newer = guarded::rotate(&client, &path, 3600).await;
        client.patch(&path, &json!({ "expires_at": "2026-03-04T05:06:47.123456Z" })).await.expect(200);
        server.clock.advance_micros(10 * SECOND);
        assert_eq!([server.verdict(&new.secret).await, server.verdict(&newer.secret).await], ["expired", "expired"]);
        let refused = client.post(&format!("{path}/rotate"), &json!({})).await.expect(400).json();
        assert_eq!(refused["errors"][0]["field"], "expires_at");
        client.post(&format!("{path}/rotate"), &json!({ "grace_seconds": 2_592_001 })).await.expect(400);
    }

    async fn version_1_finds_a_key_by_either_secret(server: &TestServer) {
        let client = server.client();
        let api_key = sample::api_key(&client).await;
        let application_key = sample::application_key(&client, Value::Null).await;
        for (old, family, v1, member) in [
            (api_key, "api_keys", "/api/v1/api_key", "api_key"),
            (application_key, "application_keys", "/api/v1/application_key", "application_key"),
        ] {
            let new = guarded::rotate(&client, &format!("/claviger/v1/{family}/{}", old.id), 60).await;
            for made in [&old, &new] {
                let found = client.get(&format!("{v1}/{}", made.secret)).await.expect(200).json();
                assert!(found[member].to_string().contains(&new.secret), "both show the newest");
            }
            server.clock.advance_micros(60 * SECOND);
            for _ in 0..2 {
                client.get(&format!("{v1}/{}", old.secret)).await.expect(404);
                client.put(&format!("{v1}/{}", old.secret), &json!({ "name": "x" })).await.expect(404);
                client.delete(&format!("{v1}/{}", old.secret)).await.expect(404);
                server.engine.end_rotations().await.unwrap();
            }
            client.get(&format!("{v1}/{}", new.secret)).await.expect(200);
        }
    }

    async fn what_is_shown_once_is_shown_by_the_rotation_alone(server: &TestServer) {
        let client = server.client();
        let key = sample::application_key(&client, Value::Null).await;
        let path = format!("/claviger/v1/application_keys/{}", key.id);
        let vendors = format!("/api/v2/current_user/application_keys/{}", key.id);
        let again = guarded::rotate(&client, &path, 60).await;
        assert_eq!(client.get(&vendors).await.expect(200).json()["data"]["attributes"]["key"], again.secret);
        assert_eq!(count(server, &key, "sealed IS NOT NULL").await, "1", "the old one is not kept to be shown");
        client.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
        let new = guarded::rotate(&client, &path, 60).await;
        assert_eq!(server.verdict(&new.secret).await, "ok");
        assert_eq!(client.get(&vendors).await.expect(200).json()["data"]["attributes"].get("key"), None);
        let token = personal_access_token(&client, json!(["monitors_read"])).await;
        guarded::rotate(&client, &format!("/claviger/v1/tokens/{}", token.id), 60).await;
        for made in [&key, &token] {
            assert_eq!(count(server, made, "sealed IS NOT NULL").await, "0");
        }
        assert!(server.check_record().await.is_clean());
    }

    async fn nobody_learns_by_rotation_what_they_could_not_make(server: &TestServer) {
        let client = server.client();
        let rotate = |path: String| (path, json!({ "grace_seconds": 60 }));
        let mine = sample::application_key(&client, Value::Null).await;
        let lesser = sample::application_key(&client, json!(["user_app_keys"])).await;
        let narrowed = sample::application_key(&client, json!(["user_app_keys", "monitors_read"])).await;
        let narrowed = server.beside(&narrowed.secret);
        let (path, body) = rotate(format!("/claviger/v1/application_keys/{}/rotate", mine.id));
        narrowed.post(&path, &body).await.expect(403);
        let (path, body) = rotate(format!("/claviger/v1/application_keys/{}/rotate", lesser.id));
        narrowed.post(&path, &body).await.expect(200);
        // Other orgs' are not there.
        let stranger = server.client_with(Keys::of(&server.found_another("Foreign").await));
        stranger.post(&path, &body).await.expect(404);
        assert_eq!(server.verdict(&mine.secret).await, "ok");
    }

    async fn rotations_are_on_the_record_without_their_secrets(server: &TestServer) {
        let client = server.client();
        let key = sample::api_key(&client).await;
        let new = guarded::rotate(&client, &format!("/claviger/v1/api_keys/{}", key.id), 60).await;
        server.clock.advance_micros(60 * SECOND);
        server.engine.end_rotations().await.unwrap();
        let sql = format!("SELECT change FROM ledger WHERE subject_id = '{}' AND action = 'credential.rotated'", key.id);
        let entry: Value = serde_json::from_str(&server.database().scalar(&sql).await).unwrap();
        assert_eq!((&entry["last4"], &entry["was"]), (&json!(new.secret[28..]), &json!(key.secret[28..])));
        let state = &entry["states"][format!("credential:{}", key.id)];
        assert_eq!(state["secrets"].as_array().unwrap().len(), 2);
        assert_eq!(state["replaced"].as_object().unwrap().values().collect::<Vec<_>>(), [&entry["old_valid_until"]]);
        let ended = format!("SELECT COUNT(*) FROM ledger WHERE subject_id = '{}' AND action = 'credential.rotation_ended'", key.id);
        assert_eq!(server.database().scalar(&ended).await, "1");
        for (place, bytes) in server.database().contents().await {
            for secret in [&key.secret, &new.secret] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place}");
            }
        }
    }
}

with_either_database! {
    /// Both secrets, and the end of the old one, are as good as before after a restart; and edits behind the server's
    /// back are found.
    async fn the_grace_outlives_a_restart_and_is_part_of_the_record(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let key = sample::api_key(&server.client()).await;
        let new = guarded::rotate(&server.client(), &format!("/claviger/v1/api_keys/{}", key.id), 60).await;
        let halted = server.halt().await;
        let server = halted.start(crate::support::Setup::default()).await;
        assert_eq!([server.verdict(&key.secret).await, server.verdict(&new.secret).await], ["ok", "ok"]);
        assert!(server.check_record().await.is_clean());
        for edit in ["valid_until = valid_until + 1", "valid_until = NULL"] {
            let sql = |set: &str| format!("UPDATE secrets SET {set} WHERE credential_id = '{}' AND revision = 1", key.id);
            let before = format!("SELECT valid_until FROM secrets WHERE credential_id = '{}' AND revision = 1", key.id);
            let before = server.database().scalar(&before).await;
            server.database().execute(&sql(edit)).await;
            assert!(!server.check_record().await.is_clean(), "{edit}");
            server.database().execute(&sql(&format!("valid_until = {before}"))).await;
            assert!(server.check_record().await.is_clean());
        }
        server.clock.advance_micros(60 * SECOND);
        assert_eq!([server.verdict(&key.secret).await, server.verdict(&new.secret).await], ["expired", "ok"]);
        server.engine.end_rotations().await.unwrap();
        assert_eq!(server.verdict(&key.secret).await, "unknown");
        server.stop().await;
    }

    /// Whoever rotates or edits at the same time as others leaves one newest secret and at most one old one.
    async fn rotations_at_the_same_time_leave_one_newest_secret(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let key = sample::api_key(&server.client()).await;
        let path = format!("/claviger/v1/api_keys/{}/rotate", key.id);
        let rotations = (0..4).map(|_| {
            let (client, path) = (server.client(), path.clone());
            tokio::spawn(async move {
                client.send(Method::POST, &path, &[], Some(r#"{"grace_seconds":60}"#)).await
            })
        });
        let mut secrets = vec![key.secret.clone()];
        for rotation in rotations.collect::<Vec<_>>() {
            secrets.push(guarded::made(rotation.await.unwrap().expect(200)).secret);
        }
        let mut good = 0;
        for secret in &secrets {
            good += usize::from(server.verdict(secret).await == "ok");
        }
        assert_eq!(good, 2);
        assert_eq!(count(&server, &key, "dead_at IS NULL AND valid_until IS NULL").await, "1");
        assert!(server.check_record().await.is_clean());
        server.stop().await;
    }
}
