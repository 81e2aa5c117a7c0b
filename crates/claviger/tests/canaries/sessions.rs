//! Passwords and what cookies hold: nowhere but where somebody has typed or been given them.

use http::Method;
use serde_json::json;

use crate::places::Places;
use crate::support::session::{ADMIN, Browser, SESSION, set_password};
use crate::support::{Setup, TestDatabase, TestServer, with_either_database};
use crate::{Answers, Canaries, log, random_text};

with_either_database! {
    async fn no_password_and_no_session_is_in_logs_errors_metrics_or_the_database(database: TestDatabase) {
        log();
        let (mut canaries, mut answers, mut places) = (Canaries::default(), Answers::default(), Places::default());
        let server = TestServer::start(database).await;
        let (password, mistyped, former) = (random_text(), random_text(), random_text());
        for (name, text) in [("the password", &password), ("a mistyped one", &mistyped), ("a former one", &former)] {
            canaries.add(name, text);
        }
        let (org, user) = (server.founded.org, server.founded.user);
        set_password(&server, org, user, Some(&former)).await;
        set_password(&server, org, user, Some(&password)).await;
        let mut browser = Browser::new(&server);
        for (email, wrong) in [(ADMIN, &mistyped), (ADMIN, &former), ("nobody@example.com", &password)] {
            answers.keep("signing in", &browser.sign_in(email, wrong).await.expect(401));
        }
        for body in [
            json!({ "email": password, "password": password }),
            json!({ "email": ADMIN, "password": [password] }),
            json!({ "email": ADMIN, "password": "x", "org": password }),
            json!({ "email": ADMIN, "password": password.repeat(30) }),
        ] {
            let answer = browser.sign_in_with(&body).await;
            assert!(!answer.status.is_success());
            answers.keep("signing in badly", &answer);
        }
        // Two, of which one ends.
        let mut ended = Browser::new(&server);
        ended.sign_in(ADMIN, &password).await.expect(201);
        let signed_in = browser.sign_in(ADMIN, &password).await.expect(201);
        for browser in [&browser, &ended] {
            canaries.add("a session", &browser.token());
            canaries.add("a CSRF token", browser.csrf.as_ref().unwrap());
        }
        assert!(canaries.found_in(signed_in.text.as_bytes()).is_some(), "the page is told its token");
        assert!(!signed_in.text.contains(&browser.token()));
        let (stolen, csrf) = (ended.stolen(&server, None), ended.csrf.clone().unwrap());
        ended.delete(SESSION).await.expect(204);
        answers.keep("a session that ended", &stolen.get(SESSION).await.expect(401));
        let shown = [("x-csrf-token", csrf.as_str())];
        for (path, body) in [("/claviger/v1/keys", json!({ "name": "x" })), ("/api/services/zis/registry/x", json!({}))] {
            answers.keep(path, &browser.send(Method::POST, path, &shown, Some(&body)).await.expect(403));
        }
        for path in [format!("/{}", browser.token()), format!("/claviger/v1/keys?x={password}")] {
            answers.keep("in a path", &server.client().send(Method::PUT, &path, &[], None::<String>).await);
        }
        browser.get("/claviger/v1/org").await.expect(200);

        let metrics = server.metrics();
        assert!(metrics.contains(r#"credential="password""#), "{metrics}");
        places.keep(&server).await;
        let server = places.keep_over_a_start(server, Setup::default()).await;
        browser.stolen(&server, None).get(SESSION).await.expect(200);
        // Nor is what is kept of a password there in clear.
        let hash = b"$argon2id$";
        for (name, contents) in &places.stored {
            assert!(!contents.windows(hash.len()).any(|window| window == hash), "{name}");
        }
        places.assert_clean(&canaries, &answers, &["credential=\"password\""]);
        server.stop().await;
    }
}
