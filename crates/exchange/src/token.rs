//! A token of which all that matters is known.

use claviger_catalog::SecretText;
use claviger_model::Timestamp;

use crate::{ExchangeError, Tokens};

/// A bearer token that ends.
#[derive(Debug)]
pub struct Token {
    /// The token: visible ASCII.
    pub value: SecretText,
    /// When it ends, counted from when it was asked for.
    pub expires_at: Timestamp,
}

impl Token {
    /// What came for a question of that time. A token of another kind is not one to be sent alone, and one without an end
    /// cannot be kept.
    pub(crate) fn of(tokens: Tokens, asked_at: Timestamp) -> Result<Self, ExchangeError> {
        if tokens.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(ExchangeError::Garbage("has a token that is no bearer token"));
        }
        let lasts =
            tokens.expires_in.ok_or(ExchangeError::Garbage("does not say how long its token is good for"))?;
        Ok(Self { value: tokens.access_token, expires_at: asked_at + lasts })
    }
}
