//! JSON Web Tokens (RFC 7519), signed with RS256 (RFC 7518, section 3.3).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_catalog::SecretText;
use claviger_model::Timestamp;
use serde::Serialize;

use super::{ServiceAccount, key};
use crate::ExchangeError;

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// The longest that Google takes.
const LASTS_SECONDS: i64 = 3600;

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    iat: i64,
    iss: &'a str,
    scope: &'a str,
}

/// The assertion that the account makes of itself to `audience`, good for an hour from `now`. It is as good as the token
/// that it is exchanged for.
///
/// # Errors
/// When the private key is none.
pub fn assertion(
    account: &ServiceAccount<'_>,
    scopes: &str,
    audience: &str,
    now: Timestamp,
) -> Result<SecretText, ExchangeError> {
    let pair = key::read(account.private_key)?;
    let iat = now.micros().div_euclid(1_000_000);
    let claims = Claims { aud: audience, exp: iat + LASTS_SECONDS, iat, iss: account.email, scope: scopes };
    let claims = serde_json::to_vec(&claims).map_err(|_| UNSIGNED)?;
    let mut text = URL_SAFE_NO_PAD.encode(HEADER);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(claims, &mut text);
    let mut signature = vec![0; pair.public_modulus_len()];
    // This form of signature takes no randomness, whatever the function wants.
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| UNSIGNED)?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(SecretText::new(text))
}

const UNSIGNED: ExchangeError = ExchangeError::Unusable("nothing can be signed with the private key");
