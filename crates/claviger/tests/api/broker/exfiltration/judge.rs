//! What counts as a leak: judged from what arrived, byte by byte, and not from what the broker says.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::call::By;
use super::{Case, Kind, Suite, THIEF};
use crate::broker::exchanges;
use crate::support::third_party::Seen;

/// Headers by which some server or proxy takes a host, a path, a client or a part for another than it is, or which are
/// about one connection only.
const NEVER: [&str; 47] = [
    "proxy",
    "x-forward-for",
    "x-originating-ip",
    "x-remote-ip",
    "x-remote-addr",
    "client-ip",
    "x-proxy-url",
    "cookie",
    "cookie2",
    "forwarded",
    "via",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "range",
    "if-range",
    "proxy-authorization",
    "proxy-connection",
    "keep-alive",
    "http2-settings",
    "dd-api-key",
    "dd-application-key",
    "x-api-key",
    "x-csrf-token",
    "x-real-ip",
    "true-client-ip",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-original-host",
    "x-host",
    "x-http-host-override",
    "x-envoy-original-path",
    "x-url-scheme",
    "front-end-https",
    "x-forwarded",
    "x-client-ip",
    "x-cluster-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "connection",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "transfer_encoding",
    "content_length",
];

/// What is exchanged, or never leaves at all.
const DEEP: [&str; 4] =
    [exchanges::AWS_SECRET, exchanges::AWS_OPERATOR, exchanges::AZURE_SECRET, exchanges::OAUTH_SECRET];

/// What third parties say in headers in which only we speak.
pub(crate) const SPOKEN: &str = "thief-speaks";

/// What leaked by an attempt.
pub(crate) fn leaks(
    suite: &Suite<'_>,
    case: &Case,
    seen: &[Seen],
    dialled: &[SocketAddr],
    answer: &[u8],
) -> Vec<String> {
    let mut leaks = Vec::new();
    for address in dialled.iter().filter(|address| !is_public(address.ip())) {
        leaks.push(format!("{address} was called"));
    }
    for request in seen {
        leaks.extend(in_request(suite, case, request));
    }
    let renewed = usize::from(case.kind.is_renewed() && case.answer.is_some());
    if seen.len() > 1 + renewed {
        leaks.push(format!("{} requests arrived", seen.len()));
    }
    if !seen.is_empty() && !matches!(case.attempt.by, By::Token | By::OwnIntegration) {
        leaks.push("somebody's call went through who may not".to_owned());
    }
    let answer = String::from_utf8_lossy(answer);
    for secret in Kind::all().map(Kind::canary).chain(DEEP) {
        if written(secret).iter().any(|secret| answer.contains(secret)) {
            leaks.push(format!("the caller got {secret}"));
        }
    }
    if answer.contains(SPOKEN) {
        leaks.push("the third party spoke for us".to_owned());
    }
    leaks
}

/// What leaked in one request.
pub(crate) fn in_request(suite: &Suite<'_>, case: &Case, seen: &Seen) -> Vec<String> {
    let (kind, mut leaks) = (case.kind, Vec::new());
    let mut leak = |what: String| leaks.push(format!("{what}:\n{}", seen.head));
    if !kind.allows(&seen.name) {
        leak(format!("a request arrived at {:?}", seen.name));
    }
    if seen.all("host") != [seen.name.as_str()] {
        leak(format!("Host is {:?}", seen.all("host")));
    }
    if let Err(what) = in_place(kind, seen) {
        leak(what);
    }
    let rest = without_place(kind, seen);
    for secret in Kind::all().map(Kind::canary).chain(DEEP) {
        if written(secret).iter().any(|secret| rest.contains(secret.as_str())) {
            leak(format!("{secret} stands elsewhere"));
        }
    }
    for proof in suite.proofs() {
        if written(proof).iter().any(|proof| rest.contains(proof.as_str())) {
            leak("the caller's own credential went along".to_owned());
        }
    }
    let framed = seen.all("content-length").len() + seen.all("transfer-encoding").len();
    if framed > 1 {
        leak("the body has two ends".to_owned());
    }
    for line in seen.head.lines().skip(1) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let name = name.trim().to_lowercase().replace('_', "-");
        if NEVER.contains(&name.as_str()) || name.starts_with("claviger-") || name.starts_with("x-forwarded-")
        {
            leak(format!("{name} went along"));
        }
        if value.contains(THIEF) {
            leak(format!("{name} names another host"));
        }
    }
    let path = seen.line().split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let read = misread(path);
    if !read.starts_with(kind.base()) {
        leak(format!("some read the path as {read}"));
    }
    if path.contains("//") || seen.head.contains("smuggled") {
        leak("what was hidden in the request came out".to_owned());
    }
    leaks
}

/// The path as the least careful of servers reads it.
fn misread(path: &str) -> String {
    let mut text = path.as_bytes().to_vec();
    for _ in 0..4 {
        text = decoded(&text);
    }
    let mut text = String::from_utf8_lossy(&text).replace('\\', "/");
    for (wide, plain) in [("．", "."), ("﹒", "."), ("․", "."), ("‥", ".."), ("／", "/"), ("＼", "/")]
    {
        text = text.replace(wide, plain);
    }
    let mut read: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split([';', '?', '#']).next().unwrap_or_default().trim_matches(['\0', ' ', '\t']) {
            "" | "." => {}
            ".." => drop(read.pop()),
            segment => read.push(segment),
        }
    }
    format!("/{}/", read.join("/"))
}

