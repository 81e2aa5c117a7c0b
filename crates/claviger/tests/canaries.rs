//! Canaries: every secret of a rich run is looked for wherever a secret must not be.
//!
//! The program is one of its own, so that it can take the log of the whole process, at the finest level.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, helpers of tests too")]

#[path = "api/support/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "each test program uses some of it")]
mod support;

#[path = "canaries/broker.rs"]
mod broker;
#[path = "canaries/connections.rs"]
mod connections;
#[path = "canaries/oauth.rs"]
mod oauth;
#[path = "canaries/places.rs"]
mod places;
#[path = "canaries/sessions.rs"]
mod sessions;
#[path = "canaries/zendesk.rs"]
mod zendesk;

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use claviger_model::Random;
use http::Method;
use places::Places;
use serde_json::{Value, json};
use support::sample::{self, Made, api_key, application_key};
use support::tokens::{personal_access_token, service_access_token, service_account};
use support::wire::Wire;
use support::{Answer, Keys, Setup, TestDatabase, TestServer, with_either_database};
use tracing_subscriber::fmt::MakeWriter;

/// Of a secret, so many characters in a row are a leak: far more than the four that are shown to tell keys apart, and
/// enough that no digest or id holds them by chance, even of a secret that is nothing but hexadecimal digits.
const WINDOW: usize = 12;

/// The log of this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

/// What is looked for: every part of every secret, as it is and in the ways in which it may be written down.
#[derive(Default)]
struct Canaries {
    /// From a part to the name of its secret and of the writing.
    parts: HashMap<[u8; WINDOW], String>,
    /// The same in hexadecimal, where as many characters take twice the room.
    hexadecimal: HashMap<[u8; 2 * WINDOW], String>,
    secrets: HashSet<String>,
}

impl Canaries {
    fn add(&mut self, name: &str, secret: &str) {
        // What stands before every key of a kind or of an org is no secret, nor is a token's public portion.
        let hidden = secret.rsplit_once('_').map_or(secret, |(_, secret)| secret);
        self.add_whole(name, hidden);
    }

    /// One that is secret from its beginning, whatever stands in it.
    fn add_whole(&mut self, name: &str, secret: &str) {
        if !self.secrets.insert(secret.to_owned()) {
            return;
        }
        assert!(secret.len() >= WINDOW, "{name} is too short to be looked for");
        let secret = secret.as_bytes();
        let mut reversed = secret.to_vec();
        reversed.reverse();
        let flip = |byte: &u8| {
            if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
        };
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut writings = vec![
            ("raw", secret.to_vec()),
            ("reversed", reversed),
            ("in the other case", secret.iter().map(flip).collect()),
            ("in upper case", secret.to_ascii_uppercase()),
            ("in lower case", secret.to_ascii_lowercase()),
        ];
        // A secret in the middle of something begins at any of base64's three places; one without special characters
        // looks alike in both of its alphabets.
        writings.extend((0..3).map(|skipped| ("in base64", base64(&secret[skipped..]))));
        for (writing, text) in writings {
            for part in text.windows(WINDOW) {
                self.parts.insert(part.try_into().unwrap(), format!("{name}, {writing}"));
            }
        }
        for text in [hex.to_uppercase(), hex] {
            for part in text.as_bytes().windows(2 * WINDOW) {
                self.hexadecimal.insert(part.try_into().unwrap(), format!("{name}, in hexadecimal"));
            }
        }
    }

    fn made(&mut self, name: &str, made: &Made) {
        self.add(name, &made.secret);
    }

    /// Which secret a text holds a part of, if any.
    fn found_in(&self, text: &[u8]) -> Option<&str> {
        let mut parts = text.windows(WINDOW);
        let mut hexadecimal = text.windows(2 * WINDOW);
        parts
            .find_map(|part| self.parts.get(part))
            .or_else(|| hexadecimal.find_map(|part| self.hexadecimal.get(part)))
            .map(String::as_str)
    }

    #[track_caller]
    fn assert_absent(&self, place: &str, text: &[u8]) {
        assert_eq!(self.found_in(text), None, "a secret in {place}");
    }
}

/// A secret that nothing else has a part of.
fn random_text() -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = [0; 40];
    claviger_vault::SystemRandom.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// Without its last, incomplete group.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|shift| ALPHABET[(bits >> shift & 63) as usize])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[test]
