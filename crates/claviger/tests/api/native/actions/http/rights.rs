//! Who may.

use ::http::Method;
use serde_json::{Value, json};

use super::{PATH, SECRET, action, ran, refusal};
use crate::broker::with_a_world;
use crate::support::connections::gitlab;
use crate::support::restrictions::{Someone, restrict};
use crate::support::session::Browser;
use crate::support::zis::Zis;
use crate::support::{Client, Keys, tokens};

fn refused(status: u16, code: &str) -> (u16, String, String) {
    (status, code.to_owned(), String::new())
}

with_a_world! {
    async fn a_zis_connection_is_named_within_its_integration(scene: &Scene) {
        let admin = Zis::admin(&scene.server).await;
        let bearer = |token: String| scene.server.client_with(Keys { bearer: Some(token), ..Keys::default() });
        let mut clients: Vec<Client> = Vec::new();
        for name in ["one", "two"] {
            let number = admin.integration(name).await;
            let token = admin.token(number, &["read", "write"]).await.1;
            let body = json!({ "name": "same", "allowed_domain": format!("{name}.example.com"), "token": format!("canary-{name}-7Qx2") });
            let path = format!("/api/services/zis/integrations/{name}/connections/bearer_token");
            Zis::bearer(&scene.server, &token).post(&path, &body).await.expect(201);
            clients.push(bearer(token));
            if name == "one" {
                clients.push(bearer(admin.token(number, &["read"]).await.1));
            }
        }
        let [one, reader, two] = &clients[..] else { panic!("three clients") };
        let named = |integration: Option<&str>| {
            let mut body = json!({ "connectionName": "same", "method": "GET", "path": "/x" });
            if let Some(integration) = integration {
                body["integration"] = json!(integration);
            }
            body
        };
        let admin = &scene.admin;
        for (client, integration, reached) in
            [(one, None, "one"), (one, Some("one"), "one"), (two, None, "two"), (admin, Some("one"), "one"), (admin, Some("two"), "two")]
        {
            client.post(PATH, &named(integration)).await.expect(200);
            let seen = scene.world.only();
            assert_eq!(seen.name, format!("{reached}.example.com"));
            assert_eq!(seen.header("authorization"), format!("Bearer canary-{reached}-7Qx2"));
        }
        // A whole URL goes to where the secret may.
        let mut body = named(None);
        body.as_object_mut().unwrap().remove("path");
        body["url"] = json!("https://two.example.com/x");
        assert_eq!(refusal(&one.post(PATH, &body).await), (403, "host_not_allowed".to_owned(), "url".to_owned()));
        for (client, integration, code) in [
            (one, Some("two"), refused(404, "connection_not_found")),
            (admin, Some("none"), refused(404, "connection_not_found")),
            (reader, None, refused(403, "forbidden")),
        ] {
            assert_eq!(refusal(&client.post(PATH, &named(integration)).await), code);
        }
        let answer = admin.post(PATH, &named(None)).await;
        assert_eq!(refusal(&answer), (400, "invalid".to_owned(), "integration".to_owned()));
        // No connection of the other dialect is an integration's.
        let id = scene.connection(&gitlab(SECRET)).await;
        let answer = one.post(PATH, &action(&id, json!({ "path": "/x" }))).await;
        assert_eq!(refusal(&answer), refused(404, "connection_not_found"));
        assert_eq!(scene.world.take_seen().len(), 0);
    }

    async fn a_connection_is_used_by_those_who_may(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let body = action(&id, json!({ "path": "/x" }));
        let (someone, outsider) = (Someone::join(&scene.server).await, Someone::join(&scene.server).await);
        restrict(&scene.admin, &id, &[("resolver", format!("user:{}", someone.user))]).await;
        ran(&someone.client, &id, json!({ "path": "/x" })).await;
        assert_eq!(refusal(&outsider.client.post(PATH, &body).await), refused(403, "restricted"));
        let foreign = scene.server.client_with(Keys::of(&scene.server.found_another("Other").await));
        assert_eq!(refusal(&foreign.post(PATH, &body).await), refused(404, "connection_not_found"));
        let rightless = tokens::personal_access_token(&scene.admin, json!(["monitors_read"])).await.secret;
        let bearer = |token: &str| scene.server.client_with(Keys { bearer: Some(token.to_owned()), ..Keys::default() });
        assert_eq!(refusal(&bearer(&rightless).post(PATH, &body).await), refused(403, "forbidden"));
        let key = scene.server.admin().application_key.unwrap();
        assert_eq!(refusal(&bearer(&key).post(PATH, &body).await), refused(401, "wrong_kind"));
        // Where a third party's client would put it, it opens the door only.
        let token = scene.token().await;
        let nobody = scene.server.client_with(Keys::default());
        for headers in [&[][..], &[("private-token", token.as_str())], &[("x-api-key", &token)]] {
            let answer = nobody.send(Method::POST, PATH, headers, Some(body.to_string())).await;
            assert_eq!(refusal(&answer), refused(401, "missing"), "{headers:?}");
        }
        let browser = Browser::of_admin(&scene.server).await;
        assert_eq!(refusal(&browser.post(PATH, &body).await), refused(401, "missing"));
        assert_eq!(scene.world.take_seen().len(), 1);
    }

    async fn an_end_comes_to_actions_too(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let patch = json!({ "expires_at": "2026-03-04T05:06:08Z" });
        scene.admin.patch(&format!("/claviger/v1/connections/{id}"), &patch).await.expect(200);
        ran(&scene.admin, &id, json!({ "path": "/x" })).await;
        scene.server.clock.advance_micros(1_000_000);
        let body = action(&id, json!({ "path": "/x" }));
        assert_eq!(refusal(&scene.admin.post(PATH, &body).await), refused(403, "connection_expired"));
        scene.admin.delete(&format!("/claviger/v1/connections/{id}")).await.expect(204);
        assert_eq!(refusal(&scene.admin.post(PATH, &body).await), refused(404, "connection_not_found"));
        let shown: Value = scene.admin.get("/claviger/v1/connections").await.expect(200).json();
        assert_eq!(shown["total"], 0);
    }
}
