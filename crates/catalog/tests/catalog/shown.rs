//! What answers show: everything as it was given, secrets as empty texts.

use claviger_catalog::Shape;
use serde_json::{Value, json};

use crate::support::{CANARY, CATALOG, Stored, bodies, body, connection, create, refused};

/// The body with its secrets emptied by a rule of its own: what holds the canary.
fn emptied(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains(CANARY) => json!(""),
        Value::Array(items) => items.iter().map(emptied).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), emptied(value))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn every_type_is_shown_as_given_with_empty_secrets() {
    for body in bodies() {
        let stored = Stored::new(body.clone());
        let mut expected = emptied(&body);
        if body["type"] == "AWS" {
            expected["credentials"]["external_id"] = json!(stored.settings.text("external_id"));
            expected["credentials"]["principal_id"] = json!("464622532012");
        }
        assert_eq!(stored.shown(), expected);
    }
}

/// As the vendor's Terraform provider has recorded AWS, HTTP and Azure, in their bytes.
#[test]
fn the_recorded_texts_come_out_byte_for_byte() {
    let aws = Stored::new(body("AWSAssumeRole"));
    let external = aws.settings.text("external_id").unwrap();
    assert!(external.len() == 32 && external.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')));
    let expected = format!(
        r#"{{"credentials":{{"account_id":"123456789123","external_id":"{external}","principal_id":"464622532012","role":"MyRole","type":"AWSAssumeRole"}},"type":"AWS"}}"#
    );
    assert_eq!(aws.shown().to_string(), expected);

    let sent = r#"{"base_url":"https://catfact.ninja","credentials":{"body":{"content":"{\"key\":\"{{ token1 }}\"}","content_type":"application/json"},"headers":[{"name":"header-name","value":"header-value"}],"tokens":[{"name":"token1","type":"SECRET","value":"secret value 1"}],"type":"HTTPTokenAuth","url_parameters":[{"name":"urlParamName","value":"urlParamValue"}]},"type":"HTTP"}"#;
    let shown = r#"{"base_url":"https://catfact.ninja","credentials":{"body":{"content":"{\"key\":\"{{ token1 }}\"}","content_type":"application/json"},"headers":[{"name":"header-name","value":"header-value"}],"tokens":[{"name":"token1","type":"SECRET","value":""}],"type":"HTTPTokenAuth","url_parameters":[{"name":"urlParamName","value":"urlParamValue"}]},"type":"HTTP"}"#;
    assert_eq!(Stored::new(serde_json::from_str(sent).unwrap()).shown().to_string(), shown);

    let sent = r#"{"credentials":{"app_client_id":"azure-client-id","client_secret":"azure-client-secret","custom_scopes":"https://management.azure.com/.default","tenant_id":"azure-tenant-id","type":"AzureTenant"},"type":"Azure"}"#;
    let shown = sent.replace("azure-client-secret", "");
    assert_eq!(Stored::new(serde_json::from_str(sent).unwrap()).shown().to_string(), shown);
}

/// The two recorded refusals, from the files that the conformance suite replays.
#[test]
fn the_recorded_refusals_come_out_byte_for_byte() {
    let recorded = |name: &str| -> Value {
        let path = format!("{}/../../conformance/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    for (name, is_create) in [
        ("v2-action_connection-create-a-new-action-connection-returns-bad-request-response", true),
        ("v2-action_connection-update-an-existing-action-connection-returns-bad-request-response", false),
    ] {
        let exchange = &recorded(name)["exchanges"][0];
        let sent = exchange["request"]["body"]["data"]["attributes"]["integration"].clone();
        let at = ["/credentials/account_id"];
        let faults = match is_create {
            true => refused(create(sent), &at),
            false => refused(Stored::new(body("AWSAssumeRole")).try_update(sent), &at),
        };
        assert_eq!(json!(faults.vendor_detail()), exchange["response"]["body"]["errors"][0]["detail"]);
    }
}

#[test]
fn the_frame_counts_all_faults() {
    let sent = json!({ "type": "AWS", "credentials": { "type": "AWSAssumeRole", "account_id": "1" } });
    let detail = create(sent).unwrap_err().vendor_detail();
    assert!(
        detail.contains("multiple errors: 2 errors occurred:\n\t* [error_code=8]: invalid Create"),
        "{detail}"
    );
    assert!(detail.ends_with("\n\t* /credentials/role is required\n\n"), "{detail}");
}

#[test]
fn a_secret_that_is_not_kept_is_not_shown() {
    let created = create(body("NotionAPIKey")).unwrap();
    let shown = connection(&created.settings).shown(&Default::default());
    assert_eq!(shown, json!({ "type": "Notion", "credentials": { "type": "NotionAPIKey" } }));
}

/// Canaries: nothing that can be printed, stored in clear or shown holds a secret.
#[test]
fn no_secret_shows_anywhere() {
    for body in bodies() {
        let created = create(body.clone()).unwrap();
        let view = connection(&created.settings);
        let said = format!("{created:?} {view:?} {}", serde_json::to_string(&created.settings).unwrap());
        assert!(!said.contains(CANARY), "{said}");
        let stored = Stored::new(body.clone());
        let updated = stored.try_update(body.clone());
        let updated = updated.unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!format!("{updated:?} {}", stored.shown()).contains(CANARY));
    }
}

/// A body with everything wrong, and secrets in the wrong places.
#[test]
fn no_fault_repeats_a_secret() {
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap().to_owned();
        let entry = CATALOG.integration(body["type"].as_str().unwrap()).unwrap();
        let mut wrong = body.clone();
        wrong["extra"] = json!("canary");
        for field in entry.credential(&kind).unwrap().fields() {
            let value = match field.shape() {
                Shape::List { .. } => {
                    json!([{ "name": "canary canary", "value": ["canary"], "canary": 1 }, "canary"])
                }
                _ => json!({ "x": "canary" }),
            };
            wrong["credentials"][field.name()] = value.clone();
            if body.get(field.name()).is_some() {
                wrong[field.name()] = value;
            }
        }
        // A name that somebody made up is told, and cut; the canary stands in names of members here only for HTTP.
        let faults = create(wrong).unwrap_err();
        for fault in faults.iter() {
            assert!(!fault.reason.contains(CANARY), "{fault}");
        }
    }
}
