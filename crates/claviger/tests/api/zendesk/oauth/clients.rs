//! OAuth clients.

use http::Method;
use serde_json::{Value, json};

use crate::support::oauth::{CLIENTS, ONE, START, Stage, client_body, id_of, make_client, query};
use crate::support::people::Member;
use crate::support::provider::SECRET;
use crate::support::restrictions::restrict;
use crate::support::zis::{Zis, registry};
use crate::support::{Answer, TestDatabase, with_either_database};

fn titles(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let errors = body["errors"].as_array().unwrap();
    errors.iter().map(|error| error["title"].as_str().unwrap().to_owned()).collect()
}

with_either_database! {
    async fn a_client_is_made_shown_changed_and_deleted(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let zis = &stage.zis;
        assert_eq!(zis.get(CLIENTS).await.expect(200).json(), json!({ "clients": [] }));
        let uuid = stage.client().await;
        let path = format!("{CLIENTS}/{uuid}");
        let shown = zis.get(&path).await.expect(200).json();
        let expected = json!({
            "allowed_domain": null, "auth_url": "https://auth.example.com/authorize?prompt=consent",
            "client_id": "my-client", "client_secret": "*****", "created_at": shown["created_at"],
            "created_by": shown["created_by"], "default_scopes": "read write",
            "grant_type": "authorization_code", "integration": "my_integration", "name": "mine",
            "token_url": "https://auth.example.com/token", "updated_at": shown["created_at"], "uuid": uuid,
        });
        assert_eq!(shown, expected);
        assert_eq!(zis.get(CLIENTS).await.expect(200).json(), json!({ "clients": [expected] }));

        stage.wait_seconds(1);
        let patch = json!({ "default_scopes": "read", "name": "other", "grant_type": "client_credentials" });
        let answer = zis.send(Method::PATCH, &path, Some(patch)).await.expect(204);
        assert!(answer.header("claviger-position").starts_with("1."));
        let changed = zis.get(&path).await.expect(200).json();
        assert_eq!((&changed["default_scopes"], &changed["name"]), (&json!("read"), &json!("other")));
        assert_ne!(changed["updated_at"], changed["created_at"]);
        // Nothing to change leaves it as it is.
        stage.wait_seconds(1);
        zis.send(Method::PATCH, &path, Some(json!({ "name": "other" }))).await.expect(204);
        assert_eq!(zis.get(&path).await.expect(200).json(), changed);
        assert_eq!(zis.send(Method::PUT, &path, Some(json!({}))).await.expect(405).header("allow"), "GET,HEAD,PATCH,DELETE");

        // A name is one client's.
        let refused = json!({ "errors": [{ "code": "Conflict", "title": "Resource conflict" }] });
        let second = make_client(zis, &client_body()).await;
        let patch = json!({ "name": "other" });
        let answer = zis.send(Method::PATCH, &format!("{CLIENTS}/{second}"), Some(patch)).await.expect(409);
        assert_eq!(answer.json(), refused);
        assert_eq!(zis.post(CLIENTS, &client_body()).await.expect(409).json(), refused);
        // One without a name is called by its id.
        let mut nameless = client_body();
        nameless.as_object_mut().unwrap().remove("name");
        let third = make_client(zis, &nameless).await;
        assert_eq!(zis.get(&format!("{CLIENTS}/{third}")).await.expect(200).json()["name"], third);

        stage.server.verify_state().await;
        zis.delete(&path).await.expect(204);
        let absent = json!({ "errors": [{ "code": "NotFound", "title": "OAuth client does not exist" }] });
        for answer in [
            zis.get(&path).await,
            zis.delete(&path).await,
            zis.send(Method::PATCH, &path, Some(json!({}))).await,
            zis.get(&format!("{CLIENTS}/nobodys")).await,
            zis.get(&format!("{CLIENTS}/%00")).await,
        ] {
            assert_eq!(answer.expect(404).json(), absent);
        }
        stage.stop().await;
    }

    async fn every_bad_member_is_named_and_no_secret_told(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let zis = &stage.zis;
        let long = format!("canary{}", "x".repeat(4096));
        for (body, expected) in [
            (json!({}), vec!["token_url is missing", "client_id is missing", "client_secret is missing"]),
            (
                json!({ "name": "", "auth_url": "http://auth.example.com", "token_url": "https://{subdomain}.com/token",
                    "client_id": "", "client_secret": "canary\n", "default_scopes": " a", "grant_type": "password",
                    "allowed_domain": "*.com" }),
                vec![
                    "name must be 1 to 64 visible ASCII characters",
                    "auth_url must begin with https://",
                    "token_url leads with {subdomain} to any name below its host, which must not be a wildcard over a public suffix, below which names belong to different owners",
                    "client_id must not be empty",
                    "client_secret must not contain control characters or anything beyond ASCII",
                    "default_scopes must be at most 1024 visible ASCII characters, parted by single spaces, without \" and \\",
                    "grant_type must be authorization_code or client_credentials",
                    "allowed_domain must not be a wildcard over a public suffix, below which names belong to different owners",
                ],
            ),
            (
                json!({ "token_url": 1, "client_id": [], "client_secret": long }),
                vec!["token_url must be a string", "client_id must be a string", "client_secret must not be longer than 4096 bytes"],
            ),
            (json!([]), vec!["body must be an object"]),
        ] {
            let answer = zis.post(CLIENTS, &body).await.expect(400);
            assert_eq!(titles(&answer), expected);
            assert!(!answer.text.contains("canary"), "{}", answer.text);
        }
        let mut body = client_body();
        body.as_object_mut().unwrap().remove("auth_url");
        let answer = zis.post(CLIENTS, &body).await.expect(400);
        assert_eq!(titles(&answer), ["auth_url is missing: browsers are sent there for an authorization_code"]);
        body["grant_type"] = json!("client_credentials");
        let uuid = make_client(zis, &body).await;
        let patch = json!({ "grant_type": "authorization_code" });
        zis.send(Method::PATCH, &format!("{CLIENTS}/{uuid}"), Some(patch)).await.expect(400);
        let patch = json!({ "token_url": null, "client_id": 7 });
        let answer = zis.send(Method::PATCH, &format!("{CLIENTS}/{uuid}"), Some(patch)).await.expect(400);
        assert_eq!(titles(&answer), ["token_url must be a string", "client_id must be a string"]);
        stage.stop().await;
    }

    /// Whoever aims a secret, or what it brings, elsewhere brings it anew; and what was given before is worth nothing.
    async fn a_client_that_is_aimed_elsewhere_brings_its_secret_and_loses_its_tokens(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let zis = &stage.zis;
        let path = format!("{CLIENTS}/{}", stage.client().await);
        let connection = stage.connect("my_connection").await;
        assert_eq!(stage.token(id_of(&connection)).await.unwrap(), "canary-access-1");
        let elsewhere = [
            json!({ "token_url": "https://acme.auth.example.com/token" }),
            json!({ "auth_url": "https://evil.example.com/authorize" }),
            json!({ "allowed_domain": "evil.example.com" }),
        ];
        for patch in &elsewhere {
            let field = patch.as_object().unwrap().keys().next().unwrap();
            let answer = zis.send(Method::PATCH, &path, Some(patch.clone())).await.expect(400);
            assert_eq!(titles(&answer), [format!("client_secret is missing: with another {field} it is to be brought anew")]);
        }
        assert_eq!(stage.token(id_of(&connection)).await.unwrap(), "canary-access-1");
        // What a client asks for, and its name, aim nothing elsewhere.
        zis.send(Method::PATCH, &path, Some(json!({ "default_scopes": "read" }))).await.expect(204);
        assert_eq!(stage.token(id_of(&connection)).await.unwrap(), "canary-access-1");

        let other = json!({ "client_id": "another", "client_secret": "" });
        zis.send(Method::PATCH, &path, Some(other)).await.expect(400);
        let all = elsewhere.into_iter().chain([json!({}), json!({ "client_id": "another" })]);
        for (number, mut patch) in all.enumerate() {
            if patch.get("client_id").is_none() {
                patch["client_secret"] = json!(SECRET);
            }
            let before = stage.show("my_connection").await;
            assert_eq!((&before["access_token"], &before["refresh_token"]), (&json!("*****"), &json!("*****")));
            // What is under way with the client as it was is worth nothing either.
            let way = stage.begin("another_one").await;
            let code = stage.zis.post(START, &json!({ "name": "third", "oauth_client_name": "mine",
                "grant_type": "client_credentials" })).await.expect(200).json();
            zis.send(Method::PATCH, &path, Some(patch.clone())).await.expect(204);
            let shown = stage.show("my_connection").await;
            for member in ["access_token", "refresh_token", "oauth_access_token_response_body", "token_type"] {
                assert_eq!(shown[member], "", "{patch}");
            }
            assert_eq!((&shown["token_expiry"], &shown["uuid"]), (&Value::Null, &connection["uuid"]));
            let error = stage.token(id_of(&connection)).await.unwrap_err();
            assert_eq!((error.code(), error.is_final()), ("tokens_lost", true));
            let asked = stage.provider.asked().len();
            let location = stage.callback(&format!("state={}&code=x", way["state"])).await.expect(302);
            assert!(location.header("location").ends_with("&error=client_changed"), "{patch}");
            let code = query(code["redirect_url"].as_str().unwrap());
            stage.finish(&code["verification_code"]).await.expect(400);
            assert_eq!(stage.provider.asked().len(), asked, "nobody was asked");

            // Where it may go changes only by agreeing anew.
            let again = json!({ "token_url": "https://auth.example.com/token", "allowed_domain": null, "client_id": "my-client",
                "auth_url": "https://auth.example.com/authorize?prompt=consent", "client_secret": SECRET });
            zis.send(Method::PATCH, &path, Some(again)).await.expect(204);
            let renewed = stage.connect("my_connection").await;
            assert_eq!(renewed["uuid"], connection["uuid"], "the connection is the same");
            assert_eq!(stage.token(id_of(&connection)).await.unwrap(), format!("canary-access-{}", number + 2));
        }
        let found = stage.server.database().scalar("SELECT COUNT(*) FROM connection_secrets").await;
        assert_eq!(found, "3");
        stage.stop().await;
    }

    async fn tokens_go_where_the_client_says(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let mut body = client_body();
        body["allowed_domain"] = json!("*.Api.example.com");
        make_client(&stage.zis, &body).await;
        assert_eq!(stage.connect("explicit").await["allowed_domain"], "*.api.example.com");
        body["name"] = json!("other");
        body["allowed_domain"] = Value::Null;
        make_client(&stage.zis, &body).await;
        let start = json!({ "name": "default", "oauth_client_name": "other", "grant_type": "client_credentials" });
        let begun = stage.zis.post(START, &start).await.expect(200).json();
        let code = query(begun["redirect_url"].as_str().unwrap());
        let made = stage.finish(&code["verification_code"]).await.expect(200).json();
        assert_eq!(made["allowed_domain"], "auth.example.com");
        // The native API shows the same.
        let listed = stage.server.client().get("/claviger/v1/connections?dialect=zendesk").await.expect(200).json();
        let hosts: Vec<_> = listed["connections"].as_array().unwrap().iter().map(|it| it["allowed_hosts"][0].clone()).collect();
        assert_eq!(hosts, [json!("auth.example.com"), json!("*.api.example.com")]);
        stage.stop().await;
    }

    async fn a_client_goes_with_its_connections_and_before_its_integration(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        stage.connect("one").await;
        stage.connect_by_credentials("two").await;
        let mut other = client_body();
        other["name"] = json!("other");
        make_client(&stage.zis, &other).await;
        stage.begin("three").await;
        let client = stage.server.client();
        client.delete("/claviger/v1/zis_integrations/my_integration").await.expect(409);
        stage.zis.delete(&format!("{CLIENTS}/{uuid}")).await.expect(204);
        for name in ["one", "two"] {
            stage.zis.get(&format!("{ONE}?name={name}")).await.expect(404);
        }
        for table in ["connections", "connection_secrets", "zis_oauth_flows", "zis_oauth_refreshes"] {
            assert_eq!(stage.server.database().scalar(&format!("SELECT COUNT(*) FROM {table}")).await, "0", "{table}");
        }
        stage.server.verify_state().await;
        client.delete("/claviger/v1/zis_integrations/my_integration").await.expect(409);
        let clients = stage.zis.get(CLIENTS).await.expect(200).json();
        let last = clients["clients"][0]["uuid"].as_str().unwrap().to_owned();
        stage.zis.delete(&format!("{CLIENTS}/{last}")).await.expect(204);
        client.delete("/claviger/v1/zis_integrations/my_integration").await.expect(204);
        stage.stop().await;
    }

    async fn clients_are_one_integrations_and_one_orgs(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let uuid = stage.client().await;
        let other = stage.admin.integration("other").await;
        let stranger = Zis::bearer(&stage.server, &stage.admin.token(other, &["read", "write"]).await.1);
        let theirs = CLIENTS.replace("my_integration", "other");
        for (method, body) in [(Method::GET, None), (Method::PATCH, Some(json!({}))), (Method::DELETE, None)] {
            stranger.send(method, &format!("{theirs}/{uuid}"), body).await.expect(404);
        }
        assert_eq!(stranger.get(&theirs).await.expect(200).json(), json!({ "clients": [] }));
        stranger.get(CLIENTS).await.expect(401);
        let start = json!({ "name": "mine", "oauth_client_uuid": uuid });
        let path = START.replace("my_integration", "other");
        stranger.post(&path, &start).await.expect(404);
        // A name that is the client's of another integration is free here.
        stranger.post(&theirs, &client_body()).await.expect(201);
        stage.stop().await;
    }

    /// A connection that somebody kept to themselves is not emptied or deleted by way of its client.
    async fn a_restriction_holds_against_its_client(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let path = format!("{CLIENTS}/{}", stage.client().await);
        let connection = stage.connect("kept").await;
        let id = connection["uuid"].as_str().unwrap();
        let member = Member::join(&stage.server, "human", &["Datadog Standard Role"], Value::Null).await;
        let given = [("editor", format!("user:{}", member.id)), ("viewer", format!("org:{}", stage.org()))];
        restrict(&stage.server.client(), id, &given).await;
        let forbidden = |answer: Answer| assert_eq!(answer.expect(403).json()["errors"][0]["code"], "Forbidden");
        forbidden(stage.zis.delete(&path).await);
        forbidden(stage.zis.send(Method::PATCH, &path, Some(json!({ "client_secret": "another" }))).await);
        forbidden(stage.zis.delete(&format!("{ONE}?name=kept")).await);
        forbidden(stage.refresh("kept").await);
        let body = json!({ "name": "kept", "oauth_client_name": "mine" });
        forbidden(stage.zis.post(START, &body).await);
        assert_eq!(stage.show("kept").await["access_token"], "*****");
        // What does not touch it is not held up.
        stage.zis.send(Method::PATCH, &path, Some(json!({ "default_scopes": "" }))).await.expect(204);
        assert_eq!(stage.token(id_of(&connection)).await.unwrap(), "canary-access-1");
        stage.stop().await;
    }

    async fn integrations_that_are_deleted_take_nobodys_clients(database: TestDatabase) {
        let stage = Stage::set(database).await;
        stage.admin.post(&registry("later"), &json!({})).await.expect(200);
        stage.server.client().delete("/claviger/v1/zis_integrations/later").await.expect(204);
        stage.client().await;
        assert_eq!(stage.zis.get(CLIENTS).await.expect(200).json()["clients"].as_array().unwrap().len(), 1);
        stage.stop().await;
    }

    async fn an_integration_has_so_many_clients(database: TestDatabase) {
        let stage = Stage::set(database).await;
        let mut body = client_body();
        body.as_object_mut().unwrap().remove("name");
        for _ in 0..100 {
            make_client(&stage.zis, &body).await;
        }
        let answer = stage.zis.post(CLIENTS, &body).await.expect(400);
        assert_eq!(titles(&answer), ["at most 100 of OAuth client are allowed"]);
        assert_eq!(stage.zis.get(CLIENTS).await.expect(200).json()["clients"].as_array().unwrap().len(), 100);
        stage.stop().await;
    }
}
