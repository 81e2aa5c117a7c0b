//! Roles that STS lends.

use claviger_catalog::Signing;
use claviger_exchange::aws::{
    AssumeRole, Call, Credentials, Payload, Session, assume_role, role_arn, session_name, sign,
};
use claviger_exchange::{ANSWER_BYTES_MAX, ExchangeError};
use claviger_model::Timestamp;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};

use crate::provider::{Play, Provider, Received, answer, http, impatient, secret};

/// As of STS's reference.
const LENT: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <AssumedRoleId>ARO123EXAMPLE123:claviger-x</AssumedRoleId>
      <Arn>arn:aws:sts::123456789012:assumed-role/demo/claviger-x</Arn>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <SessionToken>AQoDYXdzEPT//////////wEXAMPLE==</SessionToken>
      <Expiration>2026-11-20T13:00:00Z</Expiration>
    </Credentials>
    <PackedPolicySize>6</PackedPolicySize>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>
"#;

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap()
}

async fn ask_for(
    provider: &Provider,
    external_id: &str,
    name: &str,
    arn: &str,
) -> Result<Session, ExchangeError> {
    let operator = Credentials {
        access_key_id: "TESTOPERATOR".to_owned(),
        secret_access_key: secret("hunter2hunter2"),
        session_token: None,
    };
    let asked = AssumeRole { role_arn: arn, session_name: name, external_id };
    assume_role(&http(), &provider.target(), "eu-central-1", &operator, &asked, now()).await
}

async fn ask(provider: &Provider) -> Result<Session, ExchangeError> {
    ask_for(provider, "ext:1/2", &session_name("5d8a-x"), &role_arn("123456789012", "path/demo+1")).await
}

async fn xml(status: u16, body: &str) -> Provider {
    Provider::answering(status, &[("content-type", "text/xml")], body).await
}

