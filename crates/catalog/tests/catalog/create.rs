//! Creates: every credential type, whole, without each of its fields, with a surplus one, and in bad form.

use std::collections::BTreeSet;

use claviger_catalog::{Field, Place, Shape};
use serde_json::{Value, json};

use crate::support::{CATALOG, bodies, body, create, names, refused, revealed};

#[test]
fn there_are_24_integrations_and_25_credential_types() {
    let kinds: BTreeSet<&str> = CATALOG.integrations().iter().map(|entry| entry.kind()).collect();
    let credentials: Vec<&str> =
        CATALOG.integrations().iter().flat_map(|entry| entry.credentials()).map(|c| c.kind()).collect();
    assert_eq!((kinds.len(), credentials.len()), (24, 25));
    let covered: Vec<Value> = bodies().iter().map(|body| body["credentials"]["type"].clone()).collect();
    assert_eq!(json!(covered), json!(credentials));
}

/// The fields of a credential type beside those that the server makes.
fn fields(credentials: &str) -> impl Iterator<Item = &'static Field> {
    let credential = CATALOG.integrations().iter().find_map(|entry| entry.credential(credentials)).unwrap();
    credential.fields().iter().filter(|field| !matches!(field.shape(), Shape::Made(_)))
}

fn object<'b>(body: &'b mut Value, field: &Field) -> (&'b mut Value, String) {
    match field.place() {
        Place::Integration => (body, format!("/{}", field.name())),
        Place::Credentials => (&mut body["credentials"], format!("/credentials/{}", field.name())),
    }
}

#[test]
fn a_whole_body_is_split_into_settings_and_secrets() {
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        let created = create(body.clone()).unwrap_or_else(|faults| panic!("{kind}: {faults}"));
        let secrets = revealed(&created.secrets);
        for field in fields(&kind) {
            let value = &body.pointer(&object(&mut body.clone(), field).1).unwrap().clone();
            match (field.shape(), field.is_secret()) {
                (Shape::Text { .. }, true) => assert_eq!(json!(secrets[field.name()]), *value),
                (Shape::Text { .. }, false) => assert_eq!(json!(created.settings.text(field.name())), *value),
                (_, secret) => assert!(!secret || secrets.contains_key("tokens/token1"), "{kind}"),
            }
        }
        let stored = serde_json::to_string(&created.settings).unwrap();
        assert!(!stored.contains("canary"), "{kind}: {stored}");
    }
}

#[test]
fn each_missing_field_is_named() {
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        for field in fields(&kind) {
            let mut without = body.clone();
            let (object, pointer) = object(&mut without, field);
            object.as_object_mut().unwrap().remove(field.name());
            match field.is_required() {
                true => _ = refused(create(without), &[&pointer]),
                // The templates of the body here name tokens.
                false if field.name() == "tokens" => assert!(create(without).is_err()),
                false => _ = create(without).unwrap(),
            }
        }
        // All of them at once.
        let bare = json!({ "type": body["type"], "credentials": { "type": kind } });
        let required = fields(&kind).filter(|field| field.is_required());
        let mut expected: Vec<String> = required.map(|field| object(&mut body.clone(), field).1).collect();
        expected.sort();
        match expected.is_empty() {
            true => _ = create(bare).unwrap(),
            false => _ = refused(create(bare), &expected.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }
}

#[test]
fn a_surplus_field_is_named() {
    for body in bodies() {
        let mut surplus = body.clone();
        surplus["colour"] = json!("red");
        surplus["credentials"]["canary_no_secret_is_that_long_and_shown"] = json!("canary");
        surplus["credentials"]["shape"] = json!({ "a": 1 });
        surplus["credentials"].as_object_mut().unwrap().remove("canary_no_secret_is_that_long_and_shown");
        refused(create(surplus), &["/colour", "/credentials/shape"]);
    }
}

#[test]
fn other_kinds_of_values_are_refused() {
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        for field in fields(&kind) {
            for value in [json!(null), json!(1), json!(true), json!("")] {
                let mut wrong = body.clone();
                let (object, pointer) = object(&mut wrong, field);
                object[field.name()] = value.clone();
                if field.name() == "tokens" {
                    assert!(create(wrong).unwrap_err().iter().any(|fault| fault.pointer == pointer));
                } else {
                    refused(create(wrong), &[&pointer]);
                }
            }
        }
    }
}

