//! A connection's token for whoever uses it, renewed before it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_engine::{Error as EngineError, GrantedTokens, OAuthToken, OAuthTokenRead, Renewal};
use claviger_exchange::oauth::Grant;
use claviger_model::{ConnectionId, OrgId, Timestamp};

use crate::error::ProviderFault;
use crate::flights::{Boarding, Outcome};
use crate::{AccessError, ExchangeFailure, OAuth, Shared};

/// A token that ends within this time is renewed before it is used: a call with it is under way for a while.
const MARGIN: Duration = Duration::from_secs(60);

/// A token in clear, shared by all who asked for it at the same time. It does not print.
#[derive(Clone)]
pub struct AccessToken {
    token: Arc<SecretText>,
    expires_at: Option<Timestamp>,
}

impl AccessToken {
    /// The token itself.
    pub fn reveal(&self) -> &str {
        self.token.reveal()
    }

    /// When it ends; none where nobody said.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken({:?}, ..)", self.expires_at)
    }
}

impl From<OAuthToken> for AccessToken {
    fn from(token: OAuthToken) -> Self {
        Self { token: Arc::new(token.token), expires_at: token.expires_at }
    }
}

/// Why somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A token that is good.
    Good,
    /// A new one, whatever the present one is.
    New,
}

impl OAuth {
    /// The token of a connection, renewed where it ends within a minute. Who may use the connection is for the caller to
    /// know. Where it could not be renewed this time but has not ended yet, it is the present one.
    ///
    /// # Errors
    /// When there is none that is good.
    pub async fn access_token(&self, org: OrgId, connection: ConnectionId) -> Outcome {
        let read = self.0.engine.read_oauth_token(org, connection).await?;
        match good(read.token, self.0.engine.clock().now(), MARGIN) {
            Some(token) => Ok(token.into()),
            None => self.renew(org, connection, Want::Good).await,
        }
    }

    /// Renews the token of a connection now, also where its authorization server refused before: somebody may have mended
    /// there what cannot be seen from here.
    ///
    /// # Errors
    /// When it was not renewed.
    pub async fn refresh(&self, org: OrgId, connection: ConnectionId) -> Outcome {
        self.renew(org, connection, Want::New).await
    }

    async fn renew(&self, org: OrgId, connection: ConnectionId, want: Want) -> Outcome {
        let shared = self.0.clone();
        let mut landed = match shared.flights.board(connection) {
            Boarding::Full => return Err(AccessError::Busy),
            Boarding::Wait(landed) => landed,
            Boarding::Fly(seat, landed) => {
                tokio::spawn(async move {
                    let outcome = shared.fly(org, connection, want).await;
                    seat.land(outcome);
                });
                landed
            }
        };
        // The work itself is bounded: each wait in it is.
        let outcome = landed.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        let broken = || Err(AccessError::from(EngineError::Unavailable(None)));
        outcome.ok().flatten().unwrap_or_else(broken)
    }
}

/// The token, if it is good for so long from now.
fn good(token: Option<OAuthToken>, now: Timestamp, margin: Duration) -> Option<OAuthToken> {
    token.filter(|token| token.expires_at.is_none_or(|end| now + margin < end))
}

impl Shared {
    async fn fly(&self, org: OrgId, connection: ConnectionId, want: Want) -> Outcome {
        let mut read = self.engine.read_oauth_token(org, connection).await?;
        let now = self.engine.clock().now();
        let is_good =
            read.token.as_ref().is_some_and(|it| it.expires_at.is_none_or(|end| now + MARGIN < end));
        if want == Want::Good && is_good {
            // Another renewal landed while this one was boarded.
            return read.token.take().map(AccessToken::from).ok_or(AccessError::Lost);
        }
        if read.token.is_none() {
            return Err(AccessError::Lost);
        }
        let failure = match want {
            Want::New => None,
            Want::Good => {
                let refused = read.refused().map(|code| AccessError::Refused(code.to_owned()));
                refused.or_else(|| self.flights.recent_failure(connection, now))
            }
        };
        let outcome = match failure {
            Some(failure) => Err(failure),
            None => {
                // Here and not for whatever is told in the end: what is remembered is not remembered for longer by being told.
                let outcome = self.renewed(&read).await;
                self.flights.note(connection, &outcome, self.engine.clock().now());
                outcome
            }
        };
        match (outcome, want) {
            // The present one does as long as it lasts.
            (Err(error), Want::Good) => {
                let present = good(read.token.take(), self.engine.clock().now(), Duration::ZERO);
                present.map(AccessToken::from).ok_or(error)
            }
            (outcome, _) => outcome,
        }
    }

    async fn renewed(&self, read: &OAuthTokenRead) -> Outcome {
        let renewal = self.engine.oauth_renewal(read).await?.ok_or(AccessError::Over)?;
        // Committed before anybody is asked for anything.
        let Some(fence) = self.engine.take_oauth_fence(read).await? else { return Err(AccessError::Busy) };
        match self.ask(renewal).await {
            Ok(tokens) => {
                self.engine.store_renewed_tokens(fence, tokens).await?;
                // Where somebody took over meanwhile, theirs is the token.
                self.stored(read).await
            }
            Err(failure) => {
                let fault = ProviderFault::from(failure);
                if fault.is_final {
                    self.engine.refuse_oauth_renewal(fence, read, &fault.code).await?;
                    return Err(AccessError::Refused(fault.code));
                }
                if let Err(error) = self.engine.release_oauth_fence(fence).await {
                    tracing::warn!(error = claviger_model::chain(&error), "a fence was not let go");
                }
                Err(AccessError::Provider(fault))
            }
        }
    }

    /// The token as it stands now, where it is another one than was read, and good.
    async fn stored(&self, before: &OAuthTokenRead) -> Outcome {
        let read = self.engine.read_oauth_token(before.org(), before.connection()).await?;
        if read.revision() == before.revision() {
            return Err(AccessError::Busy);
        }
        let Some(token) = read.token else { return Err(AccessError::Lost) };
        let token = good(Some(token), self.engine.clock().now(), Duration::ZERO);
        token.map(AccessToken::from).ok_or(AccessError::Over)
    }

    async fn ask(&self, renewal: Renewal) -> Result<GrantedTokens, ExchangeFailure> {
        match renewal {
            Renewal::Refresh { token, subdomain, client } => {
                self.exchange(&client, subdomain.as_ref(), Grant::Refresh { token: &token }).await
            }
            Renewal::ClientCredentials { scopes, subdomain, client } => {
                let grant = Grant::ClientCredentials { scopes: &scopes };
                self.exchange(&client, subdomain.as_ref(), grant).await
            }
        }
    }
}
