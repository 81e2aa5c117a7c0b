//! Whoever never saw a token of an HTTP connection cannot have it sent in another way, to the same host either.

use serde_json::{Value, json};

use crate::support::{Stored, body, refused};

/// Each token in another place: the body, a header, and a parameter beside a header. The last is in none.
fn sent() -> Value {
    let mut sent = body("HTTPTokenAuth");
    let credentials = &mut sent["credentials"];
    for name in ["token3", "unused"] {
        let token = json!({ "name": name, "type": "SECRET", "value": "canary" });
        credentials["tokens"].as_array_mut().unwrap().push(token);
    }
    credentials["headers"] = json!([
        { "name": "X-Two", "value": "{{ token2 }} test" },
        { "name": "X-Both", "value": "{{ token2 }}:{{ token3 }}" },
        { "name": "X-Plain", "value": "plain" },
    ]);
    credentials["url_parameters"] =
        json!([{ "name": "three", "value": "{{ token3 }}" }, { "name": "page", "value": "1" }]);
    sent
}

fn change(credentials: Value) -> Value {
    let mut change = json!({ "type": "HTTP", "credentials": credentials });
    change["credentials"]["type"] = json!("HTTPTokenAuth");
    change
}

fn header(name: &str, value: &str) -> Value {
    json!({ "headers": [{ "name": name, "value": value }] })
}

fn parameter(name: &str, value: &str) -> Value {
    json!({ "url_parameters": [{ "name": name, "value": value }] })
}

fn content(text: &str) -> Value {
    json!({ "body": { "content": text, "content_type": "application/json" } })
}

const CONTENT: &str = "{\"key\":\"{{ token1 }}\"}";

/// Each change, the tokens that it must bring, and where its faults say that they are sent otherwise.
fn moves() -> Vec<(Value, &'static [&'static str], &'static str)> {
    vec![
        // From one list into the other, or into the body, whether it goes from where it was or not.
        (parameter("two", "{{ token2 }} test"), &["token2"], "in url_parameters/two"),
        (
            json!({ "url_parameters": [{ "name": "XTwo", "value": "{{ token2 }} test" }],
                "headers": [{ "name": "X-Two", "deleted": true }] }),
            &["token2"],
            "in url_parameters/XTwo",
        ),
        (header("three", "{{ token3 }}"), &["token3"], "in headers/three"),
        (content("{{ token2 }} test"), &["token2"], "in body"),
        (header("X-One", CONTENT), &["token1"], "in headers/X-One"),
        // Another name, also one that is the same to HTTP.
        (
            json!({ "headers": [{ "name": "x-two", "value": "{{ token2 }} test" },
                { "name": "X-Two", "deleted": true }] }),
            &["token2"],
            "in headers/x-two",
        ),
        (
            json!({ "url_parameters": [{ "name": "third", "value": "{{ token3 }}" },
                { "name": "three", "deleted": true }] }),
            &["token3"],
            "in url_parameters/third",
        ),
        // The place of another, that named none.
        (header("X-Plain", "{{ token2 }}"), &["token2"], "in headers/X-Plain"),
        (parameter("page", "{{ token3 }}"), &["token3"], "in url_parameters/page"),
        // In its place, among another text.
        (header("X-Two", "x{{ token2 }} test"), &["token2"], "in headers/X-Two"),
        (header("X-Two", "{{token2}} test"), &["token2"], "in headers/X-Two"),
        (header("X-Two", "{{ token2 }}{{ token2 }} test"), &["token2"], "in headers/X-Two"),
        (parameter("three", "{{ token3 }}#"), &["token3"], "in url_parameters/three"),
        (content("{\"public\":\"{{ token1 }}\"}"), &["token1"], "in body"),
        // Two in one text.
        (header("X-Both", "{{ token3 }}:{{ token2 }}"), &["token2", "token3"], "in headers/X-Both"),
        (header("X-Both", "{{ token3 }}:{{ token3 }}"), &["token3"], "in headers/X-Both"),
        // The same content, read otherwise.
        (json!({ "body": { "content": CONTENT, "content_type": "text/plain" } }), &["token1"], "in body"),
        (json!({ "body": { "content": CONTENT } }), &["token1"], "in body"),
        (header("Content-Type", "text/plain"), &["token1"], "in body"),
        (header("content-encoding", "identity"), &["token1"], "in body"),
        (header("CONTENT_TYPE", "text/plain"), &["token1"], "in body"),
        // A token that was kept for later.
        (header("X-New", "{{ unused }}"), &["unused"], "in headers/X-New"),
        // Each of several places is told.
        (
            json!({ "headers": [{ "name": "X-Plain", "value": "{{ token2 }}" }],
                "url_parameters": [{ "name": "two", "value": "{{ token2 }}" }] }),
            &["token2"],
            "in headers/X-Plain, url_parameters/two",
        ),
    ]
}

#[test]
fn a_token_that_is_sent_otherwise_is_brought_anew() {
    let stored = Stored::new(sent());
    for (fields, tokens, places) in moves() {
        let places_of_faults = vec!["/credentials/tokens"; tokens.len()];
        let faults = refused(stored.try_update(change(fields.clone())), &places_of_faults);
        let reasons: Vec<&str> = faults.iter().map(|fault| fault.reason.as_str()).collect();
        let expected = tokens
            .iter()
            .map(|token| format!("must bring {token} anew, since it would be sent otherwise: {places}"));
        assert_eq!(reasons, expected.collect::<Vec<_>>(), "{fields}");

        // All other tokens do not help.
        let all = ["token1", "token2", "token3", "unused"];
        let others = all.iter().copied().filter(|name| !tokens.contains(name));
        let faults = stored.try_update(change(bringing(&fields, others))).unwrap_err();
        assert_eq!(faults.iter().count(), tokens.len(), "{fields}: {faults}");

        // These do, and no more are asked for.
        let updated = stored.try_update(change(bringing(&fields, tokens.iter().copied()))).unwrap();
        let written: Vec<String> = updated.write.keys().map(ToString::to_string).collect();
        let expected: Vec<String> = tokens.iter().map(|token| format!("tokens/{token}")).collect();
        assert_eq!((written, updated.repointed), (expected, false), "{fields}");
    }
}

