//! What the record says of passwords and sessions, and whether it notices what it does not say.

use claviger_model::{OrgId, UserId};
use serde_json::{Value, json};

use super::{HOUR, person};
use crate::native::webhooks::{hook, telling};
use crate::receiver::{Delivery, Receiver};
use crate::support::session::{ADMIN, Browser, PASSWORD, SESSION, set_password};
use crate::support::{TestDatabase, TestServer, on_both_engines, with_either_database};

/// What a check finds, as sentences.
async fn findings(server: &TestServer) -> Vec<String> {
    server.check_record().await.findings.iter().map(ToString::to_string).collect()
}

/// Does something behind the server's back and undoes it; tells what a check finds meanwhile.
async fn tampered(server: &TestServer, sql: &str) -> Vec<String> {
    let database = server.database();
    database.execute("CREATE TABLE kept AS SELECT * FROM user_passwords").await;
    database.execute(sql).await;
    let found = findings(server).await;
    database
        .execute("DELETE FROM user_passwords; INSERT INTO user_passwords SELECT * FROM kept; DROP TABLE kept")
        .await;
    server.verify_state().await;
    found
}

on_both_engines! {
    async fn who_signed_in_and_out_is_in_the_record(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        browser.delete(SESSION).await.expect(204);
        let of = async |action: &str, column: &str| {
            let sql = format!("SELECT {column} FROM ledger WHERE action = '{action}' AND change LIKE '%ession%'");
            server.database().scalar(&sql).await
        };
        let begun: Value = serde_json::from_str(&of("credential.created", "change").await).unwrap();
        assert_eq!((&begun["kind"], &begun["ended"]), (&json!("session"), &json!(0)));
        let actor: Value = serde_json::from_str(&of("credential.created", "actor").await).unwrap();
        assert_eq!((&actor["user"], &actor["from"]), (&json!(server.founded.user.to_string()), &json!("127.0.0.1")));
        let ended: Value = serde_json::from_str(&of("credential.revoked", "change").await).unwrap();
        assert_eq!(ended["kind"], "session");
        let set: Value = serde_json::from_str(&of("user.password_set", "change").await).unwrap();
        assert_eq!(set["sessions"], 0);
        let key = format!("password:{}", server.founded.user);
        assert!(set["states"][&key]["revision"].is_i64(), "{set}");
        server.verify_state().await;
    }

    async fn a_hash_that_was_put_in_its_place_is_found(server: &TestServer) {
        let own = server.founded.user;
        set_password(server, server.founded.org, own, Some(PASSWORD)).await;
        server.clock.advance_micros(1);
        let (other, _) = person(server, &["Datadog Admin Role"]).await;
        let row = |user: &str| format!("password:{user}");
        let own_row = row(&own.to_string());
        let has = |found: &[String], row: &str, word: &str| {
            assert!(found.iter().any(|it| it.contains(row) && it.contains(word)), "{row} {word}: {found:?}");
        };
        let own_is = format!("user_id = '{own}'");
        // Another's hash, with and without its revision.
        for column in ["sealed", "revision"] {
            let sql = format!("UPDATE user_passwords SET {column} = (SELECT {column} FROM kept WHERE user_id = '{other}') WHERE {own_is}");
            has(&tampered(server, &sql).await, &own_row, "does not open");
        }
        let sql = format!("DELETE FROM user_passwords WHERE {own_is}");
        has(&tampered(server, &sql).await, &own_row, "missing");
        // An older one, with all that was beside it.
        let older = |table: &str| format!("CREATE TABLE {table} AS SELECT * FROM user_passwords WHERE {own_is}");
        server.database().execute(&older("older")).await;
        server.clock.advance_micros(1);
        set_password(server, server.founded.org, own, Some("another horse battery")).await;
        let sql = format!("DELETE FROM user_passwords WHERE {own_is}; INSERT INTO user_passwords SELECT * FROM older");
        has(&tampered(server, &sql).await, &own_row, "");
        // One that was taken away.
        set_password(server, server.founded.org, own, None).await;
        has(&tampered(server, "INSERT INTO user_passwords SELECT * FROM older").await, &own_row, "");
        // Given anew within the same moment, it is yet another revision, so that none of before fits.
        set_password(server, server.founded.org, own, Some(PASSWORD)).await;
        let fits = format!("SELECT COUNT(*) FROM user_passwords p JOIN older o ON o.revision = p.revision WHERE p.{own_is}");
        assert_eq!(server.database().scalar(&fits).await, "0");
        server.database().execute("DROP TABLE older").await;
        server.verify_state().await;
    }

    async fn a_session_that_was_revived_or_given_away_is_found(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let (other, _) = person(server, &["Datadog Admin Role"]).await;
        let id = server.database().scalar("SELECT id FROM credentials WHERE kind = 'session'").await;
        let is_it = format!("WHERE id = '{id}'");
        for (edit, undo) in [
            (format!("owner_id = '{other}'"), format!("owner_id = '{}'", server.founded.user)),
            ("expires_at = expires_at + 1".to_owned(), "expires_at = expires_at - 1".to_owned()),
        ] {
            server.database().execute(&format!("UPDATE credentials SET {edit} {is_it}")).await;
            let found = findings(server).await;
            assert!(found.iter().any(|it| it.contains(&id)), "{edit}: {found:?}");
            server.database().execute(&format!("UPDATE credentials SET {undo} {is_it}")).await;
            server.verify_state().await;
        }
        browser.delete(SESSION).await.expect(204);
        server.database().execute(&format!("UPDATE credentials SET revoked_at = NULL {is_it}")).await;
        let found = findings(server).await;
        assert!(found.iter().any(|it| it.contains(&id)), "{found:?}");
    }

    /// Only people have passwords, and only their own org's operator gives them.
    async fn a_password_is_a_persons(server: &TestServer) {
        let account = crate::support::people::Member::join(server, "service_account", &["Datadog Admin Role"], Value::Null).await;
        let foreign = server.found_another("Foreign").await;
        let set = async |org: OrgId, user: UserId| {
            let password = claviger_vault::Password::parse(PASSWORD.to_owned().into()).unwrap();
            let operator = claviger_engine::Operator::of_machine();
            server.engine.set_password(&operator, org, user, Some(password)).await.is_ok()
        };
        assert!(!set(server.founded.org, account.id.parse().unwrap()).await);
        assert!(!set(server.founded.org, foreign.user).await);
        assert!(set(foreign.org, foreign.user).await);
        assert!(set(server.founded.org, server.founded.user).await);
        Browser::new(server).sign_in(ADMIN, PASSWORD).await.expect(201);
        server.verify_state().await;
    }
}

