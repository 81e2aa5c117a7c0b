//! Bodies of creates and updates around the `integration` value. Every fault is found.

use claviger_catalog::{Catalog, Faults, SchemaOf, SecretJson};
use claviger_http::JsonObject;
use claviger_model::{Name, TAGS_MAX, Tag, Tags, excerpt};
use serde_json::{Value, json};

/// What a body brings.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) name: Option<Name>,
    pub(super) integration: Option<SecretJson>,
    pub(super) tags: Option<Tags>,
    /// With pointers into the whole body.
    pub(super) faults: Faults,
}

/// Attributes that the server writes. Clients send them back as they got them.
const READ_ONLY: [&str; 5] =
    ["acting_user_can_resolve", "created_at", "external_secrets_manager", "is_favorite", "last_updated"];

impl Given {
    /// Takes a body apart. A create must bring a name and an integration.
    pub(super) fn read(mut body: Value, of: SchemaOf) -> Self {
        let mut given = Self::default();
        // Taken out first, so that nothing that may hold a secret is looked at here, or kept by anybody else.
        let integration = body.pointer_mut("/data/attributes/integration").map(Value::take);
        given.integration = integration.map(SecretJson::new);
        given.read_around(&body, of);
        // What stands in a wrong place may be a secret.
        drop(SecretJson::new(body));
        given
    }

    /// What stands around the integration.
    fn read_around(&mut self, body: &Value, of: SchemaOf) {
        let given = self;
        let Some(data) = given.object(body, "", "data") else { return };
        match data.get("type") {
            Some(Value::String(kind)) if kind == "action_connection" => {}
            Some(_) => given.faults.push("/data/type", "must be action_connection"),
            None => given.faults.push("/data/type", "is required"),
        }
        let Some(attributes) = given.object(&body["data"], "/data", "attributes") else { return };
        if of == SchemaOf::Create {
            for name in ["name", "integration"].into_iter().filter(|name| !attributes.contains_key(*name)) {
                given.faults.push(format!("/data/attributes/{name}"), "is required");
            }
        }
        for (name, value) in attributes {
            match name.as_str() {
                "name" => given.name(value),
                "tags" => given.tags(value),
                "integration" => {}
                known if READ_ONLY.contains(&known) => {}
                surplus => {
                    given.faults.push(format!("/data/attributes/{}", excerpt(surplus)), "is not known")
                }
            }
        }
    }

    fn object<'b>(&mut self, within: &'b Value, at: &str, name: &str) -> Option<&'b JsonObject> {
        match within.get(name) {
            Some(Value::Object(object)) => return Some(object),
            Some(_) => self.faults.push(format!("{at}/{name}"), "must be an object"),
            None => self.faults.push(format!("{at}/{name}"), "is required"),
        }
        None
    }

    fn name(&mut self, value: &Value) {
        match value.as_str().map(Name::parse) {
            Some(Ok(name)) => self.name = Some(name),
            Some(Err(error)) => self.faults.push("/data/attributes/name", error.to_string()),
            None => self.faults.push("/data/attributes/name", "must be a string"),
        }
    }

    fn tags(&mut self, value: &Value) {
        let at = "/data/attributes/tags";
        let items = match value {
            // Terraform's way of saying nothing.
            Value::Null => return,
            Value::Array(items) if items.len() <= TAGS_MAX => items,
            Value::Array(_) => {
                return self.faults.push(at, format!("must have at most {TAGS_MAX} items"));
            }
            _ => return self.faults.push(at, "must be a list"),
        };
        let mut tags = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item.as_str().map(str::parse::<Tag>) {
                Some(Ok(tag)) => tags.push(tag),
                Some(Err(error)) => self.faults.push(format!("{at}/{index}"), error.to_string()),
                None => self.faults.push(format!("{at}/{index}"), "must be a string"),
            }
        }
        self.tags = Some(Tags::new(tags));
    }
}

/// What [`Given::read`] takes.
pub(super) fn schema(catalog: &Catalog, of: SchemaOf) -> Value {
    let required: &[&str] = if of == SchemaOf::Create { &["name", "integration"] } else { &[] };
    json!({
        "type": "object",
        "properties": { "data": {
            "type": "object",
            "properties": {
                "id": { "type": "string" },
                "type": { "type": "string", "const": "action_connection" },
                "attributes": {
                    "type": "object",
                    "properties": {
                        "name": { "type": "string" },
                        "integration": catalog.schema(of),
                        "tags": { "type": "array", "items": { "type": "string" }, "maxItems": TAGS_MAX },
                    },
                    "required": required,
                },
            },
            "required": ["type", "attributes"],
        } },
        "required": ["data"],
    })
}