/// Whatever goes into a header or URL has one line; nothing takes a NUL; lengths are bounded.
#[test]
fn bad_texts_are_refused_everywhere() {
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        for field in fields(&kind).filter(|field| matches!(field.shape(), Shape::Text { .. })) {
            let mut bad = vec!["a\0b".to_owned(), "a".repeat(70_000)];
            if field.name() != "private_key" {
                bad.extend(["a\r\nb".to_owned(), "a\u{7f}".to_owned()]);
            }
            for text in bad {
                let mut wrong = body.clone();
                let (object, pointer) = object(&mut wrong, field);
                object[field.name()] = json!(text);
                refused(create(wrong), &[&pointer]);
            }
        }
    }
}

#[track_caller]
fn check(credentials: &str, field: &str, good: &[&str], bad: &[&str]) {
    for (texts, expected) in [(good, true), (bad, false)] {
        for text in texts {
            let mut body = body(credentials);
            let field = fields(credentials).find(|f| f.name() == field).unwrap();
            let (object, pointer) = object(&mut body, field);
            object[field.name()] = json!(text);
            match expected {
                true => assert!(create(body).is_ok(), "{credentials} {pointer} {text:?}"),
                false => _ = refused(create(body), &[&pointer]),
            }
        }
    }
}

#[test]
fn formats_are_as_recorded() {
    check(
        "AWSAssumeRole",
        "account_id",
        &["000000000000"],
        &["1", "12345678912", "1234567891234", "12345678912a"],
    );
    check(
        "AWSAssumeRole",
        "role",
        &["MyRoleUpdated", "path/to/role", "a+=,.@-_b"],
        &["arn:aws:iam::123456789123:role/x", "/x", "a b", &"x".repeat(65)],
    );
    check(
        "AzureTenant",
        "tenant_id",
        &["azure-tenant-id", "example.onmicrosoft.com"],
        &["a/b", "a@b", "a b", ".."],
    );
    check("AzureTenant", "custom_scopes", &["api://7f3c/.default"], &["two scopes"]);
    check("CloudflareGlobalAPIToken", "auth_email", &["a@b"], &["a", "a b@c", "a@b@c", "@"]);
    check("ConfigCatSDKKey", "api_username", &["a b"], &["a:b"]);
    check(
        "DatadogAPIKey",
        "datacenter",
        &["us1.datadoghq.com", "datadoghq.com", "eu", "us1-fed"],
        &["evil.example", "datadoghq.com.evil.example", "us9", "US1"],
    );
    check("DatadogAPIKey", "subdomain", &["acme"], &["https://acme", "a/b"]);
    check(
        "FreshserviceAPIKey",
        "domain",
        &["acme", "acme.freshservice.com", "ACME.Freshservice.COM"],
        &[
            "acme.example",
            "freshservice.com",
            "evilfreshservice.com",
            "https://acme.freshservice.com",
            "a:1",
            "a/b",
        ],
    );
    check("GCPServiceAccount", "private_key", &["gcp-private-key", "-----BEGIN PRIVATE KEY-----\\n"], &["é"]);
    check("GitlabAPIKey", "api_token", &["anything!"], &["with space", "é"]);
    check(
        "HTTPTokenAuth",
        "base_url",
        &["http://datadoghq.com", "https://h:8443/x/y", "https://[::1]/"],
        &[
            "h",
            "ftp://h",
            "https://u:p@h",
            "https://h?x",
            "https://h#x",
            "https://127.1",
            "https://bücher.example",
        ],
    );
    check(
        "OktaAPIToken",
        "domain",
        &["example.okta.com", "example", "x.okta.mil", "x.oktapreview.com"],
        &["login.example.com", "okta.com", "x.okta.com.evil.example", "example.okta.com/"],
    );
    check("ServiceNowBasicAuth", "instance", &["dev1", "dev1.service-now.com"], &["dev1.example", "-dev1"]);
    check("ServiceNowBasicAuth", "username", &["a.b"], &["a:b"]);
}

