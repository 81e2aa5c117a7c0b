//! Allowed domains and header names of connections: the cases, and what holds for all that there could be.

use std::collections::HashSet;

use claviger_model::testing::{ADMISSIONS, ALLOWED_DOMAINS, Admission, HEADER_NAMES};
use claviger_model::{AllowedDomain, AllowedDomainError, HeaderName, HeaderNameError, Host, InjectedHeader};
use proptest::prelude::*;
use proptest::sample::select;

/// The cases are at least so many, all different.
const CASES_MIN: usize = 300;

fn domain(text: &str) -> Result<AllowedDomain, AllowedDomainError> {
    text.parse()
}

#[test]
fn the_cases_are_many_and_each_is_one() {
    let domains = ALLOWED_DOMAINS.iter().map(|(text, _)| ("domain", *text, ""));
    let admissions = ADMISSIONS.iter().map(|(domain, host, _)| ("admission", *domain, *host));
    let headers = HEADER_NAMES.iter().map(|(text, _)| ("header", *text, ""));
    let mut seen = HashSet::new();
    for case in domains.chain(admissions).chain(headers) {
        assert!(seen.insert(case), "{case:?} is there twice");
    }
    assert!(seen.len() >= CASES_MIN, "{} cases", seen.len());
}

#[test]
fn allowed_domains() {
    for (text, expected) in ALLOWED_DOMAINS {
        let found = domain(text);
        let shown = found.clone().map(|domain| domain.to_string());
        assert_eq!(shown, expected.map(str::to_owned), "{text:?}");
        if let Ok(found) = found {
            assert_eq!(domain(&found.to_string()), Ok(found), "{text:?}");
        }
    }
}

#[test]
fn admissions() {
    for (allowed, host, expected) in ADMISSIONS {
        let allowed = domain(allowed).unwrap_or_else(|error| panic!("{allowed} {error}"));
        let found = match host.parse::<Host>() {
            Err(_) => Admission::NoHost,
            Ok(host) if allowed.admits(&host) => Admission::Yes,
            Ok(_) => Admission::No,
        };
        assert_eq!(found, *expected, "{allowed} {host:?}");
    }
}

#[test]
fn header_names() {
    for (text, expected) in HEADER_NAMES {
        let found = text.parse::<InjectedHeader>();
        assert_eq!(found.as_ref().err(), expected.as_ref(), "{text:?}");
        if let Ok(header) = found {
            assert_eq!(header.as_str(), *text);
            assert_eq!(header.name().refusal(), None);
        }
    }
}

/// Names that are not for connections with a secret of the vendor's kind, but headers: what a broker must know of them.
#[test]
fn a_broker_knows_the_headers_that_break_requests() {
    let breaks = |text: &str| {
        let name: HeaderName = text.parse().unwrap();
        name.refusal().is_some_and(|refusal| refusal.breaks_requests())
    };
    for text in [
        "claviger-after",
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "host",
        "HTTP2-Settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "x-forwarded-for",
    ] {
        assert!(breaks(text), "{text}");
    }
    for text in
        ["accept", "Content-MD5", "cookie", "date", "user-agent", "x-amz-date", "x-zis-x", "x-key2", "a.b"]
    {
        assert!(!breaks(text), "{text}");
    }
    // A name with a digit is refused for its alphabet first, but it is on the list too.
    assert!("Content-MD5".parse::<HeaderName>().unwrap().refusal().is_some());
}

#[test]
fn names_of_headers_are_tokens() {
    for text in ["x-api-key2", "a.b", "!#$%&'*+-.^_`|~09azAZ"] {
        assert_eq!(text.parse::<HeaderName>().unwrap().as_str(), text);
    }
    for text in
        [" ", "a b", "a:", ":a", "a\r\n", "a\0", "ä", "a(b)", "a/b", "a@b", "\"a\"", "{a}", "[a]", "a,b"]
    {
        assert_eq!(text.parse::<HeaderName>(), Err(HeaderNameError::Token), "{text:?}");
    }
    assert_eq!("".parse::<HeaderName>(), Err(HeaderNameError::Empty));
    assert_eq!("1".repeat(129).parse::<HeaderName>(), Err(HeaderNameError::Length));
    assert_eq!("X-Key".parse::<HeaderName>(), "x-kEY".parse());
    assert_ne!("x-key".parse::<HeaderName>(), "x_key".parse());
}

#[test]
fn every_reason_has_words_and_a_code_of_its_own() {
    let domains = ALLOWED_DOMAINS.iter().filter_map(|(_, result)| result.err());
    let domains = domains.map(|error| (error.code(), error.to_string()));
    let headers = HEADER_NAMES.iter().filter_map(|(_, error)| *error).chain([HeaderNameError::Token]);
    let headers = headers.map(|error| (error.code(), error.to_string()));
    let reasons: HashSet<(&str, String)> = domains.chain(headers).collect();
    // Nine of domains, four of the form of headers, eight refusals.
    assert_eq!(reasons.len(), 9 + 4 + 8, "{reasons:#?}");
    let codes: HashSet<&str> = reasons.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), reasons.len());
    assert!(reasons.iter().all(|(_, words)| words.starts_with("must ")));
}

fn refused() -> Vec<(&'static str, Option<HeaderNameError>)> {
    let is_refused = |error: &Option<HeaderNameError>| matches!(error, Some(HeaderNameError::Refused(_)));
    HEADER_NAMES.iter().filter(|(_, error)| is_refused(error)).copied().collect()
}

