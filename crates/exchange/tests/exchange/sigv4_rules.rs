//! What is not signed, what is replaced, and in how many ways one request can be written.

use claviger_catalog::Signing;
use claviger_exchange::aws::{Call, Credentials, Payload, SignError, sign};
use claviger_model::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

use crate::provider::secret;

struct Made {
    result: Result<(), SignError>,
    headers: HeaderMap,
}

fn signed(service: &str, path_and_query: &str, headers: &[(&str, &str)], payload: Payload<'_>) -> Made {
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
    }
    let credentials = Credentials {
        access_key_id: "TESTKEY".to_owned(),
        secret_access_key: secret("a secret key of a test"),
        session_token: Some(secret("a token")),
    };
    let mut call = Call {
        method: &Method::PUT,
        host: "bucket.s3.amazonaws.com",
        path_and_query,
        headers: &mut all,
        payload,
    };
    let signing = Signing { service: service.to_owned(), region: "us-east-1".to_owned() };
    let result = sign(&mut call, &signing, &credentials, Timestamp::from_micros(0));
    Made { result, headers: all }
}

fn authorization(service: &str, path_and_query: &str) -> String {
    let made = signed(service, path_and_query, &[], Payload::Whole(b""));
    made.result.unwrap();
    made.headers["authorization"].to_str().unwrap().to_owned()
}

fn refusal(service: &str, path: &str, headers: &[(&str, &str)], payload: Payload<'_>) -> &'static str {
    let made = signed(service, path, headers, payload);
    let error = made.result.unwrap_err();
    // Nothing that a token could leave with.
    assert!(
        !made.headers.contains_key("authorization") && !made.headers.contains_key("x-amz-security-token")
    );
    error.code()
}

const CONTENT: &str = "x-amz-content-sha256";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn what_could_not_be_right_is_refused() {
    for service in ["s3", "s3-object-lambda", "s3-outposts", "s3express"] {
        assert_eq!(refusal(service, "/a+b?c=d", &[("authorization", "x")], Payload::Whole(b"")), "sign_plus");
    }
    for streaming in ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] {
        for (service, payload) in
            [("s3", Payload::Unsigned), ("s3", Payload::Whole(b"x")), ("glacier", Payload::Whole(b"x"))]
        {
            assert_eq!(refusal(service, "/", &[(CONTENT, streaming)], payload), "sign_streaming");
        }
    }
    for service in ["sts", "dynamodb", "s3tables"] {
        assert_eq!(refusal(service, "/", &[], Payload::Unsigned), "sign_unsigned");
        let trailer = [(CONTENT, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")];
        assert_eq!(refusal(service, "/", &trailer, Payload::Whole(b"")), "sign_streaming");
    }
    let mut headers = HeaderMap::new();
    for (key, token) in [("a\nb", "t"), ("k", "a\r\nb"), ("k", "a\0")] {
        let credentials = Credentials {
            access_key_id: key.to_owned(),
            secret_access_key: secret("s"),
            session_token: Some(secret(token)),
        };
        let (host, path_and_query, payload) = ("a", "/", Payload::Whole(b""));
        let mut call = Call { method: &Method::GET, host, path_and_query, headers: &mut headers, payload };
        let signing = Signing { service: "sts".to_owned(), region: "us-east-1".to_owned() };
        let result = sign(&mut call, &signing, &credentials, Timestamp::from_micros(0));
        assert!(matches!(result, Err(SignError::Credentials)));
        assert!(!headers.contains_key("authorization"));
    }
}

#[test]
fn the_hash_of_the_body_is_ours() {
    let content = |service: &str, said: &[(&str, &str)], payload: Payload<'_>| {
        let made = signed(service, "/", said, payload);
        made.result.unwrap();
        let names = made.headers["authorization"].to_str().unwrap().to_owned();
        let value = made.headers.get(CONTENT).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(names.contains(CONTENT), value.is_some());
        value
    };
    let lie = [(CONTENT, "0000"), (CONTENT, "1111")];
    let trailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    assert_eq!(content("s3", &[], Payload::Whole(b"")).as_deref(), Some(EMPTY));
    assert_eq!(content("s3", &lie, Payload::Whole(b"")).as_deref(), Some(EMPTY));
    assert_eq!(content("s3", &lie, Payload::Unsigned).as_deref(), Some("UNSIGNED-PAYLOAD"));
    assert_eq!(content("s3", &[(CONTENT, trailer)], Payload::Unsigned).as_deref(), Some(trailer));
    assert_eq!(content("glacier", &[], Payload::Whole(b"")), None);
    assert_eq!(content("glacier", &lie, Payload::Whole(b"")).as_deref(), Some(EMPTY));
    assert_eq!(
        content("glacier", &[(CONTENT, "UNSIGNED-PAYLOAD")], Payload::Whole(b"")).as_deref(),
        Some(EMPTY)
    );
}

#[test]
fn secrets_are_marked_for_those_who_print_headers() {
    let made = signed("s3", "/", &[], Payload::Unsigned);
    for name in ["authorization", "x-amz-security-token"] {
        assert!(made.headers[name].is_sensitive());
    }
    assert!(!format!("{:?}", made.headers).contains("a token"));
}

/// One of the ways to write a byte of a path or a query.
fn write(byte: u8, way: u8) -> String {
    match way % 3 {
        0 if byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@".contains(&byte) => {
            char::from(byte).to_string()
        }
        1 => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    }
}

fn written(bytes: &[u8], ways: &[u8]) -> String {
    bytes.iter().zip(ways.iter().cycle()).map(|(byte, way)| write(*byte, *way)).collect()
}

proptest! {
    /// The names of S3, and all queries, are signed as what they mean.
    #[test]
    fn one_meaning_has_one_signature(
        name: Vec<u8>,
        pairs in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..5), any::<Vec<u8>>()), 0..5),
        ways in prop::collection::vec(any::<u8>(), 1..20),
        others in prop::collection::vec(any::<u8>(), 1..20),
        turn in 0_usize..5,
    ) {
        let sent = |ways: &[u8], turn: usize| {
            let mut pairs: Vec<String> = pairs
                .iter()
                .map(|(name, value)| format!("{}={}", written(name, ways), written(value, ways)))
                .collect();
            if !pairs.is_empty() {
                let turn = turn % pairs.len();
                pairs.rotate_left(turn);
            }
            format!("/{}?{}", written(&name, ways), pairs.join("&"))
        };
        prop_assert_eq!(authorization("s3", &sent(&ways, 0)), authorization("s3", &sent(&others, turn)));
    }

    /// Two that mean different things are never signed alike.
    #[test]
    fn two_meanings_have_two(one: Vec<u8>, other: Vec<u8>) {
        prop_assume!(one != other);
        let ways = [1];
        for service in ["s3", "dynamodb"] {
            let path = |name: &[u8]| authorization(service, &format!("/x{}", written(name, &ways)));
            prop_assert_ne!(path(&one), path(&other));
            let query = |name: &[u8]| authorization(service, &format!("/?x={}", written(name, &ways)));
            prop_assert_ne!(query(&one), query(&other));
        }
    }

    /// Whatever is sent, it is signed or refused.
    #[test]
    fn nothing_brings_it_down(text in "\\PC{0,40}") {
        for service in ["s3", "dynamodb"] {
            let _ = signed(service, &text, &[], Payload::Whole(text.as_bytes())).result;
        }
    }
}