#[test]
fn types_must_fit() {
    refused(create(json!([])), &[""]);
    refused(create(json!({})), &["/credentials", "/type"]);
    refused(create(json!({ "type": 1, "credentials": "canary" })), &["/credentials", "/type"]);
    refused(create(json!({ "type": "Nothing", "credentials": { "type": "NotionAPIKey" } })), &["/type"]);
    let faults = refused(
        create(json!({ "type": "Notion", "credentials": { "type": "SplitAPIKey", "api_key": "canary" } })),
        &["/credentials/type"],
    );
    assert_eq!(faults.to_string(), "/credentials/type SplitAPIKey is a type of Split, not of Notion");
    refused(create(json!({ "type": "Notion", "credentials": { "type": "Own" } })), &["/credentials/type"]);
    // What stands beside credentials that cannot be judged is judged all the same.
    let body = json!({ "type": "HTTP", "base_url": "canary", "x": 1, "credentials": { "type": "Own" } });
    refused(create(body), &["/base_url", "/credentials/type", "/x"]);
}

#[test]
fn what_the_server_makes_cannot_be_set() {
    let mut body = body("AWSAssumeRole");
    body["credentials"]["external_id"] = json!("3bceadebe70c4df7b8ec6abb789e08c0");
    body["credentials"]["principal_id"] = json!("464622532012");
    body["credentials"]["generate_new_external_id"] = json!(true);
    let at =
        ["/credentials/external_id", "/credentials/generate_new_external_id", "/credentials/principal_id"];
    refused(create(body), &at);
}

#[test]
fn unusual_texts_are_warned_of() {
    let warned = |mut body: Value, text: &str| {
        body["credentials"]["api_token"] = json!(text);
        create(body).unwrap().warnings.into_iter().map(|w| w.pointer).collect::<Vec<_>>()
    };
    assert_eq!(warned(body("AnthropicAPIKey"), "sk-ant-1"), Vec::<String>::new());
    assert_eq!(warned(body("AnthropicAPIKey"), "sk-1"), ["/credentials/api_token"]);
    let pem = "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n";
    let mut gcp = body("GCPServiceAccount");
    gcp["credentials"]["service_account_email"] = json!("a@b.iam.gserviceaccount.com");
    gcp["credentials"]["private_key"] = json!(pem);
    assert_eq!(create(gcp.clone()).unwrap().warnings, []);
    gcp["credentials"]["private_key"] = json!("-----BEGIN PRIVATE KEY-----\nMIIE");
    assert_eq!(create(gcp).unwrap().warnings.len(), 1);
}

#[test]
fn secret_fields_are_those_of_the_fact_sheet() {
    let expected = json!({
        "AWSAssumeRole": [], "AnthropicAPIKey": ["api_token"], "AsanaAccessToken": ["access_token"],
        "AzureTenant": ["client_secret"], "CircleCIAPIKey": ["api_token"], "ClickupAPIKey": ["api_token"],
        "CloudflareAPIToken": ["api_token"], "CloudflareGlobalAPIToken": ["global_api_key"],
        "ConfigCatSDKKey": ["api_password", "sdk_key"], "DatadogAPIKey": ["api_key", "app_key"],
        "FastlyAPIKey": ["api_key"], "FreshserviceAPIKey": ["api_key"], "GCPServiceAccount": ["private_key"],
        "GeminiAPIKey": ["api_key"], "GitlabAPIKey": ["api_token"], "GreyNoiseAPIKey": ["api_key"],
        "HTTPTokenAuth": ["tokens"], "LaunchDarklyAPIKey": ["api_token"], "NotionAPIKey": ["api_token"],
        "OktaAPIToken": ["api_token"], "OpenAIAPIKey": ["api_token"], "ServiceNowBasicAuth": ["password"],
        "SplitAPIKey": ["api_key"], "StatsigAPIKey": ["api_key"], "VirusTotalAPIKey": ["api_key"],
    });
    let all = CATALOG.integrations().iter().flat_map(|entry| entry.credentials());
    for credential in all {
        let secret: Vec<&str> = credential.secret_fields().map(Field::name).collect();
        assert_eq!(json!(secret), expected[credential.kind()], "{}", credential.kind());
    }
    assert_eq!(names(&expected).len(), 25);
}
