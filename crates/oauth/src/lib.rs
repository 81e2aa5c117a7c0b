//! OAuth connections: the way to an authorization server and back, and tokens that are renewed before they end.
//!
//! What may be begun, taken, stored and shown is the engine's; how an authorization server is asked is
//! [`claviger_exchange`]'s. Here is the order of it: what a browser brings back is used up before a code is exchanged; a
//! token is renewed by one exchange, however many ask for it, and by whoever holds the connection's fence.
//!
//! An exchange under way is not broken off with whoever waits for it: an authorization server that gives a new token for
//! renewing takes the old one back, so that an answer that nobody stores would be the end of the connection.

mod access;
mod begin;
mod error;
mod flights;
mod turns;
mod ways;

pub use access::AccessToken;
pub use begin::{Beginning, Begun};
pub use error::{AccessError, FlowError, ProviderFault};
pub use ways::{Landing, Returning};

use std::sync::Arc;

use claviger_catalog::SecretText;
use claviger_engine::{Engine, GrantedTokens, OpenedZisOAuthClient};
use claviger_exchange::ExchangeError;
use claviger_exchange::oauth::{Grant, OAuthClient, Tokens, ask};
use claviger_model::{Timestamp, ZisOAuthError, ZisUrlSubdomain};
use claviger_outbound::Client;

use flights::Flights;
use turns::Turns;

/// The orchestration. Cheap to clone.
#[derive(Clone)]
pub struct OAuth(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    http: Client,
    redirect_uri: Option<String>,
    flights: Arc<Flights>,
    turns: Turns,
}

impl OAuth {
    /// Over an engine, asking authorization servers through this client ([`claviger_exchange::client`] has its bounds).
    /// Browsers come back to `redirect_uri`; without one nothing is begun.
    pub fn new(engine: Arc<Engine>, http: Client, redirect_uri: Option<String>) -> Self {
        let (flights, turns) = (Arc::default(), Turns::default());
        Self(Arc::new(Shared { engine, http, redirect_uri, flights, turns }))
    }
}

/// Why an exchange brought no tokens.
enum ExchangeFailure {
    /// The authorization server was asked, or could not be.
    Exchange(ExchangeError),
    /// It was not asked: so many others are.
    Busy,
    /// It was not asked: the client's address cannot be called.
    Address(ZisOAuthError),
}

impl Shared {
    /// Asks a client's authorization server for tokens.
    async fn exchange(
        &self,
        client: &OpenedZisOAuthClient,
        subdomain: Option<&ZisUrlSubdomain>,
        grant: Grant<'_>,
    ) -> Result<GrantedTokens, ExchangeFailure> {
        let token_url = client.client.token_url.fill(subdomain).map_err(ExchangeFailure::Address)?;
        let org = client.client.org;
        let Some(_turn) = self.turns.take(org).await else { return Err(ExchangeFailure::Busy) };
        let client = OAuthClient {
            token_url,
            client_id: client.client.client_id.clone(),
            client_secret: SecretText::new(client.secret.reveal().to_owned()),
        };
        // From before the request, so that a token is never thought to live longer than it does.
        let asked_at = self.engine.clock().now();
        let tokens = ask(&self.http.for_org(org), &client, grant).await.map_err(ExchangeFailure::Exchange)?;
        Ok(granted(tokens, asked_at))
    }
}

fn granted(tokens: Tokens, asked_at: Timestamp) -> GrantedTokens {
    GrantedTokens {
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        response_body: tokens.body,
        token_type: tokens.token_type,
        expires_at: tokens.expires_in.map(|lives| asked_at + lives),
        scope: tokens.scope,
    }
}