with_either_database! {
    /// Who signs in and out, and that every session ends within a day, is no event; that one leaked is.
    async fn webhooks_are_told_of_a_session_that_leaked_and_of_no_other(database: TestDatabase) {
        let server = TestServer::start_with(database, telling()).await;
        let (receiver, client) = (Receiver::start(), server.client());
        hook(&client, &receiver.url(), None).await;
        Browser::of_admin(&server).await.delete(SESSION).await.expect(204);
        let browser = Browser::of_admin(&server).await;
        // Keys that end before the session does, and are warned of before it would be.
        for _ in 0..3 {
            let body = json!({ "name": "marker", "expires_at": "2026-03-04T23:06:07Z" });
            let made = client.post("/claviger/v1/api_keys", &body).await.expect(201).json();
            // Ends are looked for now and then.
            server.clock.advance_micros(HOUR);
            let is_warned = |told: &[Delivery]| {
                told.iter().any(|it| it.kind() == "credential.expiring" && it.json()["data"]["subject"]["id"] == made["id"])
            };
            receiver.wait_until(is_warned);
        }
        let of_sessions = |told: &[Delivery]| {
            let is_one = |it: &&Delivery| it.json()["data"]["subject"]["kind"] == "session";
            told.iter().filter(is_one).map(Delivery::kind).collect::<Vec<_>>()
        };
        assert_eq!(of_sessions(&receiver.told()), [] as [&str; 0]);
        client.post("/claviger/v1/leaks", &json!({ "secret": browser.token() })).await.expect(200);
        receiver.wait_until(|told| of_sessions(told) == ["credential.leaked", "credential.revoked"]);
        server.stop().await;
    }
}