#[tokio::test]
async fn a_role_is_lent() {
    let provider = xml(200, LENT).await;
    let Session { credentials, expires_at } = ask(&provider).await.unwrap();
    assert_eq!(credentials.access_key_id, "ASIAIOSFODNN7EXAMPLE");
    assert_eq!(credentials.secret_access_key.reveal(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY");
    assert_eq!(credentials.session_token.unwrap().reveal(), "AQoDYXdzEPT//////////wEXAMPLE==");
    assert_eq!(expires_at, Timestamp::parse_rfc3339("2026-11-20T13:00:00Z").unwrap());

    let received = provider.received();
    assert_eq!(received.len(), 1);
    let expected = [
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::123456789012:role/path/demo+1"),
        ("RoleSessionName", "claviger-5d8a-x"),
        ("ExternalId", "ext:1/2"),
        ("DurationSeconds", "3600"),
    ];
    assert_eq!(received[0].form(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(received[0].header("x-amz-date"), Some("20261120T120000Z"));
    let signature = received[0].header("authorization").unwrap();
    let scope = "AWS4-HMAC-SHA256 Credential=TESTOPERATOR/20261120/eu-central-1/sts/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date, Signature=";
    assert!(signature.starts_with(scope), "{signature}");
    assert_eq!(signature, signature_of(&received[0]), "what was sent is what was signed");
    assert!(!received[0].head.contains("hunter2"));
}

/// The signature of a request as it arrived.
fn signature_of(received: &Received) -> String {
    let kind = HeaderValue::try_from(received.header("content-type").unwrap()).unwrap();
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
    let mut call = Call {
        method: &Method::POST,
        host: received.header("host").unwrap(),
        path_and_query: received.head.split(' ').nth(1).unwrap(),
        headers: &mut headers,
        payload: Payload::Whole(received.body.as_bytes()),
    };
    let operator = Credentials {
        access_key_id: "TESTOPERATOR".to_owned(),
        secret_access_key: secret("hunter2hunter2"),
        session_token: None,
    };
    let signing = Signing { service: "sts".to_owned(), region: "eu-central-1".to_owned() };
    sign(&mut call, &signing, &operator, now()).unwrap();
    headers["authorization"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn only_whole_credentials_are_taken() {
    let damages = [
        ("<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>", ""),
        ("ASIAIOSFODNN7EXAMPLE", "ASIA/../EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE", ""),
        ("<SecretAccessKey>", "<SecretAccessKey>two\nlines"),
        ("AQoDYXdzEPT", "AQo&#13;&#10;x-evil: 1"),
        ("AQoDYXdzEPT", "AQo&nbsp;"),
        ("2026-11-20T13:00:00Z", "tomorrow"),
        ("2026-11-20T13:00:00Z", ""),
        ("</Credentials>", "<SessionToken>another</SessionToken></Credentials>"),
        ("</AssumeRoleResult>", ""),
        ("AssumeRoleResult>", "AssumeRoleWithSAMLResult>"),
        ("<AssumeRoleResponse", "<!DOCTYPE x [<!ENTITY a 'b'>]><AssumeRoleResponse"),
        ("<AssumeRoleResponse", "<!-- --><AssumeRoleResponse"),
    ];
    for (from, to) in damages {
        let damaged = LENT.replace(from, to);
        assert_ne!(damaged, LENT);
        assert_eq!(ask(&xml(200, &damaged).await).await.unwrap_err().code(), "provider_garbage", "{to}");
    }
    let long = LENT.replace("AQoDYXdzEPT", &"t".repeat(8 * 1024));
    let huge = LENT.replace("AQoDYXdzEPT", &"t".repeat(ANSWER_BYTES_MAX));
    for (body, code) in [
        (long.as_str(), "provider_garbage"),
        (&huge, "provider_too_large"),
        ("", "provider_garbage"),
        ("{\"AssumeRoleResponse\":{}}", "provider_garbage"),
        ("\u{0}\u{1}", "provider_garbage"),
    ] {
        assert_eq!(ask(&xml(200, body).await).await.unwrap_err().code(), code);
    }
    for length in (0..LENT.trim_end().len()).step_by(7) {
        assert_eq!(
            ask(&xml(200, &LENT[..length]).await).await.unwrap_err().code(),
            "provider_garbage",
            "{length}"
        );
    }
}

#[tokio::test]
async fn whose_fault_it_is_is_told_apart() {
    let body = |code: &str| {
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>hunter3 says no</Message></Error><RequestId>x</RequestId></ErrorResponse>"
        )
    };
    for (status, sent, kind, code, is_final) in [
        (403, "AccessDenied", "customer", "AccessDenied", false),
        (403, "RegionDisabledException", "customer", "RegionDisabledException", false),
        (400, "ValidationError", "customer", "ValidationError", true),
        (403, "InvalidClientTokenId", "operator", "operator_credentials", false),
        (403, "SignatureDoesNotMatch", "operator", "operator_credentials", false),
        (400, "IncompleteSignature", "operator", "operator_credentials", false),
        (403, "ExpiredToken", "operator", "operator_credentials", false),
        (403, "RequestExpired", "operator", "operator_credentials", false),
        (400, "Throttling", "limited", "provider_limited", false),
        (429, "AccessDenied", "limited", "provider_limited", false),
        (500, "InternalFailure", "failed", "provider_failed", false),
        (503, "ServiceUnavailable", "failed", "provider_failed", false),
        (400, "what is this", "customer", "unnamed", false),
        (400, "hunter2hunter2", "customer", "unnamed", false),
    ] {
        let error = ask(&xml(status, &body(sent)).await).await.unwrap_err();
        let is_kind = match kind {
            "customer" => matches!(error, ExchangeError::Refused { .. }),
            "operator" => matches!(error, ExchangeError::Operator { .. }),
            "limited" => matches!(error, ExchangeError::Limited { .. }),
            _ => matches!(error, ExchangeError::Failed { .. }),
        };
        assert!(is_kind, "{sent}: {error:?}");
        assert_eq!((error.code(), error.is_final()), (code, is_final), "{sent}");
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
    }
    let stand_in = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code></Error></Errors></ErrorResponse>";
    for (status, body, code) in [
        (403, stand_in, "AccessDenied"),
        (403, "<html>", "unnamed"),
        (502, "<html>", "provider_failed"),
        (400, "", "unnamed"),
    ] {
        assert_eq!(ask(&xml(status, body).await).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn redirects_and_silence_are_no_answers() {
    let elsewhere = xml(200, LENT).await;
    let location = elsewhere.target().to_string();
    for status in [301, 302, 307, 308] {
        let provider = Provider::answering(status, &[("location", location.as_str())], LENT).await;
        assert_eq!(ask(&provider).await.unwrap_err().code(), "provider_garbage");
    }
    assert!(elsewhere.received().is_empty());
    let whole = answer(200, &[], LENT.as_bytes());
    let provider = Provider::playing(Play::Hangs(whole[..whole.len() - 20].to_vec())).await;
    let operator = Credentials {
        access_key_id: "TESTOPERATOR".to_owned(),
        secret_access_key: secret("s"),
        session_token: None,
    };
    let arn = role_arn("123456789012", "demo");
    let asked = AssumeRole { role_arn: &arn, session_name: "claviger", external_id: "ext" };
    let answer =
        assume_role(&impatient(), &provider.target(), "eu-central-1", &operator, &asked, now()).await;
    assert_eq!(answer.unwrap_err().code(), "provider_timeout");
}

#[tokio::test]
async fn what_aws_would_not_take_is_not_sent() {
    let provider = xml(200, LENT).await;
    let arn = role_arn("123456789012", "demo");
    for (external_id, name, arn) in [
        ("e", "claviger", arn.as_str()),
        ("", "claviger", &arn),
        ("ext id", "claviger", &arn),
        ("ext", "c", &arn),
        ("ext", "clavi ger", &arn),
        ("ext", &"c".repeat(65), &arn),
        ("ext", "claviger", "arn"),
        ("ext", "claviger", "arn:aws:iam::123456789012:role/a b"),
        (&"e".repeat(1225), "claviger", &arn),
    ] {
        let error = ask_for(&provider, external_id, name, arn).await.unwrap_err();
        assert!(matches!(error, ExchangeError::Unusable(_)), "{external_id} {name} {arn}");
    }
    assert!(provider.received().is_empty());
}

#[test]
fn every_id_makes_a_name() {
    assert_eq!(session_name("9f1c-a_b"), "claviger-9f1c-a_b");
    assert_eq!(session_name("zis:a/b c"), "claviger-zisabc");
    assert_eq!(session_name(&"x".repeat(100)).len(), 64);
    assert_eq!(session_name("ü"), "claviger-");
}
