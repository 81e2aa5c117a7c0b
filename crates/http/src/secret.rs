//! Issued secrets on their way into a response body.

use claviger_vault::{CsrfToken, IssuedSecret, WebhookSecret};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

/// An issued secret in a wire type: the only way from a secret to a body. It cannot be printed.
pub struct SecretText(Held);

enum Held {
    Issued(IssuedSecret),
    Webhook(WebhookSecret),
    Csrf(CsrfToken),
}

impl From<IssuedSecret> for SecretText {
    fn from(secret: IssuedSecret) -> Self {
        Self(Held::Issued(secret))
    }
}

impl From<WebhookSecret> for SecretText {
    fn from(secret: WebhookSecret) -> Self {
        Self(Held::Webhook(secret))
    }
}

impl From<CsrfToken> for SecretText {
    fn from(token: CsrfToken) -> Self {
        Self(Held::Csrf(token))
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Held::Issued(secret) => serializer.serialize_str(secret.reveal()),
            Held::Webhook(secret) => serializer.serialize_str(&secret.reveal()),
            Held::Csrf(token) => serializer.serialize_str(token.reveal()),
        }
    }
}

/// A text, as descriptions of the API see it.
impl JsonSchema for SecretText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
