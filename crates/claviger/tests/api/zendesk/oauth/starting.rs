//! How an OAuth connection is begun.

use std::time::Duration;

use claviger_zendesk::Options as ZendeskOptions;
use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{APP, CLIENTS, CODES, START, Stage, client_body, make_client, query};
use crate::support::zis::Zis;
use crate::support::{Answer, PUBLIC_URL, TestDatabase, with_either_database};

fn titles(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let errors = body["errors"].as_array().unwrap();
    errors.iter().map(|error| error["title"].as_str().unwrap().to_owned()).collect()
}

with_either_database! {
    async fn a_browser_is_sent_with_all_that_it_takes(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        let body = json!({ "name": "my_connection", "oauth_client_name": "mine", "oauth_client_uuid": uuid,
            "permission_scopes": "a:b c", "allow_offline_access": true, "origin_oauth_redirect_url": APP });
        let answer = stage.zis.post(START, &body).await.expect(200);
        assert!(answer.header("claviger-position").starts_with("1."));
        let begun = answer.json();
        assert_eq!(begun.as_object().unwrap().len(), 1);
        let url = begun["redirect_url"].as_str().unwrap();
        assert!(url.starts_with("https://auth.example.com/authorize?prompt=consent&response_type=code&"), "{url}");
        let sent = query(url);
        let callback = format!("{PUBLIC_URL}/api/services/zis/connections/oauth/callback");
        for (name, value) in [
            ("client_id", "my-client"),
            ("redirect_uri", callback.as_str()),
            ("scope", "a:b c"),
            ("code_challenge_method", "S256"),
            ("access_type", "offline"),
        ] {
            assert_eq!(sent[name], value);
        }
        assert_eq!((sent["state"].len(), sent["code_challenge"].len()), (64, 43));
        // Each way is another one, and what the client asks for by default is asked for.
        let again = stage.begin("my_connection").await;
        assert_ne!((&again["state"], &again["code_challenge"]), (&sent["state"], &sent["code_challenge"]));
        assert_eq!((again["scope"].as_str(), again.get("access_type")), ("read write", None));
        assert!(stage.provider.asked().is_empty());
        stage.stop().await;
    }

    async fn a_subdomain_fills_its_place(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let mut body = client_body();
        body["auth_url"] = json!("https://{subdomain}.auth.example.com/authorize");
        body["token_url"] = json!("https://{subdomain}.auth.example.com/token");
        make_client(&stage.zis, &body).await;
        let start = |subdomain: Value| json!({ "name": "mine", "oauth_client_name": "mine", "oauth_url_subdomain": subdomain });
        let begun = stage.zis.post(START, &start(json!("Acme"))).await.expect(200).json();
        let url = begun["redirect_url"].as_str().unwrap();
        assert!(url.starts_with("https://acme.auth.example.com/authorize?"), "{url}");
        let way = query(url);
        stage.provider.expect_challenge(&way["code_challenge"]);
        let page = stage.callback(&format!("state={}&code={}", way["state"], crate::support::provider::CODE)).await.expect(200);
        assert!(page.text.contains("The connection mine is ready"), "{}", page.text);
        assert_eq!(stage.provider.asked()[0].host, "acme.auth.example.com");
        let shown = stage.show("mine").await;
        assert_eq!((&shown["oauth_url_subdomain"], &shown["allowed_domain"]), (&json!("acme"), &json!("acme.auth.example.com")));
        for (subdomain, title) in [
            (Value::Null, "oauth_url_subdomain is missing: the client's addresses have a place for it"),
            (json!(""), "oauth_url_subdomain is missing: the client's addresses have a place for it"),
            (json!("evil.example.com/"), "oauth_url_subdomain must be 1 to 63 letters, digits and -, with no - at either end"),
            (json!("a@b"), "oauth_url_subdomain must be 1 to 63 letters, digits and -, with no - at either end"),
        ] {
            assert_eq!(titles(&stage.zis.post(START, &start(subdomain)).await.expect(400)), [title]);
        }
        let mut plain = client_body();
        plain["name"] = json!("plain");
        make_client(&stage.zis, &plain).await;
        let surplus = json!({ "name": "abc", "oauth_client_name": "plain", "oauth_url_subdomain": "acme" });
        let answer = stage.zis.post(START, &surplus).await.expect(400);
        assert_eq!(titles(&answer), ["oauth_url_subdomain has no place in the client's addresses"]);
        stage.stop().await;
    }

    async fn browsers_are_sent_on_to_origins_that_an_admin_allowed(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.client().await;
        let start = |url: &str| json!({ "name": "mine", "oauth_client_name": "mine", "origin_oauth_redirect_url": url });
        let refused = ["origin_oauth_redirect_url has an origin that the integration does not allow"];
        for url in ["https://evil.example.com/", "http://app.example.com/done", "https://app.example.com.evil.example.com/",
            "https://app.example.com:8443/"] {
            assert_eq!(titles(&stage.zis.post(START, &start(url)).await.expect(400)), refused, "{url}");
        }
        for url in ["https://app.example.com/a#b", "https://user@app.example.com/", "javascript:alert(1)", "https://\u{e4}pp.example.com/"] {
            stage.zis.post(START, &start(url)).await.expect(400);
        }
        stage.zis.post(START, &start("https://APP.example.com:443/x?y")).await.expect(200);
        // An admin takes it back.
        let native = "/claviger/v1/zis_integrations/my_integration";
        let answer = stage.server.client().patch(native, &json!({ "redirect_origins": [] })).await.expect(200);
        assert_eq!(answer.json(), json!({ "name": "my_integration", "redirect_origins": [] }));
        assert_eq!(titles(&stage.zis.post(START, &start(APP)).await.expect(400)), refused);
        assert_eq!(stage.server.client().patch(native, &json!({})).await.expect(200).json(), answer.json());
        for body in [
            json!({ "redirect_origins": "https://app.example.com" }),
            json!({ "redirect_origins": ["http://app.example.com"] }),
            json!({ "redirect_origins": ["https://app.example.com/path"] }),
            json!({ "redirect_origins": ["*"] }),
            json!({ "redirect_origins": [], "more": 1 }),
        ] {
            stage.server.client().patch(native, &body).await.expect(400);
        }
        stage.server.client().patch("/claviger/v1/zis_integrations/nobodys", &json!({ "redirect_origins": [] })).await.expect(404);
        stage.stop().await;
    }

    async fn what_does_not_fit_is_named_before_anybody_is_sent_anywhere(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let mut body = client_body();
        body.as_object_mut().unwrap().remove("auth_url");
        body["grant_type"] = json!("client_credentials");
        make_client(&stage.zis, &body).await;
        for (body, expected) in [
            (json!({}), vec!["name is missing", "oauth_client_name is missing, and so is oauth_client_uuid"]),
            (json!({ "name": "abc", "oauth_client_name": 1 }), vec!["oauth_client_name must be a string"]),
            (
                json!({ "name": "a", "oauth_client_name": "mine", "grant_type": "implicit", "permission_scopes": "a  b",
                    "allow_offline_access": "yes" }),
                vec![
                    "name must be 3 to 64 letters, digits, - and _",
                    "grant_type must be authorization_code or client_credentials",
                    "permission_scopes must be at most 1024 visible ASCII characters, parted by single spaces, without \" and \\",
                    "allow_offline_access must be true or false",
                ],
            ),
            (
                json!({ "name": "abc", "oauth_client_name": "mine", "grant_type": "authorization_code" }),
                vec!["grant_type is none that the client can do: it has no auth_url"],
            ),
        ] {
            assert_eq!(titles(&stage.zis.post(START, &body).await.expect(400)), expected);
        }
        let unknown = "0198c0de-0000-7000-8000-000000000000";
        for body in [
            json!({ "name": "abc", "oauth_client_name": "nobodys" }),
            json!({ "name": "abc", "oauth_client_name": "\0" }),
            json!({ "name": "abc", "oauth_client_uuid": unknown }),
            json!({ "name": "abc", "oauth_client_uuid": "x" }),
            json!({ "name": "abc", "oauth_client_name": "mine", "oauth_client_uuid": unknown }),
        ] {
            assert_eq!(titles(&stage.zis.post(START, &body).await.expect(404)), ["OAuth client does not exist"]);
        }
        // Another connection's name is told before anybody agrees to anything.
        let typed = "/api/services/zis/integrations/my_integration/connections/bearer_token";
        stage.zis.post(typed, &json!({ "name": "taken", "allowed_domain": "a.example.com", "token": "x" })).await.expect(201);
        stage.zis.post(START, &json!({ "name": "taken", "oauth_client_name": "mine" })).await.expect(409);
        // Whoever may only read begins nothing.
        let reader = Zis::bearer(&stage.server, &stage.admin.token(stage.number, &["read"]).await.1);
        for (method, path) in [(Method::POST, START), (Method::GET, CODES), (Method::POST, CLIENTS)] {
            let answer = reader.send(method, path, Some(json!({ "name": "abc" }))).await.expect(403);
            assert_eq!(titles(&answer), ["Cannot access this resource. Missing scope write"]);
        }
        stage.stop().await;
    }

    async fn without_a_public_address_nothing_is_begun(database: TestDatabase) {
        let stage = Stage::set_with(database, Duration::from_secs(5), |setup| setup.zendesk = ZendeskOptions::default()).await;
        stage.client().await;
        for grant in ["authorization_code", "client_credentials"] {
            let body = json!({ "name": "abc", "oauth_client_name": "mine", "grant_type": grant });
            let answer = stage.zis.post(START, &body).await.expect(501);
            assert_eq!(answer.json()["errors"][0]["code"], "NotImplemented");
        }
        stage.stop().await;
    }

    /// Under a base domain, what is begun is finished at the org's own host.
    async fn an_orgs_own_host_is_where_it_is_finished(database: TestDatabase) {
        let zendesk = ZendeskOptions::under("claviger.example").unwrap();
        let zendesk = zendesk.with_public_url("https://zis.claviger.example:8443").unwrap();
        let provider = crate::support::provider::Provider::start().await;
        let mut setup = crate::support::oauth::setup(&provider, Duration::from_secs(5));
        setup.zendesk = zendesk;
        let server = crate::support::TestServer::start_with(database, setup).await;
        let org = server.founded.org;
        server.client().patch(&format!("/claviger/v1/orgs/{org}"), &json!({ "subdomain": "acme" })).await.expect(200);
        let admin = Zis::admin(&server).await.at("acme.claviger.example");
        let client = admin.integration("my_integration").await;
        let zis = Zis::bearer(&server, &admin.token(client, &["read", "write"]).await.1).at("acme.claviger.example");
        make_client(&zis, &client_body()).await;
        let body = json!({ "name": "abc", "oauth_client_name": "mine", "grant_type": "client_credentials" });
        let begun = zis.post(START, &body).await.expect(200).json();
        let url = begun["redirect_url"].as_str().unwrap();
        let expected = format!("https://acme.claviger.example:8443{CODES}?verification_code=");
        assert!(url.starts_with(&expected), "{url}");
        // Whatever the host is at which a browser comes back.
        let begun = zis.post(START, &json!({ "name": "def", "oauth_client_name": "mine" })).await.expect(200).json();
        let way = query(begun["redirect_url"].as_str().unwrap());
        assert!(way["redirect_uri"].starts_with("https://zis.claviger.example:8443/"), "{way:?}");
        provider.expect_challenge(&way["code_challenge"]);
        let path = format!("{}?state={}&code={}", crate::support::oauth::CALLBACK, way["state"], crate::support::provider::CODE);
        Zis::with(&server, None).at("zis.claviger.example").get(&path).await.expect(200);
        server.verify_state().await;
        server.stop().await;
    }
}
