//! `/api/v1/validate` and `/api/v2/validate`

use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

on_both_engines! {
    async fn a_good_key_is_valid_whatever_stands_beside_it(server: &TestServer) {
        let keys = Keys { application_key: Some("nobody's".to_owned()), ..server.admin() };
        let client = server.client_with(keys);
        assert_eq!(client.get("/api/v1/validate").await.expect(200).text, r#"{"valid":true}"#);
        let v2 = client.get("/api/v2/validate").await.expect(200).json();
        assert_eq!(v2["data"]["id"], server.founded.org.to_string());
        assert_eq!(v2["data"]["attributes"]["api_key_scopes"][0], "remote_config_read");
    }

    async fn no_key_and_an_unknown_key_are_told_apart_in_version_1_alone(server: &TestServer) {
        let nobody = server.client_with(Keys::default());
        let none = nobody.get("/api/v1/validate").await.expect(403);
        assert_eq!(none.text, r#"{"errors":["API key required"]}"#);
        let stranger = server.client_with(Keys { api_key: Some("0".repeat(32)), ..Keys::default() });
        let edge = stranger.get("/api/v1/validate").await.expect(403);
        assert!(edge.text.ends_with("\"support@datadoghq.com\"}\n"), "{}", edge.text);
        assert_eq!(edge.header("cache-control"), "no-cache");
        let object = r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Forbidden"}]}"#;
        assert_eq!(nobody.get("/api/v2/validate").await.expect(403).text, object);
        assert_eq!(stranger.get("/api/v2/validate").await.expect(403).text, object);
    }
}
