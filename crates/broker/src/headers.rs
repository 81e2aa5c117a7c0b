//! Which headers go through, either way.

use http::StatusCode;
use http::header::{
    ACCEPT, ACCEPT_CHARSET, ACCEPT_ENCODING, ALT_SVC, AUTHORIZATION, CONNECTION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST,
    HeaderMap, HeaderName, HeaderValue, IF_RANGE, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, PUBLIC_KEY_PINS,
    PUBLIC_KEY_PINS_REPORT_ONLY, RANGE, SET_COOKIE, STRICT_TRANSPORT_SECURITY, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT, VIA, X_CONTENT_TYPE_OPTIONS,
};

use crate::charset;
use crate::refusal::Refusal;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const SET_COOKIE2: HeaderName = HeaderName::from_static("set-cookie2");

// These are statics, not constants: a constant of names would be made, and dropped, wherever it is looked at.

/// About one connection of the way, and not about the message (RFC 9110, 7.6.1).
static HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HTTP2_SETTINGS,
];

/// Ours to say of every request beside those: whom it is from and for, how long it is, and that it may be answered in
/// parts or encoded (secrets could not be found in either).
static OURS_TO_SAY: [HeaderName; 37] = [
    HOST,
    CONTENT_LENGTH,
    EXPECT,
    FORWARDED,
    VIA,
    ACCEPT_ENCODING,
    RANGE,
    IF_RANGE,
    HeaderName::from_static("request-range"),
    HeaderName::from_static("x-request-range"),
    HeaderName::from_static("x-ms-range"),
    // Differences are parts too (RFC 3229).
    HeaderName::from_static("a-im"),
    ACCEPT_CHARSET,
    // By which some servers take a path or a host for another than it is.
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-original-uri"),
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-http-host-override"),
    HeaderName::from_static("x-envoy-original-path"),
    HeaderName::from_static("x-url-scheme"),
    HeaderName::from_static("x-proxy-url"),
    HeaderName::from_static("front-end-https"),
    // By which programs of the CGI kind call out through whom it names.
    HeaderName::from_static("proxy"),
    // By which some take a client for another.
    HeaderName::from_static("x-forwarded"),
    HeaderName::from_static("x-forward-for"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-client-ip"),
    HeaderName::from_static("client-ip"),
    HeaderName::from_static("x-remote-ip"),
    HeaderName::from_static("x-remote-addr"),
    HeaderName::from_static("x-originating-ip"),
    HeaderName::from_static("x-cluster-client-ip"),
    HeaderName::from_static("cf-connecting-ip"),
    HeaderName::from_static("fastly-client-ip"),
    HeaderName::from_static("true-client-ip"),
    HeaderName::from_static("x-azure-clientip"),
];

/// What else of a caller's requests goes no further: it carries sessions, or our own credentials.
static CARRIES: [HeaderName; 7] = [
    COOKIE,
    HeaderName::from_static("cookie2"),
    AUTHORIZATION,
    HeaderName::from_static("dd-api-key"),
    HeaderName::from_static("dd-application-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-csrf-token"),
];

/// Ours to say, by how they begin.
const OURS_TO_SAY_BELOW: [&str; 3] = ["claviger-", "x-forwarded-", "x-zis-"];

/// What of an upstream's answer goes no further beside hop-by-hop headers. Cookies of third parties would be taken for
/// ours, and a page of theirs must not run where we are. The others speak for a whole origin, which is ours and not theirs:
/// they would end our sessions, or have browsers report to somebody else.
static NOT_INWARDS: [HeaderName; 17] = [
    SET_COOKIE,
    SET_COOKIE2,
    CONTENT_SECURITY_POLICY,
    X_CONTENT_TYPE_OPTIONS,
    ALT_SVC,
    STRICT_TRANSPORT_SECURITY,
    PUBLIC_KEY_PINS,
    PUBLIC_KEY_PINS_REPORT_ONLY,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
    HeaderName::from_static("reporting-endpoints"),
    HeaderName::from_static("service-worker-allowed"),
    HeaderName::from_static("expect-ct"),
    HeaderName::from_static("accept-ch"),
    HeaderName::from_static("critical-ch"),
    HeaderName::from_static("origin-agent-cluster"),
];

/// The headers of a caller's request that go on. `strips` are others that the connection keeps back.
pub(crate) fn outwards(headers: &HeaderMap, strips: &[HeaderName]) -> HeaderMap {
    let named = connection_options(headers);
    let mut passed = HeaderMap::with_capacity(headers.len() + 4);
    for (name, value) in headers {
        let is_ours = || {
            let plain = name.as_str();
            OURS_TO_SAY.contains(name)
                || CARRIES.contains(name)
                || OURS_TO_SAY_BELOW.iter().any(|beginning| plain.starts_with(beginning))
                || strips.iter().any(|strip| is_same(strip, plain))
                || (plain.contains('_') && is_disguised(plain))
        };
        if !HOP_BY_HOP.contains(name) && !named.contains(name) && !is_ours() {
            match is_same(name, ACCEPT.as_str()) {
                true => plain_accept(value).map(|value| passed.append(name, value)),
                false => Some(passed.append(name, value.clone())),
            };
        }
    }
    passed.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    passed
}

/// What a request accepts, but for the charset, which is for us to say: secrets could not be found in each. None where
/// nothing is left of it.
pub(crate) fn plain_accept(value: &HeaderValue) -> Option<HeaderValue> {
    if !charset::may_be_named(value.as_bytes()) {
        return Some(value.clone());
    }
    let is_charset = |parameter: &&[u8]| {
        let name = parameter.split(|byte| matches!(byte, b'=' | b'*')).next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"charset")
    };
    let range = |range: &[u8]| {
        range.split(|byte| *byte == b';').filter(|it| !is_charset(it)).collect::<Vec<_>>().join(&b';')
    };
    let ranges = value.as_bytes().split(|byte| *byte == b',');
    let plain = ranges.map(range).collect::<Vec<_>>().join(&b',');
    HeaderValue::from_bytes(&plain).ok().filter(|_| !charset::may_be_named(&plain))
}

