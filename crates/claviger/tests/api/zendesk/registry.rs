//! `/api/services/zis/registry`

use serde_json::{Value, json};

use crate::support::zis::{Zis, registry};
use crate::support::{TestDatabase, TestServer, on_both_engines};

const LIST: &str = "/api/services/zis/registry/integrations";
const MASK: &str = "************";

on_both_engines! {
    async fn an_integration_has_a_client_whose_secret_is_shown_once(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let answer = admin.post(&registry("my_integration"), &json!({ "description": "Orders" })).await.expect(200);
        assert!(answer.header("claviger-position").starts_with("1."));
        let made = answer.json();
        let client = &made["zendesk_oauth_client"];
        assert_eq!(made["description"], "Orders");
        assert_eq!(client["identifier"], "zis_my_integration");
        assert!(client["id"].as_i64().unwrap() > 0);
        let secret = client["secret"].as_str().unwrap();
        assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{secret}");
        let key = made["jwt_public_key"].as_str().unwrap();
        assert!(key.starts_with("-----BEGIN PUBLIC KEY-----\nMIIBIjAN") && key.ends_with("\n-----END PUBLIC KEY-----\n"), "{key}");
        let masked = json!({ "description": "Orders", "jwt_public_key": key, "name": "my_integration",
            "zendesk_oauth_client": { "id": client["id"], "identifier": "zis_my_integration", "secret": MASK } });
        assert_eq!(admin.get(LIST).await.expect(200).json(), json!({ "integrations": [masked] }));
        // Described anew, it keeps its key; another has another.
        let again = admin.post(&registry("my_integration"), &json!({ "description": "Tickets" })).await.expect(200).json();
        assert_eq!(again["jwt_public_key"], key);
        let other = admin.post(&registry("other"), &json!({})).await.expect(200).json();
        assert_ne!(other["jwt_public_key"], key);
        server.verify_state().await;
    }

    async fn one_that_is_there_is_described_anew(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let client = admin.integration("my_integration").await;
        for description in ["Made", "Orders"] {
            let body = json!({ "description": description });
            let again = admin.post(&registry("my_integration"), &body).await.expect(200).json();
            let shown = &again["zendesk_oauth_client"];
            assert_eq!((&again["description"], &shown["id"], &shown["secret"]), (&json!(description), &json!(client), &json!(MASK)));
        }
        let listed = admin.get(LIST).await.expect(200).json();
        assert_eq!(listed["integrations"].as_array().unwrap().len(), 1);
        assert_eq!(listed["integrations"][0]["description"], "Orders");
        server.verify_state().await;
    }

    async fn a_bad_name_or_description_makes_nothing(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let long = "a".repeat(65);
        for name in ["My_integration", "a.b", "a%20b", &long] {
            let refused = admin.post(&registry(name), &json!({ "description": "x" })).await.expect(400).json();
            let fault = json!({ "code": "1010", "detail": "invalid integration key", "status": "400" });
            assert_eq!(refused, json!({ "errors": [fault], "message": "invalid integration key" }));
        }
        for (body, message) in [
            (json!({ "description": 1 }), "description must be a string"),
            (json!([]), "body must be an object"),
            (json!({ "description": "x".repeat(1025) }), "description must have at most 1024 characters"),
            (json!({ "description": "\0" }), "description must not contain a NUL"),
        ] {
            assert_eq!(admin.post(&registry("a"), &body).await.expect(400).json()["message"], message);
        }
        assert_eq!(admin.get(LIST).await.expect(200).json(), json!({ "integrations": [] }));
    }

    async fn of_many_who_make_one_at_once_one_is_shown_its_secret(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let (path, body) = (registry("my_integration"), json!({ "description": "Made" }));
        let mut creates = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (admin, path, body) = (admin.clone(), path.clone(), body.clone());
            creates.spawn(async move { admin.post(&path, &body).await });
        }
        let answers = creates.join_all().await;
        let shown = |answer: &Value| answer["zendesk_oauth_client"]["secret"] != MASK;
        let answers: Vec<_> = answers.into_iter().map(|answer| answer.expect(200).json()).collect();
        assert_eq!(answers.iter().filter(|answer| shown(answer)).count(), 1);
        let ids = answers.iter().map(|answer| answer["zendesk_oauth_client"]["id"].as_i64().unwrap());
        assert_eq!(ids.collect::<std::collections::HashSet<_>>().len(), 1);
        server.verify_state().await;
    }

    /// By Claviger's own API: the vendor's has no request for it.
    async fn a_deleted_integrations_name_is_free(server: &TestServer) {
        let admin = Zis::admin(server).await;
        let first = admin.integration("my_integration").await;
        let client = server.client();
        client.delete("/claviger/v1/zis_integrations/my_integration").await.expect(204);
        assert_eq!(admin.get(LIST).await.expect(200).json(), json!({ "integrations": [] }));
        client.delete("/claviger/v1/zis_integrations/my_integration").await.expect(404);
        assert_ne!(admin.integration("my_integration").await, first);
        server.verify_state().await;
    }
}
