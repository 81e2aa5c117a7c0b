//! OAuth 2.0 (RFC 6749) with PKCE (RFC 7636), as a client of it.
//!
//! The client's id and secret go in the form's body, as section 2.3.1 of RFC 6749 allows and as the vendor whose
//! connections these are has it.

mod authorize;
mod pkce;

use claviger_catalog::SecretText;
use claviger_egress::Target;
use claviger_outbound::Client;

use crate::{ExchangeError, form, tokens, wire};

pub use crate::tokens::Tokens;
pub use authorize::authorize_url;
pub use pkce::{VERIFIER_CHARS, challenge, verifier};

/// A client as its provider knows it.
#[derive(Debug)]
pub struct OAuthClient {
    /// The provider's token endpoint.
    pub token_url: Target,
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretText,
}

/// What a token is asked for with.
#[derive(Debug)]
pub enum Grant<'a> {
    /// The code that a browser brought back.
    Code {
        /// The code.
        code: &'a SecretText,
        /// The verifier, if the way began with its challenge.
        verifier: Option<&'a SecretText>,
        /// Where the browser was sent back to, as it was when the way began.
        redirect_uri: &'a str,
    },
    /// A token of longer life.
    Refresh {
        /// That token.
        token: &'a SecretText,
    },
    /// Being the client.
    ClientCredentials {
        /// Which scopes, with blanks between; none, for what the provider takes for granted.
        scopes: &'a str,
    },
}

/// Asks for a token.
///
/// # Errors
/// When there is none; [`ExchangeError::is_final`] says whether asking again may help. After an error that is not a refusal
/// nobody knows whether the provider counts a code or a refresh token as used.
pub async fn ask(http: &Client, client: &OAuthClient, grant: Grant<'_>) -> Result<Tokens, ExchangeError> {
    let mut pairs = Vec::with_capacity(6);
    let mut sent = vec![&client.client_secret];
    match grant {
        Grant::Code { code, verifier, redirect_uri } => {
            pairs.push(("grant_type", "authorization_code"));
            pairs.push(("code", code.reveal()));
            pairs.push(("redirect_uri", redirect_uri));
            pairs.extend(verifier.map(|verifier| ("code_verifier", verifier.reveal())));
            sent.extend([Some(code), verifier].into_iter().flatten());
        }
        Grant::Refresh { token } => {
            pairs.push(("grant_type", "refresh_token"));
            pairs.push(("refresh_token", token.reveal()));
            sent.push(token);
        }
        Grant::ClientCredentials { scopes } => {
            pairs.push(("grant_type", "client_credentials"));
            pairs.extend((!scopes.is_empty()).then_some(("scope", scopes)));
        }
    }
    pairs.push(("client_id", &client.client_id));
    pairs.push(("client_secret", client.client_secret.reveal()));
    let answer = wire::post_form(http, &client.token_url, form::body(&pairs)).await?;
    tokens::read(&answer, &sent)
}
