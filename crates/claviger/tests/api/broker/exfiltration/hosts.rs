//! Other hosts, named in every way.

use super::{Call, Case, Kind, THIEF};

/// Headers that some proxy or framework takes a host, a path or a client from.
const OVERRIDES: [&str; 41] = [
    "Proxy",
    "X-Forward-For",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "Client-IP",
    "X-Proxy-Url",
    "Host",
    "X-Host",
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Forwarded-Scheme",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Path",
    "X-Forwarded",
    "X-HTTP-Host-Override",
    "X-Original-Host",
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-Envoy-Original-Path",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-URL-Scheme",
    "Front-End-Https",
    "Proxy-Connection",
    "Proxy-Authorization",
    "X_Forwarded_Host",
    "X_Original_URL",
    "X_Host",
    "X-Forwarded_Host",
];

/// Ways to name a host that is not allowed, or not in this form.
fn hosts() -> Vec<(&'static str, String)> {
    let mut hosts = Vec::new();
    for allowed in ["gitlab.com", "hooks.example.com", "api.zis.example.com", "a.zis.example.com"] {
        let shifted: String = allowed
            .chars()
            .map(|c| match c {
                'a'..='z' => char::from_u32(u32::from(c) - 0x61 + 0xff41).unwrap(),
                c => c,
            })
            .collect();
        let look = allowed.replacen('a', "а", 1);
        hosts.extend([
            ("Claviger-Host, another", THIEF.to_owned()),
            ("Claviger-Host, below a thief's", format!("{allowed}.{THIEF}")),
            ("Claviger-Host, userinfo", format!("{allowed}@{THIEF}")),
            ("Claviger-Host, userinfo", format!("{allowed}:443@{THIEF}")),
            ("Claviger-Host, userinfo", format!("{THIEF}@{allowed}")),
            ("Claviger-Host, port", format!("{allowed}:8443")),
            ("Claviger-Host, port", format!("{allowed}:443@{THIEF}:443")),
            ("Claviger-Host, port", format!("{THIEF}:443")),
            ("Claviger-Host, trailing dots", format!("{THIEF}.")),
            ("Claviger-Host, trailing dots", format!("{allowed}..")),
            ("Claviger-Host, trailing dots", format!(".{allowed}.{THIEF}.")),
            ("Claviger-Host, look-alikes", look),
            ("Claviger-Host, look-alikes", format!("{shifted}.{THIEF}")),
            ("Claviger-Host, look-alikes", format!("{}.{THIEF}", allowed.replace('.', "。"))),
            ("Claviger-Host, look-alikes", format!("{allowed}／.{THIEF}")),
            ("Claviger-Host, look-alikes", format!("{allowed}℀.{THIEF}")),
            ("Claviger-Host, IDN", format!("xn--gitlab-9ya.{THIEF}")),
            ("Claviger-Host, IDN", format!("bücher.{allowed}.{THIEF}")),
            ("Claviger-Host, IDN", format!("xn--{allowed}")),
            ("Claviger-Host, path", format!("{THIEF}/{allowed}")),
            ("Claviger-Host, path", format!("{THIEF}\\.{allowed}")),
            ("Claviger-Host, query", format!("{THIEF}?.{allowed}")),
            ("Claviger-Host, fragment", format!("{THIEF}#.{allowed}")),
            ("Claviger-Host, scheme", format!("https://{THIEF}")),
            ("Claviger-Host, scheme", format!("http://{allowed}")),
            ("Claviger-Host, scheme", format!("//{THIEF}")),
            ("Claviger-Host, list", format!("{allowed}, {THIEF}")),
            ("Claviger-Host, list", format!("{allowed} {THIEF}")),
            ("Claviger-Host, list", format!("{allowed}\t{THIEF}")),
            ("Claviger-Host, escapes", format!("{allowed}%00.{THIEF}")),
            ("Claviger-Host, escapes", format!("{THIEF}%2f.{allowed}")),
            ("Claviger-Host, escapes", format!("{allowed}%0d%0aHost:{THIEF}")),
            ("Claviger-Host, suffix without a dot", format!("evil{allowed}")),
            ("Claviger-Host, empty", String::new()),
            ("Claviger-Host, wildcard", format!("*.{allowed}")),
        ]);
    }
    for address in [
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "93.184.216.34",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "127.1",
        "0",
        "localhost",
        "metadata.google.internal",
        "[fe80::1%25eth0]",
        "①②⑦.0.0.1",
    ] {
        hosts.push(("Claviger-Host, address", address.to_owned()));
    }
    hosts
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::KEPT {
        for name in OVERRIDES {
            for value in [THIEF, "thief.example:443", "https://thief.example/x"] {
                if name == "Host" {
                    let attempt = Call { host: value.to_owned(), ..Call::plain(kind) };
                    cases.push(Case::new("Host", value, kind, attempt));
                } else {
                    let attempt = Call::plain(kind).line(format!("{name}: {value}"));
                    cases.push(Case::new(
                        "header that names a host",
                        format!("{name}: {value}"),
                        kind,
                        attempt,
                    ));
                }
            }
        }
        let twice = Call::plain(kind).line(format!("Host: {THIEF}"));
        cases.push(Case::new("two Hosts", "", kind, twice));
        for allowed in ["gitlab.com", "a.zis.example.com"] {
            let attempt = Call::plain(kind)
                .line(format!("Claviger-Host: {allowed}"))
                .line(format!("Claviger-Host: {THIEF}"));
            cases.push(Case::new("two Claviger-Hosts", allowed, kind, attempt));
        }
        let disguised = Call::plain(kind).line(format!("Claviger_Host: {THIEF}"));
        cases.push(Case::new("Claviger_Host", "", kind, disguised));
    }
    for kind in Kind::KEPT {
        for (technique, host) in hosts() {
            // Another connection's host is another as well, but its own is where the call should go.
            let attempt = Call::plain(kind).line(format!("Claviger-Host: {host}"));
            cases.push(Case::new(technique, host, kind, attempt));
        }
    }
    for (technique, before) in [
        ("absolute-form", format!("http://{THIEF}")),
        ("absolute-form", format!("https://{THIEF}")),
        ("absolute-form", "http://gitlab.com".to_owned()),
        ("absolute-form, userinfo", format!("http://gitlab.com@{THIEF}")),
        ("absolute-form, userinfo", format!("http://{THIEF}:80@gitlab.com")),
        ("absolute-form, other schemes", format!("ftp://{THIEF}")),
        ("absolute-form, other schemes", format!("gopher://{THIEF}")),
        ("target that begins with two slashes", format!("//{THIEF}")),
        ("target that begins with a backslash", "\\".to_owned()),
        ("authority before the path", format!("{THIEF}:443")),
        ("authority before the path", format!("@{THIEF}")),
    ] {
        for kind in Kind::KEPT {
            let attempt = Call { before: before.clone(), ..Call::plain(kind) };
            cases.push(Case::new(technique, before.clone(), kind, attempt));
        }
    }
    for method in
        ["CONNECT", "connect", "PRI", "TRACE", "TRACK", "trace", "PROPFIND", "GET\tX", "G ET", "OPTIONS"]
    {
        for kind in Kind::KEPT {
            let attempt = Call { method: method.to_owned(), ..Call::plain(kind) };
            cases.push(Case::new("methods", method, kind, attempt));
        }
    }
    for target in [format!("{THIEF}:443"), "gitlab.com:443".to_owned(), "127.0.0.1:22".to_owned()] {
        let mut attempt = Call::plain(Kind::Header);
        attempt.method = "CONNECT".to_owned();
        attempt.target = Some(target.clone());
        cases.push(Case::new("CONNECT", target, Kind::Header, attempt));
    }
    for upgrade in ["websocket", "h2c, websocket", "h2c", "TLS/1.2", "HTTP/3", "connect-udp"] {
        for kind in Kind::KEPT {
            let attempt = Call::plain(kind)
                .line("Connection: Upgrade, HTTP2-Settings")
                .line(format!("Upgrade: {upgrade}"))
                .line("HTTP2-Settings: AAMAAABkAAQAAP__")
                .line("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
            cases.push(Case::new("Upgrade", upgrade, kind, attempt));
        }
    }
    cases
}
