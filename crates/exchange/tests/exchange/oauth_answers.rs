//! What is made of what providers answer.

use std::time::Duration;

use claviger_exchange::oauth::{Grant, ask};
use claviger_exchange::{ExchangeError, TOKEN_BYTES_MAX, Tokens};
use serde_json::{Value, json};

use crate::provider::{Provider, http, secret};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

async fn exchange(provider: &Provider) -> Result<Tokens, ExchangeError> {
    ask(&http(), &provider.client(), Grant::Refresh { token: &secret("refresh-me") }).await
}

/// Token, type, refresh token, seconds, scope.
fn shape(tokens: &Tokens) -> Value {
    json!([
        tokens.access_token.reveal(),
        tokens.token_type,
        tokens.refresh_token.as_ref().map(|token| token.reveal()),
        tokens.expires_in.map(|duration| duration.as_secs()),
        tokens.scope,
    ])
}

async fn taken(body: &str, expected: Value) {
    let tokens = exchange(&Provider::json(200, body).await).await;
    let tokens = tokens.unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(shape(&tokens), expected, "{body}");
    assert_eq!(tokens.body.reveal(), body.trim_start_matches('\u{feff}').trim(), "{body}");
}

async fn refused(status: u16, body: &str, code: &str, is_final: bool) {
    let error = exchange(&Provider::json(status, body).await).await.map(|it| shape(&it)).unwrap_err();
    assert_eq!((error.code(), error.is_final()), (code, is_final), "{status} {body}");
}