fn bringing<'t>(fields: &Value, tokens: impl Iterator<Item = &'t str>) -> Value {
    let mut fields = fields.clone();
    let token = |name| json!({ "name": name, "type": "SECRET", "value": "new-canary" });
    fields["tokens"] = tokens.map(token).collect();
    fields
}

/// What is said again, what goes, and what names no token is nobody's secret.
#[test]
fn all_else_may_be_changed_without_tokens() {
    let sent = sent();
    let free = [
        // As it is, in another order, or by its name alone.
        json!({ "headers": sent["credentials"]["headers"], "url_parameters": sent["credentials"]["url_parameters"],
            "body": sent["credentials"]["body"] }),
        json!({ "headers": [sent["credentials"]["headers"][1], { "name": "X-Two" }] }),
        // Texts that name less.
        json!({ "headers": [{ "name": "X-Two", "deleted": true }, { "name": "X-Both", "deleted": true }] }),
        json!({ "url_parameters": [{ "name": "three", "value": "3" }], "body": {} }),
        json!({ "body": { "content": "plain", "content_type": "text/plain" } }),
        // Texts that name none.
        header("X-Plain", "other"),
        header("X-New", "{ token2 }"),
        parameter("page", "2"),
        json!({ "body": { "content": "plain" }, "headers": [{ "name": "Content-Type", "value": "a/b" }] }),
    ];
    let stored = Stored::new(sent);
    for fields in free {
        let updated =
            stored.try_update(change(fields.clone())).unwrap_or_else(|faults| panic!("{fields}: {faults}"));
        assert!(updated.write.is_empty() && updated.delete.is_empty() && !updated.repointed, "{fields}");
    }
}

/// A token that goes is named by nothing; one in whose text another goes is sent otherwise.
#[test]
fn deleting_a_token_settles_it_and_no_other() {
    let stored = Stored::new(sent());
    let gone = json!([{ "name": "token3", "type": "SECRET", "value": "", "deleted": true }]);
    let mut fields = json!({ "tokens": gone, "url_parameters": [{ "name": "three", "deleted": true }] });
    fields["headers"] = json!([{ "name": "X-Both", "deleted": true }]);
    assert_eq!(stored.try_update(change(fields.clone())).unwrap().delete.len(), 1);
    fields["headers"] = json!([{ "name": "X-Both", "value": "{{ token2 }}" }]);
    let faults = refused(stored.try_update(change(fields.clone())), &["/credentials/tokens"]);
    assert!(faults.to_string().contains("must bring token2 anew"), "{faults}");
    // What still names it is what is wrong then.
    fields["headers"] = json!([{ "name": "X-Two", "value": "{{ token3 }}" }]);
    refused(stored.try_update(change(fields)), &["/credentials/headers/0/value", "/credentials/tokens/0"]);
}

/// Taking a text away is free, putting it back is not: else two changes would do what one may not.
#[test]
fn what_was_taken_away_is_not_put_back_without_the_token() {
    let mut stored = Stored::new(sent());
    let updated =
        stored.try_update(change(json!({ "headers": [{ "name": "X-Two", "deleted": true }] }))).unwrap();
    stored.apply(&updated);
    refused(stored.try_update(change(header("X-Two", "{{ token2 }} test"))), &["/credentials/tokens"]);
    // A body whose media type changes while it names none is the same case.
    let plain = json!({ "body": { "content": "plain", "content_type": "text/plain" } });
    let updated = stored.try_update(change(plain)).unwrap();
    stored.apply(&updated);
    let back = json!({ "body": { "content": CONTENT, "content_type": "text/plain" } });
    refused(stored.try_update(change(back)), &["/credentials/tokens"]);
}

/// Where everything is asked for already, nothing is asked for twice.
#[test]
fn another_host_asks_for_each_token_once() {
    let stored = Stored::new(sent());
    let mut aimed = change(header("X-New", "{{ token2 }}"));
    aimed["base_url"] = json!("https://other.example");
    let faults = refused(stored.try_update(aimed), &["/credentials/tokens"; 4]);
    assert!(faults.iter().all(|fault| fault.reason.contains("since base_url changes")), "{faults}");
}

/// However many places there are, a fault stays short, and a name in it that may be a secret is cut.
#[test]
fn faults_are_short_and_tell_no_secret() {
    let stored = Stored::new(sent());
    let many = (0..90).map(|index| json!({ "name": format!("a{index}"), "value": "{{ token2 }}" }));
    let faults = refused(
        stored.try_update(change(json!({ "headers": Value::from_iter(many) }))),
        &["/credentials/tokens"],
    );
    assert!(faults.to_string().ends_with(": in headers/a0, headers/a1, headers/a2 and 87 more"), "{faults}");
    let name = "canaryCANARYcanaryCANARY";
    refused(stored.try_update(change(header(name, "{{ token2 }}"))), &["/credentials/tokens"]);
}
