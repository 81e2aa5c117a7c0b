//! What a connection keeps in clear, and how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::secret::SecretName;

/// A connection's settings: its types and all of its fields that are no secrets, as its owner gave them. Made by
/// creating and updating only; its JSON is what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub(crate) integration: String,
    pub(crate) credentials: String,
    pub(crate) fields: BTreeMap<String, Setting>,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// A text.
    Text(String),
    /// Named values, in the order in which they were given.
    List(Vec<NamedValue>),
    /// The body of an HTTP connection.
    Body(HttpBody),
}

/// One of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedValue {
    /// Its name, unlike all others of the list.
    pub name: String,
    /// Its value; none where the values are secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What an HTTP connection puts into bodies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpBody {
    /// The content, with `{{ token }}` in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

impl Settings {
    /// The type of integration.
    pub fn integration(&self) -> &str {
        &self.integration
    }

    /// The type of credentials.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// A field's value, as given.
    pub fn field(&self, name: &str) -> Option<&Setting> {
        self.fields.get(name)
    }

    /// A field's value, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.fields.get(name) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The names of the fields that are not as in `before`, those among them that one of both lacks.
    pub fn changed_from<'s>(&'s self, before: &'s Self) -> BTreeSet<&'s str> {
        let names = self.fields.keys().chain(before.fields.keys()).map(String::as_str);
        names.filter(|name| self.fields.get(*name) != before.fields.get(*name)).collect()
    }

    /// A field's named values; none where there is no such list.
    pub fn list(&self, name: &str) -> &[NamedValue] {
        match self.fields.get(name) {
            Some(Setting::List(values)) => values,
            _ => &[],
        }
    }
}

impl Setting {
    /// As the vendor's API shows it. A value that is not here is a secret, and shown as the vendor shows those: empty.
    pub(crate) fn shown(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::List(values) => values.iter().map(shown_item).collect(),
            Self::Body(body) => json!(body),
        }
    }
}

/// The vendor gives the items of secret lists a type, of which there is one. Source: the recordings of HTTP
/// connections that the vendor's Terraform provider is tested with.
fn shown_item(item: &NamedValue) -> Value {
    match &item.value {
        Some(value) => json!({ "name": item.name, "value": value }),
        None => json!({ "name": item.name, "type": SECRET_ITEM, "value": "" }),
    }
}

/// The type of an item whose value is a secret.
pub(crate) const SECRET_ITEM: &str = "SECRET";

/// Adds the fields of secrets that are kept, empty.
pub(crate) fn show_secrets<'n>(
    credentials: &mut Map<String, Value>,
    names: impl Iterator<Item = &'n str>,
    kept: &BTreeSet<SecretName>,
) {
    for name in names.filter(|name| kept.contains(&SecretName::field(name))) {
        credentials.insert(name.to_owned(), json!(""));
    }
}