#[tokio::test]
async fn answers_as_they_should_be_and_as_they_are() {
    let rfc = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,
        "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","scope":"a b","example_parameter":{"x":["y"]}}"#;
    taken(rfc, json!(["2YotnFZFEjr1zCsicMWpAA", "example", "tGzv3JOkF0XG5Qx2TlKWIA", 3600, "a b"])).await;
    for (body, expected) in [
        (r#"{"access_token":"a"}"#, json!(["a", null, null, null, null])),
        ("\u{feff} {\"access_token\":\"a\"}\n", json!(["a", null, null, null, null])),
        (r#"{"access_token":"\u0061\/b","expires_in":"3599"}"#, json!(["a/b", null, null, 3599, null])),
        (r#"{"access_token":"a","expires_in":3599.9}"#, json!(["a", null, null, 3599, null])),
        (r#"{"access_token":"a","expires_in":""}"#, json!(["a", null, null, null, null])),
        (r#"{"access_token":"a","expires_in":null}"#, json!(["a", null, null, null, null])),
        (r#"{"access_token":"a","expires_in":0}"#, json!(["a", null, null, null, null])),
        (r#"{"access_token":"a","expires_in":-1}"#, json!(["a", null, null, null, null])),
        (r#"{"access_token":"a","expires_in":9e300}"#, json!(["a", null, null, 315_360_000, null])),
        (
            r#"{"access_token":"a","refresh_token":"","scope":"","token_type":""}"#,
            json!(["a", null, null, null, null]),
        ),
        (r#"{"access_token":"a","refresh_token":null,"scope":null}"#, json!(["a", null, null, null, null])),
        (
            r#"{"access_token":"a","scope":["x:read","x:write"]}"#,
            json!(["a", null, null, null, "x:read x:write"]),
        ),
        (r#"{"access_token":"a","error":null}"#, json!(["a", null, null, null, null])),
        (r#"{"ok":true,"access_token":"xoxb-1","error":""}"#, json!(["xoxb-1", null, null, null, null])),
    ] {
        taken(body, expected).await;
    }
    let long = "t".repeat(TOKEN_BYTES_MAX);
    taken(&json!({ "access_token": long }).to_string(), json!([long, null, null, null, null])).await;
}

#[tokio::test]
async fn forms_are_taken_as_the_json_that_they_say() {
    let body = "access_token=gho_16C7e%2B4&scope=repo%2Cgist&token_type=bearer&expires_in=28800";
    for kind in [FORM, "text/plain"] {
        let tokens =
            exchange(&Provider::answering(200, &[("content-type", kind)], body).await).await.unwrap();
        assert_eq!(shape(&tokens), json!(["gho_16C7e+4", "bearer", null, 28800, "repo,gist"]));
        let expected = json!({
            "access_token": "gho_16C7e+4", "scope": "repo,gist", "token_type": "bearer", "expires_in": "28800"
        });
        assert_eq!(serde_json::from_str::<Value>(tokens.body.reveal()).unwrap(), expected);
    }
    for (kind, body, code) in [
        (FORM, "error=bad_verification_code&error_description=x", "bad_verification_code"),
        (FORM, "access_token=a&access_token=b", "provider_garbage"),
        (FORM, "access_token=a%0Ab", "provider_garbage"),
        (FORM, "access_token=", "provider_garbage"),
        (FORM, "", "provider_garbage"),
        ("text/html", "access_token=a", "provider_garbage"),
        ("text/plain", "Hello, access_token=a\n", "provider_garbage"),
    ] {
        let provider = Provider::answering(200, &[("content-type", kind)], body).await;
        assert_eq!(exchange(&provider).await.unwrap_err().code(), code, "{kind}: {body}");
    }
    let many = vec!["a=b"; 100].join("&") + "&access_token=x";
    let provider = Provider::answering(200, &[("content-type", FORM)], many).await;
    assert_eq!(exchange(&provider).await.unwrap_err().code(), "provider_garbage");
}

#[tokio::test]
async fn no_is_heard_however_it_is_said() {
    for (status, body, code, is_final) in [
        (400, r#"{"error":"invalid_grant","error_description":"revoked"}"#, "invalid_grant", true),
        (401, r#"{"error":"invalid_client"}"#, "invalid_client", true),
        (403, r#"{"error":"unauthorized_client"}"#, "unauthorized_client", true),
        (500, r#"{"error":"invalid_grant"}"#, "invalid_grant", true),
        // With a 200, as GitHub and Slack say it.
        (200, r#"{"error":"bad_refresh_token","error_uri":"x"}"#, "bad_refresh_token", true),
        (200, r#"{"ok":false,"error":"invalid_code"}"#, "invalid_code", true),
        // Both at once is not a yes.
        (200, r#"{"access_token":"a","error":"invalid_grant"}"#, "invalid_grant", true),
        (200, r#"{"access_token":"a","error":true}"#, "unnamed", false),
        // As an object.
        (401, r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#, "UNAUTHENTICATED", false),
        (400, r#"{"error":{"message":"x","type":"OAuthException","code":190}}"#, "OAuthException", false),
        (400, r#"{"error":[1]}"#, "unnamed", false),
        // What may pass.
        (400, r#"{"error":"temporarily_unavailable"}"#, "provider_failed", false),
        (500, r#"{"error":"internal_failure"}"#, "provider_failed", false),
        (400, r#"{"error":"slow_down"}"#, "provider_limited", false),
        (429, r#"{"error":"invalid_grant"}"#, "provider_limited", false),
        (408, "", "provider_failed", false),
        (502, "<html>", "provider_failed", false),
        (503, "{}", "provider_failed", false),
        (403, "<html>Forbidden</html>", "unnamed", false),
        (404, r#"{"message":"not here"}"#, "unnamed", false),
        // A yes that comes with a no.
        (400, r#"{"access_token":"a"}"#, "unnamed", false),
        // Codes that are none.
        (400, r#"{"error":"invalid grant"}"#, "unnamed", false),
        (400, "{\"error\":\"a\\u001b[31m\"}", "unnamed", false),
        (400, r#"{"error":"refresh-me"}"#, "unnamed", false),
        (400, r#"{"error":"no.refresh-me.no"}"#, "unnamed", false),
    ] {
        refused(status, body, code, is_final).await;
    }
    refused(400, &json!({ "error": "a".repeat(65) }).to_string(), "unnamed", false).await;
}

#[tokio::test]
async fn patience_is_asked_for_in_seconds() {
    for (status, value, expected) in [
        (429, "7", Some(7)),
        (503, "120", Some(120)),
        (429, "99999999", Some(86_400)),
        (429, "Wed, 21 Oct 2015 07:28:00 GMT", None),
        (429, "-1", None),
    ] {
        let provider = Provider::answering(status, &[("retry-after", value)], "slow down").await;
        let Err(ExchangeError::Limited { retry_after }) = exchange(&provider).await else {
            panic!("{value}")
        };
        assert_eq!(retry_after, expected.map(Duration::from_secs), "{value}");
    }
}

#[tokio::test]
async fn what_no_header_may_hold_is_no_token() {
    let long = "t".repeat(TOKEN_BYTES_MAX + 1);
    for body in [
        json!({}),
        json!({ "access_token": "" }),
        json!({ "access_token": null }),
        json!({ "access_token": 7 }),
        json!({ "access_token": { "token": "a" } }),
        json!({ "access_token": "a\r\nx-evil: 1" }),
        json!({ "access_token": "a\u{0}" }),
        json!({ "access_token": "a\u{7f}" }),
        json!({ "access_token": "a b" }),
        json!({ "access_token": "ü" }),
        json!({ "access_token": long }),
        json!({ "access_token": "a", "refresh_token": "b\nc" }),
        json!({ "access_token": "a", "refresh_token": long }),
        json!({ "access_token": "a", "refresh_token": true }),
        json!({ "access_token": "a", "token_type": "Bearer\r\n" }),
        json!({ "access_token": "a", "token_type": "b".repeat(65) }),
        json!({ "access_token": "a", "scope": "a\nb" }),
        json!({ "access_token": "a", "scope": 1 }),
        json!({ "access_token": "a", "scope": ["a", 1] }),
        json!({ "access_token": "a", "expires_in": "soon" }),
        json!({ "access_token": "a", "expires_in": "inf" }),
        json!({ "access_token": "a", "expires_in": true }),
        json!({ "access_token": "a", "expires_in": [1] }),
    ] {
        refused(200, &body.to_string(), "provider_garbage", false).await;
    }
    // Which of two counts is nobody's guess.
    refused(200, r#"{"access_token":"a","access_token":"b"}"#, "provider_garbage", false).await;
}

#[tokio::test]
async fn errors_do_not_print_answers() {
    let said = json!({ "error": "invalid_client", "error_description": "AADSTS7000215: hunter2 hunter3" });
    let error = exchange(&Provider::json(401, &said.to_string()).await).await.unwrap_err();
    let Error { code, detail } = Error::of(&error);
    assert_eq!((code, detail), ("invalid_client", Some("AADSTS7000215")));
    let tokens = exchange(&Provider::json(200, r#"{"access_token":"hunter2"}"#).await).await.unwrap();
    for printed in [format!("{error} {error:?}"), format!("{tokens:?}")] {
        assert!(!printed.contains("hunter"), "{printed}");
    }
}

struct Error<'a> {
    code: &'a str,
    detail: Option<&'a str>,
}

impl<'a> Error<'a> {
    fn of(error: &'a ExchangeError) -> Self {
        let ExchangeError::Refused { code, detail, .. } = error else { panic!("{error}") };
        Self { code, detail: detail.as_deref() }
    }
}
