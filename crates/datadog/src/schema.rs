//! Body schemas as data, and the check against them in the words of JSON Schema, as the vendor's key services answer.
//! Every fault of a body is named at once.

use claviger_http::JsonObject;
use claviger_model::excerpt;
use serde_json::{Value, json};

/// What a value must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// A text.
    Text,
    /// A flag.
    Flag,
    /// Exactly this text.
    Literal(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of these.
    List(&'static Kind),
    /// An object with these members and no others.
    Object(&'static [Member]),
    /// An object with these members; others are passed over, as newer services do.
    Open(&'static [Member]),
}

/// A member of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    name: &'static str,
    kind: Kind,
    is_required: bool,
    may_be_null: bool,
}

impl Member {
    /// One that must be there.
    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: true, may_be_null: false }
    }

    /// One that may be left out.
    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false, may_be_null: false }
    }

    /// One that may be left out, or null.
    pub(crate) const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_required: false, may_be_null: true }
    }

    fn json_schema(&self) -> (String, Value) {
        let mut schema = self.kind.json_schema();
        if self.may_be_null {
            schema["type"] = json!([schema["type"], "null"]);
        }
        (self.name.to_owned(), schema)
    }
}

impl Kind {
    /// The same in the words of JSON Schema, so that what is described is what is checked.
    pub(crate) fn json_schema(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Literal(text) => json!({ "type": "string", "const": text }),
            Self::OneOf(texts) => json!({ "type": "string", "enum": texts }),
            Self::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Self::List(item) => json!({ "type": "array", "items": item.json_schema() }),
            Self::Object(members) | Self::Open(members) => {
                let required: Vec<_> =
                    members.iter().filter(|member| member.is_required).map(|member| member.name).collect();
                let properties: JsonObject = members.iter().map(Member::json_schema).collect();
                json!({
                    "type": "object",
                    "properties": properties,
                    "required": required,
                    "additionalProperties": matches!(self, Self::Open(_)),
                })
            }
        }
    }
}

/// Every fault of a value; none where it fits.
pub(crate) fn faults(value: &Value, kind: Kind) -> Vec<String> {
    let mut faults = Vec::new();
    collect(value, kind, &mut faults);
    faults
}

fn collect(value: &Value, kind: Kind, faults: &mut Vec<String>) {
    match (kind, value) {
        (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => {}
        (Kind::Literal(wanted), Value::String(text)) if text == wanted => {}
        (Kind::OneOf(wanted), Value::String(text)) if wanted.contains(&text.as_str()) => {}
        (Kind::OneOf(wanted), _) => {
            faults.push(format!("{} is not one of ['{}']", shown(value), wanted.join("', '")));
        }
        (Kind::Literal(wanted), _) => faults.push(format!("{} is not one of ['{wanted}']", shown(value))),
        (Kind::Texts, Value::Array(items)) => items.iter().for_each(|item| collect(item, Kind::Text, faults)),
        (Kind::List(kind), Value::Array(items)) => items.iter().for_each(|item| collect(item, *kind, faults)),
        (Kind::Object(members), Value::Object(object)) => {
            collect_members(object, members, faults);
            collect_surplus(object, members, faults);
        }
        (Kind::Open(members), Value::Object(object)) => collect_members(object, members, faults),
        (Kind::Text, _) => faults.push(format!("{} is not of type 'string'", shown(value))),
        (Kind::Flag, _) => faults.push(format!("{} is not of type 'boolean'", shown(value))),
        (Kind::Texts | Kind::List(_), _) => faults.push(format!("{} is not of type 'array'", shown(value))),
        (Kind::Object(_) | Kind::Open(_), _) => {
            faults.push(format!("{} is not of type 'object'", shown(value)))
        }
    }
}

fn collect_members(object: &JsonObject, members: &[Member], faults: &mut Vec<String>) {
    for member in members {
        match object.get(member.name) {
            Some(Value::Null) if member.may_be_null => {}
            Some(value) => collect(value, member.kind, faults),
            None if member.is_required => faults.push(format!("'{}' is a required property", member.name)),
            None => {}
        }
    }
}

fn collect_surplus(object: &JsonObject, members: &[Member], faults: &mut Vec<String>) {
    let is_known = |name: &String| members.iter().any(|member| member.name == name);
    let surplus: Vec<_> =
        object.keys().filter(|name| !is_known(name)).map(|name| format!("'{}'", excerpt(name))).collect();
    if !surplus.is_empty() {
        let verb = if surplus.len() == 1 { "was" } else { "were" };
        let names = surplus.join(", ");
        faults.push(format!("Additional properties are not allowed ({names} {verb} unexpected)"));
    }
}

/// A value as the vendor's Python shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => format!("'{}'", excerpt(text)),
        other => excerpt(&other.to_string()),
    }
}

