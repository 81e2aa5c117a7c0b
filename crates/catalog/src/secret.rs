//! Secrets of connections as they pass through here, and the names under which they are kept.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// A third party's secret in clear, on its way to being sealed or used.
///
/// It does not print, serialise or compare, and its memory is cleared when it is dropped.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes over a text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// A JSON value of a request that may hold secrets anywhere. It does not print, and its texts are cleared when it is
/// dropped.
#[derive(Clone)]
pub struct SecretJson(Value);

impl SecretJson {
    /// Takes over a value.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    /// The value itself, for [`crate::Catalog::create`] or [`crate::Connection::update`], which clear what they do
    /// not keep.
    pub fn take(mut self) -> Value {
        self.0.take()
    }
}

impl fmt::Debug for SecretJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretJson(..)")
    }
}

impl Drop for SecretJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Under which name a connection keeps a secret: a field (`api_token`), or a list and an item's name
/// (`tokens/token1`). No secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// A text that names no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no name of a connection's secret")]
pub struct SecretNameError;

impl SecretName {
    /// The secret of a field.
    pub fn field(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The secret of an item of a list.
    pub fn item(list: &str, name: &str) -> Self {
        Self(format!("{list}/{name}"))
    }

    /// A name that was stored.
    ///
    /// # Errors
    ///
    /// When one of its parts is empty, or there are more than two.
    pub fn parse(text: &str) -> Result<Self, SecretNameError> {
        let parts: Vec<&str> = text.split('/').collect();
        let fits = parts.len() <= 2 && parts.iter().all(|part| !part.is_empty());
        if fits { Ok(Self(text.to_owned())) } else { Err(SecretNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Secrets to be kept, by name.
pub type Secrets = BTreeMap<SecretName, SecretText>;

/// Clears every text of a request that nobody took, since any of them may be a secret.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", SecretText::new("canary".to_owned())), "SecretText(..)");
        assert_eq!(format!("{:?}", SecretJson::new(serde_json::json!("canary"))), "SecretJson(..)");
    }

    #[test]
    fn names_are_read_back() {
        for name in [SecretName::field("api_token"), SecretName::item("tokens", "token1")] {
            assert_eq!(SecretName::parse(name.as_str()), Ok(name));
        }
        for text in ["", "/", "a/", "/b", "a/b/c"] {
            assert_eq!(SecretName::parse(text), Err(SecretNameError), "{text:?}");
        }
    }

    #[test]
    fn wiping_reaches_every_text() {
        let mut value = serde_json::json!({ "a": "x", "b": [{ "c": "y" }, 1, null], "d": true });
        wipe(&mut value);
        assert_eq!(value, serde_json::json!({ "a": "", "b": [{ "c": "" }, 1, null], "d": true }));
    }
}
