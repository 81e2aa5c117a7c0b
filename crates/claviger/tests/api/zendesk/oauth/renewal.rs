//! Tokens that are renewed before they end: once for all who ask, by whoever holds the fence.

use std::time::Duration;

use claviger_oauth::OAuth;
use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{CLIENTS, ONE, Stage, id_of};
use crate::support::provider::{Mood, SECRET};
use crate::support::{TestDatabase, with_either_database};

const HOUR: i64 = 3600;

/// What each request for renewing sent.
fn renewals(stage: &Stage) -> Vec<String> {
    let asked = stage.provider.asked();
    asked.iter().filter_map(|asked| asked.form.get("refresh_token").cloned()).collect()
}

async fn health(stage: &Stage, id: &str) -> (Value, Value) {
    let shown = stage.server.client().get(&format!("/claviger/v1/connections/{id}")).await.expect(200).json();
    (shown["health"]["status"].clone(), shown["health"]["reason"].clone())
}

with_either_database! {
    async fn a_token_is_renewed_within_its_last_minute(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let id = id_of(&made);
        // It began at 7.12 s past the minute, and its end is kept in whole seconds.
        stage.wait_seconds(HOUR - 62);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-1");
        assert!(renewals(&stage).is_empty());
        stage.wait_seconds(2);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        // Each renewal brings another token for the next.
        stage.wait_seconds(2 * HOUR);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-3");
        assert_eq!(renewals(&stage), ["canary-refresh-1", "canary-refresh-2"]);
        let shown = stage.show("one").await;
        assert_eq!(shown["token_expiry"], "2026-03-04T09:05:07Z");
        // The server itself did it, and recorded it.
        let path = format!("/claviger/v1/connections/{}/history", made["uuid"].as_str().unwrap());
        let history = stage.server.client().get(&path).await.expect(200).json();
        let entries = history["entries"].as_array().unwrap();
        let told: Vec<_> = entries.iter().map(|entry| (entry["action"].as_str().unwrap(), entry["user"].is_null())).collect();
        assert_eq!(told, [("connection.refreshed", true), ("connection.refreshed", true), ("connection.created", false)]);
        stage.stop().await;
    }

    async fn where_no_other_comes_the_token_for_renewing_stays(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let id = id_of(&stage.connect("one").await);
        stage.provider.set(Mood::Keeping);
        for number in 2..4 {
            stage.wait_seconds(HOUR);
            assert_eq!(stage.token(id).await.unwrap(), format!("canary-access-{number}"));
        }
        assert_eq!(renewals(&stage), ["canary-refresh-1", "canary-refresh-1"]);
        stage.stop().await;
    }

    async fn client_credentials_are_used_again(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let id = id_of(&stage.connect_by_credentials("one").await);
        stage.wait_seconds(HOUR);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        let asked = stage.provider.asked();
        assert!(asked.iter().all(|it| it.form["grant_type"] == "client_credentials" && it.form["scope"] == "read write"));
        stage.stop().await;
    }

    async fn one_that_nothing_renews_lasts_until_its_end(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        stage.provider.set(Mood::Fleeting);
        let fleeting = id_of(&stage.connect("fleeting").await);
        stage.provider.set(Mood::Endless);
        let endless = id_of(&stage.connect("endless").await);
        assert_eq!(stage.show("endless").await["token_expiry"], Value::Null);
        stage.wait_seconds(HOUR - 2);
        assert_eq!(stage.token(fleeting).await.unwrap(), "canary-access-1");
        stage.wait_seconds(2);
        let error = stage.token(fleeting).await.unwrap_err();
        assert_eq!((error.code(), error.is_final()), ("token_over", true));
        stage.refresh("fleeting").await.expect(400);
        stage.wait_seconds(1000 * HOUR);
        assert_eq!(stage.token(endless).await.unwrap(), "canary-access-2");
        assert!(renewals(&stage).is_empty());
        stage.stop().await;
    }

    async fn of_32_who_ask_at_once_one_exchange_serves_all(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let (org, id) = (stage.org(), id_of(&stage.connect("one").await));
        stage.wait_seconds(HOUR);
        stage.provider.set(Mood::Held);
        let before = stage.provider.asked().len();
        let ask = |oauth: OAuth| async move { oauth.access_token(org, id).await.map(|token| token.reveal().to_owned()) };
        let mut askers = tokio::task::JoinSet::new();
        for _ in 0..31 {
            askers.spawn(ask(stage.server.oauth.clone()));
        }
        // Whoever gives up does not break it off for the others.
        let impatient = tokio::spawn(ask(stage.server.oauth.clone()));
        stage.provider.wait_for(before + 1).await;
        impatient.abort();
        stage.provider.release();
        let tokens = askers.join_all().await;
        assert!(tokens.iter().all(|token| token.as_deref().is_ok_and(|it| it == "canary-access-2")), "{tokens:?}");
        assert_eq!(stage.provider.asked().len(), before + 1);
        stage.stop().await;
    }

    /// Another holder of the same database whose answer comes once its time is over: what it brings is dropped.
    async fn a_late_holders_answer_is_dropped(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let (org, id) = (stage.org(), id_of(&stage.connect_by_credentials("one").await));
        stage.wait_seconds(HOUR);
        stage.provider.set(Mood::Held);
        let before = stage.provider.asked().len();
        let late = stage.server.oauth.clone();
        let late = tokio::spawn(async move { late.access_token(org, id).await.map(|token| token.reveal().to_owned()) });
        stage.provider.wait_for(before + 1).await;
        // Nobody else takes over before its time is over.
        let exchange = stage.provider.exchange(Duration::from_secs(30));
        let other = OAuth::new(stage.server.engine.clone(), exchange, None);
        assert_eq!(other.access_token(org, id).await.unwrap_err().code(), "busy");
        stage.wait_seconds(31);
        let second = other.clone();
        let second = tokio::spawn(async move { second.access_token(org, id).await.map(|token| token.reveal().to_owned()) });
        stage.provider.wait_for(before + 2).await;
        // The second was given its token after the first.
        stage.provider.release();
        let (late, second) = (late.await.unwrap(), second.await.unwrap());
        assert_eq!(second.as_deref().unwrap(), "canary-access-3");
        // Whoever came late is told what stands, or that it is being renewed; never what it brought.
        assert!(late.as_deref().map_or_else(|error| error.code() == "busy", |it| it == "canary-access-3"), "{late:?}");
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-3");
        drop(other);
        stage.stop().await;
    }

    /// An answer to a question that was asked before somebody agreed anew, or changed the client, is not stored over it.
    async fn an_answer_to_an_older_question_is_dropped(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let client = stage.client().await;
        let (org, id) = (stage.org(), id_of(&stage.connect_by_credentials("one").await));
        #[allow(clippy::async_yields_async, reason = "the question is asked, and its answer is awaited later")]
        let ask = async || {
            let oauth = stage.server.oauth.clone();
            let before = stage.provider.asked().len();
            stage.provider.set(Mood::Held);
            let asker = tokio::spawn(async move { oauth.access_token(org, id).await.map(|token| token.reveal().to_owned()) });
            stage.provider.wait_for(before + 1).await;
            asker
        };
        stage.wait_seconds(HOUR);
        let asker = ask().await;
        stage.zis.send(Method::PATCH, &format!("{CLIENTS}/{client}"), Some(json!({ "client_secret": SECRET }))).await.expect(204);
        stage.provider.release();
        assert_eq!(asker.await.unwrap().unwrap_err().code(), "tokens_lost");
        assert_eq!(stage.show("one").await["access_token"], "");
        let found = stage.server.database().scalar("SELECT COUNT(*) FROM connection_secrets").await;
        assert_eq!(found, "0");

        // And one whose connection is gone brings nothing back.
        stage.connect_by_credentials("one").await;
        stage.wait_seconds(HOUR);
        let asker = ask().await;
        stage.zis.delete(&format!("{ONE}?name=one")).await.expect(204);
        stage.provider.release();
        assert_eq!(asker.await.unwrap().unwrap_err().code(), "connection_absent");
        stage.stop().await;
    }

    async fn what_else_changes_meanwhile_does_not_lose_the_new_token(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let (org, id) = (stage.org(), id_of(&made));
        stage.wait_seconds(HOUR);
        stage.provider.set(Mood::Held);
        let before = stage.provider.asked().len();
        let oauth = stage.server.oauth.clone();
        let asker = tokio::spawn(async move { oauth.access_token(org, id).await.map(|token| token.reveal().to_owned()) });
        stage.provider.wait_for(before + 1).await;
        let everybody = [("editor", format!("org:{org}"))];
        crate::support::restrictions::restrict(&stage.server.client(), made["uuid"].as_str().unwrap(), &everybody).await;
        stage.provider.release();
        assert_eq!(asker.await.unwrap().unwrap(), "canary-access-2");
        stage.wait_seconds(HOUR);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-3");
        stage.stop().await;
    }

    async fn a_refusal_for_good_stands_until_something_changes(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let (id, uuid) = (id_of(&made), made["uuid"].as_str().unwrap().to_owned());
        stage.wait_seconds(HOUR - 30);
        stage.provider.set(Mood::Refusing("invalid_grant"));
        // As long as the present one lasts, it does.
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-1");
        assert_eq!(renewals(&stage).len(), 1);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-1");
        stage.wait_seconds(30);
        for _ in 0..3 {
            let error = stage.token(id).await.unwrap_err();
            assert_eq!((error.code(), error.is_final()), ("grant_refused", true));
            stage.wait_seconds(HOUR);
        }
        assert_eq!(renewals(&stage).len(), 1, "it is not asked again");
        assert_eq!(health(&stage, &uuid).await, (json!("bad"), json!("oauth: invalid_grant")));
        // It is remembered by the database.
        let other = OAuth::new(stage.server.engine.clone(), stage.provider.exchange(Duration::from_secs(5)), None);
        assert_eq!(other.access_token(stage.org(), id).await.unwrap_err().code(), "grant_refused");
        drop(other);
        // Whoever asks for a new one expressly is heard: somebody may have mended it over there.
        let answer = stage.refresh("one").await.expect(400);
        assert_eq!(answer.json()["errors"][0]["title"], "the authorization server refuses to renew the token: invalid_grant");
        assert_eq!(renewals(&stage).len(), 2);
        stage.provider.set(Mood::Good);
        let renewed = stage.refresh("one").await.expect(200).json();
        assert_eq!((&renewed["access_token"], renewals(&stage).len()), (&json!("*****"), 3));
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        assert_eq!(health(&stage, &uuid).await, (Value::Null, Value::Null));

        // Agreeing anew mends it too.
        stage.wait_seconds(HOUR);
        stage.provider.set(Mood::Refusing("invalid_grant"));
        assert_eq!(stage.token(id).await.unwrap_err().code(), "grant_refused");
        stage.provider.set(Mood::Good);
        stage.connect("one").await;
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-3");
        assert_eq!(health(&stage, &uuid).await, (Value::Null, Value::Null));
        stage.stop().await;
    }

    async fn trouble_is_told_and_soon_forgotten(database: TestDatabase) {
        let stage = Stage::set_with(database, Duration::from_secs(2), |_| ()).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let id = id_of(&made);
        stage.wait_seconds(HOUR - 30);
        stage.provider.set(Mood::Broken(503));
        let before = stage.provider.asked().len();
        for _ in 0..3 {
            assert_eq!(stage.token(id).await.unwrap(), "canary-access-1", "the present one lasts");
        }
        assert_eq!(stage.provider.asked().len(), before + 1);
        stage.wait_seconds(30);
        for (mood, code, seconds) in [
            (Mood::Broken(503), "provider_failed", 5),
            (Mood::Limiting, "provider_limited", 7),
            (Mood::Silent, "provider_timeout", 5),
            (Mood::Redirecting, "provider_garbage", 5),
        ] {
            stage.provider.set(mood);
            let before = stage.provider.asked().len();
            for _ in 0..3 {
                let error = stage.token(id).await.unwrap_err();
                assert_eq!((error.code(), error.is_final()), ("provider", false), "{mood:?}");
                assert!(error.to_string().ends_with(code), "{error}");
            }
            assert_eq!(stage.provider.asked().len(), before + 1, "{mood:?}: it is asked once for a while");
            stage.wait_seconds(seconds - 1);
            stage.token(id).await.unwrap_err();
            assert_eq!(stage.provider.asked().len(), before + 1);
            stage.wait_seconds(1);
        }
        assert_eq!(health(&stage, made["uuid"].as_str().unwrap()).await, (Value::Null, Value::Null));
        stage.provider.set(Mood::Good);
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        stage.stop().await;
    }

    async fn a_new_token_can_be_asked_for(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        stage.wait_seconds(1);
        let renewed = stage.refresh("one").await.expect(200);
        assert!(renewed.header("claviger-position").starts_with("1."));
        let renewed = renewed.json();
        assert_eq!((&renewed["uuid"], &renewed["token_expiry"]), (&made["uuid"], &json!("2026-03-04T06:06:08Z")));
        assert_eq!((&renewed["access_token"], &renewed["refresh_token"]), (&json!("*****"), &json!("*****")));
        assert_eq!(stage.token(id_of(&made)).await.unwrap(), "canary-access-2");
        stage.provider.set(Mood::Broken(500));
        stage.refresh("one").await.expect(502);
        assert_eq!(stage.token(id_of(&made)).await.unwrap(), "canary-access-2");
        stage.stop().await;
    }

    /// A provider may take a token back before its end: whoever is refused with it asks for another.
    async fn a_token_that_was_refused_is_replaced_once(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let (org, id) = (stage.org(), id_of(&stage.connect("one").await));
        let first = stage.server.oauth.access_token(org, id).await.unwrap();
        let mut refused = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (oauth, first) = (stage.server.oauth.clone(), first.clone());
            refused.spawn(async move { oauth.replace_token(org, id, &first).await.unwrap().reveal().to_owned() });
        }
        assert!(refused.join_all().await.iter().all(|token| token == "canary-access-2"));
        assert_eq!(renewals(&stage).len(), 1);
        let second = stage.server.oauth.replace_token(org, id, &first).await.unwrap();
        assert_eq!((second.reveal(), renewals(&stage).len()), ("canary-access-2", 1));
        // Where there is no other, none is given: the refused one would be refused again.
        stage.provider.set(Mood::Broken(500));
        assert_eq!(stage.server.oauth.replace_token(org, id, &second).await.unwrap_err().code(), "provider");
        assert_eq!(stage.token(id).await.unwrap(), "canary-access-2");
        stage.stop().await;
    }

    async fn only_an_orgs_own_connections_have_tokens(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let id = id_of(&stage.connect("one").await);
        let other = stage.server.found_another("Other").await.org;
        assert_eq!(stage.server.oauth.access_token(other, id).await.unwrap_err().code(), "connection_absent");
        let typed = "/api/services/zis/integrations/my_integration/connections/bearer_token";
        stage.zis.post(typed, &json!({ "name": "other", "allowed_domain": "a.example.com", "token": "x" })).await.expect(201);
        let listed = stage.server.client().get("/claviger/v1/connections?dialect=zendesk").await.expect(200).json();
        let found = listed["connections"].as_array().unwrap().iter().find(|it| it["name"] == "other").unwrap();
        let plain = found["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(stage.token(plain).await.unwrap_err().code(), "connection_absent");
        stage.stop().await;
    }
}
