//! The schemas that the API's description shows.

use std::collections::BTreeSet;

use claviger_catalog::SchemaOf;
use serde_json::{Value, json};

use crate::support::{CATALOG, Stored, bodies, body, names};

/// The schemas of one body's integration and credentials.
fn of(body: &Value, of: SchemaOf) -> (Value, Value) {
    let integration = CATALOG.integration(body["type"].as_str().unwrap()).unwrap().schema(of);
    let mut credentials = integration["properties"]["credentials"].clone();
    if let Some(several) = credentials.get("oneOf") {
        let is_this = |schema: &&Value| schema["properties"]["type"]["const"] == body["credentials"]["type"];
        credentials = several.as_array().unwrap().iter().find(is_this).unwrap().clone();
    }
    (integration, credentials)
}

fn required(schema: &Value) -> BTreeSet<&str> {
    schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn every_field_of_every_type_is_described() {
    for body in bodies() {
        let (outer, inner) = of(&body, SchemaOf::Create);
        assert_eq!(names(&outer["properties"]), names(&body));
        assert_eq!(names(&inner["properties"]), names(&body["credentials"]));
        assert_eq!(
            json!([outer["additionalProperties"], inner["additionalProperties"]]),
            json!([false, false])
        );
        let (outer, inner) = of(&body, SchemaOf::Update);
        assert_eq!(required(&outer), ["credentials", "type"].into());
        assert_eq!(required(&inner), ["type"].into());
        let shown = Stored::new(body.clone()).shown();
        let (outer, inner) = of(&body, SchemaOf::Answer);
        assert_eq!(names(&outer["properties"]), names(&shown));
        assert_eq!(names(&inner["properties"]), names(&shown["credentials"]));
        for name in required(&inner) {
            assert!(shown["credentials"].get(name).is_some(), "{name}");
        }
    }
}

#[test]
fn secrets_are_written_and_read_as_empty() {
    let (_, create) = of(&body("OktaAPIToken"), SchemaOf::Create);
    assert_eq!(required(&create), ["api_token", "domain", "type"].into());
    assert_eq!(create["properties"]["api_token"]["writeOnly"], true);
    assert_eq!(create["properties"]["domain"].get("writeOnly"), None);
    let (_, answer) = of(&body("OktaAPIToken"), SchemaOf::Answer);
    assert_eq!(answer["properties"]["api_token"], json!({ "type": "string", "const": "" }));
    let (_, answer) = of(&body("HTTPTokenAuth"), SchemaOf::Answer);
    assert_eq!(
        answer["properties"]["tokens"]["items"]["properties"]["value"],
        json!({ "type": "string", "const": "" })
    );
}

#[test]
fn updates_describe_what_only_they_know() {
    let (_, aws) = of(&body("AWSAssumeRole"), SchemaOf::Update);
    assert_eq!(aws["properties"]["generate_new_external_id"], json!({ "type": "boolean" }));
    let (_, http) = of(&body("HTTPTokenAuth"), SchemaOf::Update);
    let item = |list: &str| &http["properties"][list]["items"];
    assert_eq!(required(item("headers")), ["name"].into());
    assert_eq!(required(item("tokens")), ["name", "type", "value"].into());
    assert_eq!(item("url_parameters")["properties"]["deleted"], json!({ "type": "boolean" }));
    let (_, http) = of(&body("HTTPTokenAuth"), SchemaOf::Create);
    assert_eq!(http["properties"]["headers"]["items"]["properties"].get("deleted"), None);
    assert_eq!(http["properties"]["tokens"]["items"]["properties"]["value"]["maxLength"], 8_192);
}
