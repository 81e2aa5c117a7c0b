//! A signed JWT as a grant (RFC 7523) at Google. Source: Google's "Using OAuth 2.0 for server to server applications".

mod jwt;
mod key;

use claviger_catalog::SecretText;
use claviger_egress::Target;
use claviger_model::Timestamp;
use claviger_outbound::Client;

use crate::{ExchangeError, Token, form, tokens, wire};

pub use jwt::assertion;

/// The scope where nobody names one: whatever the account may do.
pub const DEFAULT_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A service account. Its credential has no id of its key; the grant works without.
#[derive(Debug)]
pub struct ServiceAccount<'a> {
    /// Its address.
    pub email: &'a str,
    /// Its private key, RSA in PEM: PKCS#8 as Google hands it out, or PKCS#1; with line ends, or with the `\n` that it has
    /// in JSON.
    pub private_key: &'a SecretText,
}

/// Asks for a token for scopes, with blanks between. `now` is when it is asked.
///
/// # Errors
/// When there is none. `invalid_grant` is a wrong key, an unknown account, or a clock that is off by minutes.
pub async fn ask(
    http: &Client,
    token_url: &Target,
    account: &ServiceAccount<'_>,
    scopes: &str,
    now: Timestamp,
) -> Result<Token, ExchangeError> {
    let assertion = assertion(account, scopes, token_url.as_str(), now)?;
    let pairs =
        [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.reveal())];
    let answer = wire::post_form(http, token_url, form::body(&pairs)).await?;
    Token::of(tokens::read(&answer, &[&assertion])?, now)
}
