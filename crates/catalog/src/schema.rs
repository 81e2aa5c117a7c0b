//! JSON Schemas of what bodies and answers hold, for the description of the API.

use serde_json::{Map, Value, json};

use crate::catalog::Catalog;
use crate::entry::{CredentialType, Integration};
use crate::field::{Field, Made, Place, Shape, StandsFor};
use crate::format::Format;
use crate::request::{CONTENT_MAX, CONTENT_TYPE_MAX, LIST_MAX, RENEW};
use crate::settings::SECRET_ITEM;

/// What a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// The body of a create.
    Create,
    /// The body of an update.
    Update,
    /// An answer.
    Answer,
}

impl Catalog {
    /// The schema of any integration.
    pub fn schema(&self, of: SchemaOf) -> Value {
        let each: Vec<Value> = self.integrations().iter().map(|entry| entry.schema(of)).collect();
        json!({ "oneOf": each })
    }
}

impl Integration {
    /// The schema of this integration.
    pub fn schema(&self, of: SchemaOf) -> Value {
        let each: Vec<Value> = self.credentials.iter().map(|credential| credential.schema(of)).collect();
        let credentials = match <[Value; 1]>::try_from(each) {
            Ok([one]) => one,
            Err(each) => json!({ "oneOf": each }),
        };
        // Fields beside `credentials` are the integration's, the same in every credential type.
        let own = self.credentials.iter().take(1).flat_map(|credential| credential.at(Place::Integration));
        let mut schema = object(&self.kind, own, of);
        schema["title"] = json!(self.title);
        schema["properties"]["credentials"] = credentials;
        if let Value::Array(required) = &mut schema["required"] {
            required.insert(1, json!("credentials"));
        }
        schema
    }
}

impl CredentialType {
    fn schema(&self, of: SchemaOf) -> Value {
        object(&self.kind, self.at(Place::Credentials), of)
    }

    fn at(&self, place: Place) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.place == place)
    }
}

fn object<'f>(kind: &str, fields: impl Iterator<Item = &'f Field>, of: SchemaOf) -> Value {
    let mut properties = Map::from_iter([("type".to_owned(), json!({ "const": kind }))]);
    let mut required = vec![json!("type")];
    for field in fields {
        if let Some(schema) = field.schema(of) {
            properties.insert(field.name.clone(), schema);
        }
        if matches!(field.shape, Shape::Made(Made::ExternalId)) && of == SchemaOf::Update {
            properties.insert(RENEW.to_owned(), json!({ "type": "boolean" }));
        }
        if field.required && of != SchemaOf::Update {
            required.push(json!(field.name));
        }
    }
    json!({ "type": "object", "additionalProperties": false, "required": required, "properties": properties })
}

impl Field {
    fn schema(&self, of: SchemaOf) -> Option<Value> {
        match &self.shape {
            _ if self.secret && of == SchemaOf::Answer && matches!(self.shape, Shape::Text { .. }) => {
                Some(json!({ "type": "string", "const": "" }))
            }
            Shape::Text { stands_for: StandsFor::Row(rows), .. } => {
                let known: Vec<&str> = rows.keys().map(String::as_str).collect();
                Some(json!({ "type": "string", "enum": known }))
            }
            Shape::Text { format, .. } => Some(text(format, self.secret)),
            Shape::List { names, values } => Some(self.list(names, values, of)),
            Shape::HttpBody => Some(body()),
            Shape::Made(_) if of == SchemaOf::Create => None,
            Shape::Made(_) => Some(json!({ "type": "string", "readOnly": true })),
        }
    }

    fn list(&self, names: &Format, values: &Format, of: SchemaOf) -> Value {
        let hidden = self.secret && of == SchemaOf::Answer;
        let value = if hidden { json!({ "type": "string", "const": "" }) } else { text(values, self.secret) };
        let mut item = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name", "value"],
            "properties": { "name": text(names, false), "value": value },
        });
        if self.secret {
            item["required"] = json!(["name", "type", "value"]);
            item["properties"]["type"] = json!({ "const": SECRET_ITEM });
        } else if of == SchemaOf::Update {
            item["required"] = json!(["name"]);
        }
        if of == SchemaOf::Update {
            item["properties"]["deleted"] = json!({ "type": "boolean" });
            // With `deleted`, clients send it empty.
            if self.secret {
                item["properties"]["value"] = json!({ "type": "string", "writeOnly": true });
            }
        }
        json!({ "type": "array", "maxItems": LIST_MAX, "items": item })
    }
}

fn text(format: &Format, secret: bool) -> Value {
    let (min, max) = format.length();
    let mut schema = json!({ "type": "string", "minLength": min, "maxLength": max, "pattern": format.pattern(), "description": format.says() });
    if secret {
        schema["writeOnly"] = json!(true);
    }
    schema
}

fn body() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "content": { "type": "string", "maxLength": CONTENT_MAX },
            "content_type": { "type": "string", "maxLength": CONTENT_TYPE_MAX },
        },
    })
}
