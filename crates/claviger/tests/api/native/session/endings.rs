//! What ends a session: at once, everywhere, and for good.

use claviger_model::UserId;
use http::Method;
use serde_json::json;

use super::{code, person, unlimited};
use crate::support::people::{self, built_in_role};
use crate::support::session::{ADMIN, Browser, PASSWORD, SESSION, set_password};
use crate::support::{TestDatabase, TestServer, on_both_engines, with_either_database};

const REGISTRY: &str = "/api/services/zis/registry/integrations";

/// What each face of the server makes of a session.
async fn statuses(browser: &Browser) -> [u16; 3] {
    let mut statuses = [0; 3];
    for (status, path) in statuses.iter_mut().zip([SESSION, "/claviger/v1/org", REGISTRY]) {
        *status = browser.get(path).await.status.as_u16();
    }
    statuses
}

/// The id of a permission.
async fn permission(server: &TestServer, name: &str) -> String {
    let all = server.client().get("/api/v2/permissions").await.expect(200).json();
    let all = all["data"].as_array().unwrap().clone();
    let found = all.iter().find(|it| it["attributes"]["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// An admin of their own, who has signed in twice.
async fn admin(server: &TestServer, roles: &[&str]) -> (UserId, [Browser; 2]) {
    let (id, email) = person(server, roles).await;
    let mut browsers = [Browser::new(server), Browser::new(server)];
    for browser in &mut browsers {
        browser.sign_in(&email, PASSWORD).await.expect(201);
        assert_eq!(statuses(browser).await, [200; 3]);
    }
    (id.parse().unwrap(), browsers)
}

with_either_database! {
    async fn a_session_dies_with_what_it_stands_on(database: TestDatabase) {
        let server = TestServer::start_with(database, unlimited()).await;
        let (client, org) = (server.client(), server.founded.org);
        // One whom nothing happens to.
        let bystander = Browser::of_admin(&server).await;
        let role = built_in_role(&client, "Datadog Admin Role").await;

        let (id, browsers) = admin(&server, &["Datadog Admin Role"]).await;
        client.delete(&format!("/api/v2/users/{id}")).await.expect(204);
        for browser in &browsers {
            assert_eq!(statuses(browser).await, [401; 3], "disabled");
        }
        let enable = json!({ "data": { "type": "users", "id": id.to_string(), "attributes": { "disabled": false } } });
        client.patch(&format!("/api/v2/users/{id}"), &enable).await.expect(200);
        assert_eq!(statuses(&browsers[0]).await, [401; 3], "enabled again");

        let (id, browsers) = admin(&server, &["Datadog Admin Role"]).await;
        let user = json!({ "data": { "type": "users", "id": id.to_string() } }).to_string();
        let members = format!("/api/v2/roles/{role}/users");
        client.send(Method::DELETE, &members, &[], Some(user.clone())).await.expect(200);
        for browser in &browsers {
            assert_eq!(statuses(browser).await, [401; 3], "no admin any more");
        }
        client.send(Method::POST, &members, &[], Some(user)).await.expect(200);
        assert_eq!(statuses(&browsers[0]).await, [401; 3], "an admin again");

        let (id, browsers) = admin(&server, &["Datadog Admin Role"]).await;
        assert_eq!(set_password(&server, org, id, Some("another horse battery")).await, 2);
        for browser in &browsers {
            assert_eq!(statuses(browser).await, [401; 3], "another password");
        }
        assert_eq!(set_password(&server, org, id, Some(PASSWORD)).await, 0);
        assert_eq!(statuses(&browsers[0]).await, [401; 3], "the same password again");

        let (id, browsers) = admin(&server, &["Datadog Admin Role"]).await;
        assert_eq!(set_password(&server, org, id, None).await, 2);
        for browser in &browsers {
            assert_eq!(statuses(browser).await, [401; 3], "no password");
        }

        let (_, [one, other]) = admin(&server, &["Datadog Admin Role"]).await;
        let stolen = one.stolen(&server, None);
        one.delete(SESSION).await.expect(204);
        assert_eq!(statuses(&stolen).await, [401; 3], "signed out");
        assert_eq!(statuses(&other).await, [200; 3], "signed in elsewhere");

        // Whoever finds what the cookie holds may report it, as of every secret.
        let report = json!({ "secret": other.token() });
        client.post("/claviger/v1/leaks", &report).await.expect(200);
        assert_eq!(statuses(&other).await, [401; 3], "leaked");

        assert_eq!(statuses(&bystander).await, [200; 3]);
        server.verify_state().await;
        // None of them comes back by starting again.
        let server = server.halt().await.start(unlimited()).await;
        for dead in browsers.iter().chain([&stolen, &other]) {
            assert_eq!(statuses(&dead.stolen(&server, None)).await, [401; 3]);
        }
        assert_eq!(statuses(&bystander.stolen(&server, None)).await, [200; 3]);
        server.stop().await;
    }

    /// What a role allows is one row, whoever has it: sessions of those who are no admins by it any more are refused at
    /// once, and end soon afterwards.
    async fn a_role_that_makes_nobody_an_admin_any_more(database: TestDatabase) {
        let server = TestServer::start_with(database, unlimited()).await;
        let client = server.client();
        let manage = permission(&server, "org_management").await;
        for removes_role in [false, true] {
            let role = people::role(&client, &[&manage]).await;
            let (id, browsers) = admin(&server, &[&role]).await;
            let permissions = format!("/api/v2/roles/{role}/permissions");
            let body = json!({ "data": { "type": "permissions", "id": manage } });
            match removes_role {
                false => client.send(Method::DELETE, &permissions, &[], Some(body.to_string())).await.expect(200),
                true => client.delete(&format!("/api/v2/roles/{role}")).await.expect(204),
            };
            for browser in &browsers {
                assert_eq!(statuses(browser).await, [403; 3], "removed: {removes_role}");
                assert_eq!(code(&browser.get(SESSION).await), "not_admin");
                let refused = browser.get(REGISTRY).await.json();
                assert_eq!(refused["message"], "Only admin user is allowed");
                // Without the proof that its own page asks, not even that is told.
                let refused = browser.send(Method::DELETE, SESSION, &[("x-csrf-token", "")], None).await;
                assert_eq!(code(&refused.expect(403)), "forged");
            }
            server.engine.end_sessions().await.unwrap();
            assert_eq!(statuses(&browsers[0]).await, [401; 3]);
            // Another way to be an admin does not bring them back.
            let user = json!({ "data": { "type": "users", "id": id.to_string() } });
            let admins = built_in_role(&client, "Datadog Admin Role").await;
            client.post(&format!("/api/v2/roles/{admins}/users"), &user).await.expect(200);
            assert_eq!(statuses(&browsers[1]).await, [401; 3]);
        }
        server.verify_state().await;
        server.stop().await;
    }
}

on_both_engines! {
    /// A role that is taken from somebody who remains an admin takes no session.
    async fn a_role_beside_the_one_that_makes_an_admin(server: &TestServer) {
        let client = server.client();
        let role = people::role(&client, &[people::API_KEYS_READ]).await;
        let (id, browsers) = admin(server, &["Datadog Admin Role", &role]).await;
        let user = json!({ "data": { "type": "users", "id": id.to_string() } }).to_string();
        client.send(Method::DELETE, &format!("/api/v2/roles/{role}/users"), &[], Some(user)).await.expect(200);
        assert_eq!(statuses(&browsers[0]).await, [200; 3]);
        server.verify_state().await;
    }

    /// Sessions are ended while they are used: no request that began after the ending was answered 200.
    async fn none_is_answered_after_its_end(server: &TestServer) {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicBool, Ordering};
        set_password(server, server.founded.org, server.founded.user, Some(PASSWORD)).await;
        for _ in 0..8 {
            server.clock.advance_micros(301_000_000);
            let mut browser = Browser::new(server);
            browser.sign_in(ADMIN, PASSWORD).await.expect(201);
            let is_over = Arc::new(AtomicBool::new(false));
            let mut asking = tokio::task::JoinSet::new();
            for _ in 0..4 {
                let (browser, is_over) = (browser.stolen(server, None), is_over.clone());
                asking.spawn(async move {
                    loop {
                        let began_after = is_over.load(Ordering::SeqCst);
                        let status = browser.get(SESSION).await.status.as_u16();
                        assert!(!began_after || status == 401, "{status}");
                        if began_after {
                            return;
                        }
                    }
                });
            }
            browser.delete(SESSION).await.expect(204);
            is_over.store(true, Ordering::SeqCst);
            while let Some(asked) = asking.join_next().await {
                asked.unwrap();
            }
        }
    }
}
