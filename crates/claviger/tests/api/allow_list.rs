//! Allow-lists against callers who pretend to be elsewhere.
//!
//! The test's own connection plays a trusted proxy: it adds the address of whoever asked it to what they sent, in one
//! of the ways in which proxies do. Each attempt pretends an address that the list allows, at every door at which a
//! key is presented; its control is the same request from somebody who really is there, and gets in.

use http::Method;
use serde_json::json;

use crate::support::sample::Made;
use crate::support::{Client, Keys, Setup, TestDatabase, TestServer, guarded, with_either_database};

/// Where the caller really is.
const OUTSIDE: &str = "198.51.100.66";
/// Where the keys may be used from.
const ALLOWED: [&str; 2] = ["203.0.113.0/24", "2001:db8:1::/48"];
const INSIDE: &str = "203.0.113.5";
const INSIDE_V6: &str = "2001:db8:1::5";
/// A second trusted proxy, behind which the first stands.
const SECOND_PROXY: &str = "10.0.0.2";

type Header = (&'static str, String);

/// What a request's headers are, given the address that the proxy saw.
type Headers = Box<dyn Fn(&str) -> Vec<Header> + Send + Sync>;

/// An attempt.
struct Attempt {
    what: String,
    headers: Headers,
    /// Where the control comes from.
    inside: &'static str,
}

/// What an attacker writes into a list of addresses to look as if they were inside.
const PRETENDED: [&str; 36] = [
    "203.0.113.5",
    "203.0.113.5:443",
    "203.0.113.255",
    "2001:db8:1::5",
    "2001:DB8:1:0:0:0:0:5",
    "2001:0db8:0001:0000:0000:0000:0000:0005",
    "[2001:db8:1::5]",
    "[2001:db8:1::5]:443",
    "::ffff:203.0.113.5",
    "::ffff:cb00:7105",
    "::FFFF:CB00:7105",
    "0:0:0:0:0:ffff:cb00:7105",
    "0000:0000:0000:0000:0000:ffff:203.0.113.5",
    "[::ffff:203.0.113.5]:443",
    "::203.0.113.5",
    "64:ff9b::203.0.113.5",
    "2002:cb00:7105::",
    "203.0.113.5, 203.0.113.5",
    "203.0.113.5,10.0.0.2",
    "203.0.113.5, 127.0.0.1, ::1",
    "203.0.113.5 , ::ffff:127.0.0.1",
    "unknown, 203.0.113.5",
    "_hidden, 203.0.113.5",
    "203.0.113.5, unknown",
    "203.0.113.5,,",
    ",203.0.113.5",
    "\"203.0.113.5\"",
    "for=203.0.113.5",
    "203.0.113.5;",
    "203.0.113.5/32",
    "203.0.113.5%eth0",
    "3405803781",
    "0xcb007105",
    "203.0.28933",
    "0313.0.0161.05",
    "127.0.0.1",
];

/// The same for a `Forwarded` header.
const PRETENDED_FORWARDED: [&str; 20] = [
    "for=203.0.113.5",
    "For=203.0.113.5",
    "for=\"203.0.113.5\"",
    "for=\"203.0.113.5:443\"",
    "for=\"[2001:db8:1::5]\"",
    "for=\"[2001:db8:1::5]:443\"",
    "for=\"[::ffff:203.0.113.5]\"",
    "for=\"[::ffff:cb00:7105]:443\"",
    "for=\"[0:0:0:0:0:ffff:203.0.113.5]\"",
    "for=203.0.113.5;proto=https;by=10.0.0.2",
    "by=10.0.0.2;for=203.0.113.5;host=claviger",
    "for=203.0.113.5, for=10.0.0.2",
    "for=203.0.113.5, for=127.0.0.1",
    "for=unknown, for=203.0.113.5",
    "for=_hidden, for=203.0.113.5",
    "for=203.0.113.5, for=\"10.0.0.2:80\"",
    "for=\"20\\3.0.113.5\"",
    "for=203.0.113.5;for2=x",
    "proto=https;for=203.0.113.5",
    "for=127.0.0.1",
];

/// Headers that some software believes and Claviger does not.
const BELIEVED_ELSEWHERE: [&str; 16] = [
    "x-real-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-forwarded",
    "forwarded-for",
    "x_forwarded_for",
    "x-forwarded-host",
    "x-envoy-external-address",
    "via",
];

/// An address as `Forwarded` has it.
fn quoted(address: &str) -> String {
    if address.contains(':') { format!("for=\"[{address}]\"") } else { format!("for={address}") }
}

fn attempt(
    what: String,
    inside: &'static str,
    headers: impl Fn(&str) -> Vec<Header> + Send + Sync + 'static,
) -> Attempt {
    Attempt { what, headers: Box::new(headers), inside }
}

fn attempts() -> Vec<Attempt> {
    let mut all = Vec::new();
    for pretended in PRETENDED {
        let list = |what: &str, headers: fn(&str, &str) -> Vec<Header>| {
            attempt(format!("{what}: {pretended}"), INSIDE, move |seen| headers(pretended, seen))
        };
        all.push(list("in the same line", |lie, seen| vec![("x-forwarded-for", format!("{lie}, {seen}"))]));
        all.push(list("without a blank", |lie, seen| vec![("x-forwarded-for", format!("{lie},{seen}"))]));
        all.push(list("in a line before", |lie, seen| {
            vec![("x-forwarded-for", lie.to_owned()), ("X-Forwarded-For", seen.to_owned())]
        }));
        all.push(list("behind two proxies", |lie, seen| {
            vec![("x-forwarded-for", format!("{lie}, {seen}, {SECOND_PROXY}"))]
        }));
        all.push(list("seen as IPv6", |lie, seen| {
            vec![("x-forwarded-for", format!("{lie}, ::ffff:{seen}, [::ffff:{SECOND_PROXY}]:80"))]
        }));
    }
    for pretended in PRETENDED_FORWARDED {
        let standard = |what: &str, headers: fn(&str, &str) -> Vec<Header>| {
            attempt(format!("{what}: {pretended}"), INSIDE_V6, move |seen| headers(pretended, seen))
        };
        all.push(standard("in the same line", |lie, seen| {
            vec![("forwarded", format!("{lie}, {};proto=https", quoted(seen)))]
        }));
        all.push(standard("in a line before", |lie, seen| {
            vec![("forwarded", lie.to_owned()), ("Forwarded", quoted(seen))]
        }));
        all.push(standard("behind two proxies", |lie, seen| {
            vec![("forwarded", format!("{lie},{},for=\"{SECOND_PROXY}:80\"", quoted(seen)))]
        }));
    }
    // What a proxy that adds to one header passes on in the other: believed only where both say the same.
    all.push(attempt("the standard beside the list".into(), INSIDE, |seen| {
        vec![("x-forwarded-for", seen.to_owned()), ("forwarded", quoted(INSIDE))]
    }));
    all.push(attempt("the list beside the standard".into(), INSIDE_V6, |seen| {
        vec![("x-forwarded-for", INSIDE_V6.to_owned()), ("forwarded", quoted(seen))]
    }));
    for name in BELIEVED_ELSEWHERE {
        for lie in [INSIDE, INSIDE_V6] {
            all.push(attempt(format!("{name}: {lie}"), INSIDE, move |seen| {
                vec![(name, lie.to_owned()), ("x-forwarded-for", seen.to_owned())]
            }));
        }
    }
    all
}

/// The doors at which a guarded key is presented, and what each says to whom it does not know.
struct Doors {
    with_api_key: Client,
    with_application_key: Client,
    bearer: Client,
}

impl Doors {
    async fn of(server: &TestServer, allowed: &[&str]) -> Self {
        // A proxy's own requests come from nowhere else, so that the admin needs no list.
        let guards = json!({ "allow_list": allowed });
        let api_key: Made = guarded::api_key(&server.client(), guards.clone()).await;
        let application_key = guarded::application_key(&server.client(), guards).await;
        Self {
            with_api_key: server.client_with(Keys { api_key: Some(api_key.secret), ..server.admin() }),
            with_application_key: server.beside(&application_key.secret),
            bearer: server.bearer(&application_key.secret),
        }
    }

    /// How many doors let a request with these headers in.
    async fn entered(&self, headers: &[Header]) -> usize {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut entered = 0;
        for (client, path, refusal) in [
            (&self.bearer, "/verify", 403),
            (&self.with_api_key, "/api/v2/validate", 403),
            (&self.with_api_key, "/api/v2/api_keys", 403),
            (&self.with_application_key, "/api/v2/validate_keys", 401),
        ] {
            let answer = client.send(Method::GET, path, &headers, None::<String>).await;
            match answer.status.as_u16() {
                200 => entered += 1,
                status => assert_eq!(status, refusal, "{path} {headers:?}: {}", answer.text),
            }
        }
        entered
    }
}

fn trusting(networks: &[&str]) -> Setup {
    let proxies = networks.iter().map(|network| network.parse().unwrap());
    Setup { proxies: claviger_http::TrustedProxies::new(proxies), ..Setup::default() }
}

with_either_database! {
    /// Some 270 ways to pretend, at four doors each.
    async fn nobody_gets_in_by_pretending_to_be_elsewhere(database: TestDatabase) {
        let server = TestServer::start_with(database, trusting(&["127.0.0.0/8", "::1", "10.0.0.0/8"])).await;
        let doors = Doors::of(&server, &ALLOWED).await;
        let attempts = attempts();
        assert!(attempts.len() >= 100, "{}", attempts.len());
        for Attempt { what, headers, inside } in &attempts {
            assert_eq!(doors.entered(&headers(OUTSIDE)).await, 0, "{what}");
            assert_eq!(doors.entered(&headers(inside)).await, 4, "the control of {what}");
        }
        println!("{} attempts at 4 doors, none got in; {} controls did", attempts.len(), attempts.len());
        server.stop().await;
    }

    /// The same, sent to a server that trusts nobody: the headers are then anybody's.
    async fn nobody_is_believed_who_is_not_trusted(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let (doors, here) = (Doors::of(&server, &ALLOWED).await, Doors::of(&server, &["127.0.0.1"]).await);
        for Attempt { what, headers, inside } in attempts() {
            assert_eq!(doors.entered(&headers(inside)).await, 0, "{what}");
            assert_eq!(here.entered(&headers(inside)).await, 4, "the control of {what}");
        }
        server.stop().await;
    }

    /// Where trusted proxies leave it open where the caller is, no list lets them in, and keys without one go on.
    async fn whose_address_nobody_knows_is_let_in_by_no_list(database: TestDatabase) {
        let server = TestServer::start_with(database, trusting(&["127.0.0.0/8", "10.0.0.0/8"])).await;
        let doors = Doors::of(&server, &["0.0.0.0/0", "::/0"]).await;
        let list = |value: &str| vec![("x-forwarded-for", value.to_owned())];
        let standard = |value: &str| vec![("forwarded", value.to_owned())];
        for headers in [
            list(""),
            list("unknown"),
            list("203.0.113.5, _hidden"),
            list("203.0.113.5, unknown, 10.0.0.2"),
            list("203.0.113.5,"),
            list("somewhere.example"),
            list("203.0.113.5%eth0"),
            standard("for=unknown"),
            standard("for=\"_hidden\""),
            standard("proto=https"),
            standard("for=203.0.113.5, for=\"198.51.100.66"),
            standard("for=203.0.113.5;for=198.51.100.66"),
            [list("203.0.113.5"), standard("for=198.51.100.66")].concat(),
            [list("unknown"), standard("for=203.0.113.5")].concat(),
        ] {
            assert_eq!(doors.entered(&headers).await, 0, "{headers:?}");
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            server.client().send(Method::GET, "/api/v2/api_keys", &headers, None::<String>).await.expect(200);
        }
        assert_eq!(doors.entered(&list("203.0.113.5")).await, 4);
        // Without a word of anybody's, the proxy asks for itself.
        assert_eq!(doors.entered(&[]).await, 4);
        server.stop().await;
    }

    async fn the_record_names_the_same_address(database: TestDatabase) {
        let server = TestServer::start_with(database, trusting(&["127.0.0.1"])).await;
        let body = json!({ "name": "From afar" });
        let headers = [("x-forwarded-for", "203.0.113.77, 198.51.100.42")];
        let made = server.client().send(Method::POST, "/claviger/v1/api_keys", &headers, Some(body.to_string())).await;
        made.expect(201);
        let contents = server.database().contents().await;
        let has = |text: &str| {
            contents.iter().any(|(_, bytes)| bytes.windows(text.len()).any(|window| window == text.as_bytes()))
        };
        assert!(has("198.51.100.42"));
        assert!(!has("203.0.113.77"), "what the client says of itself is not part of the record");
        server.stop().await;
    }
}
