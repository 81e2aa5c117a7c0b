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

/// As much of JSON Schema as the catalog writes; an unknown word fails the test.
fn valid(schema: &Value, value: &Value) -> bool {
    is_of_type(schema, value) && is_within(schema, value)
}

fn is_of_type(schema: &Value, value: &Value) -> bool {
    match schema.get("type").map(|kind| kind.as_str().unwrap()) {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some(other) => panic!("{other}"),
    }
}

fn is_within(schema: &Value, value: &Value) -> bool {
    schema.as_object().unwrap().iter().all(|(word, rule)| match word.as_str() {
        "title" | "description" | "writeOnly" | "readOnly" | "type" => true,
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "oneOf" => rule.as_array().unwrap().iter().filter(|one| valid(one, value)).count() == 1,
        "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "additionalProperties" => names(value).iter().all(|name| schema["properties"].get(name).is_some()),
        "properties" => {
            let mut members = rule.as_object().unwrap().iter();
            members.all(|(name, rule)| value.get(name).is_none_or(|value| valid(rule, value)))
        }
        "items" => value.as_array().unwrap().iter().all(|item| valid(rule, item)),
        "maxItems" => value.as_array().unwrap().len() as u64 <= rule.as_u64().unwrap(),
        "minLength" => value.as_str().unwrap().chars().count() as u64 >= rule.as_u64().unwrap(),
        "maxLength" => value.as_str().unwrap().chars().count() as u64 <= rule.as_u64().unwrap(),
        "pattern" => regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(value.as_str().unwrap()),
        other => panic!("{other}"),
    })
}

/// What the description promises, the server keeps: each body fits exactly one schema, so does each answer, and a body
/// without a field or with a surplus one fits none when it is refused.
#[test]
fn schemas_agree_with_the_server() {
    let [create, update, answer] =
        [SchemaOf::Create, SchemaOf::Update, SchemaOf::Answer].map(|of| CATALOG.schema(of));
    for body in bodies() {
        assert!(valid(&create, &body), "{body}");
        assert!(valid(&answer, &Stored::new(body.clone()).shown()), "{body}");
        assert!(valid(&update, &body), "{body}");
        assert!(!valid(&answer, &body) || body["type"] == "AWS", "secrets in clear are no answer: {body}");
        let fields = names(&body["credentials"]);
        for field in fields.iter().filter(|field| *field != "type") {
            let mut changed = body.clone();
            changed["credentials"].as_object_mut().unwrap().remove(field);
            // That a template names a token that is not there is beyond schemas.
            let beyond = field == "tokens";
            assert_eq!(
                valid(&create, &changed),
                crate::support::create(changed.clone()).is_ok() || beyond,
                "{changed}"
            );
            assert!(valid(&update, &changed));
            for wrong in [json!(null), json!(1), json!("\u{0}")] {
                changed["credentials"][field] = wrong;
                assert!(
                    !valid(&create, &changed) && crate::support::create(changed.clone()).is_err(),
                    "{changed}"
                );
            }
        }
        let mut surplus = body.clone();
        surplus["credentials"]["surplus"] = json!("x");
        assert!(!valid(&create, &surplus));
    }
}
