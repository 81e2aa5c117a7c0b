//! Whoever never saw a secret cannot aim it elsewhere (the second invariant): for each host-forming field of each type.

use std::collections::BTreeSet;

use claviger_catalog::{Place, Shape, StandsFor};
use serde_json::{Value, json};

use crate::support::{CATALOG, Stored, bodies, body, refused};

/// Another value for each host-forming field, besides the one in the bodies.
fn elsewhere(credentials: &str, field: &str) -> &'static str {
    match (credentials, field) {
        ("AzureTenant", "tenant_id") => "other-tenant",
        ("AzureTenant", "custom_scopes") => "https://vault.azure.net/.default",
        ("DatadogAPIKey", "datacenter") => "eu1",
        ("FreshserviceAPIKey", "domain") => "evil.freshservice.com",
        ("HTTPTokenAuth", "base_url") => "https://evil.example",
        ("OktaAPIToken", "domain") => "evil.okta.com",
        ("ServiceNowBasicAuth", "instance") => "evil",
        other => panic!("no sample for {other:?}"),
    }
}

/// A change of one field, and nothing else.
fn aim(body: &Value, field: &str, to: &str) -> Value {
    let mut change = json!({ "type": body["type"], "credentials": { "type": body["credentials"]["type"] } });
    let place = CATALOG
        .integration(body["type"].as_str().unwrap())
        .and_then(|entry| entry.credential(body["credentials"]["type"].as_str().unwrap()))
        .and_then(|credential| credential.field(field))
        .unwrap()
        .place();
    match place {
        Place::Integration => change[field] = json!(to),
        Place::Credentials => change["credentials"][field] = json!(to),
    }
    change
}

/// Every host-forming field with its body.
fn aimable() -> Vec<(Value, String)> {
    let mut all = Vec::new();
    for body in bodies() {
        let kind = body["credentials"]["type"].as_str().unwrap();
        let credential = CATALOG.integrations().iter().find_map(|entry| entry.credential(kind)).unwrap();
        all.extend(credential.host_fields().iter().map(|field| (body.clone(), field.clone())));
    }
    all
}

#[test]
fn the_host_forming_fields_are_these() {
    let fields: BTreeSet<String> =
        aimable().iter().map(|(body, field)| format!("{}.{field}", body["type"].as_str().unwrap())).collect();
    let expected = [
        "Azure.custom_scopes",
        "Azure.tenant_id",
        "Datadog.datacenter",
        "Freshservice.domain",
        "HTTP.base_url",
        "Okta.domain",
        "ServiceNow.instance",
    ];
    assert_eq!(fields, expected.map(str::to_owned).into());
}