/// Escapes resolved once, overlong forms among them.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut once = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                once.push(byte);
                rest = &after[2..];
            }
            None => {
                once.push(*first);
                rest = after;
            }
        }
    }
    for (overlong, plain) in [
        (&[0xC0, 0xAE][..], b'.'),
        (&[0xC0, 0xAF], b'/'),
        (&[0xC1, 0x9C], b'/'),
        (&[0xE0, 0x80, 0xAE], b'.'),
        (&[0xE0, 0x80, 0xAF], b'/'),
    ] {
        while let Some(at) = once.windows(overlong.len()).position(|it| it == overlong) {
            once.splice(at..at + overlong.len(), [plain]);
        }
    }
    once
}

/// Whether the secret stands where it should, alone.
fn in_place(kind: Kind, seen: &Seen) -> Result<(), String> {
    let canary = kind.canary();
    let one = |name: &str, value: &str| {
        let dashed = |line: &str| {
            let name = line.split(':').next().unwrap_or_default();
            name.trim().to_lowercase().replace('_', "-")
        };
        let others = seen.head.lines().skip(1).filter(|line| dashed(line) == name).count();
        match seen.all(name) == [value] && others == 1 {
            true => Ok(()),
            false => Err(format!("{name} is not the secret alone")),
        }
    };
    match kind {
        Kind::Header => {
            let query = pairs(seen);
            if query
                .iter()
                .any(|(name, _)| ["private_token", "access_token", "job_token"].contains(&name.as_str()))
            {
                return Err("the query has a credential of the caller's".to_owned());
            }
            one("private-token", canary)
        }
        Kind::Zis | Kind::Wild | Kind::Azure | Kind::Gcp | Kind::OAuth => {
            one("authorization", &format!("Bearer {canary}"))
        }
        Kind::Basic => one("authorization", &basic()),
        Kind::Aws => {
            one("x-amz-security-token", canary)?;
            let signed = seen.all("authorization");
            match signed[..] {
                [it] if it.starts_with("AWS4-HMAC-SHA256 Credential=ASIACANARY/20260304/") => Ok(()),
                _ => Err(format!("signed by {signed:?}")),
            }
        }
        Kind::Http => {
            one("x-key", canary)?;
            let pairs = pairs(seen);
            let mut keys = pairs.iter().filter(|(name, _)| name == "apikey");
            if keys.next().is_none_or(|(_, value)| value != canary) || keys.next().is_some() {
                return Err("the parameter is not the secret alone".to_owned());
            }
            let has_body = !seen.line().starts_with("GET")
                && !seen.line().starts_with("HEAD")
                && !seen.line().starts_with("OPTIONS");
            let json: serde_json::Value = serde_json::from_slice(&seen.body).unwrap_or_default();
            match has_body && json["token"] != canary {
                true => Err("the body's token is not the secret".to_owned()),
                false => Ok(()),
            }
        }
    }
}

/// The query as most read it.
fn pairs(seen: &Seen) -> Vec<(String, String)> {
    let target = seen.line().split(' ').nth(1).unwrap_or_default();
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let text = |part: &str| String::from_utf8_lossy(&decoded(part.replace('+', " ").as_bytes())).into_owned();
    let name = |part: &str| text(part).trim().to_lowercase().split('[').next().unwrap_or_default().to_owned();
    let pairs = query.split(['&', ';']).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(key, value)| (name(key), text(value))).collect()
}

/// All that arrived but the secret in its place.
fn without_place(kind: Kind, seen: &Seen) -> String {
    let canary = kind.canary();
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    let (head, body) = match kind {
        Kind::Header => (once(&seen.head, &format!("private-token: {canary}")), body),
        Kind::Zis | Kind::Wild | Kind::Azure | Kind::Gcp | Kind::OAuth => {
            (once(&seen.head, &format!("authorization: Bearer {canary}")), body)
        }
        Kind::Basic => (once(&seen.head, &format!("authorization: {}", basic())), body),
        Kind::Aws => (once(&seen.head, &format!("x-amz-security-token: {canary}")), body),
        Kind::Http => (
            once(&once(&seen.head, &format!("x-key: {canary}")), &format!("apikey={canary}")),
            once(&body, &format!("\"token\":\"{canary}\"")),
        ),
    };
    head + &body
}

fn once(text: &str, place: &str) -> String {
    text.replacen(place, "", 1)
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("u:{}", Kind::Basic.canary())))
}

/// A secret as it may be written.
fn written(secret: &str) -> [String; 3] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), STANDARD.encode(secret).trim_end_matches('=').to_owned(), hex]
}

/// What third parties have here, and nothing else.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => {
            let is_shared = matches!(it.octets(), [100, 64..128, ..]);
            !(it.is_private() || it.is_loopback() || it.is_link_local() || it.is_unspecified() || is_shared)
        }
        IpAddr::V6(it) => it.segments()[0] & 0xE000 == 0x2000,
    }
}

/// Whether a control went through, the secret in its place.
pub(crate) fn check_control(case: &Case, seen: &[Seen], answer: &str) -> Result<(), String> {
    let what = format!("control of {} ({})", case.technique, case.what);
    let [seen] = seen else { return Err(format!("{what}: {} requests arrived; {answer}", seen.len())) };
    match case.kind.allows(&seen.name) {
        true => in_place(case.kind, seen).map_err(|why| format!("{what}: {why}: {}", seen.head)),
        false => Err(format!("{what}: it arrived at {:?}", seen.name)),
    }
}
