//! What looks like a template is one in the connection's own texts alone.

use super::{Call, Case, Kind};

const TEXTS: [&str; 12] = [
    "{{ token1 }}",
    "{{token1}}",
    "{{  token1  }}",
    "{{ Token1 }}",
    "{{{ token1 }}}",
    "${token1}",
    "{{ tokens.token1 }}",
    "{{ api_token }}",
    "{{ token }}",
    "{{ '{{ token1 }}' }}",
    "%7B%7B%20token1%20%7D%7D",
    "{{ password }}",
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::KEPT {
        for text in TEXTS {
            let mut add = |technique, attempt| cases.push(Case::new(technique, text, kind, attempt));
            add("template in a header", Call::plain(kind).line(format!("X-Mine: {text}")));
            add("template in a header's name", Call::plain(kind).line(format!("{text}: x")));
            let escaped =
                text.replace('{', "%7B").replace('}', "%7D").replace(' ', "%20").replace('\'', "%27");
            add("template in a parameter", Call::plain(kind).path(format!("/projects?mine={escaped}")));
            add("template in a parameter", Call::plain(kind).path(format!("/projects?mine={text}")));
            add("template in the path", Call::plain(kind).path(format!("/projects/{escaped}")));
            add(
                "template in the body",
                Call::plain(kind)
                    .body(format!("{{\"mine\": \"{}\"}}", text.replace('\'', "")))
                    .line("Content-Type: application/json"),
            );
            add(
                "template over the connection's",
                Call::plain(kind)
                    .body(format!("{{\"token\": \"x\", \"\\u0074oken\": \"{}\"}}", text.replace('\'', ""))),
            );
            add("template in the host", Call::plain(kind).line(format!("Claviger-Host: {text}.example.com")));
            add(
                "template in a form",
                Call::plain(kind)
                    .body(format!("token={escaped}&token=x"))
                    .line("Content-Type: application/x-www-form-urlencoded"),
            );
        }
    }
    for body in [
        "[]",
        "null",
        "\"x\"",
        "{\"a\":",
        "{\"token\":{\"a\":1}}",
        "\u{feff}{}",
        "{}{}",
        "{\"a\":1}\r\n{\"b\":2}",
    ] {
        cases.push(Case::new(
            "bodies that the connection's does not fit",
            body,
            Kind::Http,
            Call::plain(Kind::Http).body(body),
        ));
    }
    cases
}
