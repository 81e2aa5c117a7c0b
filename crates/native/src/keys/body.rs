//! What the bodies of `/claviger/v1/keys` may say.

use claviger_engine::{METADATA_BYTES_MAX, Metadata, NativeKeyPatch, NewNativeKey};
use claviger_model::{
    EXTERNAL_ID_CHARS_MAX, ExternalId, KEY_PREFIX_CHARS_MAX, KeyPrefix, NAME_CHARS_MAX, Name, OwnPermissions,
    Scopes,
};
use serde_json::{Value, json};

use crate::Error;
use crate::guards::{read_guard, schema_properties};
use crate::reading::{Faults, members, or_null, own_permissions, permissions_schema, text};

/// The members that both bodies may have.
fn common_properties() -> Value {
    let mut properties = schema_properties();
    properties["name"] = json!({ "type": "string", "maxLength": NAME_CHARS_MAX });
    properties["permissions"] = permissions_schema();
    properties["external_id"] = json!({
        "type": ["string", "null"],
        "maxLength": EXTERNAL_ID_CHARS_MAX,
        "description": "Whose key it is, in visible ASCII characters",
    });
    properties["metadata"] = json!({
        "type": ["object", "null"],
        "description": format!("At most {METADATA_BYTES_MAX} bytes as JSON"),
    });
    properties
}

pub(super) fn create_schema() -> Value {
    let mut properties = common_properties();
    properties["prefix"] = json!({ "type": ["string", "null"], "maxLength": KEY_PREFIX_CHARS_MAX });
    let required = ["name"];
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

pub(super) fn update_schema() -> Value {
    json!({ "type": "object", "properties": common_properties(), "additionalProperties": false })
}

pub(super) fn read_new(body: &Value, known: Option<&OwnPermissions>) -> Result<NewNativeKey, Error> {
    let (mut patch, mut faults, mut prefix) = (NativeKeyPatch::default(), Faults::default(), None);
    let object = members(body)?;
    for (field, value) in object {
        match field.as_str() {
            "prefix" => {
                let read = or_null(value, |value| text(value, KeyPrefix::parse));
                prefix = faults.note(field, read).flatten();
            }
            _ => read_member(field, value, known, &mut patch, &mut faults),
        }
    }
    if !object.contains_key("name") {
        faults.add("name", "must be there");
    }
    match patch.name {
        Some(name) if faults.0.is_empty() => Ok(NewNativeKey {
            name,
            prefix,
            permissions: patch.permissions.flatten(),
            external_id: patch.external_id.flatten(),
            metadata: patch.metadata.flatten(),
            guards: patch.guards,
        }),
        _ => Err(Error::invalid(faults.0)),
    }
}

pub(super) fn read_patch(body: &Value, known: Option<&OwnPermissions>) -> Result<NativeKeyPatch, Error> {
    let (mut patch, mut faults) = (NativeKeyPatch::default(), Faults::default());
    for (field, value) in members(body)? {
        match field.as_str() {
            "prefix" => faults.add(field, "cannot be changed: issue another key"),
            _ => read_member(field, value, known, &mut patch, &mut faults),
        }
    }
    faults.check()?;
    Ok(patch)
}

fn read_member(
    field: &str,
    value: &Value,
    known: Option<&OwnPermissions>,
    patch: &mut NativeKeyPatch,
    faults: &mut Faults,
) {
    match field {
        "name" => patch.name = faults.note(field, text(value, Name::parse)),
        "permissions" => {
            patch.permissions = Some(Scopes::of_own(own_permissions(field, value, known, faults)));
        }
        "external_id" => {
            let read = or_null(value, |value| text(value, ExternalId::parse));
            patch.external_id = faults.note(field, read);
        }
        "metadata" => patch.metadata = faults.note(field, or_null(value, read_metadata)),
        _ if read_guard(field, value, &mut patch.guards, &mut faults.0) => {}
        _ => faults.add(field, "is not known here"),
    }
}

fn read_metadata(value: &Value) -> Result<Metadata, String> {
    let object = value.as_object().ok_or("must be an object")?;
    Metadata::of(object).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use claviger_model::{OwnName, OwnNumber};

    use super::*;

    fn known() -> OwnPermissions {
        let name = OwnName::parse("orders:read").unwrap();
        [(name, OwnNumber::new(7).unwrap())].into_iter().collect()
    }

    /// Each member with a value that is taken, and values that are not.
    fn members() -> Vec<(&'static str, Value, Vec<Value>)> {
        vec![
            ("name", json!("n"), vec![json!(""), json!(null), json!(1), json!("x".repeat(256))]),
            ("permissions", json!(["orders:read"]), vec![json!("orders:read"), json!(null), json!({})]),
            ("external_id", json!("cus_1"), vec![json!(""), json!("a b"), json!(1), json!("é")]),
            (
                "metadata",
                json!({ "plan": ["x", 1, null] }),
                vec![json!([]), json!("{}"), json!({ "x": "y".repeat(4096) })],
            ),
            ("allow_list", json!(["192.0.2.0/24"]), vec![json!([]), json!("::1")]),
            ("request_limit", json!({ "requests": 1, "period_seconds": 1 }), vec![json!(1)]),
            ("expires_at", json!("2030-01-02T03:04:05Z"), vec![json!(1)]),
        ]
    }

    fn errors(result: Result<impl Sized, Error>) -> String {
        format!("{:?}", result.err().unwrap())
    }

    #[test]
    fn what_is_described_is_what_is_taken() {
        let (mut described, known) = (create_schema()["properties"].clone(), known());
        for (name, good, bad) in members() {
            assert!(described.as_object_mut().unwrap().remove(name).is_some(), "{name}");
            assert!(read_patch(&json!({ name: good }), Some(&known)).is_ok(), "{name}");
            for value in bad {
                let refused = errors(read_patch(&json!({ name: value }), Some(&known)));
                assert!(refused.contains(&format!("field: Some(\"{name}")), "{refused}");
            }
        }
        assert_eq!(described.as_object().unwrap().keys().collect::<Vec<_>>(), ["prefix"]);
        for prefix in [json!(null), json!("acme_live")] {
            assert!(read_new(&json!({ "name": "n", "prefix": prefix }), None).is_ok());
        }
        for prefix in [json!(1), json!("ddapp"), json!("a-b")] {
            assert!(errors(read_new(&json!({ "name": "n", "prefix": prefix }), None)).contains("\"prefix\""));
        }
        assert!(errors(read_patch(&json!({ "prefix": "x" }), None)).contains("\"prefix\""));
    }

    #[test]
    fn every_bad_field_is_named_at_once() {
        let body =
            json!({ "permissions": ["orders:read", "api_keys_read", 7], "metadata": 1, "colour": "red" });
        let refused = errors(read_new(&body, Some(&known())));
        for field in ["name", "permissions/1", "permissions/2", "metadata", "colour"] {
            assert!(refused.contains(&format!("field: Some(\"{field}\")")), "{field}: {refused}");
        }
        assert_eq!(refused.matches("field:").count(), 5, "{refused}");
    }

    #[test]
    fn what_is_not_said_stays_and_null_takes_away() {
        let patch = read_patch(&json!({}), None).unwrap();
        assert!(patch.permissions.is_none() && patch.external_id.is_none() && patch.metadata.is_none());
        let patch =
            read_patch(&json!({ "permissions": [], "external_id": null, "metadata": null }), None).unwrap();
        assert_eq!(patch.permissions, Some(None));
        assert_eq!((patch.external_id, patch.metadata), (Some(None), Some(None)));
    }
}
