//! Updates: what is absent keeps, lists merge by name, types stay.

use serde_json::{Value, json};

use crate::support::{Stored, bodies, body, refused};

fn change(body: &Value, credentials: Value) -> Value {
    let mut change = json!({ "type": body["type"], "credentials": credentials });
    change["credentials"]["type"] = body["credentials"]["type"].clone();
    change
}

#[test]
fn an_empty_change_changes_nothing() {
    for body in bodies() {
        let mut stored = Stored::new(body.clone());
        let (shown, secrets) = (stored.shown(), stored.secrets.clone());
        let updated = stored.try_update(change(&body, json!({}))).unwrap();
        assert!(!updated.repointed && updated.write.is_empty() && updated.delete.is_empty());
        stored.apply(&updated);
        assert_eq!((stored.shown(), stored.secrets), (shown, secrets));
    }
}

#[test]
fn each_field_changes_alone() {
    let mut stored = Stored::new(body("ConfigCatSDKKey"));
    let updated =
        stored.try_update(change(&body("ConfigCatSDKKey"), json!({ "sdk_key": "canary/new" }))).unwrap();
    stored.apply(&updated);
    assert_eq!(stored.secrets["sdk_key"], "canary/new");
    assert_eq!(stored.secrets["api_password"], "canary pass");
    assert_eq!(stored.settings.text("api_username"), Some("user"));
    let updated =
        stored.try_update(change(&body("ConfigCatSDKKey"), json!({ "api_username": "other" }))).unwrap();
    assert!(updated.write.is_empty());
    stored.apply(&updated);
    assert_eq!(stored.shown()["credentials"]["api_username"], "other");
}

#[test]
fn types_stay() {
    let stored = Stored::new(body("CloudflareAPIToken"));
    refused(stored.try_update(body("NotionAPIKey")), &["/type"]);
    let faults = refused(stored.try_update(body("CloudflareGlobalAPIToken")), &["/credentials/type"]);
    assert_eq!(
        faults.to_string(),
        "/credentials/type cannot be changed: the connection has the type CloudflareAPIToken"
    );
    refused(stored.try_update(json!({ "credentials": {} })), &["/credentials/type", "/type"]);
    refused(stored.try_update(json!({ "type": "Cloudflare" })), &["/credentials"]);
}

#[test]
fn a_secret_cannot_be_emptied() {
    for body in bodies() {
        let stored = Stored::new(body.clone());
        let names: Vec<&String> = stored.secrets.keys().filter(|name| !name.contains('/')).collect();
        for name in names {
            // What a read shows, sent back.
            let fields = json!({ name.as_str(): "" });
            let at = format!("/credentials/{name}");
            refused(stored.try_update(change(&body, fields)), &[&at]);
        }
    }
}

#[test]
fn an_external_id_stays_until_a_new_one_is_asked_for() {
    let sent = body("AWSAssumeRole");
    let mut stored = Stored::new(sent.clone());
    let before = stored.settings.text("external_id").unwrap().to_owned();
    // What was shown may come back.
    let updated = stored.try_update(stored.shown()).unwrap();
    stored.apply(&updated);
    let fields =
        json!({ "role": "MyRoleUpdated", "account_id": "000000000001", "generate_new_external_id": false });
    let updated = stored.try_update(change(&sent, fields)).unwrap();
    stored.apply(&updated);
    assert_eq!(stored.settings.text("external_id"), Some(before.as_str()));
    assert_eq!(stored.settings.text("role"), Some("MyRoleUpdated"));
    let updated = stored.try_update(change(&sent, json!({ "generate_new_external_id": true }))).unwrap();
    stored.apply(&updated);
    assert_ne!(stored.settings.text("external_id"), Some(before.as_str()));
    assert_eq!(stored.settings.text("external_id").map(str::len), Some(32));
    let fields = json!({ "external_id": before, "principal_id": "1", "generate_new_external_id": "yes" });
    let at =
        ["/credentials/external_id", "/credentials/generate_new_external_id", "/credentials/principal_id"];
    refused(stored.try_update(change(&sent, fields)), &at);
}

#[test]
fn lists_merge_by_name_and_keep_their_order() {
    let sent = body("HTTPTokenAuth");
    let mut stored = Stored::new(sent.clone());
    let fields = json!({
        "headers": [{ "name": "added", "value": "{{ token3 }}" }, { "name": "header-name" }],
        "tokens": [
            { "name": "token3", "type": "SECRET", "value": "canary-3" },
            { "name": "token1", "type": "SECRET", "value": "canary-new", "deleted": false },
            { "name": "unknown", "type": "SECRET", "value": "", "deleted": true },
        ],
        "url_parameters": [{ "name": "urlParamName", "deleted": true }],
    });
    let updated = stored.try_update(change(&sent, fields)).unwrap();
    assert!(updated.delete.is_empty());
    stored.apply(&updated);
    let credentials = stored.shown()["credentials"].clone();
    assert_eq!(
        credentials["headers"],
        json!([{ "name": "header-name", "value": "{{ token2 }} test" }, { "name": "added", "value": "{{ token3 }}" }])
    );
    assert_eq!(credentials["url_parameters"], json!([]));
    assert_eq!(credentials["body"], sent["credentials"]["body"]);
    let names: Vec<&Value> =
        credentials["tokens"].as_array().unwrap().iter().map(|token| &token["name"]).collect();
    assert_eq!(names, ["token1", "token2", "token3"]);
    assert_eq!(stored.secrets["tokens/token1"], "canary-new");
    assert_eq!(stored.secrets["tokens/token2"], "canary-2");
    assert_eq!(stored.secrets["tokens/token3"], "canary-3");
}

