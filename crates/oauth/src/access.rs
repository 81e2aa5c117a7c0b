//! A connection's token for whoever uses it, renewed before it ends.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_engine::{
    BegunUse, Error as EngineError, GrantedTokens, OAuthFence, OAuthToken, OAuthTokenRead, Renewal, Use,
    UsedBy,
};
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
    /// By which it is told from the one after it.
    revision: i64,
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

/// Why somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    /// A token that is good.
    Good,
    /// Another one than that of this revision, which was refused where it was used.
    Other(i64),
    /// A new one, whatever was said before.
    New,
}

impl Want {
    /// Whether what is kept will do, as long as it is good.
    fn is_met_by(self, revision: i64) -> bool {
        match self {
            Self::Good => true,
            Self::Other(refused) => revision != refused,
            Self::New => false,
        }
    }
}

impl OAuth {
    /// The token of a connection for a call, which is recorded itself; renewed where it ends within a minute. Who may use
    /// the connection is for the caller to know. Where it could not be renewed this time but has not ended yet, it is the
    /// present one.
    ///
    /// # Errors
    /// When there is none that is good.
    pub async fn access_token(&self, org: OrgId, connection: ConnectionId) -> Outcome {
        self.good_token(org, connection, None).await
    }

    /// The same for whoever makes no call with it: a renewal is recorded as theirs, among the connection's calls.
    ///
    /// # Errors
    /// As there.
    pub async fn access_token_by(&self, org: OrgId, connection: ConnectionId, by: UsedBy) -> Outcome {
        self.good_token(org, connection, Some(by)).await
    }

    async fn good_token(&self, org: OrgId, connection: ConnectionId, by: Option<UsedBy>) -> Outcome {
        let mut read = self.0.engine.read_oauth_token(org, connection).await?;
        match present(&mut read, Want::Good, self.0.engine.clock().now(), MARGIN) {
            Some(token) => Ok(token),
            None => self.renew(org, connection, Want::Good, by).await,
        }
    }

    /// Another token, for a call that is recorded itself, in the place of one that was refused where it was used, though it
    /// had not ended: one renewal, however many were refused with the same.
    ///
    /// # Errors
    /// When there is none.
    pub async fn replace_token(
        &self,
        org: OrgId,
        connection: ConnectionId,
        refused: &AccessToken,
    ) -> Outcome {
        let want = Want::Other(refused.revision);
        let mut read = self.0.engine.read_oauth_token(org, connection).await?;
        match present(&mut read, want, self.0.engine.clock().now(), MARGIN) {
            Some(token) => Ok(token),
            None => another(self.renew(org, connection, want, None).await, refused.revision),
        }
    }

    /// Renews the token of a connection now, also where its authorization server refused before: somebody may have mended
    /// there what cannot be seen from here. It is recorded among the connection's calls.
    ///
    /// # Errors
    /// When it was not renewed.
    pub async fn refresh(&self, org: OrgId, connection: ConnectionId, by: UsedBy) -> Outcome {
        let before = self.0.engine.read_oauth_token(org, connection).await?.token_revision();
        another(self.renew(org, connection, Want::New, Some(by)).await, before)
    }

