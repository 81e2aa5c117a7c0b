//! Client credentials at Entra.

use claviger_exchange::azure::ask;
use claviger_exchange::{ExchangeError, Token};
use claviger_model::Timestamp;

use crate::provider::{Provider, http};

const SCOPE: &str = "https://management.azure.com/.default";

async fn exchange(provider: &Provider) -> Result<Token, ExchangeError> {
    ask(&http(), &provider.client(), SCOPE, Timestamp::from_micros(5_000_000)).await
}

#[tokio::test]
async fn a_token_for_one_scope() {
    let provider =
        Provider::json(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0.e.x"}"#).await;
    let token = exchange(&provider).await.unwrap();
    assert_eq!(token.value.reveal(), "eyJ0.e.x");
    assert_eq!(token.expires_at, Timestamp::from_micros(3_604_000_000));
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", SCOPE),
        ("client_id", "the client/1"),
        ("client_secret", "s3cr+t&=%/ü"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(provider.received()[0].form(), expected);
}

#[tokio::test]
async fn refusals_carry_their_number() {
    let body = |number: &str| {
        format!(
            r#"{{"error":"invalid_client","error_description":"{number}: Invalid client secret provided. Trace ID: x",
                "error_codes":[7000215],"correlation_id":"y"}}"#
        )
    };
    for (number, expected) in [
        ("AADSTS7000215", Some("AADSTS7000215")),
        ("AADSTS", None),
        ("7000215", None),
        ("AADSTS99999999999999", Some("AADSTS9999999999")),
    ] {
        let error = exchange(&Provider::json(401, &body(number)).await).await.unwrap_err();
        assert!(error.is_final());
        let ExchangeError::Refused { code, status: 401, detail } = error else { panic!("{number}") };
        assert_eq!((code.as_str(), detail.as_deref()), ("invalid_client", expected));
    }
}
