//! What the operator decides for the native API.

use std::collections::HashMap;
use std::sync::Arc;

use claviger_egress::Policy;
use claviger_vault::EcdsaPublicKey;
use serde::Deserialize;

use crate::SessionOptions;

/// What the operator decided.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How far webhooks may reach.
    pub webhook_policy: Arc<Policy>,
    /// The keys by which GitHub's alerts are known.
    pub github_keys: GithubKeys,
    /// How sessions begin.
    pub sessions: SessionOptions,
}

/// The public keys with which GitHub signs its secret-scanning alerts, by their identifiers. None, and none of its
/// alerts is believed.
#[derive(Debug, Clone, Default)]
pub struct GithubKeys(Arc<HashMap<String, EcdsaPublicKey>>);

/// Why a list of keys is not understood.
#[derive(Debug, thiserror::Error)]
pub enum GithubKeysError {
    /// It is not the document that GitHub publishes.
    #[error(
        "it is not the list that GitHub publishes at https://api.github.com/meta/public_keys/secret_scanning"
    )]
    Document(#[source] serde_json::Error),
    /// One of its keys is none.
    #[error("the key {identifier} in it is not one of ECDSA on P-256 in PEM form")]
    Key {
        /// Which.
        identifier: String,
    },
    /// It has no keys.
    #[error("it has no keys")]
    Empty,
}

impl GithubKeys {
    /// Reads the document that GitHub publishes.
    ///
    /// # Errors
    /// When it is another document, or a key in it is none.
    pub fn parse(text: &str) -> Result<Self, GithubKeysError> {
        #[derive(Deserialize)]
        struct Document {
            public_keys: Vec<Key>,
        }
        #[derive(Deserialize)]
        struct Key {
            key_identifier: String,
            key: String,
        }
        let document: Document = serde_json::from_str(text).map_err(GithubKeysError::Document)?;
        let read = |key: Key| match EcdsaPublicKey::from_pem(&key.key) {
            Ok(public) => Ok((key.key_identifier, public)),
            Err(_) => Err(GithubKeysError::Key { identifier: key.key_identifier }),
        };
        let keys: HashMap<_, _> = document.public_keys.into_iter().map(read).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(GithubKeysError::Empty) } else { Ok(Self(Arc::new(keys))) }
    }

    pub(crate) fn find(&self, identifier: &str) -> Option<&EcdsaPublicKey> {
        self.0.get(identifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_published_document_is_taken() {
        for text in ["", "[]", "{}", r#"{"public_keys":[]}"#] {
            assert!(GithubKeys::parse(text).is_err(), "{text}");
        }
        let bad = r#"{"public_keys":[{"key_identifier":"abc","key":"-----BEGIN","is_current":true}]}"#;
        let error = GithubKeys::parse(bad).unwrap_err();
        assert!(error.to_string().contains("key abc"), "{error}");
    }
}
