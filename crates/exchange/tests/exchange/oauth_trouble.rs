//! Providers that are slow, broken, huge, or elsewhere.

use claviger_exchange::oauth::{Grant, OAuthClient, ask};
use claviger_exchange::{ANSWER_BYTES_MAX, ExchangeError};
use claviger_outbound::Client;

use crate::provider::{Play, Provider, answer, http, impatient, secret};

async fn code(client: &Client, provider: &Provider) -> String {
    ask(client, &provider.client(), Grant::ClientCredentials { scopes: "" })
        .await
        .unwrap_err()
        .code()
        .to_owned()
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Provider::json(200, r#"{"access_token":"a"}"#).await;
    for status in [300, 301, 302, 303, 307, 308] {
        let location = elsewhere.target().to_string();
        // Not even if it brings a token along.
        let headers = [("location", location.as_str()), ("content-type", "application/json")];
        let provider = Provider::answering(status, &headers, r#"{"access_token":"a"}"#).await;
        assert_eq!(code(&http(), &provider).await, "provider_garbage", "{status}");
    }
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn whoever_is_slow_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"access_token\":".to_vec();
    for play in [Play::Hangs(Vec::new()), Play::Hangs(b"HTTP/1.1 200".to_vec()), Play::Hangs(head)] {
        assert_eq!(code(&impatient(), &Provider::playing(play).await).await, "provider_timeout");
    }
}

#[tokio::test]
async fn answers_that_break_off_are_none() {
    let whole = answer(200, &[("content-type", "application/json")], br#"{"access_token":"abcdef"}"#);
    for length in 0..whole.len() {
        let provider = Provider::playing(Play::Bytes(whole[..length].to_vec())).await;
        assert_eq!(code(&http(), &provider).await, "provider_broke_off", "{length}");
    }
    let body = br#"{"access_token":"abcdef"}"#;
    for length in 0..body.len() {
        // Whole to HTTP, not to JSON.
        assert_eq!(
            code(&http(), &Provider::answering(200, &[], &body[..length]).await).await,
            "provider_garbage"
        );
    }
}

#[tokio::test]
async fn no_more_is_read_than_an_answer_may_have() {
    assert_eq!(code(&http(), &Provider::playing(Play::Endless).await).await, "provider_too_large");
    let padding = "x".repeat(ANSWER_BYTES_MAX);
    let body = format!(r#"{{"access_token":"a","x":"{padding}"}}"#);
    assert_eq!(code(&http(), &Provider::json(200, &body).await).await, "provider_too_large");
    // Whatever the client that is handed over would read.
    let egress = claviger_egress::Egress::trusting(claviger_egress::Roots::none());
    let policy = claviger_egress::Policy::private_too();
    let client = Client::new(egress, policy, claviger_exchange::DEADLINE, 10 * ANSWER_BYTES_MAX);
    assert_eq!(code(&client, &Provider::json(200, &body).await).await, "provider_too_large");
}

#[tokio::test]
async fn garbage_is_called_so() {
    let deep = format!(r#"{{"x":{}"#, "[".repeat(60_000));
    for body in [
        b"".as_slice(),
        b"null",
        b"[]",
        b"\"access_token\"",
        b"{",
        b"{}{}",
        b"{\"access_token\":\"a\"} trailing",
        b"{'access_token':'a'}",
        b"<html><body>Welcome</body></html>",
        b"\xff\xfe{\x00}\x00",
        b"\x1f\x8b\x08\x00\x00",
        deep.as_bytes(),
    ] {
        let provider = Provider::answering(200, &[("content-type", "application/json")], body).await;
        assert_eq!(code(&http(), &provider).await, "provider_garbage", "{body:.60?}");
    }
    for play in
        [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"HTTP/1.1 abc\r\n\r\n", b"\0\0\0\0", b"HTTP/9.9 200 OK\r\n\r\n"]
    {
        let provider = Provider::playing(Play::Bytes(play.to_vec())).await;
        assert_eq!(code(&http(), &provider).await, "provider_broke_off", "{play:?}");
    }
}

#[tokio::test]
async fn the_guard_is_not_passed_by() {
    let provider = Provider::json(200, r#"{"access_token":"a"}"#).await;
    let egress = claviger_egress::Egress::trusting(claviger_egress::Roots::none());
    let guarded = claviger_exchange::client(egress, claviger_egress::Policy::public());
    assert_eq!(code(&guarded, &provider).await, "clear_text");
    let client = OAuthClient {
        token_url: "https://169.254.169.254/token".parse().unwrap(),
        client_id: "c".to_owned(),
        client_secret: secret("s"),
    };
    let error = ask(&guarded, &client, Grant::ClientCredentials { scopes: "" }).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Unreachable(_)));
    assert_eq!(error.code(), "address_metadata");
    assert!(provider.received().is_empty());
}
