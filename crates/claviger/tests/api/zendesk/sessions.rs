//! Admins by their sessions, instead of tokens.

use http::Method;
use serde_json::{Value, json};

use crate::support::session::{ADMIN, Browser, PASSWORD, set_password};
use crate::support::zis::{TOKENS, Zis, registry};
use crate::support::{Answer, Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

const LIST: &str = "/api/services/zis/registry/integrations";
const CONNECTIONS: &str = "/api/services/zis/integrations/my_integration/connections";

fn new_connection(name: &str) -> Value {
    json!({ "name": name, "allowed_domain": "api.example.com", "header_name": "x-api-key", "api_key": "MY_SECRET" })
}

/// The status, code and title of a service's error.
fn told(answer: &Answer) -> (u16, String) {
    let error = answer.json()["errors"][0].clone();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), format!("{} {}", text("code"), text("title")))
}

on_both_engines! {
    /// Everything that a token does, from the registration of the integration on.
    async fn an_admins_session_does_what_tokens_do(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let made = browser.post(&registry("my_integration"), &json!({ "description": "By a session" })).await.expect(200);
        let client = made.json()["zendesk_oauth_client"]["id"].as_i64().unwrap();
        assert_eq!(browser.get(LIST).await.expect(200).json()["integrations"][0]["name"], "my_integration");

        let body = json!({ "token": { "client_id": client, "scopes": ["read", "write"] } });
        let token = browser.post(TOKENS, &body).await.expect(201).json()["token"].clone();
        assert_eq!(token["user_id"], json!(server.founded.user.to_string()));
        let one = format!("{TOKENS}/{}", token["id"]);
        browser.get(&one).await.expect(200);
        browser.get(TOKENS).await.expect(200);

        let path = format!("{CONNECTIONS}/api_key");
        browser.post(&path, &new_connection("orders")).await.expect(201);
        let holder = Zis::bearer(server, token["full_token"].as_str().unwrap());
        for shown in [browser.get(&format!("{path}/orders")).await, holder.get(&format!("{path}/orders")).await] {
            let shown = shown.expect(200);
            assert!(shown.text.contains("*****") && !shown.text.contains("MY_SECRET"), "{}", shown.text);
        }
        browser.patch(&format!("{path}/orders"), &json!({ "api_key": "ANOTHER" })).await.expect(204);
        let all = browser.get(&format!("{CONNECTIONS}/all")).await.expect(200).json();
        assert_eq!(all["api_key"][0]["name"], "orders");
        browser.delete(&format!("{path}/orders")).await.expect(204);
        holder.get(&format!("{path}/orders")).await.expect(404);
        browser.delete(&one).await.expect(204);
        holder.get(&format!("{CONNECTIONS}/all")).await.expect(401);
        server.verify_state().await;
    }

    /// The vendor's body, whichever service tells it; and the same request by a token, which needs no proof.
    async fn what_changes_something_needs_the_csrf_token(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        let holder = Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1);
        let token = json!({ "token": { "client_id": client, "scopes": ["read"] } });
        let (registering, connecting) = (registry("another"), format!("{CONNECTIONS}/api_key"));
        let new = new_connection("orders");
        let before = server.engine.applied();
        for (path, body, caller, status) in [
            (registering.as_str(), &json!({}), &admin, 200),
            (TOKENS, &token, &admin, 201),
            (&connecting, &new, &holder, 201),
        ] {
            for wrong in ["", "0123"] {
                let refused = browser.send(Method::POST, path, &[("x-csrf-token", wrong)], Some(body)).await.expect(403);
                assert_eq!(
                    refused.json(),
                    json!({ "error": { "title": "Forbidden", "message": "Invalid authenticity token" } })
                );
                assert_eq!(refused.header("content-type"), "application/json");
            }
            assert_eq!(server.engine.applied().epoch, before.epoch);
            caller.post(path, body).await.expect(status);
        }
        browser.post(&connecting, &new_connection("others")).await.expect(201);
        browser.send(Method::GET, LIST, &[("x-csrf-token", "")], None).await.expect(200);
    }

    async fn a_session_is_bound_to_no_integration_and_told_of_those_that_are_not_there(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        let admin = Zis::admin(server).await;
        let holder = {
            let client = admin.integration("my_integration").await;
            Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1)
        };
        let (absent, invalid) =
            ((404, "NotFound Connection does not exist".to_owned()), (400, "InvalidIntegration Specified integration is not valid".to_owned()));
        for integration in ["nobodys", "My_Integration", "no%20name", &"x".repeat(300)] {
            let base = CONNECTIONS.replace("my_integration", integration);
            for (method, path, body, expected) in [
                (Method::POST, format!("{base}/api_key"), Some(new_connection("orders")), &invalid),
                (Method::PATCH, format!("{base}/api_key/orders"), Some(json!({})), &invalid),
                (Method::GET, format!("{base}/api_key/orders"), None, &absent),
                (Method::DELETE, format!("{base}/bearer_token/orders"), None, &absent),
                (Method::GET, format!("{base}/all"), None, &invalid),
                // Before the body is looked at.
                (Method::POST, format!("{base}/basic_auth"), Some(json!([])), &invalid),
            ] {
                let answer = browser.send(method.clone(), &path, &[], body.as_ref()).await;
                assert_eq!(told(&answer), *expected, "{method} {path}");
                // A token is bound to another.
                let answer = holder.send(method.clone(), &path, body).await;
                let mismatch = (401, "InvalidCredentials Authorization failed due to integration mismatch".to_owned());
                assert_eq!(told(&answer), mismatch, "{method} {path}");
            }
        }
        // In one that is there, its connections alone are not.
        let here = format!("{CONNECTIONS}/api_key/orders");
        assert_eq!(told(&browser.get(&here).await), absent);
        assert_eq!(told(&browser.patch(&here, &json!({})).await), absent);
        browser.get(&format!("{CONNECTIONS}/all")).await.expect(200);
    }

    async fn whoever_is_no_admin_any_more_is_told_so(server: &TestServer) {
        let client = server.client();
        let all = client.get("/api/v2/permissions").await.expect(200).json();
        let manage = all["data"].as_array().unwrap().iter().find(|it| it["attributes"]["name"] == "org_management").unwrap();
        let role = crate::support::people::role(&client, &[manage["id"].as_str().unwrap()]).await;
        let member = crate::support::people::Member::join(server, "human", &[&role], Value::Null).await;
        let user = client.get(&format!("/api/v2/users/{}", member.id)).await.expect(200).json();
        let email = user["data"]["attributes"]["email"].as_str().unwrap().to_owned();
        set_password(server, server.founded.org, member.id.parse().unwrap(), Some(PASSWORD)).await;
        let mut browser = Browser::new(server);
        browser.sign_in(&email, PASSWORD).await.expect(201);
        Browser::of_admin(server).await.post(&registry("my_integration"), &json!({})).await.expect(200);
        let paths = [LIST.to_owned(), TOKENS.to_owned(), format!("{CONNECTIONS}/all")];
        browser.get(&paths[0]).await.expect(200);
        browser.get(&paths[1]).await.expect(200);
        // An admin, whose roles do not name connections.
        assert_eq!(told(&browser.get(&paths[2]).await), (403, "Forbidden Cannot access this resource. Missing scope read".to_owned()));
        client.delete(&format!("/api/v2/roles/{role}")).await.expect(204);
        for path in &paths {
            let refused = browser.get(path).await.expect(403);
            assert!(refused.text.contains("Only admin user is allowed"), "{path}: {}", refused.text);
        }
    }

    /// What shows the very token that is presented has none to show.
    async fn a_session_is_no_token(server: &TestServer) {
        let browser = Browser::of_admin(server).await;
        browser.get(&format!("{TOKENS}/current")).await.expect(401);
        browser.get(&format!("{TOKENS}/current.json")).await.expect(401);
        browser.get(TOKENS).await.expect(200);
    }
}

