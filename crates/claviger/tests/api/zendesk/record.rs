//! What is kept of the dialect: none of its secrets in clear, and nothing that could be edited unseen.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;

use crate::support::zis::{TOKENS, Zis, registry};
use crate::support::{TestDatabase, TestServer, on_both_engines};

const CONNECTION: &str = "/api/services/zis/integrations/my_integration/connections/api_key";

on_both_engines! {
    async fn no_secret_is_stored_in_clear(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let made = admin.post(&registry("my_integration"), &json!({})).await.expect(200).json();
        let client = &made["zendesk_oauth_client"];
        let (_, token) = admin.token(client["id"].as_i64().unwrap(), &["read", "write"]).await;
        let zis = Zis::bearer(server, &token);
        let body = json!({ "name": "mine", "allowed_domain": "api.example.com", "header_name": "x-api-key",
            "api_key": "canary-of-the-first-key" });
        zis.post(CONNECTION, &body).await.expect(201);
        let patch = json!({ "api_key": "canary-of-the-second-key" });
        zis.send(Method::PATCH, &format!("{CONNECTION}/mine"), Some(patch)).await.expect(204);
        let contents = server.database().contents().await;
        let holds = |text: &str| {
            contents.iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
        };
        assert!(holds("my_integration"), "the search finds what is there");
        let secret = client["secret"].as_str().unwrap();
        for text in ["canary-of-the-first-key", "canary-of-the-second-key", &token, secret] {
            assert!(!holds(text), "{text}");
        }
        // Whatever holds the private key in clear has the modulus of the public one in it, which that one's text has in base64.
        let key = made["jwt_public_key"].as_str().unwrap();
        assert!(holds(key), "the search finds the public key");
        let body = key.trim().strip_prefix("-----BEGIN PUBLIC KEY-----").unwrap().strip_suffix("-----END PUBLIC KEY-----").unwrap();
        let der = STANDARD.decode(body.replace('\n', "")).unwrap();
        let modulus = &der[40..72];
        assert!(!contents.iter().any(|(_, bytes)| bytes.windows(modulus.len()).any(|window| window == modulus)));
        server.verify_state().await;
    }

    async fn what_is_edited_behind_the_servers_back_is_found(server: &TestServer) {
        let org = server.founded.org;
        server.client().patch(&format!("/claviger/v1/orgs/{org}"), &json!({ "subdomain": "acme" })).await.expect(200);
        let admin = Zis::admin(server).await;
        let (client, _) = (admin.integration("my_integration").await, admin.integration("other").await);
        let (_, token) = admin.token(client, &["read", "write"]).await;
        admin.token(client, &["read"]).await;
        let body = json!({ "name": "mine", "allowed_domain": "api.example.com", "header_name": "x-api-key", "api_key": "k" });
        Zis::bearer(server, &token).post(CONNECTION, &body).await.expect(201);
        server.verify_state().await;
        let integration = |name: &str| format!("(SELECT id FROM zis_integrations WHERE name = '{name}')");
        let settings = |domain: &str| format!(r#"'{{"allowed_domain":"{domain}","header_name":"x-api-key"}}'"#);
        let one = "WHERE kind = 'integration_token' AND zis_scopes LIKE 'read%' AND zis_scopes NOT LIKE '% write'";
        for (table, edit, undo, of) in [
            ("orgs", "subdomain = 'evil'".into(), "subdomain = 'acme'".into(), ""),
            ("orgs", "subdomain = NULL".into(), "subdomain = 'acme'".into(), ""),
            ("zis_integrations", "name = 'evil'".into(), "name = 'other'".into(), "WHERE name IN ('other', 'evil')"),
            ("zis_integrations", "client_number = client_number + 1".into(), "client_number = client_number - 1".into(), ""),
            ("zis_integrations", "jwt_public_key = jwt_public_key || ' '".into(), "jwt_public_key = rtrim(jwt_public_key, ' ')".into(), ""),
            ("credentials", "zis_scopes = 'read zis:write'".into(), "zis_scopes = 'read'".to_owned(), one),
            ("credentials", "token_number = token_number + 1".into(), "token_number = token_number - 1".into(), one),
            (
                "credentials",
                format!("zis_integration_id = {}", integration("other")),
                format!("zis_integration_id = {}", integration("my_integration")),
                one,
            ),
            (
                "connections",
                format!("settings = {}", settings("evil.example")),
                format!("settings = {}", settings("api.example.com")),
                "",
            ),
            ("connections", "container = 'other'".into(), "container = 'my_integration'".into(), ""),
        ] {
            server.database().execute(&format!("UPDATE {table} SET {edit} {of}")).await;
            assert!(!server.check_record().await.is_clean(), "{table}: {edit}");
            server.database().execute(&format!("UPDATE {table} SET {undo} {of}")).await;
            let report = server.check_record().await;
            assert!(report.is_clean(), "{table}: {undo}: {:?}", report.findings);
        }
        admin.get(TOKENS).await.expect(200);
        // A private key opens in its own row alone, and is there wherever a public one is.
        let others = "signing_key = (SELECT z.signing_key FROM zis_integrations z WHERE z.name = 'other')";
        for edit in [others, "signing_key = NULL", "jwt_public_key = NULL"] {
            server.database().execute(&format!("UPDATE zis_integrations SET {edit} WHERE name = 'my_integration'")).await;
            assert!(!server.check_record().await.is_clean(), "{edit}");
        }
    }
}