/// Whether two names are one to servers of the CGI kind.
pub(crate) fn is_same(name: &HeaderName, other: &str) -> bool {
    let dashed = |byte: u8| if byte == b'_' { b'-' } else { byte };
    name.as_str().bytes().map(dashed).eq(other.bytes().map(dashed))
}

/// Servers of the CGI kind take `_` for `-`, so that `x_forwarded_for` means what `x-forwarded-for` does there.
fn is_disguised(name: &str) -> bool {
    is_ours_to_say(name) || CARRIES.iter().any(|known| known.as_str() == name.replace('_', "-"))
}

/// Whether nobody but us says it, not even the connection: whoever may change its headers need not know its secrets, and
/// must not loosen what guards them.
pub(crate) fn is_ours_to_say(name: &str) -> bool {
    let plain = name.replace('_', "-");
    let is_named = |known: &HeaderName| known.as_str() == plain;
    HOP_BY_HOP.iter().any(is_named)
        || OURS_TO_SAY.iter().any(is_named)
        || OURS_TO_SAY_BELOW.iter().any(|beginning| plain.starts_with(beginning))
}

/// Strips an upstream's answer of what goes no further.
pub(crate) fn inwards(headers: &mut HeaderMap) {
    // In chunks, whatever else is said of the length is not it (RFC 9112, 6.3).
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    let named = connection_options(headers);
    let is_dropped = |name: &&HeaderName| {
        HOP_BY_HOP.contains(name)
            || NOT_INWARDS.contains(name)
            || named.contains(name)
            || name.as_str().starts_with("claviger-")
    };
    let dropped: Vec<_> = headers.keys().filter(is_dropped).cloned().collect();
    for name in dropped {
        headers.remove(name);
    }
}

/// Says how browsers are to take an answer that a third party had a say in: for no page of ours.
pub fn no_page_of_ours(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Names us where nobody else is named: some third parties answer nobody who does not say what it is.
pub(crate) fn name_us(headers: &mut HeaderMap) {
    headers.entry(USER_AGENT).or_insert(HeaderValue::from_static("claviger"));
}

/// Refuses an answer in whose body secrets could not be found.
///
/// # Errors
/// Why not.
pub(crate) fn check_searchable(status: StatusCode, headers: &HeaderMap) -> Result<(), Refusal> {
    if is_encoded(headers) {
        return Err(Refusal::UpstreamEncoded);
    }
    if is_part(status, headers) {
        return Err(Refusal::UpstreamPartial);
    }
    match charset::of_content(headers).iter().all(|name| charset::is_searched(name)) {
        true => Ok(()),
        false => Err(Refusal::UpstreamCharset),
    }
}

/// Whether an answer's body is written otherwise than as it is, so that secrets could not be found in it: by a header of
/// its own, or below chunks.
fn is_encoded(headers: &HeaderMap) -> bool {
    let is_other = |name, plain: &[u8]| {
        let values =
            headers.get_all(name).into_iter().flat_map(|value| value.as_bytes().split(|it| *it == b','));
        values.map(<[u8]>::trim_ascii).any(|it| !it.is_empty() && !it.eq_ignore_ascii_case(plain))
    };
    is_other(CONTENT_ENCODING, b"identity") || is_other(TRANSFER_ENCODING, b"chunked")
}

/// Whether an answer is a part of one, by bytes, which may begin or end within a secret. Ranges of other units, as of rows
/// of a table, are whole texts; and that there is no such part is told in full.
pub(crate) fn is_part(status: StatusCode, headers: &HeaderMap) -> bool {
    let begins = |value: &HeaderValue, with: &[u8]| {
        value.as_bytes().trim_ascii().get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with))
    };
    let ranges = || headers.get_all(CONTENT_RANGE).into_iter();
    let types = || headers.get_all(CONTENT_TYPE).into_iter();
    let is_untold = status == StatusCode::PARTIAL_CONTENT && ranges().next().is_none();
    let is_of_bytes =
        ranges().any(|value| begins(value, b"bytes")) && status != StatusCode::RANGE_NOT_SATISFIABLE;
    let is_difference = status == StatusCode::IM_USED;
    is_untold || is_of_bytes || is_difference || types().any(|value| begins(value, b"multipart/byteranges"))
}

