//! What a token endpoint answers.

mod json;
mod member;
mod refusal;
mod urlencoded;

use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_outbound::Answer;

use crate::ExchangeError;

pub(crate) use refusal::{clean, retry_after};

/// The largest token that is taken: with others beside it, it has to fit into a header, and few servers take more.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// What came for the grant (RFC 6749, section 5.1).
#[derive(Debug)]
pub struct Tokens {
    /// The token: visible ASCII, at most [`TOKEN_BYTES_MAX`].
    pub access_token: SecretText,
    /// What kind it is; providers leave it out, and write `Bearer` in every case.
    pub token_type: Option<String>,
    /// What a new token can be asked for with.
    pub refresh_token: Option<SecretText>,
    /// How long the token is good for, from when it was asked for; nothing, if the provider does not say.
    pub expires_in: Option<Duration>,
    /// What the token is good for, if the provider says so.
    pub scope: Option<String>,
    /// The answer as JSON: the text as it came, or the members of a form-encoded one.
    pub body: SecretText,
}

/// Reads an answer. `sent` are the secrets of the request: no code of a refusal may hold one.
pub(crate) fn read(answer: &Answer, sent: &[&SecretText]) -> Result<Tokens, ExchangeError> {
    let status = answer.status;
    if status.is_redirection() {
        // Whom it names is not whom the secret is for.
        return Err(ExchangeError::Garbage("is a redirect"));
    }
    let text = std::str::from_utf8(&answer.body).map(|text| text.trim_start_matches('\u{feff}').trim());
    let Ok(text) = text else {
        return Err(refusal::unreadable(answer).unwrap_or(ExchangeError::Garbage("is no text")));
    };
    let converted;
    let text = match text.starts_with('{') {
        true => text,
        false => {
            converted = urlencoded::to_json(answer, text);
            match &converted {
                Some(json) => json.reveal(),
                None => {
                    let garbage = ExchangeError::Garbage("is no JSON object");
                    return Err(refusal::unreadable(answer).unwrap_or(garbage));
                }
            }
        }
    };
    json::read(answer, text, sent)
}
