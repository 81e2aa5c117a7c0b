//! `/api/v2/validate_keys`, and authentication with personal and service access tokens: where they may stand, what stands beside them, and what
//! they may do.

use http::Method;
use serde_json::{Value, json};

use crate::support::people::{API_KEYS_READ, role};
use crate::support::sample::{Made, api_key, application_key};
use crate::support::tokens::{TOKEN_END, personal_access_token, service_access_token, service_account};
use crate::support::{Answer, Keys, TestDatabase, TestServer, on_both_engines};

const UNAUTHORIZED: &str = r#"{"errors":["Unauthorized"]}"#;
const NOBODYS: &str = "ddpat_0123456789ABCDEFGHIJab_0123456789abcdefghijklmnopqrstuvwxyz";

/// One token of each kind, that may read API keys.
async fn both_kinds(server: &TestServer) -> [Made; 2] {
    let client = server.client();
    let role = role(&client, &[API_KEYS_READ]).await;
    let account = service_account(&client, json!([{ "type": "roles", "id": role }])).await;
    let scopes = json!(["api_keys_read", "monitors_read"]);
    [
        personal_access_token(&client, scopes.clone()).await,
        service_access_token(&client, &account, scopes).await,
    ]
}

/// Every way to present a token alone.
fn places(token: &str) -> [Keys; 2] {
    let token = Some(token.to_owned());
    [Keys { bearer: token.clone(), ..Keys::default() }, Keys { application_key: token, ..Keys::default() }]
}

async fn get(server: &TestServer, keys: &Keys, path: &str) -> Answer {
    server.client_with(keys.clone()).get(path).await
}