/// Members of a body that was found to fit.
pub(crate) struct Fit<'a>(&'a Value);

impl<'a> Fit<'a> {
    /// The body's `data`.
    pub(crate) fn data(body: &'a Value) -> Self {
        Self(&body["data"])
    }

    /// The body's `data.attributes`; all are absent where there are none.
    pub(crate) fn attributes(body: &'a Value) -> Self {
        Self(&body["data"]["attributes"])
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A text that may be null: absent, or null, or the text.
    pub(crate) fn nullable_text(&self, name: &str) -> Option<Option<&'a str>> {
        self.0.get(name).map(Value::as_str)
    }

    /// The ids of what a relationship refers to; none where there is no such relationship.
    pub(crate) fn related(&self, name: &str) -> Option<Vec<&'a str>> {
        let data = self.0.get("relationships")?.get(name)?.get("data")?;
        let many = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
        Some(many.iter().filter_map(|one| one.get("id").and_then(Value::as_str)).collect())
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// A list of texts: absent, or null or empty, or the texts.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<&'a str>> {
        let value = self.0.get(name)?;
        Some(value.as_array().into_iter().flatten().filter_map(Value::as_str).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Kind = Kind::Object(&[
        Member::required("name", Kind::Text),
        Member::optional("on", Kind::Flag),
        Member::nullable("scopes", Kind::Texts),
        Member::required("type", Kind::Literal("api_keys")),
    ]);

    #[test]
    fn every_fault_is_named_in_the_vendors_words() {
        let body = json!({ "name": null, "on": "yes", "scopes": [1], "owner": 1, "x": 2 });
        assert_eq!(
            faults(&body, BODY),
            [
                "None is not of type 'string'",
                "'yes' is not of type 'boolean'",
                "1 is not of type 'string'",
                "'type' is a required property",
                "Additional properties are not allowed ('owner', 'x' were unexpected)",
            ]
        );
        let body = json!({ "name": "n", "type": "users", "owner": true });
        let expected = [
            "'users' is not one of ['api_keys']",
            "Additional properties are not allowed ('owner' was unexpected)",
        ];
        assert_eq!(faults(&body, BODY), expected);
        assert_eq!(faults(&json!([]), BODY), ["[] is not of type 'object'"]);
    }

    #[test]
    fn an_open_object_passes_over_what_it_does_not_know() {
        const OPEN: Kind = Kind::Open(&[Member::required("type", Kind::OneOf(&["a", "b"]))]);
        assert!(faults(&json!({ "type": "b", "x": 1 }), OPEN).is_empty());
        assert_eq!(faults(&json!({ "type": "c", "x": 1 }), OPEN), ["'c' is not one of ['a', 'b']"]);
        assert_eq!(faults(&json!({ "x": 1 }), OPEN), ["'type' is a required property"]);
        assert_eq!(OPEN.json_schema()["additionalProperties"], json!(true));
    }

    #[test]
    fn what_fits_has_no_fault() {
        assert!(faults(&json!({ "name": "n", "type": "api_keys", "scopes": null }), BODY).is_empty());
    }

    #[test]
    fn what_is_described_is_what_is_checked() {
        let expected = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "on": { "type": "boolean" },
                "scopes": { "type": ["array", "null"], "items": { "type": "string" } },
                "type": { "type": "string", "const": "api_keys" },
            },
            "required": ["name", "type"],
            "additionalProperties": false,
        });
        assert_eq!(BODY.json_schema(), expected);
    }

    #[test]
    fn long_values_are_not_given_back_whole() {
        let fault = faults(&json!({ "name": "n", "type": "é".repeat(500) }), BODY).remove(0);
        assert!(fault.chars().count() < 120, "{fault}");
    }
}
