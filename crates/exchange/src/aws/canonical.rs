//! A request in the one form that both sides make of it.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::HOST;

use crate::percent;

/// Headers that somebody on the way, or the connection itself, may change: they are not signed.
const UNSIGNED: [&str; 16] = [
    "authorization",
    "baggage",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Of all services but S3: dot segments and empty segments are gone, and what is sent is encoded once more, as it stands.
pub(super) fn path(sent: &str) -> String {
    let mut segments = Vec::new();
    for segment in sent.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(percent::encode(segment.as_bytes())),
        }
    }
    let end = if sent.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

/// Of S3: every segment counts, and what is sent is read and encoded anew, so that each way to write a name is one.
pub(super) fn path_of_s3(sent: &str) -> String {
    let segments = sent.strip_prefix('/').unwrap_or(sent).split('/');
    // A slash within a name stays what it is there.
    segments.fold(String::with_capacity(sent.len()), |mut path, segment| {
        path.push('/');
        percent::encode_into(&mut path, &percent::decode(segment.as_bytes()));
        path
    })
}

/// Names and values, read and encoded anew, in the order of both. A `+` is a blank, as services read it; what is between
/// two `&` is nothing.
pub(super) fn query(sent: &str) -> String {
    let text = |part: &str| {
        let part = part.replace('+', "%20");
        percent::encode(&percent::decode(part.as_bytes()))
    };
    let mut pairs: Vec<(String, String)> = sent
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Headers as they are signed.
pub(super) struct Headers {
    /// Each with its value and a line's end, in the order of their names.
    pub(super) lines: Vec<u8>,
    /// The names, with `;` between.
    pub(super) names: String,
}

/// Those of a request to a host; what the request itself says of its host does not count.
pub(super) fn headers(host: &str, headers: &HeaderMap) -> Headers {
    let mut signed: BTreeMap<&str, Vec<u8>> = BTreeMap::from([(HOST.as_str(), trimmed(host.as_bytes()))]);
    let names = headers.keys().filter(|name| *name != HOST && !UNSIGNED.contains(&name.as_str()));
    for name in names {
        let values: Vec<Vec<u8>> =
            headers.get_all(name).iter().map(|value| trimmed(value.as_bytes())).collect();
        signed.insert(name.as_str(), values.join(&b','));
    }
    let mut lines = Vec::new();
    for (name, value) in &signed {
        lines.extend([name.as_bytes(), b":", value, b"\n"].concat());
    }
    Headers { lines, names: signed.into_keys().collect::<Vec<_>>().join(";") }
}

/// Without blanks around, and with one where there are several.
fn trimmed(value: &[u8]) -> Vec<u8> {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_s3_are_one_however_they_are_written() {
        for (sent, expected) in [
            ("/", "/"),
            ("/a//b/./../c/", "/a//b/./../c/"),
            ("/a=b@c'(d)*!", "/a%3Db%40c%27%28d%29%2A%21"),
            ("/%61%7e%c3%bc ü", "/a~%C3%BC%20%C3%BC"),
            ("/a%2Fb%2fc", "/a%2Fb%2Fc"),
            ("/100%/%4", "/100%25/%254"),
            ("/%3Fa=b%20c", "/%3Fa%3Db%20c"),
        ] {
            assert_eq!(path_of_s3(sent), expected, "{sent}");
        }
    }

    #[test]
    fn paths_elsewhere_are_encoded_as_they_stand() {
        for (sent, expected) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/..", "/"),
            ("/a/../../b/./c//", "/b/c/"),
            // What a service once said that it had expected.
            ("/_search/%3Fa=b%20c", "/_search/%253Fa%3Db%2520c"),
            ("/*/*/_search/", "/%2A/%2A/_search/"),
        ] {
            assert_eq!(path(sent), expected, "{sent}");
        }
    }

    #[test]
    fn queries_have_one_order_and_one_writing() {
        for (sent, expected) in [
            ("", ""),
            ("&", ""),
            ("b&a=2&a=1&A=", "A=&a=1&a=2&b="),
            ("a=b+c", "a=b%20c"),
            ("a=b%2bc", "a=b%2Bc"),
            ("a=b=c", "a=b%3Dc"),
            ("%61=%7E/'", "a=~%2F%27"),
            ("a=%", "a=%25"),
            ("ü=ü", "%C3%BC=%C3%BC"),
            // In the order of what is written, not of what is meant.
            ("a=%5f&a=%25&a=-", "a=%25&a=-&a=_"),
        ] {
            assert_eq!(query(sent), expected, "{sent}");
        }
    }
}
