//! Connections that come from elsewhere are what they were there.

use claviger_catalog::{Catalog, ServerValues};
use claviger_model::testing::SeededRandom;
use serde_json::{Value, json};

use crate::support::{PRINCIPAL, Stored, bodies, connection, pointers, revealed};

fn adopt(body: Value) -> Result<claviger_catalog::Created, Vec<String>> {
    let server = ServerValues { principal_id: PRINCIPAL, random: &SeededRandom::new(2) };
    Catalog::embedded()
        .unwrap()
        .adopt(body, &server)
        .map_err(|faults| pointers(&faults).into_iter().map(str::to_owned).collect())
}

/// What a connection is shown as, with its secrets put back, is the same connection again.
#[test]
fn what_is_shown_and_filled_in_is_the_same_connection() {
    for body in bodies() {
        let stored = Stored::new(body.clone());
        let view = connection(&stored.settings);
        let shown = view.shown(&stored.kept());
        let mut filled = shown.clone();
        merge(&mut filled, &body);
        let adopted = adopt(filled.clone()).unwrap();
        assert_eq!(adopted.settings, stored.settings, "{body}");

        let compared = view.compare(&stored.kept(), filled);
        assert_eq!(compared.differing, Vec::<String>::new(), "{body}");
        let names: Vec<_> = compared.secrets.iter().map(|(name, ..)| name.clone()).collect();
        assert_eq!(names.into_iter().collect::<std::collections::BTreeSet<_>>(), stored.kept(), "{body}");
        assert_eq!(revealed(&adopted.secrets).len(), stored.kept().len());
        // As it was shown, it says nothing of secrets, and cannot be brought in.
        let bare = view.compare(&stored.kept(), shown.clone());
        assert_eq!((bare.differing.len(), bare.secrets.len()), (0, 0), "{body}");
        if !stored.kept().is_empty() {
            assert_eq!(adopt(shown).unwrap_err().len(), stored.kept().len(), "{body}");
        }
    }
}

/// Puts back into an answer what it leaves empty.
fn merge(shown: &mut Value, given: &Value) {
    match (shown, given) {
        (Value::Object(shown), Value::Object(given)) => {
            given
                .iter()
                .for_each(|(name, value)| merge(shown.entry(name.clone()).or_insert(Value::Null), value));
        }
        (Value::Array(shown), Value::Array(given)) => {
            shown.iter_mut().zip(given).for_each(|(shown, given)| merge(shown, given));
        }
        (shown, given) => *shown = given.clone(),
    }
}

#[test]
fn an_external_id_stays_and_the_account_is_the_servers() {
    let aws = |external_id: Value| {
        json!({ "type": "AWS", "credentials": { "type": "AWSAssumeRole", "account_id": "123456789012",
            "role": "deployer", "external_id": external_id, "principal_id": "999999999999" } })
    };
    let mine = "0123456789abcdef0123456789abcdef";
    let adopted = adopt(aws(json!(mine))).unwrap();
    assert_eq!(adopted.settings.text("external_id"), Some(mine));
    assert_eq!(adopted.settings.text("principal_id"), Some(PRINCIPAL));
    for bad in [json!("0123"), json!("0123456789ABCDEF0123456789ABCDEF"), json!(1)] {
        assert_eq!(adopt(aws(bad)).unwrap_err(), ["/credentials/external_id"]);
    }
}

#[test]
fn every_difference_is_named() {
    let given = |url: &str, header: &str| {
        json!({ "type": "HTTP", "base_url": url, "credentials": { "type": "HTTPTokenAuth",
            "tokens": [{ "name": "t", "type": "SECRET", "value": "canary" }],
            "headers": [{ "name": header, "value": "{{ t }}" }] } })
    };
    let stored = Stored::new(given("https://a.example", "X-A"));
    let differing = |value| connection(&stored.settings).compare(&stored.kept(), value).differing;
    assert_eq!(differing(given("https://a.example", "X-A")), Vec::<String>::new());
    assert_eq!(differing(given("https://b.example", "X-B")), ["/base_url", "/credentials/headers"]);
    assert_eq!(differing(json!({ "type": "HTTP" })), ["/base_url", "/credentials"]);
    assert_eq!(differing(json!("HTTP")), [""]);
    let mut more = given("https://a.example", "X-A");
    more["credentials"]["tokens"][0]["name"] = json!("other");
    more["surplus"] = json!("canary");
    assert_eq!(differing(more), ["/surplus", "/credentials/tokens"]);
}
