//! Headers and parameters that would push the secret out of its place, or the caller's own into it.

use super::{Call, Case, Kind, THIEF};

/// Where each connection's secret stands, and the caller's may not.
const PLACES: [(Kind, &[&str]); 4] = [
    (
        Kind::Header,
        &["Private-Token", "PRIVATE-TOKEN", "Private_Token", "private_token", "Job-Token", "Job_Token"],
    ),
    (Kind::Http, &["X-Key", "x-key", "X_Key", "X_KEY"]),
    (Kind::Zis, &["Authorization", "X-Api-Key", "Dd-Api-Key", "Proxy-Authorization"]),
    (Kind::Wild, &["X_Api_Key", "DD_API_KEY", "Proxy_Authorization", "X-Zis-Authorization"]),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add =
        |technique, what: &str, kind, attempt| cases.push(Case::new(technique, what, kind, attempt));
    for (kind, names) in PLACES {
        for name in names {
            let line = |value: &str| Call::plain(kind).line(format!("{name}: {value}"));
            add(
                "Connection that names the injected header",
                name,
                kind,
                line("mine").line(format!("Connection: {name}")),
            );
            add(
                "Connection that names the injected header",
                name,
                kind,
                Call::plain(kind).line(format!("Connection: close, {name}")),
            );
            add(
                "Connection that names the injected header",
                name,
                kind,
                Call::plain(kind).line(format!("Proxy-Connection: {name}")),
            );
            add("the injected header", name, kind, line("mine"));
            add("the injected header twice", name, kind, line("mine").line(format!("{name}: other")));
            add("the injected header, empty", name, kind, line(""));
            add("space before the colon", name, kind, Call::plain(kind).line(format!("{name} : mine")));
            add("folded lines", name, kind, Call::plain(kind).line(format!("X-A: b\r\n {name}: mine")));
            add("folded lines", name, kind, line("mine\r\n\tmore"));
            add("controls in values", name, kind, line("mine\u{0}"));
            add("controls in values", name, kind, line("a\rb: c"));
            add("controls in values", name, kind, line("mine\u{b}\u{c}x"));
            add("bare line feeds", name, kind, Call::plain(kind).line(format!("X-A: b\n{name}: mine")));
            add("bare carriage returns", name, kind, Call::plain(kind).line(format!("X-A: b\r{name}: mine")));
            add("names that are none", name, kind, Call::plain(kind).line(format!("{name}\u{0}: mine")));
            add("names that are none", name, kind, Call::plain(kind).line(format!("\u{a0}{name}: mine")));
            add("names that are none", name, kind, Call::plain(kind).line(format!(": {name}: mine")));
            add(
                "trailers",
                name,
                kind,
                Call {
                    is_framed: false,
                    ..Call::plain(kind)
                        .body(format!("2\r\n{{}}\r\n0\r\n{name}: mine\r\nCookie: a=b\r\n\r\n"))
                        .line("Transfer-Encoding: chunked")
                        .line(format!("Trailer: {name}, Cookie"))
                },
            );
        }
    }
    for kind in Kind::KEPT {
        for line in [
            "Cookie: claviger_session=x",
            "Cookie2: $Version=1",
            "Expect: 100-continue",
            "Expect: the-unexpected",
            "Range: bytes=0-3",
            "Range: bytes=0-0,1-1",
            "If-Range: \"a\"",
            "Accept-Encoding: gzip",
            "Accept-Encoding: br;q=1, *;q=0.5",
            "TE: trailers, gzip",
            "Keep-Alive: timeout=100",
            "Via: 1.1 thief",
            "Connection: host",
            "Connection: close, host, accept-encoding",
            "Connection: content-length",
            "Connection: transfer-encoding",
            "Connection: authorization",
            "Connection: claviger-host",
            "Claviger-After: 1.1",
            "Claviger-Error: x",
            "Claviger-Connection: other",
            "Claviger_Error: x",
            "X-CSRF-Token: x",
            "Max-Forwards: 0",
            "HTTP2-Settings: AAMAAABkAAQAAP__",
        ] {
            let technique = match line.split([':', '_']).next().unwrap_or_default() {
                "Cookie" | "Cookie2" => "cookies",
                "Expect" => "Expect",
                "Range" | "If-Range" => "Range",
                "Accept-Encoding" | "TE" => "encodings",
                "Connection" => "Connection that names what the broker writes",
                "Claviger-After" | "Claviger-Error" | "Claviger-Connection" | "Claviger" => "headers of ours",
                _ => "headers about one hop",
            };
            add(technique, line, kind, Call::plain(kind).line(line));
        }
        for query in [
            "private_token=mine",
            "PRIVATE_TOKEN=mine",
            "private%5Ftoken=mine",
            "private_token[]=mine",
            "a=1;private_token=mine",
            "access_token=mine&x=1",
            "x=1&job_token=mine",
            "apikey=mine",
            "API_KEY=mine",
            "%61pikey=mine",
            "api%6Bey=mine",
            "apikey[]=mine",
            "apikey[a]=mine",
            "apikey=",
            "apikey",
            "+apikey=mine",
            "%20apikey=mine",
            "x=1;apikey=mine",
            "apikey=a&apikey=b",
            "&&apikey=mine",
            "apikey%5B%5D=mine",
        ] {
            let call = Call::plain(kind);
            let attempt = Call { path: format!("{}?{query}", call.path), ..call };
            add("parameters that are the connection's", query, kind, attempt);
        }
        for query in [
            "url=https://thief.example/",
            "a=\\\\thief.example",
            "a=b#@thief.example",
            "a=%",
            "a=\u{1}",
            "callback=//thief.example",
            "?host=thief.example",
        ] {
            let call = Call::plain(kind);
            let attempt = Call { path: format!("{}?{query}", call.path), ..call };
            add("queries that name a host", query, kind, attempt);
        }
        let large = Call::plain(kind).line(format!("X-Large: {}", "a".repeat(60_000)));
        add("large headers", THIEF, kind, large);
    }
    cases
}