with_either_database! {
    async fn a_session_is_good_for_its_own_org(database: TestDatabase) {
        let zendesk = claviger_zendesk::Options::under("claviger.example").unwrap();
        let server = TestServer::start_with(database, Setup { zendesk, ..Setup::default() }).await;
        let second = server.found_another("Second").await;
        for (org, subdomain) in [(server.founded.org, "first"), (second.org, "second")] {
            let body = json!({ "subdomain": subdomain });
            server.client().patch(&format!("/claviger/v1/orgs/{org}"), &body).await.expect(200);
        }
        set_password(&server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        let (one, other) = ("first.claviger.example", "second.claviger.example");
        let mut browser = Browser::new(&server).at(one);
        browser.sign_in(ADMIN, PASSWORD).await.expect(201);
        browser.get(LIST).await.expect(200);
        browser.post(&registry("mine"), &json!({})).await.expect(200);
        browser.stolen(&server, Some(one)).get(LIST).await.expect(200);
        let elsewhere = browser.stolen(&server, Some(other));
        elsewhere.get(LIST).await.expect(401);
        elsewhere.post(&registry("mine"), &json!({})).await.expect(401);
        // Pages of another org's host are other pages.
        let origin = format!("https://{other}");
        browser.send(Method::GET, LIST, &[("origin", &origin)], None).await.expect(403);
        browser.stolen(&server, Some("third.claviger.example")).get(LIST).await.expect(404);
        server.verify_state().await;
        server.stop().await;
    }
}