/// The headers that a message's own `Connection` names: they are hop-by-hop too.
fn connection_options(headers: &HeaderMap) -> Vec<HeaderName> {
    let values =
        headers.get_all(CONNECTION).into_iter().flat_map(|value| value.as_bytes().split(|it| *it == b','));
    values.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        map
    }

    fn names(map: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = map.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_is_about_the_way_or_ours_goes_no_further() {
        let kept = [("accept", "a"), ("content-type", "b"), ("x-own", "c"), ("x-own", "d"), ("etag", "e")];
        let mut lines = kept.to_vec();
        let dropped = [
            "host",
            "connection",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "content-length",
            "expect",
            "cookie",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-host",
            "x_forwarded_for",
            "via",
            "range",
            "request-range",
            "request_range",
            "x-ms-range",
            "x_ms_range",
            "a-im",
            "authorization",
            "dd-api-key",
            "dd-application-key",
            "x-api-key",
            "claviger-host",
            "claviger-after",
            "x-zis-authorization",
            "proxy-authorization",
            "x-hop",
            "private-token",
            "private_token",
            "x-original-url",
            "x-host",
            "x-forwarded",
            "http2-settings",
        ];
        lines.extend(dropped.map(|name| (name, if name == "connection" { "close, X-Hop" } else { "x" })));
        let passed = outwards(&map(&lines), &["private-token".parse().unwrap()]);
        assert_eq!(names(&passed), ["accept", "accept-encoding", "content-type", "etag", "x-own"]);
        assert_eq!(passed.get_all("x-own").iter().count(), 2);
        assert_eq!(passed["accept-encoding"], "identity");
    }

    #[test]
    fn an_encoding_is_seen_wherever_it_is_named() {
        for (lines, is_it) in [
            (&[][..], false),
            (&[("content-encoding", "identity")], false),
            (&[("content-encoding", "")], false),
            (&[("transfer-encoding", "Chunked")], false),
            (&[("content-encoding", "gzip")], true),
            (&[("content-encoding", "identity"), ("content-encoding", "br")], true),
            (&[("content-encoding", "identity, gzip")], true),
            (&[("transfer-encoding", "gzip, chunked")], true),
            (&[("transfer-encoding", "gzip"), ("transfer-encoding", "chunked")], true),
        ] {
            assert_eq!(is_encoded(&map(lines)), is_it, "{lines:?}");
        }
    }

    #[test]
    fn nobody_asks_for_a_charset() {
        for (accept, left) in [
            ("application/json", Some("application/json")),
            ("text/plain;charset=IBM037", Some("text/plain")),
            ("text/html; q=0.9;CharSet = \"utf-32\", */*;q=0.1", Some("text/html; q=0.9, */*;q=0.1")),
            ("application/json;charset*=utf-8''utf-7;odata=verbose", Some("application/json;odata=verbose")),
            ("text/plain;x=\"; charset-of=utf-7\"", None),
        ] {
            for name in ["accept", "Accept"] {
                let lines = [(name, accept), ("accept-charset", "utf-32"), ("accept_charset", "utf-32")];
                let passed = outwards(&map(&lines), &[]);
                assert_eq!(passed.get("accept").map(|it| it.to_str().unwrap()), left, "{accept}");
                assert!(!passed.keys().any(|name| name.as_str().ends_with("charset")));
            }
        }
    }

    #[test]
    fn a_part_of_an_answer_is_known() {
        for (status, lines, is_it) in [
            (200, &[][..], false),
            (200, &[("content-range", "bytes 0-6/27")], true),
            (206, &[("content-range", "bytes 0-6/27")], true),
            (206, &[("content-range", " Bytes 0-6/*")], true),
            (206, &[], true),
            (206, &[("content-type", "multipart/byteranges; boundary=x")], true),
            (200, &[("content-type", "Multipart/ByteRanges; boundary=x")], true),
            (226, &[], true),
            (416, &[("content-range", "bytes */27")], false),
            (206, &[("content-range", "0-24/3573458")], false),
            (200, &[("content-range", "items 0-24/*")], false),
            (200, &[("accept-ranges", "bytes")], false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_part(status, &map(lines)), is_it, "{status} {lines:?}");
        }
    }

    #[test]
    fn an_answer_keeps_what_is_its_own() {
        let mut answer = map(&[
            ("content-type", "text/html"),
            ("content-length", "5"),
            ("set-cookie", "a=b"),
            ("claviger-error", "restricted"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("content-security-policy", "default-src *"),
            ("location", "https://elsewhere.example/"),
        ]);
        inwards(&mut answer);
        assert_eq!(names(&answer), ["content-type", "location"]);
        no_page_of_ours(&mut answer);
        assert_eq!(answer["content-security-policy"], "sandbox");
        assert_eq!(answer["x-content-type-options"], "nosniff");
    }
}
