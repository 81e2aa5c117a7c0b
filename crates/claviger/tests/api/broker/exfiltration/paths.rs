//! Paths that one server reads otherwise than another.

use super::{Call, Case, Kind};

const PATHS: [(&str, &str); 75] = [
    ("dots", "/../x"),
    ("dots", "/a/../../x"),
    ("dots", "/./x"),
    ("dots", "/a/.."),
    ("dots", "/.."),
    ("dots", "/a/../../../../../../x"),
    ("encoded dots", "/%2e%2e/x"),
    ("encoded dots", "/%2E%2E/x"),
    ("encoded dots", "/.%2e/x"),
    ("encoded dots", "/%2e./x"),
    ("encoded dots", "/%2e/x"),
    ("encoded dots", "/a/%2e%2e/%2e%2e/x"),
    ("dots encoded twice", "/%252e%252e/x"),
    ("dots encoded twice", "/%252E%252E/%252e%252e/x"),
    ("dots encoded thrice", "/%25252e%25252e/x"),
    ("dots encoded four times", "/%2525252e%2525252e/x"),
    ("overlong dots", "/%c0%ae%c0%ae/x"),
    ("overlong dots", "/%e0%80%ae%e0%80%ae/x"),
    ("encoded slashes", "/a%2f..%2f..%2fx"),
    ("encoded slashes", "/..%2fx"),
    ("encoded slashes", "/%2fthief.example/x"),
    ("encoded slashes", "/a%2Fb"),
    ("slashes encoded twice", "/..%252fx"),
    ("slashes encoded twice", "/a%252f..%252f..%252fx"),
    ("slashes encoded thrice", "/..%25252fx"),
    ("overlong slashes", "/..%c0%afx"),
    ("overlong slashes", "/..%e0%80%afx"),
    ("backslashes", "/..\\x"),
    ("backslashes", "/a\\..\\..\\x"),
    ("backslashes", "\\\\thief.example\\x"),
    ("encoded backslashes", "/..%5cx"),
    ("encoded backslashes", "/a%5C..%5C..%5Cx"),
    ("backslashes encoded twice", "/..%255cx"),
    ("overlong backslashes", "/..%c1%9cx"),
    ("empty segments", "//thief.example/x"),
    ("empty segments", "//"),
    ("empty segments", "/a//b"),
    ("empty segments", "///thief.example"),
    ("empty segments", "/a///../x"),
    ("path parameters", "/..;/x"),
    ("path parameters", "/..;a=b/x"),
    ("path parameters", "/.;/x"),
    ("path parameters", "/%2e%2e;/x"),
    ("path parameters", "/..%3b/x"),
    ("path parameters", "/..%3Ba/x"),
    ("path parameters", "/a;/../../x"),
    ("dots before an escaped query", "/..%3fx/y"),
    ("dots before an escaped query", "/a/..%3F/../x"),
    ("dots before an escaped fragment", "/%2e%2e%23x"),
    ("dots of another width", "/%EF%BC%8E%EF%BC%8E/x"),
    ("dots of another width", "/%E2%80%A5/x"),
    ("dots of another width", "/%EF%B9%92%E2%80%A4/x"),
    ("slashes of another width", "/..%EF%BC%8Fx"),
    ("slashes of another width", "/a%EF%BC%BC..%EF%BC%BC..%EF%BC%BCx"),
    ("slashes of another width", "/%252e%252e%25EF%25BC%258Fx"),
    ("fragments", "/a#/../x"),
    ("fragments", "#@thief.example/x"),
    ("controls", "/a%00/../x"),
    ("controls", "/..%00/x"),
    ("controls", "/..%09/x"),
    ("controls", "/%20../x"),
    ("controls", "/..\t/x"),
    ("controls", "/..\u{0}/x"),
    ("unfinished escapes", "/%"),
    ("unfinished escapes", "/%2"),
    ("unfinished escapes", "/%2e%2"),
    ("unfinished escapes", "/%%32%65%%32%65/x"),
    ("unfinished escapes", "/%u002e%u002e/x"),
    ("unfinished escapes", "/%zz"),
    ("characters beyond ASCII", "/．．/x"),
    ("characters beyond ASCII", "/‥/x"),
    ("characters beyond ASCII", "/a∕..∕x"),
    ("userinfo in the path", "@thief.example/x"),
    ("userinfo in the path", ":pass@thief.example/x"),
    ("userinfo in the path", ":443@thief.example/x"),
];

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in Kind::KEPT {
        for (technique, path) in PATHS {
            cases.push(Case::new(technique, path, kind, Call::plain(kind).path(path)));
        }
    }
    for (path, connection) in [
        ("/x", "../{id}"),
        ("/x", "%2e%2e/{id}"),
        ("/x", "{id}/../{id}"),
        ("/x", "{id}%2f..%2f{id}"),
        ("/x", "{id}."),
        ("/x", "{id};a=b"),
        ("/x", "{id}%00"),
        ("/x", "/{id}"),
        ("/x", "thief.example"),
        ("/x", "https://thief.example"),
        ("/x", "zis:own_one"),
        ("/x", "zis::"),
        ("/x", "zis:own_one:plain:x"),
    ] {
        let attempt =
            Call { connection: Some(connection.to_owned()), ..Call::plain(Kind::Header).path(path) };
        cases.push(Case::new("connections that are none", connection, Kind::Header, attempt));
    }
    cases
}
