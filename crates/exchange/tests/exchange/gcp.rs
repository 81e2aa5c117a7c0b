//! The signed JWT, against what PyJWT signs, and its exchange.

use claviger_exchange::gcp::{DEFAULT_SCOPE, ServiceAccount, ask, assertion};
use claviger_exchange::{ExchangeError, Token};
use claviger_model::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::provider::{Provider, http, secret};

#[derive(Deserialize)]
struct Vectors {
    good: Vec<Good>,
    bad: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Good {
    pkcs8: String,
    pkcs1: String,
    email: String,
    scope: String,
    audience: String,
    now: i64,
    assertion: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/jwt.json")).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// The ways in which people hand in a key.
fn ways(pem: &str) -> Vec<String> {
    vec![
        pem.to_owned(),
        pem.trim_end().to_owned(),
        format!("\n\n  {pem}\n"),
        format!("Bag Attributes\n    friendlyName: x\n{pem}"),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\\r\\n"),
        pem.replace('\n', " "),
        pem.replace('\n', ""),
    ]
}

#[test]
fn assertions_are_those_of_another_library() {
    let mut compared = 0;
    for good in vectors().good {
        for pem in ways(&good.pkcs8).into_iter().chain(ways(&good.pkcs1)) {
            let account = ServiceAccount { email: &good.email, private_key: &secret(&pem) };
            // What is beyond the second does not count.
            let now = at(good.now) + std::time::Duration::from_micros(999_999);
            let made = assertion(&account, &good.scope, &good.audience, now);
            assert_eq!(made.unwrap_or_else(|error| panic!("{error}: {pem}")).reveal(), good.assertion);
            compared += 1;
        }
    }
    assert_eq!(compared, 6 * 18);
}

#[test]
fn what_is_no_key_is_not_signed_with() {
    let Vectors { good, bad } = vectors();
    let pem = &good[0].pkcs8;
    let (first, last) = (pem.find("MII").unwrap(), pem.rfind("-----END").unwrap());
    let mut texts: Vec<String> = bad.into_values().collect();
    texts.extend([
        String::new(),
        "-----BEGIN PRIVATE KEY-----".to_owned(),
        "-----BEGIN PRIVATE KEY----------END PRIVATE KEY-----".to_owned(),
        "-----END PRIVATE KEY-----AAAA-----BEGIN PRIVATE KEY-----".to_owned(),
        pem[first..last].to_owned(),
        pem.replace("MII", "MI"),
        pem.replace("MII", "M%I"),
        pem.replace('\n', "\\x"),
        pem.replace("-----END", "AAAA-----END"),
        pem.replacen("MIIE", "MIIF", 1),
    ]);
    for text in texts {
        let account = ServiceAccount { email: "a@b.iam.gserviceaccount.com", private_key: &secret(&text) };
        let error = assertion(&account, DEFAULT_SCOPE, "https://a.example", at(1)).unwrap_err();
        assert!(matches!(error, ExchangeError::Unusable(_)) && error.is_final(), "{text}");
        assert_eq!(error.code(), "secret_unusable");
    }
}

async fn exchange(provider: &Provider) -> Result<Token, ExchangeError> {
    let good = &vectors().good[0];
    let account = ServiceAccount { email: &good.email, private_key: &secret(&good.pkcs8) };
    ask(&http(), &provider.target(), &account, DEFAULT_SCOPE, at(good.now)).await
}

#[tokio::test]
async fn the_assertion_is_the_grant() {
    let good = &vectors().good[0];
    let provider =
        Provider::json(200, r#"{"access_token":"ya29.x","expires_in":"3599","token_type":"Bearer"}"#).await;
    let token = exchange(&provider).await.unwrap();
    assert_eq!((token.value.reveal(), token.expires_at), ("ya29.x", at(good.now + 3599)));
    let account = ServiceAccount { email: &good.email, private_key: &secret(&good.pkcs8) };
    let expected = assertion(&account, DEFAULT_SCOPE, provider.target().as_str(), at(good.now)).unwrap();
    let form = provider.received()[0].form();
    assert_eq!(
        form,
        [
            ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
            ("assertion".to_owned(), expected.reveal().to_owned()),
        ]
    );
}

#[tokio::test]
async fn a_token_without_an_end_or_of_another_kind_is_none() {
    for (status, body, code) in [
        (200, r#"{"access_token":"a","token_type":"Bearer"}"#, "provider_garbage"),
        (200, r#"{"access_token":"a","expires_in":3599,"token_type":"mac"}"#, "provider_garbage"),
        // An id token is not what was asked for.
        (200, r#"{"id_token":"a","expires_in":3599}"#, "provider_garbage"),
        (400, r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#, "invalid_grant"),
        (503, r#"{"error":"internal_failure"}"#, "provider_failed"),
    ] {
        assert_eq!(exchange(&Provider::json(status, body).await).await.unwrap_err().code(), code, "{body}");
    }
}