fn canaries_are_found_in_every_writing() {
    let secret = "0aF9xQ7Lm2Zt5Kc8Wd3Rv6Yb1Nh4Pj0S";
    let mut canaries = Canaries::default();
    canaries.add("it", secret);
    let reversed: String = secret.chars().rev().collect();
    let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
    let json = format!(r#"{{"key":"{secret}"}}"#);
    for text in [secret, &secret[5..20], &secret.to_uppercase(), &reversed, &hex] {
        assert!(canaries.found_in(format!("…{text}…").as_bytes()).is_some(), "{text}");
    }
    for offset in 0..3 {
        assert!(canaries.found_in(&base64(&json.as_bytes()[offset..])).is_some(), "{offset}");
    }
    assert_eq!(base64(b"Many hands"), b"TWFueSBoYW5k");
    assert_eq!(canaries.found_in(&secret.as_bytes()[28..]), None, "the last four are shown");
    assert_eq!(canaries.found_in(&[b'x'; 1000]), None);
    let token = "ddpat_uwc1FIlJkXmHyNQfYMGXLO_llqyJJ46Z1G9YaMzbxxj0BXjgsJ1ol0cJXWr";
    canaries.add("a token", token);
    assert_eq!(canaries.found_in(&token.as_bytes()[..28]), None, "the public portion is shown");
    assert!(canaries.found_in(&token.as_bytes()[29..60]).is_some());
}

/// Answers in which no secret has a place: all errors, and successes that only say so.
#[derive(Default)]
struct Answers(Vec<(String, String)>);

impl Answers {
    fn keep(&mut self, about: &str, answer: &Answer) {
        self.keep_but(about, answer, &[]);
    }

    /// The same of an answer that has to show something: all but that.
    fn keep_but(&mut self, about: &str, answer: &Answer, shown: &[String]) {
        let headers: Vec<_> =
            answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        let text = format!("{}\n{}", headers.join("\n"), answer.text);
        let text = shown.iter().fold(text, |text, shown| text.replacen(shown, "(shown)", 1));
        self.0.push((about.to_owned(), text));
    }
}

/// Calls every route as it should be, as somebody who may not, and with bodies and paths that hold secrets in wrong
/// places.
async fn live(server: &TestServer, canaries: &mut Canaries, answers: &mut Answers) {
    let admin = server.client();
    let Keys { api_key: first, application_key: second, .. } = server.admin();
    canaries.add("the first API key", &first.clone().unwrap());
    canaries.add("the first application key", &second.clone().unwrap());
    let narrow = application_key(&admin, json!(["monitors_read"])).await;
    canaries.made("a narrow application key", &narrow);
    let foreign = Keys::of(&server.found_another("Foreign").await);
    canaries.add("another org's API key", &foreign.api_key.clone().unwrap());
    canaries.add("another org's application key", &foreign.application_key.clone().unwrap());
    let token = personal_access_token(&admin, json!(["monitors_read"])).await;
    canaries.made("a personal access token", &token);
    let account = service_account(&admin, json!([])).await;
    let service = service_access_token(&admin, &account, json!(["monitors_read"])).await;
    canaries.made("a service access token", &service);
    // What somebody mistyped is as good as the secret.
    let mistyped = format!("{}!", &second.clone().unwrap());
    let strangers = [
        Keys::default(),
        foreign,
        Keys { application_key: Some(narrow.secret.clone()), ..server.admin() },
        Keys { api_key: second.clone(), application_key: first.clone(), bearer: None },
        Keys { application_key: Some(mistyped.clone()), ..server.admin() },
        Keys { bearer: Some(mistyped), ..Keys::default() },
        Keys { bearer: second.clone(), ..Keys::default() },
        Keys { bearer: Some(token.secret.clone()), ..Keys::default() },
        Keys { application_key: Some(service.secret.clone()), ..Keys::default() },
        Keys { bearer: Some(format!("{}!", token.secret)), ..Keys::default() },
        Keys {
            api_key: Some(service.secret.clone()),
            application_key: Some(format!("{}!", service.secret)),
            bearer: None,
        },
    ];
    for route in &server.routes {
        let about = format!("{} {}", route.method, route.path);
        let sample = sample::sample(route, &admin).await;
        let (_, last) = sample.path.rsplit_once('/').unwrap();
        if route.path.ends_with("{key}") {
            canaries.add(&about, last);
        }
        for keys in &strangers {
            let answer = sample::send(route, &sample, &server.client_with(keys.clone())).await;
            match answer.status.is_success() {
                true => note_secrets(&about, &answer.text, canaries),
                false => answers.keep(&about, &answer),
            }
        }
        if let Some(body) = sample.body.as_ref().filter(|_| sample.headers.is_empty()) {
            for wrong in secrets_in_wrong_places(body, second.as_ref().unwrap()) {
                let answer =
                    admin.send(route.method.clone(), &sample.path, &[], Some(wrong.to_string())).await;
                if answer.status.is_success() {
                    // What newer services pass over goes nowhere.
                    assert!(route.path.contains("access_tokens"), "{about}");
                    assert!(!answer.text.contains(second.as_ref().unwrap()), "{about}");
                    note_secrets(&about, &answer.text, canaries);
                } else {
                    answers.keep(&about, &answer.expect(400));
                }
            }
        }
        // One of the strangers may use the native API, and may have used up what the first sample was about.
        let sample = match route.path.starts_with("/claviger/") {
            true => sample::sample(route, &admin).await,
            false => sample,
        };
        let answer = sample::send(route, &sample, &admin).await.expect(sample.success);
        note_secrets(&about, &answer.text, canaries);
    }
    // In paths and queries.
    for path in [
        format!("/api/v1/api_key/{}x", first.as_ref().unwrap()),
        format!("/api/v2/api_keys/{}", first.as_ref().unwrap()),
        format!("/api/v2/current_user/application_keys/{}", second.as_ref().unwrap()),
        format!("/nowhere/{}", second.as_ref().unwrap()),
        format!("/claviger/{}", second.as_ref().unwrap()),
        format!("/api/v2/api_keys?sort={}", second.as_ref().unwrap()),
        format!("/api/v1/validate?api_key={}", first.as_ref().unwrap()),
        format!("/verify?permission={}", second.as_ref().unwrap()),
        format!("/api/v2/personal_access_tokens/{}", token.secret),
        format!("/api/v2/personal_access_tokens?filter[owner_uuid]={}", token.secret),
        format!("/api/v2/service_accounts/{}/access_tokens/{}", service.secret, token.secret),
    ] {
        for method in [Method::GET, Method::DELETE, Method::PUT] {
            let answer = admin
                .send(method, &path, &[("claviger-after", second.as_ref().unwrap())], None::<String>)
                .await;
            answers.keep(&path[..12], &answer);
        }
        answers.keep(&path[..12], &admin.get(&path).await);
    }
    // Where HTTP itself goes wrong.
    for request in [
        format!("GET /api/v2/api_keys HTTP/1.1\r\ndd-api-key: {}\r\nbroken\r\n\r\n", first.as_ref().unwrap()),
        format!("{} / HTTP/1.1\r\n\r\n", second.as_ref().unwrap()),
        format!("GET /{} HTTP/9.9\r\n\r\n", second.as_ref().unwrap()),
    ] {
        let answer = Wire::connect(server.address).await.exchange(request.as_bytes()).await;
        answers.0.push(("bad HTTP".to_owned(), answer.head + &answer.body));
    }
    // Those that were made for the samples.
    for path in ["/api/v1/api_key", "/api/v1/application_key"] {
        note_secrets(path, &admin.get(path).await.expect(200).text, canaries);
    }
    admin.patch("/claviger/v1/org", &json!({ "one_time_read": true })).await.expect(200);
    canaries.made("a key that is shown once", &application_key(&admin, Value::Null).await);
    canaries.made("an API key", &api_key(&admin).await);
    canaries.made("another token", &personal_access_token(&admin, json!(["monitors_read"])).await);
}

/// The body with a secret in place of each text but the names, whose matter it is what stands in them.
fn secrets_in_wrong_places(body: &Value, secret: &str) -> Vec<Value> {
    let mut wrong = vec![json!(secret), json!([secret])];
    for place in ["/data", "/data/type", "/data/attributes", "/data/relationships", "/data/0/type"] {
        let mut body = body.clone();
        let Some(node) = body.pointer_mut(place) else { continue };
        *node = json!(secret);
        wrong.push(body);
    }
    let mut body = body.clone();
    if let Some(attributes) = body.pointer_mut("/data/attributes") {
        attributes[secret] = json!(secret);
        wrong.push(body);
    }
    wrong
}

/// Every secret that an answer shows.
fn note_secrets(about: &str, text: &str, canaries: &mut Canaries) {
    fn walk(about: &str, value: &Value, canaries: &mut Canaries) {
        match value {
            Value::Object(members) => {
                // The key of a pair is a name.
                let is_pair = members.contains_key("value");
                let is_secret = |name: &str| ["key", "hash", "secret"].contains(&name) && !is_pair;
                for (name, value) in members {
                    match value.as_str().filter(|_| is_secret(name)) {
                        Some(secret) => canaries.add(about, secret),
                        None => walk(about, value, canaries),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(about, item, canaries)),
            _ => {}
        }
    }
    walk(about, &serde_json::from_str(text).unwrap_or_default(), canaries);
}

with_either_database! {
    async fn no_secret_is_in_logs_errors_metrics_or_the_database(database: TestDatabase) {
        log();
        let (mut canaries, mut answers, mut places) = (Canaries::default(), Answers::default(), Places::default());
        let server = TestServer::start(database).await;
        live(&server, &mut canaries, &mut answers).await;
        places.keep(&server).await;
        let server = places.keep_over_a_start(server, Setup::default()).await;
        api_key(&server.client()).await;
        places.keep(&server).await;
        canaries.add("the master key", &server.master_key());

        assert!(canaries.secrets.len() > 20, "{}", canaries.secrets.len());
        assert!(answers.0.len() > 200, "{}", answers.0.len());
        places.assert_clean(&canaries, &answers, &["route=\"/api/v1/ap"]);
        server.stop().await;
    }
}
