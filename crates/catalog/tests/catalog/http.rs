//! HTTP connections: names, lists, templates, lengths.

use serde_json::{Value, json};

use crate::support::{Stored, body, create, refused};

fn with(list: &str, items: Value) -> Value {
    let mut body = body("HTTPTokenAuth");
    body["credentials"][list] = items;
    body
}

#[test]
fn a_connection_needs_no_token() {
    let created = create(
        json!({ "type": "HTTP", "base_url": "http://datadoghq.com", "credentials": { "type": "HTTPTokenAuth" } }),
    );
    assert!(created.unwrap().secrets.is_empty());
    let body = json!({
        "type": "HTTP", "base_url": "https://h",
        "credentials": { "type": "HTTPTokenAuth", "body": {}, "headers": [{ "name": "X-Plain", "value": "" }] },
    });
    assert!(create(body).unwrap().warnings.is_empty());
}

#[test]
fn every_fault_of_a_list_is_named() {
    let tokens = json!([
        { "name": "token1", "type": "SECRET", "value": "canary" },
        { "name": "token1", "type": "SECRET", "value": "canary" },
        { "name": "token2", "type": "PUBLIC", "value": "canary" },
        { "name": "1x", "type": "SECRET", "value": "canary" },
        { "name": "a", "type": "SECRET", "value": "" },
        { "name": "b", "type": "SECRET", "value": "canary\ncanary" },
        { "name": "c", "type": "SECRET", "value": "canary", "deleted": true },
        { "name": "d" },
        {},
        "canary",
    ]);
    let at = [
        "/credentials/tokens/1/name",
        "/credentials/tokens/2/type",
        "/credentials/tokens/3/name",
        "/credentials/tokens/4/value",
        "/credentials/tokens/5/value",
        "/credentials/tokens/6/deleted",
        "/credentials/tokens/7/type",
        "/credentials/tokens/7/value",
        "/credentials/tokens/8/name",
        "/credentials/tokens/8/type",
        "/credentials/tokens/8/value",
        "/credentials/tokens/9",
    ];
    refused(create(with("tokens", tokens)), &at);
}

#[test]
fn names_follow_the_schema() {
    let one = |list: &str, name: &str| create(with(list, json!([{ "name": name, "value": "v" }])));
    for name in ["a", "A1", "a-b", "a_b"] {
        assert!(one("headers", name).is_ok(), "{name}");
        assert_eq!(one("url_parameters", name).is_ok(), !name.contains(['-', '_']), "{name}");
    }
    for name in ["", "1a", "-a", "a b", "a:", "é", "a\r\nb"] {
        refused(one("headers", name), &["/credentials/headers/0/name"]);
    }
    for name in ["Host", "content-length", "Transfer-Encoding", "X-Forwarded-For", "Connection"] {
        refused(one("headers", name), &["/credentials/headers/0/name"]);
    }
}

#[test]
fn headers_are_one_whatever_their_case() {
    let headers = json!([{ "name": "X-Key", "value": "a" }, { "name": "x-key", "value": "b" }]);
    refused(create(with("headers", headers)), &["/credentials/headers/1/name"]);
    // Parameters of a URL are not.
    let parameters = json!([{ "name": "key", "value": "a" }, { "name": "Key", "value": "b" }]);
    assert!(create(with("url_parameters", parameters)).is_ok());
}

