//! From the beginning of a connection to its end, and who may go that way.

use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{APP, CODES, ONE, START, Stage, client_body, id_of, make_client, query};
use crate::support::people::{Member, built_in_role};
use crate::support::provider::{CODE, SECRET};
use crate::support::zis::{ADMIN_SCOPES, Zis};
use crate::support::{Answer, TestDatabase, tokens, with_either_database};

const MINUTE: i64 = 60;

fn spent(answer: Answer) {
    let title = "verification_code is not known, was used already, or is over";
    let expected = json!({ "errors": [{ "code": "BadRequest", "title": title }] });
    assert_eq!(answer.expect(400).json(), expected);
}

fn unknown(answer: Answer) {
    let title = "state is not known, was used already, or is over";
    let expected = json!({ "errors": [{ "code": "BadRequest", "title": title }] });
    assert_eq!(answer.expect(400).json(), expected);
}

with_either_database! {
    async fn somebody_agrees_and_whoever_began_has_a_connection(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        let way = stage.begin("my_connection").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        let answer = stage.callback(&format!("state={}&code={CODE}&iss=x", way["state"])).await.expect(302);
        assert_eq!((answer.header("cache-control"), answer.header("referrer-policy"), answer.text.as_str()),
            ("no-store", "no-referrer", ""));
        let location = answer.header("location").to_owned();
        let token = location.strip_prefix(&format!("{APP}&verification_token=")).unwrap();
        assert_eq!(token.len(), 64);
        let asked = stage.provider.asked();
        let form = &asked[0].form;
        let sent = [("grant_type", "authorization_code"), ("code", CODE), ("client_id", "my-client"), ("client_secret", SECRET),
            ("redirect_uri", way["redirect_uri"].as_str())];
        assert!(sent.iter().all(|(name, value)| form[*name] == *value), "{form:?}");
        assert_eq!((asked.len(), form["code_verifier"].len()), (1, 43));

        // There is none before whoever began it asks for it.
        stage.zis.get(&format!("{ONE}?name=my_connection")).await.expect(404);
        let answer = stage.finish(token).await.expect(200);
        assert!(answer.header("claviger-position").starts_with("1."));
        let made = answer.json();
        let expected = json!({
            "access_token": "*****", "allowed_domain": "auth.example.com", "created_at": made["created_at"],
            "created_by": made["created_by"], "integration": "my_integration", "name": "my_connection",
            "oauth_access_token_response_body": "*****", "oauth_client_uuid": uuid, "oauth_url_subdomain": "",
            "permission_scope": "read write", "refresh_token": "*****", "token_expiry": "2026-03-04T06:06:07Z",
            "token_type": "Bearer", "updated_at": made["created_at"], "uuid": made["uuid"],
            "zendesk_account_id": made["zendesk_account_id"],
        });
        assert_eq!(made, expected);
        assert!(made["zendesk_account_id"].is_i64());
        assert_eq!(stage.show("my_connection").await, expected);
        let by_id = format!("{ONE}?uuid={}", made["uuid"].as_str().unwrap());
        assert_eq!(stage.zis.get(&by_id).await.expect(200).json(), expected);
        let all = "/api/services/zis/integrations/my_integration/connections/all";
        let listed = stage.zis.get(all).await.expect(200).json();
        let mut item = expected.clone();
        item.as_object_mut().unwrap().remove("zendesk_account_id");
        assert_eq!(listed["oauth"], json!([item]));
        assert_eq!((&listed["api_key"], &listed["meta"]["after"]), (&json!([]), &json!("my_connection")));
        assert_eq!(stage.token(id_of(&made)).await.unwrap(), "canary-access-1");
        assert_eq!(stage.provider.asked().len(), 1);

        // To the other types it is absent, and its name is taken.
        let typed = "/api/services/zis/integrations/my_integration/connections/bearer_token";
        stage.zis.get(&format!("{typed}/my_connection")).await.expect(404);
        let other = json!({ "name": "my_connection", "allowed_domain": "a.example.com", "token": "x" });
        stage.zis.post(typed, &other).await.expect(409);
        stage.zis.post(typed, &json!({ "name": "other", "allowed_domain": "a.example.com", "token": "x" })).await.expect(201);
        stage.zis.get(&format!("{ONE}?name=other")).await.expect(404);

        stage.server.verify_state().await;
        assert_eq!(stage.zis.delete(&format!("{ONE}?name=my_connection")).await.expect(204).text, "");
        stage.zis.delete(&format!("{ONE}?name=my_connection")).await.expect(404);
        assert_eq!(stage.token(id_of(&made)).await.unwrap_err().code(), "connection_absent");
        stage.stop().await;
    }

    async fn client_credentials_need_no_browser(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let body = json!({ "name": "machine", "oauth_client_name": "mine", "grant_type": "client_credentials" });
        let begun = stage.zis.post(START, &body).await.expect(200).json();
        let url = begun["redirect_url"].as_str().unwrap();
        let path = url.strip_prefix(crate::support::PUBLIC_URL).unwrap();
        assert!(path.starts_with(&format!("{CODES}?verification_code=")) && stage.provider.asked().is_empty(), "{url}");
        let made = stage.zis.get(path).await.expect(200).json();
        assert_eq!((&made["name"], &made["refresh_token"], &made["access_token"]), (&json!("machine"), &json!(""), &json!("*****")));
        let asked = stage.provider.asked();
        assert_eq!((asked[0].form["grant_type"].as_str(), asked[0].form["scope"].as_str()), ("client_credentials", "read write"));
        // It is finished once.
        spent(stage.zis.get(path).await);
        assert_eq!(stage.provider.asked().len(), 1);
        stage.stop().await;
    }

    async fn the_minimal_beginning_ends_on_a_page_without_any_secret(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let body = json!({ "name": "plain", "oauth_client_name": "mine" });
        let begun = stage.zis.post(START, &body).await.expect(200).json();
        let way = query(begun["redirect_url"].as_str().unwrap());
        stage.provider.expect_challenge(&way["code_challenge"]);
        let page = stage.callback(&format!("state={}&code={CODE}", way["state"])).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'");
        assert!(page.text.contains("The connection plain is ready."), "{}", page.text);
        assert!(!page.text.contains("canary") && !page.text.contains(&way["state"]));
        let shown = stage.show("plain").await;
        assert_eq!(stage.token(id_of(&shown)).await.unwrap(), "canary-access-1");
        unknown(stage.callback(&format!("state={}&code={CODE}", way["state"])).await);
        stage.stop().await;
    }

    async fn a_state_is_good_once_and_for_ten_minutes(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        let state = &way["state"];
        for query in [
            String::new(),
            "code=x".to_owned(),
            "state=&code=x".to_owned(),
            format!("state={}&code=x", "0".repeat(64)),
            format!("state={}&code=x", state.to_uppercase()),
            format!("state={state}&state={state}&code=x"),
            format!("state={state}&code=x&code=y"),
            "state=%00&code=%ff".to_owned(),
        ] {
            unknown(stage.callback(&query).await);
        }
        assert!(stage.provider.asked().is_empty(), "nobody is asked for nobody's sake");
        // Of many who bring it back at once, one is heard.
        stage.provider.expect_challenge(&way["code_challenge"]);
        let path = format!("state={state}&code={CODE}");
        let answers = tokio::join!(stage.callback(&path), stage.callback(&path), stage.callback(&path), stage.callback(&path));
        let mut statuses = [answers.0, answers.1, answers.2, answers.3].map(|answer| answer.status.as_u16());
        statuses.sort_unstable();
        assert_eq!((statuses, stage.provider.asked().len()), ([302, 400, 400, 400], 1));

        let way = stage.begin("two").await;
        stage.wait_seconds(10 * MINUTE);
        unknown(stage.callback(&format!("state={}&code={CODE}", way["state"])).await);
        let way = stage.begin("two").await;
        stage.wait_seconds(10 * MINUTE - 1);
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        // So is the code that comes of it.
        stage.wait_seconds(10 * MINUTE - 1);
        stage.finish(&code).await.expect(200);
        spent(stage.finish(&code).await);
        let way = stage.begin("two").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        stage.wait_seconds(10 * MINUTE);
        spent(stage.finish(&code).await);
        stage.stop().await;
    }

    /// A state is no verification code, and the other way round.
    async fn what_is_for_one_step_is_nothing_at_the_other(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        spent(stage.finish(&way["state"]).await);
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        unknown(stage.callback(&format!("state={code}&code={CODE}")).await);
        stage.finish(&code).await.expect(200);
        for query in ["", "?verification_code=", "?verification_code=%00", "?verification_token=x"] {
            stage.zis.get(&format!("{CODES}{query}")).await.expect(400);
        }
        stage.stop().await;
    }

    async fn of_32_who_finish_at_once_one_does(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        let mut finishers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (zis, path) = (stage.zis.clone(), format!("{CODES}?verification_code={code}"));
            finishers.spawn(async move { zis.get(&path).await });
        }
        let answers = finishers.join_all().await;
        let with = |status| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
        assert_eq!((with(200), with(400)), (1, 31));
        stage.stop().await;
    }

    async fn only_whoever_began_finishes(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        let path = format!("{CODES}?verification_code={code}");
        // Another admin's token for the same integration.
        let member = Member::join(&stage.server, "human", &["Datadog Admin Role"], Value::Null).await;
        let other = tokens::personal_access_token(&stage.server.client_with(member.keys), json!(ADMIN_SCOPES)).await;
        let other = Zis::bearer(&stage.server, &other.secret);
        let other = Zis::bearer(&stage.server, &other.token(stage.number, &["read", "write"]).await.1);
        spent(other.get(&path).await);
        // The same admin's for another integration, and for another org's of the same name.
        let number = stage.admin.integration("other").await;
        let elsewhere = Zis::bearer(&stage.server, &stage.admin.token(number, &["read", "write"]).await.1);
        spent(elsewhere.get(&path.replace("my_integration", "other")).await);
        elsewhere.get(&path).await.expect(401);
        // Another token of the same admin for the same integration.
        let another = Zis::bearer(&stage.server, &stage.admin.token(stage.number, &["write"]).await.1);
        another.get(&path).await.expect(200);
        stage.stop().await;
    }

    async fn a_flow_dies_with_the_credential_and_the_right_of_whoever_began(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let (id, token) = stage.admin.token(stage.number, &["read", "write"]).await;
        let starter = Zis::bearer(&stage.server, &token);
        let begin = async |zis: &Zis, name: &str| {
            let body = json!({ "name": name, "oauth_client_name": "mine", "origin_oauth_redirect_url": APP });
            query(zis.post(START, &body).await.expect(200).json()["redirect_url"].as_str().unwrap())
        };
        let (first, second) = (begin(&starter, "one").await, begin(&starter, "two").await);
        stage.provider.expect_challenge(&first["code_challenge"]);
        let code = stage.come_back(&first).await;
        stage.admin.delete(&format!("/api/v2/oauth/tokens/{id}")).await.expect(204);
        unknown(stage.callback(&format!("state={}&code={CODE}", second["state"])).await);
        // Another token of the same admin does not revive it.
        spent(stage.finish(&code).await);

        // Who lost the right to make connections meanwhile.
        let member = Member::join(&stage.server, "human", &["Datadog Admin Role"], Value::Null).await;
        let theirs = tokens::personal_access_token(&stage.server.client_with(member.keys.clone()), json!(ADMIN_SCOPES)).await;
        let theirs = Zis::bearer(&stage.server, &theirs.secret);
        let theirs = Zis::bearer(&stage.server, &theirs.token(stage.number, &["read", "write"]).await.1);
        let way = begin(&theirs, "three").await;
        let asked = stage.provider.asked().len();
        let role = built_in_role(&stage.server.client(), "Datadog Admin Role").await;
        let body = json!({ "data": { "type": "users", "id": member.id } });
        let path = format!("/api/v2/roles/{role}/users");
        stage.server.client().send(Method::DELETE, &path, &[], Some(body.to_string())).await.expect(200);
        unknown(stage.callback(&format!("state={}&code={CODE}", way["state"])).await);
        assert_eq!(stage.provider.asked().len(), asked);
        stage.stop().await;
    }

    async fn a_name_that_was_taken_meanwhile_stays_the_others(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let way = stage.begin("one").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        let code = stage.come_back(&way).await;
        let typed = "/api/services/zis/integrations/my_integration/connections/bearer_token";
        stage.zis.post(typed, &json!({ "name": "one", "allowed_domain": "a.example.com", "token": "x" })).await.expect(201);
        let refused = stage.finish(&code).await.expect(409).json();
        assert_eq!(refused, json!({ "errors": [{ "code": "Conflict", "title": "Resource conflict" }] }));
        // Once it is free, what was agreed to is still there.
        stage.zis.delete(&format!("{typed}/one")).await.expect(204);
        let made = stage.finish(&code).await.expect(200).json();
        // Another client's connection is another one, whatever its type.
        let mut other = client_body();
        other["name"] = json!("other");
        make_client(&stage.zis, &other).await;
        let body = json!({ "name": "one", "oauth_client_name": "other" });
        stage.zis.post(START, &body).await.expect(409);
        // The same client's gets new tokens.
        stage.wait_seconds(1);
        let again = stage.connect("one").await;
        assert_eq!((&again["uuid"], &again["created_at"]), (&made["uuid"], &made["created_at"]));
        assert_ne!(again["updated_at"], made["updated_at"]);
        assert_eq!(stage.token(id_of(&again)).await.unwrap(), "canary-access-2");
        stage.stop().await;
    }

    async fn what_is_left_unfinished_is_erased(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        stage.begin("one").await;
        let way = stage.begin("two").await;
        stage.provider.expect_challenge(&way["code_challenge"]);
        stage.come_back(&way).await;
        let count = async || stage.server.database().scalar("SELECT COUNT(*) FROM zis_oauth_flows").await;
        assert_eq!(count().await, "2");
        stage.wait_seconds(10 * MINUTE);
        stage.begin("three").await;
        assert_eq!(count().await, "1");
        stage.stop().await;
    }

    async fn a_query_names_one_connection(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let made = stage.connect("one").await;
        let uuid = made["uuid"].as_str().unwrap();
        for (query, status) in [
            ("".to_owned(), 400),
            (format!("?name=one&uuid={uuid}"), 400),
            ("?uuid=x".to_owned(), 404),
            ("?name=%00".to_owned(), 404),
            ("?name=ONE".to_owned(), 404),
            (format!("?uuid={}", uuid.replace(|c: char| c.is_ascii_digit(), "0")), 404),
        ] {
            for method in [Method::GET, Method::DELETE] {
                stage.zis.send(method, &format!("{ONE}{query}"), None).await.expect(status);
            }
            let refresh = crate::support::oauth::REFRESH;
            stage.zis.send(Method::POST, &format!("{refresh}{query}"), None).await.expect(status);
        }
        stage.zis.delete(&format!("{ONE}?uuid={uuid}")).await.expect(204);
        stage.stop().await;
    }
}
