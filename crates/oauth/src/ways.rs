//! How a connection is finished: a browser comes back, its code is exchanged, and whoever began it asks for the connection.

use std::fmt::Write as _;

use claviger_catalog::SecretText;
use claviger_engine::rights::ConnectionsWrite;
use claviger_engine::{
    Changed, Error as EngineError, Origin, Permit, ReturnedFlow, ShownZisConnection, Thing,
};
use claviger_exchange::oauth::Grant;

use crate::error::ProviderFault;
use crate::{FlowError, OAuth};

/// What a browser brings back.
#[derive(Debug)]
pub struct Returning {
    /// The state with which it was sent.
    pub state: String,
    /// The code that the authorization server gave.
    pub code: Option<SecretText>,
    /// What it said in place of one.
    pub error: Option<String>,
}

/// Where a browser goes then.
#[derive(Debug)]
pub enum Landing {
    /// To an address of whoever began it, with a verification code, or with what went wrong.
    Redirect(SecretText),
    /// Nowhere: the connection of this name is there.
    Done(String),
    /// Nowhere: there is no connection, for this reason.
    Failed(String),
}

impl OAuth {
    /// Takes what a browser brings back. What is told in the end goes to the address of whoever began it, if they named
    /// one; else the connection is made at once.
    ///
    /// # Errors
    /// [`FlowError::Spent`] where the state is nothing that was begun, was used already, or is over: nobody is asked for
    /// anything then. Of the engine where the database is away.
    pub async fn receive(&self, returning: Returning, origin: Origin) -> Result<Landing, FlowError> {
        let refusal = match (&returning.code, &returning.error) {
            (_, Some(error)) => Some(cleaned(error)),
            (None, None) => Some("invalid_response".to_owned()),
            (Some(_), None) => None,
        };
        let taken = self.0.engine.take_zis_oauth_flow(&returning.state, refusal.as_deref(), origin).await?;
        let returned = taken.ok_or(FlowError::Spent)?;
        // Whoever closes the browser now does not break off an exchange whose code is used up.
        let this = self.clone();
        let task = tokio::spawn(async move { this.land(returned, returning.code, refusal).await });
        task.await.unwrap_or_else(|panicked| Err(EngineError::Internal(panicked.into()).into()))
    }

    async fn land(
        &self,
        returned: ReturnedFlow,
        code: Option<SecretText>,
        refusal: Option<String>,
    ) -> Result<Landing, FlowError> {
        if let Some(refusal) = refusal {
            return Ok(failed(&returned, &refusal));
        }
        match self.exchange_code(&returned, code).await {
            Ok(landing) => Ok(landing),
            Err(FlowError::Provider(fault)) => Ok(failed(&returned, &fault.code)),
            Err(FlowError::Engine(EngineError::Absent(Thing::ZisOAuthClient | Thing::ZisOAuthFlow))) => {
                Ok(failed(&returned, "client_changed"))
            }
            Err(FlowError::Engine(EngineError::Conflict { .. })) => Ok(failed(&returned, "name_taken")),
            Err(FlowError::Engine(EngineError::Restricted(_))) => Ok(failed(&returned, "restricted")),
            Err(FlowError::Engine(EngineError::LimitReached { .. })) => {
                Ok(failed(&returned, "limit_reached"))
            }
            Err(FlowError::Engine(EngineError::CallerGone)) => Ok(failed(&returned, "starter_gone")),
            Err(other) => Err(other),
        }
    }

    async fn exchange_code(
        &self,
        returned: &ReturnedFlow,
        code: Option<SecretText>,
    ) -> Result<Landing, FlowError> {
        let (Some(client), Some(redirect_uri)) = (&returned.client, &self.0.redirect_uri) else {
            return Err(EngineError::Absent(Thing::ZisOAuthClient).into());
        };
        let code = code.unwrap_or_else(|| SecretText::new(String::new()));
        let grant = Grant::Code { code: &code, verifier: returned.verifier.as_ref(), redirect_uri };
        let subdomain = returned.subdomain();
        let tokens = self.0.exchange(client, subdomain.as_ref(), grant).await.map_err(ProviderFault::from)?;
        match returned.redirect_url() {
            Some(url) => {
                let verification = self.0.engine.grant_zis_oauth_flow(returned, &tokens).await?;
                Ok(Landing::Redirect(with_query(url, "verification_token", verification.reveal())))
            }
            None => {
                self.0.engine.finish_returned_zis_oauth_flow(returned, tokens).await?;
                Ok(Landing::Done(returned.name().to_owned()))
            }
        }
    }

    /// Finishes what was begun, by its verification code: only whoever began it can, and once.
    ///
    /// # Errors
    /// [`FlowError::Spent`] where there is nothing of that code for the caller; [`FlowError::Provider`] where a token has to
    /// be asked for, and there is none; of the engine as
    /// [`Engine::finish_zis_oauth_flow`](claviger_engine::Engine::finish_zis_oauth_flow) says.
    pub async fn finish(
        &self,
        permit: &Permit<ConnectionsWrite>,
        integration: &str,
        code: &str,
    ) -> Result<Changed<ShownZisConnection>, FlowError> {
        let engine = &self.0.engine;
        let spent = |error| match error {
            EngineError::Absent(Thing::ZisOAuthFlow) => FlowError::Spent,
            error => error.into(),
        };
        let mut pending =
            engine.find_pending_zis_oauth_flow(permit, integration, code).await.map_err(spent)?;
        let tokens = match pending.tokens.take() {
            Some(tokens) => tokens,
            None => {
                let subdomain = pending.subdomain();
                let grant = Grant::ClientCredentials { scopes: pending.scopes() };
                let asked = self.0.exchange(&pending.client, subdomain.as_ref(), grant).await;
                asked.map_err(ProviderFault::from)?
            }
        };
        engine.finish_zis_oauth_flow(permit, &pending, tokens).await.map_err(spent)
    }
}

/// What is told of a way that led nowhere.
fn failed(returned: &ReturnedFlow, code: &str) -> Landing {
    match returned.redirect_url() {
        Some(url) => Landing::Redirect(with_query(url, "error", code)),
        None => Landing::Failed(code.to_owned()),
    }
}

/// An authorization server's code, as of RFC 6749, 4.1.2.1, and nothing else that somebody wrote into an address.
fn cleaned(code: &str) -> String {
    let is_code = (1..=64).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_code { code.to_owned() } else { "invalid_response".to_owned() }
}

/// An address with one more member in its query; names and values here need no escaping.
fn with_query(url: &str, name: &str, value: &str) -> SecretText {
    let mark = match url.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let mut text = String::with_capacity(url.len() + name.len() + value.len() + 2);
    // Writing into a text does not fail.
    let _ = write!(text, "{url}{mark}{name}={value}");
    SecretText::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_a_code_and_stands_in_the_query() {
        for (code, told) in [
            ("access_denied", "access_denied"),
            ("", "invalid_response"),
            ("a&verification_token=x", "invalid_response"),
            ("<script>", "invalid_response"),
            (&"a".repeat(65), "invalid_response"),
        ] {
            assert_eq!(cleaned(code), told);
        }
        for (url, expected) in [
            ("https://a.example", "https://a.example?x=1"),
            ("https://a.example/b?", "https://a.example/b?x=1"),
            ("https://a.example/b?c=d", "https://a.example/b?c=d&x=1"),
            ("https://a.example/b?c=d&", "https://a.example/b?c=d&x=1"),
        ] {
            assert_eq!(with_query(url, "x", "1").reveal(), expected);
        }
    }
}