/// A name of labels that a host may have.
fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_]{1,4}(-[a-z0-9]{1,3})?(\\.[a-zA-Z0-9_]{1,4}){0,3}\\.([a-z]{2,4}|com|co\\.uk|xn--p1ai)\\.?"
}

fn wildcard() -> impl Strategy<Value = String> {
    name().prop_map(|name| format!("*.{name}"))
}

/// What is before, after and instead of a name of somebody who would like its secrets.
fn neighbour(name: &str) -> impl Strategy<Value = String> + use<> {
    let name = name.to_owned();
    (
        "[a-z0-9]{0,3}",
        select(vec!["", ".", "-", "_", ".."]),
        select(vec!["", ".", ".evil.example", "x", ":443"]),
    )
        .prop_map(move |(before, between, after)| format!("{before}{between}{name}{after}"))
}

/// A name below which names are one owner's, and a neighbour of it.
fn name_and_neighbour() -> impl Strategy<Value = (String, String)> {
    name().prop_flat_map(|name| (Just(name.clone()), prop_oneof![neighbour(&name), self::name()]))
}

/// The same rule in other words: label by label, from the end.
fn admits_by_labels(domain: &AllowedDomain, host: &Host) -> bool {
    let Some(host) = host.name() else { return false };
    let mut host = host.rsplit('.');
    domain.name().rsplit('.').all(|label| host.next() == Some(label))
        && (domain.is_wildcard() || host.next().is_none())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn the_form_of_a_domain_is_final(text in prop_oneof![any::<String>(), name(), wildcard()]) {
        if let Ok(domain) = text.parse::<AllowedDomain>() {
            let shown = domain.to_string();
            prop_assert!(shown.is_ascii() && shown.len() <= text.len());
            prop_assert!(!shown.ends_with('.') && !shown.bytes().any(|byte| byte.is_ascii_uppercase()));
            prop_assert_eq!(shown.parse::<AllowedDomain>(), Ok(domain));
        }
    }

    #[test]
    fn an_exact_domain_admits_itself_only((name, other) in name_and_neighbour()) {
        let Ok(domain) = name.parse::<AllowedDomain>() else { return Ok(()) };
        prop_assert!(domain.admits(&name.parse().unwrap()));
        if let Ok(host) = other.parse::<Host>() {
            prop_assert_eq!(domain.admits(&host), host.to_string() == domain.to_string());
        }
    }

    #[test]
    fn a_wildcard_admits_its_name_and_what_is_below(name in name(), before in "[a-z0-9]{1,5}") {
        let Ok(domain) = format!("*.{name}").parse::<AllowedDomain>() else { return Ok(()) };
        let is_admitted = |host: String| host.parse().is_ok_and(|host| domain.admits(&host));
        // Nothing of the names ends so.
        let elsewhere = format!("{}.evil{before}", name.trim_end_matches('.'));
        for host in [name.clone(), format!("{before}.{name}"), format!("a.{before}.{name}")] {
            prop_assert!(is_admitted(host.clone()), "{}", host);
        }
        for host in [format!("{before}{name}"), format!("{before}-{name}"), elsewhere] {
            prop_assert!(!is_admitted(host.clone()), "{}", host);
        }
    }

    #[test]
    fn domains_are_compared_label_by_label(
        (name, other) in name_and_neighbour(),
        is_wildcard in any::<bool>(),
    ) {
        let text = if is_wildcard { format!("*.{name}") } else { name };
        let (Ok(domain), Ok(host)) = (domain(&text), other.parse::<Host>()) else { return Ok(()) };
        prop_assert_eq!(domain.admits(&host), admits_by_labels(&domain, &host), "{} {}", domain, host);
    }

    /// What is admitted is a host in every reading: shown and read again, it is admitted again.
    #[test]
    fn what_is_admitted_is_a_host((name, other) in name_and_neighbour()) {
        let Ok(domain) = format!("*.{name}").parse::<AllowedDomain>() else { return Ok(()) };
        let Ok(host) = other.parse::<Host>() else { return Ok(()) };
        if domain.admits(&host) {
            prop_assert_eq!(host.to_string().parse::<Host>(), Ok(host.clone()));
            prop_assert!(host.name().is_some());
            let exact = host.to_string().parse::<AllowedDomain>();
            prop_assert_eq!(exact.map(|exact| exact.admits(&host)), Ok(true));
        }
    }

    #[test]
    fn no_wildcard_is_over_one_label(label in "[a-z0-9_-]{1,20}\\.?") {
        let text = format!("*.{label}");
        prop_assert!(domain(&text).is_err(), "{}", text);
    }

    #[test]
    fn what_is_refused_is_refused_in_every_spelling(
        (text, error) in select(refused()),
        flips in any::<[bool; 32]>(),
    ) {
        let spell = |(letter, flip): (char, &bool)| match (letter, flip) {
            ('-', true) => '_',
            ('_', true) => '-',
            (letter, true) => letter.to_ascii_uppercase(),
            (letter, false) => letter,
        };
        let spelt: String = text.chars().zip(flips.iter().cycle()).map(spell).collect();
        prop_assert_eq!(spelt.parse::<InjectedHeader>().err(), error, "{}", spelt);
    }

    #[test]
    fn a_header_for_a_secret_is_a_header(text in prop_oneof![any::<String>(), "[!-~]{1,12}", "[a-zA-Z_-]{1,12}"]) {
        if let Ok(header) = text.parse::<InjectedHeader>() {
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(header.as_str(), &text);
            prop_assert_eq!(Ok(header.name().clone()), text.parse::<HeaderName>());
        }
    }
}
