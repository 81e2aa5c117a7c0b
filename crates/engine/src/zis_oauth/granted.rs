//! Tokens as an authorization server gave them, and how they stand in a connection.

use claviger_catalog::{SecretName, SecretText, Secrets, ZisOAuthSettings};
use claviger_model::Timestamp;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::{ACCESS_TOKEN, REFRESH_TOKEN, RESPONSE_BODY};
use crate::Error;
use crate::connections::internal;

/// What is kept of the scope that was given: the vendor's limit.
const SCOPE_CHARS_MAX: usize = 255;

/// What an authorization server gave.
#[derive(Debug)]
pub struct GrantedTokens {
    /// The token.
    pub access_token: SecretText,
    /// With what it is renewed.
    pub refresh_token: Option<SecretText>,
    /// The whole answer: JSON.
    pub response_body: SecretText,
    /// What kind of token it is.
    pub token_type: Option<String>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// What it is good for.
    pub scope: Option<String>,
}

/// The same on its way through a flow's row.
#[derive(Serialize, Deserialize)]
struct Kept<T> {
    access_token: T,
    refresh_token: Option<T>,
    response_body: T,
    token_type: Option<String>,
    expires_at: Option<i64>,
    scope: Option<String>,
}

impl GrantedTokens {
    /// As it is sealed.
    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let kept = Kept {
            access_token: self.access_token.reveal(),
            refresh_token: self.refresh_token.as_ref().map(SecretText::reveal),
            response_body: self.response_body.reveal(),
            token_type: self.token_type.clone(),
            expires_at: self.expires_at.map(Timestamp::micros),
            scope: self.scope.clone(),
        };
        // Large enough for texts that are escaped, so that growing leaves no copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(256 * 1024));
        serde_json::to_writer(&mut *bytes, &kept).map_err(internal)?;
        Ok(bytes)
    }

    /// As it was sealed.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let kept: Kept<String> = serde_json::from_slice(bytes).map_err(internal)?;
        Ok(Self {
            access_token: SecretText::new(kept.access_token),
            refresh_token: kept.refresh_token.map(SecretText::new),
            response_body: SecretText::new(kept.response_body),
            token_type: kept.token_type,
            expires_at: kept.expires_at.map(Timestamp::from_micros),
            scope: kept.scope,
        })
    }

    /// What of it is kept in clear.
    pub(crate) fn note_in(&self, oauth: &mut ZisOAuthSettings) {
        if let Some(scope) = &self.scope {
            oauth.scope = scope.chars().take(SCOPE_CHARS_MAX).collect();
        }
        oauth.token_type.clone_from(&self.token_type);
        oauth.token_expiry = self.expires_at.map(seconds);
    }

    /// What of it is sealed.
    pub(crate) fn into_secrets(self) -> Secrets {
        let field = |name: &str, text| (SecretName::field(name), text);
        let all = [field(ACCESS_TOKEN, self.access_token), field(RESPONSE_BODY, self.response_body)];
        let refresh_token = self.refresh_token.map(|token| field(REFRESH_TOKEN, token));
        all.into_iter().chain(refresh_token).collect()
    }

    /// The same once more, for an attempt that may have to be repeated.
    pub(crate) fn copied(&self) -> Self {
        let copy = |text: &SecretText| SecretText::new(text.reveal().to_owned());
        Self {
            access_token: copy(&self.access_token),
            refresh_token: self.refresh_token.as_ref().map(copy),
            response_body: copy(&self.response_body),
            token_type: self.token_type.clone(),
            expires_at: self.expires_at,
            scope: self.scope.clone(),
        }
    }
}

/// Whole seconds, never later than the moment itself.
fn seconds(moment: Timestamp) -> String {
    let moment = moment.utc();
    moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339).unwrap_or_default()
}
