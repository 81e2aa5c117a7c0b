//! Signatures, against AWS's own test suite and against botocore's.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_catalog::{SecretText, Signing};
use claviger_exchange::aws::{Call, Credentials, Payload, sign};
use claviger_model::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;

use crate::provider::secret;

#[derive(Deserialize)]
struct Suite {
    cases: Vec<OfSuite>,
}

#[derive(Deserialize)]
struct OfSuite {
    name: String,
    request: String,
    token: Option<String>,
    authorization: String,
}

/// A request of the suite: its lines as they are, also where HTTP would not have them.
struct Parsed<'a> {
    method: Method,
    host: String,
    path_and_query: &'a str,
    headers: HeaderMap,
    body: &'a str,
}

fn parse(text: &str) -> Parsed<'_> {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let (line, rest) = head.split_once('\n').unwrap();
    let (method, rest_of_line) = line.split_once(' ').unwrap();
    let (path_and_query, _) = rest_of_line.rsplit_once(' ').unwrap();
    let mut headers = HeaderMap::new();
    // A line that begins with blanks goes on with the one before.
    for line in rest.replace("\n ", " ").lines() {
        let (name, value) = line.split_once(':').unwrap();
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let host = headers["host"].to_str().unwrap().to_owned();
    Parsed { method: method.parse().unwrap(), host, path_and_query, headers, body }
}

#[test]
fn the_test_suite_of_aws() {
    let suite: Suite = serde_json::from_str(include_str!("../vectors/aws4_suite.json")).unwrap();
    assert_eq!(suite.cases.len(), 34);
    for OfSuite { name, request, token, authorization } in suite.cases {
        let mut parsed = parse(&request);
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: token.map(SecretText::new),
        };
        let mut call = Call {
            method: &parsed.method,
            host: &parsed.host,
            path_and_query: parsed.path_and_query,
            headers: &mut parsed.headers,
            payload: Payload::Whole(parsed.body.as_bytes()),
        };
        let signing = Signing { service: "service".to_owned(), region: "us-east-1".to_owned() };
        // 2015-08-30T12:36:00Z
        sign(&mut call, &signing, &credentials, Timestamp::from_micros(1_440_938_160_000_000)).unwrap();
        assert_eq!(parsed.headers["authorization"], authorization, "{name}");
    }
}

#[derive(Deserialize)]
struct OfBotocore {
    method: String,
    host: String,
    path_and_query: String,
    headers: Vec<(String, String)>,
    body: String,
    unsigned: bool,
    service: String,
    region: String,
    key: String,
    secret: String,
    token: Option<String>,
    now: i64,
    authorization: String,
    date: String,
    content: Option<String>,
}

fn of_botocore() -> Vec<OfBotocore> {
    serde_json::from_str(include_str!("../vectors/sigv4.json")).unwrap()
}

impl OfBotocore {
    /// The headers after signing.
    fn signed(&self) -> HeaderMap {
        let headers = self.headers.iter().map(|(name, value)| {
            (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::try_from(value.as_str()).unwrap())
        });
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(name, value);
        }
        // What the caller says of these is not what is signed.
        for name in ["authorization", "x-amz-date", "x-amz-security-token", "host"] {
            all.append(name, HeaderValue::from_static("the caller's"));
        }
        let body = STANDARD.decode(&self.body).unwrap();
        let credentials = Credentials {
            access_key_id: self.key.clone(),
            secret_access_key: secret(&self.secret),
            session_token: self.token.clone().map(SecretText::new),
        };
        let mut call = Call {
            method: &self.method.parse().unwrap(),
            host: &self.host,
            path_and_query: &self.path_and_query,
            headers: &mut all,
            payload: if self.unsigned { Payload::Unsigned } else { Payload::Whole(&body) },
        };
        let signing = Signing { service: self.service.clone(), region: self.region.clone() };
        let now = Timestamp::from_micros(self.now * 1_000_000 + 999_999);
        sign(&mut call, &signing, &credentials, now)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path_and_query));
        all
    }
}

#[test]
fn botocore_signs_the_same() {
    let cases = of_botocore();
    assert_eq!(cases.len(), 360);
    for case in &cases {
        let headers = case.signed();
        let what = format!("{} {} {}", case.service, case.method, case.path_and_query);
        let texts = |name: &str| {
            headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("|")
        };
        assert_eq!(texts("authorization"), case.authorization, "{what}");
        assert_eq!(texts("x-amz-date"), case.date, "{what}");
        assert_eq!(texts("x-amz-security-token"), case.token.clone().unwrap_or_default(), "{what}");
        assert_eq!(texts("x-amz-content-sha256"), case.content.clone().unwrap_or_default(), "{what}");
    }
    let services: BTreeSet<&str> = cases.iter().map(|case| case.service.as_str()).collect();
    assert_eq!(services.len(), 8);
    for is_odd in [
        |case: &OfBotocore| case.unsigned,
        |case: &OfBotocore| case.path_and_query.contains("/../"),
        |case: &OfBotocore| case.path_and_query.contains("//"),
        |case: &OfBotocore| case.path_and_query.split_once('?').is_some_and(|(_, query)| query.contains('+')),
        |case: &OfBotocore| case.host.contains(':'),
        |case: &OfBotocore| case.headers.iter().any(|(_, value)| value.contains('\t')),
    ] {
        assert!(cases.iter().filter(|case| is_odd(case)).count() >= 20, "the table is no longer odd enough");
    }
}

#[test]
fn every_part_takes_part() {
    // Spoiling one thing at a time spoils the signature.
    let spoil: [fn(&mut OfBotocore); 9] = [
        |case| case.method = if case.method == "GET" { "PUT".to_owned() } else { "GET".to_owned() },
        |case| case.host.insert(0, 'x'),
        |case| {
            // At the end: before dot segments it would be gone.
            let end = case.path_and_query.find('?').unwrap_or(case.path_and_query.len());
            case.path_and_query.insert_str(end, "/zz");
        },
        |case| {
            case.path_and_query.push_str(if case.path_and_query.contains('?') { "&zzz=1" } else { "?zzz=1" })
        },
        |case| case.headers.push(("x-more".to_owned(), "1".to_owned())),
        |case| case.body = STANDARD.encode("another body"),
        |case| case.region.push('x'),
        |case| case.now += 1,
        |case| case.secret.push('x'),
    ];
    let signature = |case: &OfBotocore| {
        let value = case.signed()["authorization"].to_str().unwrap().to_owned();
        value.rsplit_once('=').unwrap().1.to_owned()
    };
    for (place, spoil) in spoil.iter().enumerate() {
        for mut case in of_botocore().into_iter().filter(|case| !case.unsigned).take(40) {
            let before = signature(&case);
            spoil(&mut case);
            assert_ne!(signature(&case), before, "{place}: {}", case.path_and_query);
        }
    }
}