#[test]
fn each_needs_every_secret_anew() {
    for (body, field) in aimable() {
        let kind = body["credentials"]["type"].as_str().unwrap();
        let stored = Stored::new(body.clone());
        let aimed = aim(&body, &field, elsewhere(kind, &field));

        // None of them: every one is named.
        let mut missing: Vec<String> = stored
            .secrets
            .keys()
            .map(|name| format!("/credentials/{}", name.split('/').next().unwrap()))
            .collect();
        missing.sort();
        let faults = refused(
            stored.try_update(aimed.clone()),
            &missing.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        assert!(faults.to_string().contains(&field), "{faults}");

        // All but one: that one is named, whichever it is.
        for left_out in stored.secrets.keys() {
            let change = with_secrets(&aimed, &stored, |name| name != left_out);
            let faults = stored.try_update(change).unwrap_err();
            assert_eq!(faults.iter().count(), 1, "{kind}.{field} without {left_out}: {faults}");
            assert!(faults.to_string().contains(left_out.rsplit('/').next().unwrap()), "{faults}");
        }

        // All of them: it goes through.
        let updated = stored.try_update(with_secrets(&aimed, &stored, |_| true)).unwrap();
        assert!(updated.repointed);
        let written: BTreeSet<_> = updated.write.keys().cloned().collect();
        assert_eq!(written, stored.kept());
    }
}

fn with_secrets(change: &Value, stored: &Stored, takes: impl Fn(&String) -> bool) -> Value {
    let mut change = change.clone();
    for name in stored.secrets.keys().filter(|name| takes(name)) {
        match name.split_once('/') {
            None => change["credentials"][name] = json!("new-canary"),
            Some((list, item)) => {
                let mut items = change["credentials"][list].as_array().cloned().unwrap_or_default();
                items.push(json!({ "name": item, "type": "SECRET", "value": "new-canary" }));
                change["credentials"][list] = json!(items);
            }
        }
    }
    change
}

#[test]
fn a_token_may_be_deleted_instead() {
    let sent = body("HTTPTokenAuth");
    let stored = Stored::new(sent.clone());
    let mut change = aim(&sent, "base_url", "https://other.example");
    change["credentials"]["tokens"] = json!([
        { "name": "token1", "type": "SECRET", "value": "canary" },
        { "name": "token2", "type": "SECRET", "value": "", "deleted": true },
    ]);
    change["credentials"]["headers"] = json!([{ "name": "header-name", "deleted": true }]);
    let updated = stored.try_update(change).unwrap();
    assert!(updated.repointed);
    assert_eq!((updated.write.len(), updated.delete.len()), (1, 1));
}

#[test]
fn another_spelling_of_the_same_host_is_no_change() {
    for (credentials, field, same) in [
        ("DatadogAPIKey", "datacenter", "us1"),
        ("FreshserviceAPIKey", "domain", "ACME"),
        ("OktaAPIToken", "domain", "Example.Okta.COM"),
        ("ServiceNowBasicAuth", "instance", "dev1.service-now.com"),
        ("HTTPTokenAuth", "base_url", "https://catfact.ninja"),
    ] {
        let sent = body(credentials);
        let updated = Stored::new(sent.clone()).try_update(aim(&sent, field, same)).unwrap();
        assert!(!updated.repointed, "{credentials} {field}");
    }
}

/// Scheme, port and path of an HTTP connection count, too: a path may be another tenant's.
#[test]
fn any_part_of_a_base_url_counts() {
    let sent = body("HTTPTokenAuth");
    for to in [
        "http://catfact.ninja",
        "https://catfact.ninja:8443",
        "https://catfact.ninja/other",
        "https://catfact.ninja.",
    ] {
        let change = aim(&sent, "base_url", to);
        refused(
            Stored::new(sent.clone()).try_update(change),
            &["/credentials/tokens", "/credentials/tokens"],
        );
    }
}

/// A scope that was not there binds the token to another host than before.
#[test]
fn adding_a_field_counts() {
    let mut sent = body("AzureTenant");
    sent["credentials"].as_object_mut().unwrap().remove("custom_scopes");
    let change = aim(&sent, "custom_scopes", "https://evil.example/.default");
    refused(Stored::new(sent).try_update(change), &["/credentials/client_secret"]);
}

/// A setting that has no part in hosts changes freely, and a refused one stores nothing.
#[test]
fn other_fields_change_freely() {
    let sent = body("DatadogAPIKey");
    assert!(Stored::new(sent.clone()).try_update(aim(&sent, "subdomain", "other")).is_ok());
    let sent = body("AWSAssumeRole");
    let updated = Stored::new(sent.clone()).try_update(aim(&sent, "account_id", "000000000001")).unwrap();
    assert!(!updated.repointed);
}

/// No entry lets a free text choose a host: beside HTTP's URL, hosts come from a row or below a suffix; tenant and scope
/// of Azure stand in a path and bind to a resource.
#[test]
fn free_texts_choose_no_host() {
    for (body, field) in aimable() {
        let kind = body["credentials"]["type"].as_str().unwrap();
        let credential = CATALOG.integrations().iter().find_map(|entry| entry.credential(kind)).unwrap();
        let Shape::Text { stands_for, .. } = credential.field(&field).unwrap().shape() else {
            panic!("{kind}.{field}")
        };
        let free = matches!(stands_for, StandsFor::Itself);
        assert_eq!(free, ["AzureTenant", "HTTPTokenAuth"].contains(&kind), "{kind}.{field}");
    }
}