    /// `by` is whose it is, where no call of theirs is recorded. Of several who ask at the same time it is the first's.
    async fn renew(&self, org: OrgId, connection: ConnectionId, want: Want, by: Option<UsedBy>) -> Outcome {
        let shared = self.0.clone();
        let mut landed = match shared.flights.board(connection) {
            Boarding::Full => return Err(AccessError::Busy),
            Boarding::Wait(landed) => landed,
            Boarding::Fly(seat, landed) => {
                tokio::spawn(async move {
                    let outcome = shared.fly(org, connection, want, by).await;
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

/// The token that is kept, if it is what somebody wants, and good for so long from now.
fn present(read: &mut OAuthTokenRead, want: Want, now: Timestamp, margin: Duration) -> Option<AccessToken> {
    let revision = read.token_revision();
    let is_good = |token: &mut OAuthToken| token.expires_at.is_none_or(|end| now + margin < end);
    let token = read.token.take_if(|token| want.is_met_by(revision) && is_good(token))?;
    Some(AccessToken { token: Arc::new(token.token), expires_at: token.expires_at, revision })
}

/// What a renewal brought, where it is another token: one that others had begun may have left the present one in its place.
fn another(outcome: Outcome, revision: i64) -> Outcome {
    outcome.and_then(|token| if token.revision == revision { Err(AccessError::Busy) } else { Ok(token) })
}

impl Shared {
    async fn fly(&self, org: OrgId, connection: ConnectionId, want: Want, by: Option<UsedBy>) -> Outcome {
        let mut read = self.engine.read_oauth_token(org, connection).await?;
        let now = self.engine.clock().now();
        // Another renewal may have landed while this one was boarded.
        if let Some(token) = present(&mut read, want, now, MARGIN) {
            return Ok(token);
        }
        if read.token.is_none() {
            return Err(AccessError::Lost);
        }
        let failure = match want {
            Want::New => None,
            Want::Good | Want::Other(_) => {
                let refused = read.refused().map(|code| AccessError::Refused(code.to_owned()));
                refused.or_else(|| self.flights.recent_failure(connection, now))
            }
        };
        let outcome = match failure {
            Some(failure) => Err(failure),
            None => {
                // Here and not for whatever is told in the end: what is remembered is not remembered for longer by being told.
                let outcome = self.renewed(&read, by).await;
                self.flights.note(connection, &outcome, self.engine.clock().now());
                outcome
            }
        };
        // The present one does as long as it lasts, but for whom it was refused.
        let now = self.engine.clock().now();
        outcome.or_else(|error| present(&mut read, want, now, Duration::ZERO).ok_or(error))
    }

    async fn renewed(&self, read: &OAuthTokenRead, by: Option<UsedBy>) -> Outcome {
        let renewal = self.engine.oauth_renewal(read).await?.ok_or(AccessError::Over)?;
        // Committed before anybody is asked for anything.
        let Some(fence) = self.engine.take_oauth_fence(read).await? else { return Err(AccessError::Busy) };
        let noted = match by {
            None => None,
            Some(by) => match self.note(read, &renewal, by).await {
                Ok(noted) => Some(noted),
                Err(error) => {
                    tracing::error!(
                        error = claviger_model::chain(&error),
                        "a renewal cannot be recorded: it is not made"
                    );
                    self.release(fence).await;
                    return Err(EngineError::Unavailable(None).into());
                }
            },
        };
        let outcome = self.asked(read, renewal, fence).await;
        if let Some(noted) = noted {
            let (status, code) = match &outcome {
                Ok(_) => (200, None),
                Err(error @ AccessError::Refused(_)) => (502, Some(error.code())),
                Err(_) => (502, Some("token_not_renewed")),
            };
            if let Err(error) = self.engine.end_use(noted, status, code).await {
                tracing::error!(
                    error = claviger_model::chain(&error),
                    "how a renewal ended was not recorded"
                );
            }
        }
        outcome
    }

    /// Notes that the connection's secret goes to its authorization server.
    async fn note(
        &self,
        read: &OAuthTokenRead,
        renewal: &Renewal,
        by: UsedBy,
    ) -> Result<BegunUse, EngineError> {
        let target = renewal.target();
        let without_query = |path: String| path.split('?').next().unwrap_or_default().to_owned();
        let what = Use {
            method: "POST",
            host: target.as_ref().map(|target| target.origin().authority()),
            path: target.as_ref().map(|target| without_query(target.path_and_query())),
        };
        self.engine.begin_use(read.of(), by, what).await
    }

    async fn asked(&self, read: &OAuthTokenRead, renewal: Renewal, fence: OAuthFence) -> Outcome {
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
                self.release(fence).await;
                Err(AccessError::Provider(fault))
            }
        }
    }

    async fn release(&self, fence: OAuthFence) {
        if let Err(error) = self.engine.release_oauth_fence(fence).await {
            tracing::warn!(error = claviger_model::chain(&error), "a fence was not let go");
        }
    }

    /// The token as it stands now, where it is another one than was read, and good.
    async fn stored(&self, before: &OAuthTokenRead) -> Outcome {
        let mut read = self.engine.read_oauth_token(before.org(), before.connection()).await?;
        if read.token.is_none() {
            return Err(AccessError::Lost);
        }
        if read.token_revision() == before.token_revision() {
            return Err(AccessError::Busy);
        }
        present(&mut read, Want::Good, self.engine.clock().now(), Duration::ZERO).ok_or(AccessError::Over)
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
