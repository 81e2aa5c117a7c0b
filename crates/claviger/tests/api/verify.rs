//! `/verify`

use http::Method;
use serde_json::json;

use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

on_both_engines! {
    async fn every_place_for_a_credential_works_with_any_method_below_the_path(server: &TestServer) {
        let admin = server.admin();
        let application_key = admin.application_key.clone().unwrap();
        let nobody = server.client_with(Keys::default());
        let header = [("x-api-key", application_key.as_str())];
        let answer = nobody.send(Method::POST, "/verify/a/b?permission=api_keys_read", &header, None::<String>).await.expect(200);
        assert_eq!(answer.header("claviger-user"), server.founded.user.to_string());
        assert_eq!(answer.header("claviger-key-id"), server.founded.application_key_id.to_string());
        assert_eq!(answer.header("claviger-org"), server.founded.org.to_string());
        assert_eq!(answer.header("cache-control"), "no-store");
        let bearer = Keys { bearer: Some(application_key), ..Keys::default() };
        server.client_with(bearer).get("/verify").await.expect(200);
        server.client().get("/verify?permission=api_keys_read&permission=org_management").await.expect(200);
        nobody.get("/verifyx").await.expect(404);
    }

    async fn a_lone_api_key_is_an_org_without_permissions(server: &TestServer) {
        let lone = server.client_with(Keys { application_key: None, ..server.admin() });
        let answer = lone.get("/verify").await.expect(200);
        assert_eq!(answer.json()["kind"], "api_key");
        assert_eq!(answer.header("claviger-user"), "");
        let refused = lone.get("/verify?permission=api_keys_read").await.expect(403);
        assert_eq!(refused.header("claviger-error"), "no_permissions");
    }

    async fn the_gateways_requirement_overrides_the_clients_query(server: &TestServer) {
        let new = json!({ "data": { "type": "application_keys",
            "attributes": { "name": "narrow", "scopes": ["dashboards_read"] } } });
        let made = server.client().post("/api/v2/current_user/application_keys", &new).await.expect(201).json();
        let secret = made["data"]["attributes"]["key"].as_str().unwrap().to_owned();
        let client = server.client_with(Keys { bearer: Some(secret), ..Keys::default() });
        let ask = async |path: &str, require: &str| {
            client.send(Method::GET, path, &[("claviger-require", require)], None::<String>).await
        };
        let answer = ask("/verify?permission=monitors_read", "dashboards_read").await.expect(200);
        assert_eq!(answer.header("claviger-scopes"), "dashboards_read");
        assert_eq!(answer.json()["scopes"], json!(["dashboards_read"]));
        let refused = ask("/verify?permission=dashboards_read", "dashboards_read, monitors_read").await.expect(403);
        assert_eq!(refused.header("claviger-error"), "missing_permission");
        let typo = ask("/verify", "dashboard_read").await.expect(403);
        assert_eq!(typo.json()["reason"], "unknown_permission");
    }

    async fn a_bad_token_is_not_rescued_by_good_keys(server: &TestServer) {
        let client = server.client_with(Keys { bearer: Some("nobody's".to_owned()), ..server.admin() });
        let refused = client.get("/verify").await.expect(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer");
        assert_eq!(refused.json()["reason"], "unknown");
        client.get("/api/v2/api_keys").await.expect(401);
    }
}