#[test]
fn templates_name_tokens_that_are_there() {
    let header = |value: &str| create(with("headers", json!([{ "name": "a", "value": value }])));
    for value in ["{{token1}}", "Bearer {{ token1 }}{{token2}}", "{ }", "a }} b"] {
        assert!(header(value).is_ok(), "{value}");
    }
    for value in ["{{ token3 }}", "{{ Token1 }}", "{{", "{{ }}", "{{token1.x}}", "{{{token1}}}"] {
        refused(header(value), &["/credentials/headers/0/value"]);
    }
    let content = |text: &str| create(with("body", json!({ "content": text })));
    assert!(content(r#"{"a":{"b":"{{ token1 }}"}}"#).is_ok());
    refused(content(r#"{"a":"{{ token9 }}"}"#), &["/credentials/body/content"]);
}

#[test]
fn lengths_are_bounded() {
    let token = |length| {
        json!([
            { "name": "token1", "type": "SECRET", "value": "c".repeat(length) },
            { "name": "token2", "type": "SECRET", "value": "canary" },
        ])
    };
    assert!(create(with("tokens", token(8_192))).is_ok());
    refused(create(with("tokens", token(8_193))), &["/credentials/tokens/0/value"]);
    // Characters, not bytes.
    let content = |text: String| create(with("body", json!({ "content": text })));
    assert!(content("é".repeat(65_536)).is_ok());
    refused(content("é".repeat(65_537)), &["/credentials/body/content"]);
    let header = |length| json!([{ "name": "a", "value": "v".repeat(length) }]);
    assert!(create(with("headers", header(8_192))).is_ok());
    refused(create(with("headers", header(8_193))), &["/credentials/headers/0/value"]);
    let many = |count: usize| {
        Value::from_iter((0..count).map(|index| json!({ "name": format!("a{index}"), "value": "" })))
    };
    assert!(create(with("url_parameters", many(100))).is_ok());
    refused(create(with("url_parameters", many(101))), &["/credentials/url_parameters"]);
}

#[test]
fn bodies_have_a_media_type() {
    let kind = |text: &str| create(with("body", json!({ "content_type": text })));
    for text in
        ["application/json", "text/plain; charset=utf-8", "application/vnd.api+json", "multipart/form-data"]
    {
        assert!(kind(text).is_ok(), "{text}");
    }
    for text in ["", "json", "a/b/c", "a/b\r\nx: y", "a/", "/b", "a b/c"] {
        refused(kind(text), &["/credentials/body/content_type"]);
    }
    refused(
        create(with("body", json!({ "contents": "", "content": 1 }))),
        &["/credentials/body/content", "/credentials/body/contents"],
    );
}

#[test]
fn a_secret_in_a_header_is_warned_of() {
    let warnings = |value: &str| {
        let body = with("headers", json!([{ "name": "Authorization", "value": value }]));
        create(body).unwrap().warnings.into_iter().map(|w| w.pointer).collect::<Vec<_>>()
    };
    assert_eq!(warnings("Bearer {{ token1 }}"), Vec::<String>::new());
    assert_eq!(warnings("Bearer abc"), ["/credentials/headers/0/value"]);
}

#[test]
fn a_token_in_clear_is_warned_of() {
    let warnings = |mut body: Value, url: &str| {
        body["base_url"] = json!(url);
        create(body).unwrap().warnings.into_iter().map(|w| w.pointer).collect::<Vec<_>>()
    };
    assert_eq!(warnings(body("HTTPTokenAuth"), "https://h"), Vec::<String>::new());
    assert_eq!(warnings(body("HTTPTokenAuth"), "http://h"), ["/base_url"]);
    let without = json!({ "type": "HTTP", "credentials": { "type": "HTTPTokenAuth" } });
    assert_eq!(warnings(without, "http://h"), Vec::<String>::new());
}

/// A warning is about what a body brought, and points at it.
#[test]
fn what_was_not_given_is_not_warned_of() {
    let mut sent = body("HTTPTokenAuth");
    sent["base_url"] = json!("http://h");
    sent["credentials"]["headers"] = json!([{ "name": "Authorization", "value": "Bearer abc" }]);
    let stored = Stored::new(sent);
    let warnings = |fields: Value| {
        let mut change = json!({ "type": "HTTP", "credentials": fields });
        change["credentials"]["type"] = json!("HTTPTokenAuth");
        let updated = stored.try_update(change).unwrap();
        updated.warnings.into_iter().map(|w| w.pointer).collect::<Vec<_>>()
    };
    assert_eq!(warnings(json!({})), Vec::<String>::new());
    assert_eq!(warnings(json!({ "headers": [{ "name": "Authorization" }] })), Vec::<String>::new());
    let token = json!([{ "name": "token1", "type": "SECRET", "value": "canary" }]);
    assert_eq!(warnings(json!({ "tokens": token })), ["/credentials/tokens"]);
}

/// Somebody who takes the braces for a place to put the secret into reads it in no error.
#[test]
fn a_secret_between_braces_is_cut() {
    let wrong = "{{ canaryCANARYcanaryCANARY }}";
    let headers = json!([{ "name": "Authorization", "value": format!("Bearer {wrong}") }]);
    refused(create(with("headers", headers)), &["/credentials/headers/0/value"]);
    refused(create(with("body", json!({ "content": wrong }))), &["/credentials/body/content"]);
}
