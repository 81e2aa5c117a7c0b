//! `/claviger/v1/session`: signing in and out.

mod endings;
mod forgery;
mod record;

use std::time::Duration;

use claviger_http::{Rate, SessionCookie, Who};
use claviger_native::{Options as NativeOptions, SessionOptions};
use http::Method;
use serde_json::{Value, json};

use super::fields;
use crate::support::people::Member;
use crate::support::session::{ADMIN, Browser, PASSWORD, SESSION, set_password};
use crate::support::{Answer, Keys, Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

const HOUR: i64 = 3600 * 1_000_000;
/// The window in which an account's attempts are counted.
const WINDOW: i64 = 300 * 1_000_000;

/// With so many attempts that nothing but what is tested refuses any.
fn unlimited() -> Setup {
    let rate = Rate { limit: 1_000_000, period_seconds: 60 };
    let sessions = SessionOptions {
        attempts_from_address: rate,
        attempts_at_account: rate,
        ..SessionOptions::default()
    };
    let setup = Setup::default();
    Setup { native: NativeOptions { sessions, ..setup.native }, ..setup }
}

/// A person of the first org with these roles, and the password of all.
async fn person(server: &TestServer, roles: &[&str]) -> (String, String) {
    let member = Member::join(server, "human", roles, Value::Null).await;
    let path = format!("/api/v2/users/{}", member.id);
    let email = server.client().get(&path).await.expect(200).json()["data"]["attributes"]["email"].clone();
    set_password(server, server.founded.org, member.id.parse().unwrap(), Some(PASSWORD)).await;
    (member.id, email.as_str().unwrap().to_owned())
}

fn code(answer: &Answer) -> String {
    answer.json()["errors"][0]["code"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn an_admin_signs_in_and_out(server: &TestServer) {
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let mut browser = Browser::new(server);
        assert_eq!(code(&browser.get(SESSION).await.expect(401)), "missing");
        // Addresses are written in any case.
        let answer = browser.sign_in("ADMIN@example.com", PASSWORD).await.expect(201);
        assert!(answer.header("claviger-position").starts_with("1."));
        assert_eq!(answer.header("cache-control"), "no-store");
        let (name, token) = answer.header("set-cookie").split_once(';').unwrap().0.split_once('=').unwrap();
        assert_eq!((name, token.len()), ("claviger-session", 60));
        assert!(token.starts_with("clvsession_"));
        let attributes = answer.header("set-cookie").split_once("; ").unwrap().1;
        assert_eq!(attributes, "Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Strict");
        let told = answer.json();
        assert_eq!(told["user"]["id"], json!(server.founded.user.to_string()));
        assert_eq!((&told["user"]["email"], &told["org"]["name"]), (&json!(ADMIN), &json!("Test")));
        assert_eq!((&told["expires_at"], &told["idle_seconds"]), (&json!("2026-03-05T05:06:07.123456Z"), &json!(28_800)));
        assert!(!answer.text.contains(token), "no script is told what the cookie holds");
        let again = browser.get(SESSION).await.expect(200);
        assert_eq!(again.json(), told);
        assert_eq!((again.header("cache-control"), again.header("set-cookie")), ("no-store", ""));

        let before = browser.clone().stolen(server, None);
        let out = browser.delete(SESSION).await.expect(204);
        assert_eq!(out.header("set-cookie"), "claviger-session=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(browser.cookie(), None);
        // Not only the cookie is gone.
        assert_eq!(code(&before.get(SESSION).await.expect(401)), "unknown");
        before.delete(SESSION).await.expect(401);
        server.verify_state().await;
    }

    async fn whoever_may_not_sign_in_is_told_the_same(server: &TestServer) {
        let everybody = [ADMIN.to_owned()];
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let path = format!("/api/v2/users/{}", member.id);
        let admin = server.client();
        let passwordless = admin.get(&path).await.expect(200).json()["data"]["attributes"]["email"].clone();
        let (disabled, address) = person(server, &["Datadog Admin Role"]).await;
        admin.delete(&format!("/api/v2/users/{disabled}")).await.expect(204);
        let foreign = server.found_another("Foreign").await;
        set_password(server, foreign.org, foreign.user, Some(PASSWORD)).await;
        let mut browser = Browser::new(server);
        let mut told = Vec::new();
        for (email, password, org) in [
            ("nobody@example.com", PASSWORD, None),
            (ADMIN, "correct horse batterx", None),
            (ADMIN, "", None),
            (passwordless.as_str().unwrap(), PASSWORD, None),
            (&address, PASSWORD, None),
            ("foreign@example.com", PASSWORD, None),
            (ADMIN, PASSWORD, Some(foreign.org.to_string())),
            (ADMIN, PASSWORD, Some("nowhere".to_owned())),
            (ADMIN, PASSWORD, Some("00000000-0000-4000-8000-000000000000".to_owned())),
        ] {
            let mut body = json!({ "email": email, "password": password });
            if let Some(org) = org {
                body["org"] = json!(org);
            }
            let answer = browser.sign_in_with(&body).await.expect(401);
            assert_eq!(answer.header("set-cookie"), "", "{body}");
            told.push(answer.text);
        }
        told.dedup();
        assert_eq!(told, [r#"{"errors":[{"code":"unknown","detail":"The credentials are not valid"}]}"#]);
        // Whoever has the right password, and is no admin, is told so.
        let (_, standard) = person(server, &["Datadog Standard Role"]).await;
        assert_eq!(code(&browser.sign_in(&standard, PASSWORD).await.expect(403)), "not_admin");
        assert_eq!(browser.sign_in(&standard, "correct horse batterx").await.expect(401).text, told[0]);
        let metrics = server.metrics();
        for line in [
            r#"claviger_refusals_total{credential="password",reason="unknown"} 10"#,
            r#"claviger_refusals_total{credential="password",reason="not_admin"} 1"#,
        ] {
            assert!(metrics.contains(line), "{line}: {metrics}");
        }
        // Each of these is one of those above with what was wrong put right.
        for email in everybody {
            Browser::new(server).sign_in(&email, PASSWORD).await.expect(201);
        }
        let org = json!(foreign.org.to_string());
        let body = json!({ "email": "foreign@example.com", "password": PASSWORD, "org": org });
        Browser::new(server).sign_in_with(&body).await.expect(201);
        // An org that is disabled has no sessions, and nobody signs in to it.
        let mut theirs = Browser::new(server);
        theirs.sign_in_with(&body).await.expect(201);
        let path = format!("/claviger/v1/orgs/{}", foreign.org);
        admin.patch(&path, &json!({ "disabled": true })).await.expect(200);
        assert_eq!(code(&theirs.get(SESSION).await.expect(401)), "disabled");
        assert_eq!(browser.sign_in_with(&body).await.expect(401).text, told[0]);
        server.verify_state().await;
    }

    async fn an_account_is_not_tried_without_end(server: &TestServer) {
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let mut browser = Browser::new(server);
        for email in [ADMIN, "nobody@example.com"] {
            for _ in 0..10 {
                browser.sign_in(email, "wrong wrong wrong").await.expect(401);
            }
            // However it is written, and be it the right one.
            let upper = email.to_uppercase();
            assert_eq!(code(&browser.sign_in(&upper, PASSWORD).await.expect(429)), "too_often");
            server.clock.advance_micros(61_000_000);
        }
        server.clock.advance_micros(WINDOW);
        browser.sign_in(ADMIN, PASSWORD).await.expect(201);
        let line = r#"claviger_refusals_total{credential="password",reason="too_often"} 2"#;
        assert!(server.metrics().contains(line), "{}", server.metrics());
    }

    async fn an_address_does_not_try_without_end(server: &TestServer) {
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let mut browser = Browser::new(server);
        for number in 0..20 {
            browser.sign_in(&format!("a{number}@example.com"), PASSWORD).await.expect(401);
        }
        browser.sign_in(ADMIN, PASSWORD).await.expect(429);
        server.clock.advance_micros(61_000_000);
        browser.sign_in(ADMIN, PASSWORD).await.expect(201);
    }

    async fn bad_bodies_are_refused_field_by_field(server: &TestServer) {
        let mut browser = Browser::new(server);
        for (body, named) in [
            (json!([]), vec!["body"]),
            (json!({}), vec!["email", "password"]),
            (json!({ "email": "me", "password": 1, "org": {}, "otp": "1" }), vec!["email", "org", "otp", "password"]),
            (json!({ "email": ADMIN, "password": "x".repeat(1025) }), vec!["password"]),
            (json!({ "email": ADMIN, "password": "x", "org": "x".repeat(64) }), vec!["org"]),
        ] {
            let answer = browser.sign_in_with(&body).await.expect(400);
            assert_eq!(fields(&answer), named, "{body}");
        }
        assert_eq!(server.engine.applied().sequence, 1, "nothing was changed");
    }

    /// The routes of sessions × whatever else may be presented there.
    async fn every_route_refuses_all_but_those_who_may(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let mut ended = Browser::new(server);
        ended.sign_in(ADMIN, PASSWORD).await.expect(201);
        let dead = ended.stolen(server, None);
        ended.delete(SESSION).await.expect(204);
        let keys = server.admin();
        let (api_key, application_key) = (keys.api_key.unwrap(), keys.application_key.unwrap());
        let bearer = format!("Bearer {application_key}");
        let cookie = |token: &str| format!("claviger-session={token}");
        let (garbage, empty, key) = (cookie("clvsession_0"), cookie(""), cookie(&application_key));
        let wrong: [&[(&str, &str)]; 6] = [
            &[],
            &[("cookie", &garbage)],
            &[("cookie", &empty)],
            &[("cookie", &key)],
            &[("dd-api-key", &api_key), ("dd-application-key", &application_key)],
            &[("authorization", &bearer)],
        ];
        let nobody = server.client_with(Keys::default());
        let mut methods = Vec::new();
        for route in &server.session_routes {
            methods.push(route.method.clone());
            if route.who == Who::Anybody {
                continue;
            }
            assert_eq!(route.who, Who::Session);
            let before = server.engine.applied();
            for headers in wrong {
                let answer = nobody.send(route.method.clone(), route.path, headers, None::<String>).await;
                assert_eq!(answer.status.as_u16(), 401, "{} {headers:?}: {}", route.method, answer.text);
            }
            let answer = dead.send(route.method.clone(), route.path, &[], None).await;
            assert_eq!(code(&answer.expect(401)), "unknown");
            assert_eq!(server.engine.applied(), before, "a refused request changes nothing");
            let mut good = Browser::new(server);
            good.sign_in(ADMIN, PASSWORD).await.expect(201);
            let answer = good.send(route.method.clone(), route.path, &[], None).await;
            assert!(answer.status.is_success(), "{}: {}", route.method, answer.text);
        }
        assert_eq!(methods, [Method::POST, Method::GET, Method::DELETE]);
        browser.get(SESSION).await.expect(200);
    }

    /// The console's own calls: the native API by a session, without any key.
    async fn the_native_api_takes_a_session(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        assert_eq!(browser.get("/claviger/v1/org").await.expect(200).json()["name"], "Test");
        browser.patch("/claviger/v1/org", &json!({ "name": "Renamed" })).await.expect(200);
        let key = browser.post("/claviger/v1/keys", &json!({ "name": "theirs" })).await.expect(201).json();
        browser.delete(&format!("/claviger/v1/keys/{}", key["id"].as_str().unwrap())).await.expect(204);
        let integration = json!({ "type": "Gitlab",
            "credentials": { "type": "GitlabAPIKey", "api_token": "glpat-abcdefghijklmnopqrst" } });
        let body = json!({ "name": "theirs", "integration": integration });
        browser.post("/claviger/v1/connections", &body).await.expect(201);
        // Whose it was is in the record, with the session by which it was done.
        let actor = server.database().scalar(
            "SELECT actor FROM ledger WHERE action = 'org.updated'").await;
        let session = server.database().scalar("SELECT id FROM credentials WHERE kind = 'session'").await;
        assert!(actor.contains(&session) && actor.contains(&server.founded.user.to_string()), "{actor}");
        server.verify_state().await;
    }
}

with_either_database! {
    async fn over_tls_the_cookies_name_keeps_other_hosts_out(database: TestDatabase) {
        let setup = Setup::default();
        let sessions = SessionOptions { cookie: SessionCookie::OVER_TLS, ..SessionOptions::default() };
        let setup = Setup { native: NativeOptions { sessions, ..setup.native }, ..setup };
        let server = TestServer::start_with(database, setup).await;
        let browser = Browser::of_admin(&server).await;
        let cookie = browser.cookie().unwrap();
        assert!(cookie.starts_with("__Host-claviger-session=clvsession_"), "{cookie}");
        browser.get(SESSION).await.expect(200);
        // By the other name nothing is taken, and what is there twice is nobody's.
        let nobody = server.client_with(Keys::default());
        let plain = cookie.trim_start_matches("__Host-").to_owned();
        let twice = format!("{cookie}; {cookie}");
        for other in [plain, twice] {
            nobody.send(Method::GET, SESSION, &[("cookie", &other)], None::<String>).await.expect(401);
        }
        server.stop().await;
    }

    /// Which org is meant: the one of the host, or the one that is named and no other.
    async fn an_org_is_known_by_its_host_or_its_name(database: TestDatabase) {
        let zendesk = claviger_zendesk::Options::under("claviger.example").unwrap();
        let server = TestServer::start_with(database, Setup { zendesk, ..unlimited() }).await;
        let second = server.found_another("Second").await;
        for (org, subdomain) in [(server.founded.org, "first"), (second.org, "second")] {
            let body = json!({ "subdomain": subdomain });
            server.client().patch(&format!("/claviger/v1/orgs/{org}"), &body).await.expect(200);
        }
        for (org, user) in [(server.founded.org, server.founded.user), (second.org, second.user)] {
            set_password(&server, org, user, Some(PASSWORD)).await;
        }
        let browser = Browser::new(&server);
        let (one, other, neither) = ("first.claviger.example", "second.claviger.example", "localhost");
        let second_id = second.org.to_string();
        for (host, email, org, status) in [
            (one, ADMIN, None, 201),
            (other, ADMIN, None, 401),
            (other, "second@example.com", None, 201),
            (other, "second@example.com", Some("second"), 201),
            (other, "second@example.com", Some(second_id.as_str()), 201),
            (neither, "second@example.com", Some("SECOND"), 201),
            (neither, "second@example.com", Some(&second_id), 201),
            (neither, ADMIN, Some("second"), 401),
            // The host says which, and the body says otherwise.
            (one, "second@example.com", Some("second"), 401),
            (neither, ADMIN, None, 400),
        ] {
            let mut body = json!({ "email": email, "password": PASSWORD });
            if let Some(org) = org {
                body["org"] = json!(org);
            }
            let answer = browser.at(host).sign_in_with(&body).await.expect(status);
            if status == 400 {
                assert_eq!(fields(&answer), ["org"]);
            }
        }
        server.verify_state().await;
        server.stop().await;
    }

    /// Passwords are hashed a few at once: of a flood, those beyond the room are told to come again, and the server goes
    /// on answering.
    async fn a_flood_is_answered_and_leaves_the_server_well(database: TestDatabase) {
        let server = TestServer::start_with(database, unlimited()).await;
        set_password(&server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let mut flood = tokio::task::JoinSet::new();
        for number in 0..120 {
            let mut browser = Browser::new(&server);
            flood.spawn(async move {
                browser.sign_in(&format!("a{number}@example.com"), PASSWORD).await.status.as_u16()
            });
        }
        server.client().get("/api/v2/api_keys").await.expect(200);
        let mut statuses = Vec::new();
        while let Some(status) = flood.join_next().await {
            statuses.push(status.unwrap());
        }
        let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
        assert_eq!(count(401) + count(503), 120, "{statuses:?}");
        assert!(count(401) > 0, "{statuses:?}");
        Browser::new(&server).sign_in(ADMIN, PASSWORD).await.expect(201);
        server.stop().await;
    }

    async fn a_session_ends_unused_after_hours_and_used_after_a_day(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let idle = Browser::of_admin(&server).await;
        let mut busy = Browser::new(&server);
        busy.sign_in(ADMIN, PASSWORD).await.expect(201);
        server.clock.advance_micros(7 * HOUR + HOUR / 2);
        busy.get(SESSION).await.expect(200);
        server.clock.advance_micros(HOUR / 2);
        assert_eq!(code(&idle.get(SESSION).await.expect(401)), "expired");
        busy.get(SESSION).await.expect(200);
        // What was used last is remembered across a restart, once it is written.
        let server = server.halt().await.start(Setup::default()).await;
        let (idle, busy) = (idle.stolen(&server, None), busy.stolen(&server, None));
        server.clock.advance_micros(7 * HOUR);
        idle.get(SESSION).await.expect(401);
        busy.get(SESSION).await.expect(200);
        server.clock.advance_micros(7 * HOUR);
        busy.get(SESSION).await.expect(200);
        server.clock.advance_micros(2 * HOUR - 1);
        busy.get(SESSION).await.expect(200);
        server.clock.advance_micros(1);
        assert_eq!(code(&busy.get(SESSION).await.expect(401)), "expired");
        // They are ended for good then, without anybody's doing.
        server.engine.end_sessions().await.unwrap();
        assert_eq!(code(&busy.get(SESSION).await.expect(401)), "unknown");
        let live = "SELECT COUNT(*) FROM credentials WHERE kind = 'session' AND revoked_at IS NULL";
        assert_eq!(server.database().scalar(live).await, "0");
        server.engine.wait_for(server.engine.applied(), Duration::ZERO).await.unwrap();
        server.verify_state().await;
        server.stop().await;
    }
}

with_either_database! {
    async fn a_user_has_so_many_sessions_and_no_more(database: TestDatabase) {
        let server = TestServer::start_with(database, unlimited()).await;
        let mut browsers = vec![Browser::of_admin(&server).await];
        for _ in 1..18 {
            server.clock.advance_micros(1);
            let mut browser = Browser::new(&server);
            browser.sign_in(ADMIN, PASSWORD).await.expect(201);
            browsers.push(browser);
        }
        for (number, browser) in browsers.iter().enumerate() {
            let status = if number < 2 { 401 } else { 200 };
            browser.get(SESSION).await.expect(status);
        }
        // Another's are counted apart.
        let (_, email) = person(&server, &["Datadog Admin Role"]).await;
        Browser::new(&server).sign_in(&email, PASSWORD).await.expect(201);
        browsers[2].get(SESSION).await.expect(200);
        // Those that are over make room before those that are not.
        server.clock.advance_micros(8 * HOUR);
        let mut browser = Browser::new(&server);
        browser.sign_in(ADMIN, PASSWORD).await.expect(201);
        let live = "SELECT COUNT(*) FROM credentials c JOIN users u ON u.id = c.owner_id
             WHERE c.kind = 'session' AND c.revoked_at IS NULL AND u.email = 'admin@example.com'";
        assert_eq!(server.database().scalar(live).await, "1");
        server.verify_state().await;
        server.stop().await;
    }
}