#[test]
fn a_body_is_replaced_whole() {
    let sent = body("HTTPTokenAuth");
    let mut stored = Stored::new(sent.clone());
    let updated = stored.try_update(change(&sent, json!({ "body": { "content": "x" } }))).unwrap();
    stored.apply(&updated);
    assert_eq!(stored.shown()["credentials"]["body"], json!({ "content": "x" }));
    // The vendor's provider sends this when there is none.
    let updated = stored.try_update(change(&sent, json!({ "body": {} }))).unwrap();
    stored.apply(&updated);
    assert_eq!(stored.shown()["credentials"]["body"], json!({}));
}

#[test]
fn a_token_that_is_named_cannot_go() {
    let sent = body("HTTPTokenAuth");
    let mut stored = Stored::new(sent.clone());
    let delete = |name: &str| json!({ "name": name, "type": "SECRET", "value": "", "deleted": true });
    let fields = json!({ "tokens": [delete("token2"), delete("token1")] });
    let faults = refused(
        stored.try_update(change(&sent, fields.clone())),
        &["/credentials/tokens/0", "/credentials/tokens/1"],
    );
    assert_eq!(faults.iter().next().unwrap().reason, "cannot be deleted: headers still names it");
    // Together with what names it, it can.
    let mut fields = fields;
    fields["headers"] = json!([{ "name": "header-name", "value": "plain" }]);
    fields["body"] = json!({});
    let updated = stored.try_update(change(&sent, fields)).unwrap();
    assert_eq!(updated.delete.len(), 2);
    stored.apply(&updated);
    assert!(stored.secrets.is_empty());
    assert_eq!(stored.shown()["credentials"]["tokens"], json!([]));
}

#[test]
fn items_of_an_update_need_their_names_and_tokens_all() {
    let sent = body("HTTPTokenAuth");
    let stored = Stored::new(sent.clone());
    let fields = json!({
        "headers": [{ "value": "x" }, { "name": "new" }, { "name": "Header-Name", "value": "x" }],
        "tokens": [{ "name": "token1", "deleted": true }, { "name": "token2", "type": "SECRET", "value": "" }],
        "url_parameters": [{ "name": "urlParamName", "deleted": 1 }],
    });
    let at = [
        "/credentials/headers/0/name",
        "/credentials/headers/1/value",
        "/credentials/headers/2/name",
        "/credentials/tokens/0",
        "/credentials/tokens/0/type",
        "/credentials/tokens/0/value",
        "/credentials/tokens/1/value",
        "/credentials/url_parameters/0/deleted",
    ];
    refused(stored.try_update(change(&sent, fields)), &at);
}

#[test]
fn a_header_can_be_renamed_in_case_by_deleting_the_old_one() {
    let sent = body("HTTPTokenAuth");
    let stored = Stored::new(sent.clone());
    let fields = json!({ "headers": [
        { "name": "Header-Name", "value": "x" }, { "name": "header-name", "deleted": true },
    ] });
    let updated = stored.try_update(change(&sent, fields)).unwrap();
    assert_eq!(updated.settings.list("headers").len(), 1);
}

#[test]
fn a_list_cannot_outgrow_its_bound_by_updates() {
    let sent = body("HTTPTokenAuth");
    let stored = Stored::new(sent.clone());
    let many: Vec<Value> =
        (0..100).map(|index| json!({ "name": format!("a{index}"), "value": "" })).collect();
    refused(stored.try_update(change(&sent, json!({ "headers": many }))), &["/credentials/headers"]);
}

/// The vendor's Terraform provider compares its plan with its state: what went away comes first, as `deleted` with an
/// empty value, then all that stays, tokens with their values, and a body whether there is one or not.
#[test]
fn the_vendors_provider_may_change_everything_at_once() {
    let sent = body("HTTPTokenAuth");
    let mut stored = Stored::new(sent.clone());
    let mut change = change(
        &sent,
        json!({
            "body": {},
            "headers": [
                { "name": "header-name", "value": "", "deleted": true },
                { "name": "other", "value": "{{ token2 }}" },
            ],
            "tokens": [
                { "name": "token1", "type": "SECRET", "value": "", "deleted": true },
                { "name": "token2", "type": "SECRET", "value": "canary-2" },
            ],
            "url_parameters": [{ "name": "urlParamName", "value": "", "deleted": true }],
        }),
    );
    change["base_url"] = json!("https://other.example");
    let updated = stored.try_update(change).unwrap();
    assert!(updated.repointed);
    stored.apply(&updated);
    let expected = json!({
        "base_url": "https://other.example",
        "credentials": {
            "body": {},
            "headers": [{ "name": "other", "value": "{{ token2 }}" }],
            "tokens": [{ "name": "token2", "type": "SECRET", "value": "" }],
            "type": "HTTPTokenAuth",
            "url_parameters": [],
        },
        "type": "HTTP",
    });
    assert_eq!(stored.shown(), expected);
}
