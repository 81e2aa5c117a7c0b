//! OAuth 2.0 client credentials at Microsoft Entra. Source: Microsoft's "OAuth 2.0 client credentials flow on the
//! Microsoft identity platform".

use claviger_model::Timestamp;
use claviger_outbound::Client;

use crate::oauth::{Grant, OAuthClient};
use crate::{ExchangeError, Token, oauth};

/// Asks for a token for one scope: the identifier URI of one resource with `/.default`. Several resources are an error of
/// Entra's. `now` is when it is asked.
///
/// # Errors
/// When there is none. A refusal carries the number of Entra's that says why: `AADSTS7000215` a wrong secret,
/// `AADSTS7000222` one that has ended, `AADSTS700016` an application that the tenant does not have, `AADSTS90002` no such
/// tenant.
pub async fn ask(
    http: &Client,
    application: &OAuthClient,
    scope: &str,
    now: Timestamp,
) -> Result<Token, ExchangeError> {
    let grant = Grant::ClientCredentials { scopes: scope };
    Token::of(oauth::ask(http, application, grant).await?, now)
}