on_both_engines! {
    async fn a_token_stands_alone_in_either_place(server: &TestServer) {
        for made in both_kinds(server).await {
            for keys in places(&made.secret) {
                get(server, &keys, "/api/v2/api_keys").await.expect(200);
                assert_eq!(get(server, &keys, "/api/v2/validate_keys").await.expect(200).text, r#"{"status":"ok"}"#);
                let verified = get(server, &keys, "/verify?permission=api_keys_read").await.expect(200);
                assert_eq!(verified.header("claviger-key-id"), made.id);
                assert_eq!(verified.header("claviger-scopes"), "api_keys_read monitors_read");
                // These look at the API key alone.
                get(server, &keys, "/api/v1/validate").await.expect(403);
                get(server, &keys, "/api/v2/validate").await.expect(403);
            }
            let nobody = server.client_with(Keys::default());
            let header = [("x-api-key", made.secret.as_str())];
            nobody.send(Method::GET, "/verify", &header, None::<String>).await.expect(200);
        }
    }

    /// What stands beside a good token is not evaluated, and what stands beside a bad one does not help.
    async fn a_token_decides_alone(server: &TestServer) {
        let nobodys_key = Some("0123456789abcdef0123456789abcdef".to_owned());
        let foreign = Keys::of(&server.found_another("Foreign").await);
        for made in both_kinds(server).await {
            for keys in places(&made.secret) {
                for api_key in [&nobodys_key, &foreign.api_key, &server.admin().api_key] {
                    let beside = Keys { api_key: api_key.clone(), ..keys.clone() };
                    let verified = get(server, &beside, "/verify").await.expect(200);
                    assert_eq!(verified.header("claviger-org"), server.founded.org.to_string());
                    get(server, &beside, "/api/v2/api_keys").await.expect(200);
                }
            }
        }
        let admin = server.admin();
        let bearer = Keys { bearer: Some(NOBODYS.to_owned()), ..admin.clone() };
        let instead = Keys { application_key: Some(NOBODYS.to_owned()), ..admin.clone() };
        let mistyped = Keys { application_key: Some("ddsat_".to_owned()), ..admin.clone() };
        for keys in [&bearer, &instead, &mistyped] {
            assert_eq!(get(server, keys, "/api/v2/api_keys").await.expect(401).text, UNAUTHORIZED);
            assert_eq!(get(server, keys, "/api/v2/validate_keys").await.expect(401).text, UNAUTHORIZED);
            assert_eq!(get(server, keys, "/verify").await.expect(401).json()["reason"], "unknown");
        }
        // A bearer decides before whatever stands in the other place.
        let [good, _] = both_kinds(server).await;
        let both = Keys { bearer: Some(NOBODYS.to_owned()), application_key: Some(good.secret), ..Keys::default() };
        get(server, &both, "/api/v2/api_keys").await.expect(401);
    }

    /// On the vendor's endpoints keys are no tokens, and tokens no API keys.
    async fn each_kind_has_its_place(server: &TestServer) {
        let client = server.client();
        let keys = [api_key(&client).await.secret, application_key(&client, Value::Null).await.secret];
        for key in keys {
            let keys = Keys { bearer: Some(key), ..server.admin() };
            assert_eq!(get(server, &keys, "/api/v2/api_keys").await.expect(401).text, UNAUTHORIZED);
            get(server, &keys, "/verify").await.expect(200);
        }
        let [token, _] = both_kinds(server).await;
        let as_api_key = Keys { api_key: Some(token.secret), ..server.admin() };
        get(server, &as_api_key, "/api/v2/api_keys").await.expect(403);
        assert_eq!(get(server, &as_api_key, "/verify").await.expect(401).json()["reason"], "wrong_kind");
    }

    async fn a_token_may_what_its_owner_and_its_scopes_allow(server: &TestServer) {
        let client = server.client();
        let narrow = personal_access_token(&client, json!(["monitors_read"])).await;
        let [_, service] = both_kinds(server).await;
        let wide = service_access_token(&client, &owner_of(server, &service).await, json!(["api_keys_write"])).await;
        for (made, permission, status) in [
            (&narrow, "monitors_read", 200),
            (&narrow, "api_keys_read", 403),
            (&service, "api_keys_read", 200),
            // A scope that the owner's roles do not allow.
            (&service, "monitors_read", 403),
            (&wide, "api_keys_write", 403),
        ] {
            let [bearer, _] = places(&made.secret);
            get(server, &bearer, &format!("/verify?permission={permission}")).await.expect(status);
        }
        let refused = r#"{"errors":["Forbidden","Failed permission authorization checks"]}"#;
        let [bearer, _] = places(&narrow.secret);
        assert_eq!(get(server, &bearer, "/api/v2/api_keys").await.expect(403).text, refused);
    }

    async fn a_token_ends_when_it_says(server: &TestServer) {
        let made = personal_access_token(&server.client(), json!(["api_keys_read"])).await;
        let end = claviger_model::Timestamp::parse_rfc3339(TOKEN_END).unwrap();
        let now = claviger_model::Clock::now(&*server.clock);
        server.clock.advance_micros(end.micros() - now.micros() - 1);
        for keys in places(&made.secret) {
            get(server, &keys, "/api/v2/api_keys").await.expect(200);
        }
        server.clock.advance_micros(1);
        for keys in places(&made.secret) {
            assert_eq!(get(server, &keys, "/api/v2/api_keys").await.expect(401).text, UNAUTHORIZED);
            assert_eq!(get(server, &keys, "/verify").await.expect(401).json()["reason"], "expired");
        }
    }

    /// The ledger names the token by which a change was made, and a token that dies takes no change along.
    async fn a_revoked_token_is_dead_at_once_even_to_itself(server: &TestServer) {
        let made = personal_access_token(&server.client(), json!(["user_app_keys"])).await;
        let [bearer, _] = places(&made.secret);
        let own = server.client_with(bearer);
        own.delete(&format!("/api/v2/personal_access_tokens/{}", made.id)).await.expect(204);
        assert_eq!(own.get("/api/v2/personal_access_tokens").await.expect(401).text, UNAUTHORIZED);
        assert_eq!(own.get("/verify").await.expect(401).json()["reason"], "unknown");
    }
}

/// The account that a service access token acts for.
async fn owner_of(server: &TestServer, token: &Made) -> String {
    let path = format!("/api/v2/personal_access_tokens/{}", token.id);
    let read = server.client().get(&path).await.expect(200).json();
    read["data"]["relationships"]["owned_by"]["data"]["id"].as_str().unwrap().to_owned()
}
