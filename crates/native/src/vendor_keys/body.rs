//! The bodies that these routes take. Every member that is wrong or unknown is named.

use claviger_engine::{FieldError, Grace, GuardsPatch};
use claviger_http::openapi::Named;
use claviger_http::{BodyError, Json};
use claviger_model::{Name, Scopes, excerpt};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::guards::{read_guard, schema_properties};

/// What a new key is to be.
pub(crate) struct NewKey {
    pub(crate) name: Name,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) guards: GuardsPatch,
}

/// Whether a body may have scopes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum WithScopes {
    Yes,
    No,
}

type Body = Result<Json, BodyError>;

/// Reads the body that makes a key.
pub(crate) fn new_key(body: Body, with_scopes: WithScopes) -> Result<NewKey, Error> {
    let (mut guards, mut faults) = (GuardsPatch::default(), Vec::new());
    let (mut name, mut scopes) = (None, None);
    let members = members(body)?;
    if !members.contains_key("name") {
        faults.push(fault("name", "must be there"));
    }
    for (field, value) in &members {
        match (field.as_str(), value) {
            ("name", Value::String(text)) => match Name::parse(text.as_str()) {
                Ok(parsed) => name = Some(parsed),
                Err(error) => faults.push(fault(field, error.to_string())),
            },
            ("name", _) => faults.push(fault(field, "must be a string")),
            ("scopes", value) if with_scopes == WithScopes::Yes => match read_scopes(value) {
                Ok(read) => scopes = read,
                Err(wrong) => faults.push(wrong),
            },
            (field, value) if read_guard(field, value, &mut guards, &mut faults) => {}
            _ => faults.push(unknown(field)),
        }
    }
    match name {
        Some(name) if faults.is_empty() => Ok(NewKey { name, scopes, guards }),
        _ => Err(Error::invalid(faults)),
    }
}

/// Reads the body that changes a key's guards.
pub(super) fn guards(body: Body) -> Result<GuardsPatch, Error> {
    let (mut guards, mut faults) = (GuardsPatch::default(), Vec::new());
    for (field, value) in &members(body)? {
        if !read_guard(field, value, &mut guards, &mut faults) {
            faults.push(unknown(field));
        }
    }
    if faults.is_empty() { Ok(guards) } else { Err(Error::invalid(faults)) }
}

/// Reads the body that asks for a new secret.
pub(crate) fn grace(body: Body) -> Result<Grace, Error> {
    let (mut grace, mut faults) = (Grace::default(), Vec::new());
    for (field, value) in &members(body)? {
        let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
        match (field.as_str(), seconds.and_then(|seconds| Grace::seconds(seconds).ok())) {
            ("grace_seconds", Some(read)) => grace = read,
            ("grace_seconds", None) => faults.push(Grace::fault()),
            _ => faults.push(unknown(field)),
        }
    }
    if faults.is_empty() { Ok(grace) } else { Err(Error::invalid(faults)) }
}

fn members(body: Body) -> Result<Map<String, Value>, Error> {
    match body?.0 {
        Value::Object(members) => Ok(members),
        _ => Err(Error::invalid(vec![fault("", "the body must be an object")])),
    }
}

/// None is no narrowing, and an empty list would look like the opposite of what it means to the vendor.
fn read_scopes(value: &Value) -> Result<Option<Scopes>, FieldError> {
    if value.is_null() {
        return Ok(None);
    }
    let names: Option<Vec<_>> = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
    let names = names.ok_or_else(|| fault("scopes", "must be a list of permissions, or null for all"))?;
    match Scopes::parse(names) {
        Ok(Some(scopes)) => Ok(Some(scopes)),
        Ok(None) => Err(fault("scopes", "must have a permission, or be null for all that the owner may do")),
        Err(error) => Err(fault("scopes", error.to_string())),
    }
}

fn unknown(field: &str) -> FieldError {
    fault(&excerpt(field), "is not a member of this body")
}

fn fault(field: &str, reason: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), reason: reason.into() }
}

/// What [`new_key`] takes.
pub(crate) fn new_key_schema(name: &'static str, with_scopes: WithScopes) -> Named {
    let mut properties = schema_properties();
    properties["name"] = json!({ "type": "string" });
    if with_scopes == WithScopes::Yes {
        let items = json!({ "type": "string" });
        properties["scopes"] = json!({ "type": ["array", "null"], "items": items, "minItems": 1 });
    }
    Named::new(name, object(properties, &["name"]))
}

/// What [`guards`] takes.
pub(super) fn guards_schema() -> Named {
    Named::new("GuardsPatch", object(schema_properties(), &[]))
}

/// What [`grace`] takes.
pub(crate) fn grace_schema() -> Named {
    let seconds = json!({
        "type": "integer", "minimum": 0, "maximum": Grace::SECONDS_MAX, "default": 0,
        "description": "How long the old secret goes on",
    });
    Named::new("Rotation", object(json!({ "grace_seconds": seconds }), &[]))
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(error: Error) -> String {
        format!("{error:?}")
    }

    #[test]
    fn a_new_key_needs_a_name_and_takes_scopes_where_it_may() {
        let read = |body: Value, with_scopes| new_key(Ok(Json(body)), with_scopes);
        let new = read(json!({ "name": "n", "scopes": ["monitors_read"] }), WithScopes::Yes).ok().unwrap();
        assert_eq!(
            (new.name.to_string(), new.scopes.unwrap().to_list()),
            ("n".into(), "monitors_read".into())
        );
        assert!(read(json!({ "name": "n", "scopes": null, "allow_list": ["::1"] }), WithScopes::Yes).is_ok());
        for (body, expected) in [
            (json!({}), "must be there"),
            (json!({ "name": 1 }), "must be a string"),
            (json!({ "name": "n", "scopes": [] }), "must have a permission"),
            (json!({ "name": "n", "scopes": ["x_y"] }), "Invalid scopes: x_y"),
            (json!({ "name": "n", "scopes": "monitors_read" }), "must be a list of permissions"),
            (json!({ "name": "n", "allow_list": ["x"] }), "allow_list/0"),
            (json!({ "name": "n", "owner": "x" }), "is not a member of this body"),
            (json!([]), "must be an object"),
        ] {
            let refused = named(read(body, WithScopes::Yes).err().unwrap());
            assert!(refused.contains(expected), "{refused}");
        }
        assert!(read(json!({ "name": "n", "scopes": ["monitors_read"] }), WithScopes::No).is_err());
    }

    #[test]
    fn a_rotation_takes_a_bounded_grace() {
        let read = |body: Value| grace(Ok(Json(body)));
        assert_eq!(read(json!({})).ok(), Some(Grace::default()));
        assert_eq!(read(json!({ "grace_seconds": 60 })).ok(), Grace::seconds(60).ok());
        for wrong in
            [json!(-1), json!(1.5), json!("60"), json!(null), json!(Grace::SECONDS_MAX + 1), json!(u64::MAX)]
        {
            assert!(read(json!({ "grace_seconds": wrong })).is_err(), "{wrong}");
        }
        assert!(read(json!({ "grace": 60 })).is_err());
    }
}
