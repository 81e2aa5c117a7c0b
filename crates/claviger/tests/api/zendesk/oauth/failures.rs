//! Authorization servers that refuse, fail, dawdle or talk nonsense, and what is told of it.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{APP, CALLBACK, CODES, ONE, START, Stage, query};
use crate::support::people::{Member, built_in_role};
use crate::support::provider::{CODE, Mood};
use crate::support::zis::{ADMIN_SCOPES, Zis};
use crate::support::{TestDatabase, tokens, with_either_database};

/// What a provider may do wrong, what a browser is told of it, and what whoever asks for a connection is told.
const MOODS: [(Mood, &str, u16); 8] = [
    (Mood::Refusing("invalid_client"), "invalid_client", 400),
    (Mood::Refusing("<script>canary"), "unnamed", 502),
    (Mood::Broken(200), "provider_garbage", 502),
    (Mood::Broken(503), "provider_failed", 502),
    (Mood::Limiting, "provider_limited", 502),
    (Mood::Huge, "provider_too_large", 502),
    (Mood::Redirecting, "provider_garbage", 502),
    (Mood::Silent, "provider_timeout", 502),
];

/// Long enough for a busy machine, and far below what a test waits.
const DEADLINE: Duration = Duration::from_secs(2);

with_either_database! {
    async fn what_a_provider_does_wrong_is_told_by_a_code(database: TestDatabase) {
        let stage = Stage::set_with(database, DEADLINE, |_| ()).await;
        stage.client().await;
        for (mood, code, status) in MOODS {
            stage.provider.set(mood);
            let way = stage.begin("one").await;
            let answer = stage.callback(&format!("state={}&code={CODE}", way["state"])).await.expect(302);
            assert_eq!(answer.header("location"), format!("{APP}&error={code}"), "{mood:?}");
            // The code is used up, whatever came of it.
            stage.callback(&format!("state={}&code={CODE}", way["state"])).await.expect(400);

            let body = json!({ "name": "two", "oauth_client_name": "mine", "grant_type": "client_credentials" });
            let begun = stage.zis.post(START, &body).await.expect(200).json();
            let code_of = query(begun["redirect_url"].as_str().unwrap())["verification_code"].clone();
            let answer = stage.finish(&code_of).await.expect(status);
            let title = format!("the authorization server gave no token: {code}");
            assert_eq!(answer.json()["errors"][0]["title"], title, "{mood:?}");
            assert!(!answer.text.contains("canary"), "{}", answer.text);
            // Without a place to go, a page says it.
            let plain = json!({ "name": "three", "oauth_client_name": "mine" });
            let begun = stage.zis.post(START, &plain).await.expect(200).json();
            let state = query(begun["redirect_url"].as_str().unwrap())["state"].clone();
            let page = stage.callback(&format!("state={state}&code={CODE}")).await.expect(400);
            assert!(page.text.contains(&format!("was not made: {code}.")), "{}", page.text);
            for name in ["one", "two", "three"] {
                stage.zis.get(&format!("{ONE}?name={name}")).await.expect(404);
            }
            // What needs no browser can be tried again once it is mended.
            stage.provider.set(Mood::Good);
            stage.finish(&code_of).await.expect(200);
            stage.zis.delete(&format!("{ONE}?name=two")).await.expect(204);
        }
        let asked = stage.provider.asked();
        assert!(asked.iter().all(|asked| asked.host == "auth.example.com"), "no redirect is followed");
        stage.stop().await;
    }

    async fn what_is_said_in_place_of_a_code_is_handed_on(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        for (said, told) in [
            ("error=access_denied&error_description=canary", "access_denied"),
            ("error=access_denied&code=x", "access_denied"),
            ("error=%3Cscript%3E", "invalid_response"),
            ("error=a%26verification_token%3Dx", "invalid_response"),
            ("error=", "invalid_response"),
            ("", "invalid_response"),
        ] {
            let way = stage.begin("one").await;
            let answer = stage.callback(&format!("state={}&{said}", way["state"])).await.expect(302);
            assert_eq!(answer.header("location"), format!("{APP}&error={told}"), "{said}");
            stage.callback(&format!("state={}&code={CODE}", way["state"])).await.expect(400);
        }
        assert!(stage.provider.asked().is_empty());
        stage.stop().await;
    }

    /// A code of somebody else's way does not pass for this one's: its verifier is another one.
    async fn a_code_of_another_way_is_refused(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let (first, second) = (stage.begin("one").await, stage.begin("two").await);
        stage.provider.expect_challenge(&first["code_challenge"]);
        let answer = stage.callback(&format!("state={}&code={CODE}", second["state"])).await.expect(302);
        assert!(answer.header("location").ends_with("&error=invalid_grant"));
        stage.stop().await;
    }

    /// Asking takes its time, in which whoever began may lose what they could.
    async fn a_right_that_is_lost_while_a_code_is_exchanged_is_lost(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let native = stage.server.client();
        let role = built_in_role(&native, "Datadog Admin Role").await;
        for (name, more, told) in [
            ("by_a_page", json!({}), "The connection was not made: starter_gone."),
            ("by_a_code", json!({ "origin_oauth_redirect_url": APP }), "&error=starter_gone"),
            ("by_nobody", json!({ "grant_type": "client_credentials" }), "verification_code is not known"),
        ] {
            let member = Member::join(&stage.server, "human", &["Datadog Admin Role"], Value::Null).await;
            let keys = stage.server.client_with(member.keys.clone());
            let theirs = Zis::bearer(&stage.server, &tokens::personal_access_token(&keys, json!(ADMIN_SCOPES)).await.secret);
            let theirs = Zis::bearer(&stage.server, &theirs.token(stage.number, &["read", "write"]).await.1);
            let mut body = json!({ "name": name, "oauth_client_name": "mine" });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let way = query(theirs.post(START, &body).await.expect(200).json()["redirect_url"].as_str().unwrap());
            let (caller, path) = match way.get("state") {
                Some(state) => (Zis::with(&stage.server, None), format!("{CALLBACK}?state={state}&code={CODE}")),
                None => (theirs, format!("{CODES}?verification_code={}", way["verification_code"])),
            };
            stage.provider.expect_challenge(way.get("code_challenge").map_or("", String::as_str));
            stage.provider.set(Mood::Held);
            let asked = stage.provider.asked().len();
            let waiting = tokio::spawn(async move { caller.get(&path).await });
            stage.provider.wait_for(asked + 1).await;
            let user = json!({ "data": { "type": "users", "id": member.id } }).to_string();
            native.send(Method::DELETE, &format!("/api/v2/roles/{role}/users"), &[], Some(user)).await.expect(200);
            stage.provider.release();
            let answer = waiting.await.unwrap();
            let said = format!("{} {}", answer.header("location"), answer.text);
            assert!(said.contains(told) && !said.contains("verification_token"), "{name}: {said}");
            stage.zis.get(&format!("{ONE}?name={name}")).await.expect(404);
        }
        stage.stop().await;
    }

    /// Hosts that lead into a private network are not called, whoever names them.
    async fn an_address_of_a_private_network_is_not_called(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let mut body = crate::support::oauth::client_body();
        body["token_url"] = json!("https://localhost/token");
        crate::support::oauth::make_client(&stage.zis, &body).await;
        let start = json!({ "name": "one", "oauth_client_name": "mine", "grant_type": "client_credentials" });
        let begun = stage.zis.post(START, &start).await.expect(200).json();
        let code = query(begun["redirect_url"].as_str().unwrap())["verification_code"].clone();
        let answer = stage.finish(&code).await.expect(502);
        let title = answer.json()["errors"][0]["title"].as_str().unwrap().to_owned();
        assert!(title.ends_with(": address_not_public") || title.contains("address"), "{title}");
        stage.stop().await;
    }

    /// Whoever guesses states is slowed down, and others are not.
    async fn an_address_brings_back_so_many_a_minute(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        for _ in 0..300 {
            stage.callback("state=x&code=y").await.expect(400);
        }
        let beyond = stage.callback("state=x&code=y").await.expect(429).json();
        assert_eq!(beyond, json!({ "errors": [{ "code": "TooManyRequests", "title": "Too many requests" }] }));
        // What was on its way is good in the next minute.
        stage.wait_seconds(60);
        stage.provider.expect_challenge(&way["code_challenge"]);
        stage.come_back(&way).await;
        stage.stop().await;
    }
}
