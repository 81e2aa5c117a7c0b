//! A key as answers show it.

use claviger_engine::{Guarded, Rotated, Shown};
use claviger_http::SecretText;
use claviger_model::{Credential, CredentialDetail};
use schemars::JsonSchema;
use serde::Serialize;

use crate::guards::{GuardsShown, shown_time};

/// A key, without its secret.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Key {
    id: String,
    kind: &'static str,
    name: String,
    /// The last characters of the secret, to tell keys apart by.
    last4: String,
    /// The part of a token's secret that is no secret; null for what is no token.
    public_portion: Option<String>,
    /// The user whom it acts for; null for what belongs to the org.
    owner: Option<String>,
    /// What it is narrowed to; null for all that its owner may do.
    scopes: Option<Vec<String>>,
    created_at: String,
    modified_at: String,
    /// To the minute, and somewhat behind.
    last_used_at: Option<String>,
    #[serde(flatten)]
    guards: GuardsShown,
    /// Until when the secret that the last rotation replaced goes on; null where there is none.
    old_secret_valid_until: Option<String>,
}

/// A key with its secret, which no other answer of this API shows again.
#[derive(Serialize, JsonSchema)]
pub(crate) struct KeyWithSecret {
    #[serde(flatten)]
    key: Key,
    #[schemars(with = "String")]
    secret: Option<SecretText>,
}

impl Key {
    fn new(credential: &Credential, old_valid_until: Option<claviger_model::Timestamp>) -> Self {
        let scopes = match &credential.detail {
            // Null would say more than it may do.
            CredentialDetail::ApiKey { .. } => Some(Vec::new()),
            detail => detail.scopes().map(|it| it.to_list().split(' ').map(str::to_owned).collect()),
        };
        Self {
            id: credential.id.to_string(),
            kind: credential.kind().as_str(),
            name: credential.name.clone(),
            last4: credential.last4.clone(),
            public_portion: credential.detail.public_portion().map(str::to_owned),
            owner: credential.detail.owner().map(|owner| owner.to_string()),
            scopes,
            created_at: shown_time(credential.created_at),
            modified_at: shown_time(credential.modified_at),
            last_used_at: credential.last_used.map(shown_time),
            guards: credential.into(),
            old_secret_valid_until: old_valid_until.map(shown_time),
        }
    }
}

impl From<Guarded> for Key {
    fn from(guarded: Guarded) -> Self {
        Self::new(&guarded.credential, guarded.old_valid_until)
    }
}

impl From<Shown> for KeyWithSecret {
    fn from(shown: Shown) -> Self {
        Self { key: Key::new(&shown.credential, None), secret: shown.secret.map(SecretText::from) }
    }
}

impl From<Rotated> for KeyWithSecret {
    fn from(rotated: Rotated) -> Self {
        let key = Key::new(&rotated.shown.credential, rotated.old_valid_until);
        Self { key, secret: rotated.shown.secret.map(SecretText::from) }
    }
}
