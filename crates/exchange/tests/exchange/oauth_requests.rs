//! What a provider is sent.

use claviger_exchange::oauth::{Grant, ask};

use crate::provider::{Provider, http, secret};

const FINE: &str = r#"{"access_token":"a","token_type":"Bearer"}"#;

/// The form that a provider gets for a grant.
async fn form(grant: Grant<'_>) -> Vec<(String, String)> {
    let provider = Provider::json(200, FINE).await;
    ask(&http(), &provider.client(), grant).await.unwrap();
    let received = provider.received();
    assert_eq!(received.len(), 1);
    assert!(received[0].head.starts_with("POST /token?own=1 HTTP/1.1\r\n"), "{}", received[0].head);
    assert_eq!(received[0].header("accept"), Some("application/json"));
    assert_eq!(received[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(received[0].header("authorization"), None);
    received[0].form()
}

async fn check(grant: Grant<'_>, expected: &[(&str, &str)]) {
    let client = [("client_id", "the client/1"), ("client_secret", "s3cr+t&=%/ü")];
    let expected =
        expected.iter().chain(&client).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    assert_eq!(form(grant).await, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_code_with_its_verifier() {
    let (code, verifier) = (secret("c/ +&d"), secret("v-._~"));
    let redirect_uri = "https://z.example/back?x=y&z";
    check(
        Grant::Code { code: &code, verifier: Some(&verifier), redirect_uri },
        &[
            ("grant_type", "authorization_code"),
            ("code", "c/ +&d"),
            ("redirect_uri", redirect_uri),
            ("code_verifier", "v-._~"),
        ],
    )
    .await;
    check(
        Grant::Code { code: &code, verifier: None, redirect_uri },
        &[("grant_type", "authorization_code"), ("code", "c/ +&d"), ("redirect_uri", redirect_uri)],
    )
    .await;
}

#[tokio::test]
async fn a_refresh_token() {
    let token = secret("r&client_secret=other");
    let expected = [("grant_type", "refresh_token"), ("refresh_token", "r&client_secret=other")];
    check(Grant::Refresh { token: &token }, &expected).await;
}

#[tokio::test]
async fn the_client_alone() {
    let scoped = [("grant_type", "client_credentials"), ("scope", "read write:x")];
    check(Grant::ClientCredentials { scopes: "read write:x" }, &scoped).await;
    check(Grant::ClientCredentials { scopes: "" }, &scoped[..1]).await;
}
