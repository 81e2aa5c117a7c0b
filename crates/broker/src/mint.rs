//! Tokens of short life, for which a connection's secret is exchanged: at AWS's STS, at Entra, at Google.
//!
//! Kept until shortly before they end, one exchange at a time for each connection, revision and scope, and dropped when a
//! third party refuses one. The exchange goes out like everything else: over the address guard, to the place that the
//! catalog names.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use claviger_catalog::{Destination, Exchange, SecretText, Settings};
use claviger_egress::{Egress, Policy, Target};
use claviger_engine::{Engine, UsableConnection, UsableSettings, UsedBy};
use claviger_exchange::aws::{self, AssumeRole, Credentials};
use claviger_exchange::cache::{Cache, Fresh};
use claviger_exchange::gcp::{self, ServiceAccount};
use claviger_exchange::oauth::OAuthClient;
use claviger_exchange::{ExchangeError, azure};
use claviger_http::App;
use claviger_model::{Clock, Connection, ConnectionId, OrgId, Timestamp};
use claviger_oauth::{AccessError, AccessToken, OAuth};
use claviger_outbound::{Client, SendError};
use claviger_redact::Needles;
use tokio::sync::Semaphore;

use crate::broker::Used;
use crate::prepared::{Source, value_of};
use crate::redaction::searched_for;
use crate::refusal::Refusal;
use crate::replaced::Replaced;

/// What a token depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    org: OrgId,
    connection: ConnectionId,
    revision: i64,
    scope: Option<String>,
}

/// What an exchange brought.
pub(crate) struct Minted {
    pub(crate) credential: Credential,
    /// The connection's secrets and what was exchanged for them, to be masked in answers.
    pub(crate) needles: Needles,
}

pub(crate) enum Credential {
    Token(SecretText),
    /// Of an OAuth connection.
    OAuth(AccessToken),
    Aws(Credentials),
}

/// The tokens of all connections.
pub(crate) struct Mint {
    app: App,
    http: Client,
    kept: Cache<Key, Minted>,
    oauth: OAuth,
    replaced: Replaced,
    proofs: Semaphore,
}

/// Exchanges that are under way at once for nothing but their proof. Beyond, who tests is told to come back.
const PROOFS_MAX: usize = 64;

/// The engine's clock, for what is kept for a while.
pub(crate) struct EngineClock(pub(crate) App);

impl Clock for EngineClock {
    fn now(&self) -> Timestamp {
        self.0.engine().clock().now()
    }
}

impl Mint {
    pub(crate) fn new(app: App, egress: Egress, oauth: OAuth) -> Self {
        let kept = Cache::new(Arc::new(EngineClock(app.clone())), |key: &Key| key.org);
        let http = claviger_exchange::client(egress, Policy::public());
        let (replaced, proofs) = (Replaced::default(), Semaphore::new(PROOFS_MAX));
        Self { http, app, kept, oauth, replaced, proofs }
    }

    /// The token of a connection for a destination, and what it is kept under.
    ///
    /// # Errors
    /// [`Refusal::Exchange`].
    pub(crate) async fn token(
        &self,
        usable: &Arc<UsableConnection>,
        used: &Used,
        source: Source,
        destination: &Destination,
    ) -> Result<(Key, Arc<Minted>), Refusal> {
        let Connection { org, id: connection, revision, .. } = usable.connection;
        let exchange = match source {
            Source::Exchange(exchange) => exchange,
            Source::OAuth => {
                let key = Key { org, connection, revision: 0, scope: None };
                return Ok((key, self.oauth_token(usable, used).await?));
            }
        };
        let scope = destination.scope.clone();
        let key = Key { org, connection, revision, scope: scope.clone() };
        let renew_before = Duration::from_secs(exchange.renew_seconds_before().into());
        let (app, http, usable) = (self.app.clone(), self.http.clone(), usable.clone());
        let mint =
            move || async move { mint(app.engine(), &http, &usable, exchange, scope.as_deref()).await };
        match self.kept.get(&key, renew_before, mint).await {
            Ok(minted) => Ok((key, minted)),
            Err(error) => {
                tracing::debug!(error = claviger_model::chain(&*error), "an exchange failed");
                Err(refusal(&error))
            }
        }
    }

    /// Whether a connection's secret is taken in exchange now. What comes of it is not kept.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn prove(
        &self,
        usable: &UsableConnection,
        exchange: Exchange,
    ) -> Result<(), ExchangeError> {
        let Ok(_turn) = self.proofs.try_acquire() else { return Err(ExchangeError::Busy) };
        let UsableSettings::Catalogued(settings) = &usable.settings else { return Err(MISSING) };
        let scope = exchange.scope_of_proof(settings);
        mint(self.app.engine(), &self.http, usable, exchange, scope.as_deref()).await.map(drop)
    }

    /// Whether an OAuth connection has a good token, or comes by one, which is recorded.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn grant(&self, connection: &Connection, by: UsedBy) -> Result<(), AccessError> {
        self.oauth.access_token_by(connection.org, connection.id, by).await.map(drop)
    }

    /// A third party refused a token. Whether it is worth trying once more.
    pub(crate) async fn reject(&self, connection: &Connection, key: &Key, minted: &Arc<Minted>) -> bool {
        match &minted.credential {
            Credential::OAuth(token) => {
                let now = self.app.engine().clock().now();
                self.replaced.may_be(connection.id, token, now)
                    && self.oauth.replace_token(connection.org, connection.id, token).await.is_ok()
            }
            Credential::Token(_) | Credential::Aws(_) => self.kept.reject(key, minted),
        }
    }

    async fn oauth_token(&self, usable: &UsableConnection, used: &Used) -> Result<Arc<Minted>, Refusal> {
        let Connection { org, id, .. } = usable.connection;
        let token = self.oauth.access_token(org, id).await.map_err(|error| {
            tracing::debug!(error = claviger_model::chain(&error), "an OAuth connection has no good token");
            of_access(&error)
        })?;
        let mut kept = used.of_oauth.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(minted) = kept.as_ref().filter(|minted| minted.token() == Some(token.reveal())) {
            return Ok(minted.clone());
        }
        let needles = needles(usable, [token.reveal()]);
        let minted = Arc::new(Minted { credential: Credential::OAuth(token), needles });
        *kept = Some(minted.clone());
        Ok(minted)
    }
}

impl Minted {
    /// The token, if it is one.
    pub(crate) fn token(&self) -> Option<&str> {
        match &self.credential {
            Credential::Token(token) => Some(token.reveal()),
            Credential::OAuth(token) => Some(token.reveal()),
            Credential::Aws(_) => None,
        }
    }
}

fn of_access(error: &AccessError) -> Refusal {
    match error {
        AccessError::Absent => Refusal::ConnectionAbsent,
        _ => Refusal::Exchange("oauth_token_lost"),
    }
}

pub(crate) fn refusal(error: &ExchangeError) -> Refusal {
    Refusal::Exchange(match error {
        ExchangeError::Refused { .. } => "exchange_refused",
        ExchangeError::Limited { .. } => "exchange_limited",
        ExchangeError::Failed { .. } => "exchange_failed",
        ExchangeError::Garbage(_) | ExchangeError::Unreachable(SendError::TooLarge) => "exchange_garbage",
        ExchangeError::Unreachable(_) => "exchange_unreachable",
        ExchangeError::Unusable(_) => "exchange_unusable",
        ExchangeError::Operator { .. } => "exchange_operator",
        ExchangeError::Busy => "exchange_busy",
    })
}

const MISSING: ExchangeError =
    ExchangeError::Unusable("the connection lacks a setting that the exchange needs");

fn no_principal() -> ExchangeError {
    ExchangeError::Operator { code: "not_configured".to_owned() }
}

/// Where a connection's exchange goes.
///
/// # Errors
/// Where it can go nowhere.
pub(crate) fn target(
    engine: &Engine,
    usable: &UsableConnection,
    exchange: Exchange,
) -> Result<Target, ExchangeError> {
    let UsableSettings::Catalogued(settings) = &usable.settings else { return Err(MISSING) };
    let region = match exchange {
        Exchange::AwsAssumeRole => &*engine.aws_principal().ok_or_else(no_principal)?.region,
        Exchange::AzureClientCredentials | Exchange::GcpJwtBearer => "",
    };
    url(exchange, settings, region)
}

async fn mint(
    engine: &Engine,
    http: &Client,
    usable: &UsableConnection,
    exchange: Exchange,
    scope: Option<&str>,
) -> Result<Fresh<Minted>, ExchangeError> {
    let http = &http.for_org(usable.connection.org);
    let UsableSettings::Catalogued(settings) = &usable.settings else { return Err(MISSING) };
    let value = |name: &str| value_of(usable, settings, name).ok_or(MISSING);
    let now = engine.clock().now();
    match exchange {
        Exchange::AwsAssumeRole => {
            let own = engine.aws_principal().ok_or_else(no_principal)?;
            let url = url(exchange, settings, &own.region)?;
            let credentials = Credentials {
                access_key_id: own.access_key_id.clone(),
                secret_access_key: SecretText::new(own.secret_access_key.reveal().to_owned()),
                session_token: None,
            };
            let (role_arn, session_name) = (
                aws::role_arn(value("account_id")?, value("role")?),
                aws::session_name(&usable.connection.id.to_string()),
            );
            let asked = AssumeRole {
                role_arn: &role_arn,
                session_name: &session_name,
                external_id: value("external_id")?,
            };
            let session = aws::assume_role(http, &url, &own.region, &credentials, &asked, now).await?;
            let own = &session.credentials;
            let token = own.session_token.as_ref().map(|token| token.reveal());
            let needles = needles(usable, token.into_iter().chain([own.secret_access_key.reveal()]));
            let credential = Credential::Aws(session.credentials);
            Ok(Fresh { value: Minted { credential, needles }, expires_at: session.expires_at })
        }
        Exchange::AzureClientCredentials => {
            let application = OAuthClient {
                token_url: url(exchange, settings, "")?,
                client_id: value("app_client_id")?.to_owned(),
                client_secret: SecretText::new(value("client_secret")?.to_owned()),
            };
            let token = azure::ask(http, &application, scope.ok_or(MISSING)?, now).await?;
            Ok(fresh(usable, token))
        }
        Exchange::GcpJwtBearer => {
            let private_key = SecretText::new(value("private_key")?.to_owned());
            let account =
                ServiceAccount { email: value("service_account_email")?, private_key: &private_key };
            let url = url(exchange, settings, "")?;
            let token = gcp::ask(http, &url, &account, gcp::DEFAULT_SCOPE, now).await?;
            Ok(fresh(usable, token))
        }
    }
}

fn fresh(usable: &UsableConnection, token: claviger_exchange::Token) -> Fresh<Minted> {
    let needles = needles(usable, [token.value.reveal()]);
    Fresh {
        value: Minted { credential: Credential::Token(token.value), needles },
        expires_at: token.expires_at,
    }
}

fn needles<'s>(usable: &'s UsableConnection, minted: impl IntoIterator<Item = &'s str>) -> Needles {
    Needles::new(&searched_for(usable, None, minted))
}

fn url(exchange: Exchange, settings: &Settings, region: &str) -> Result<Target, ExchangeError> {
    let url = exchange.url(settings, region).and_then(|url| url.parse().ok());
    url.ok_or(ExchangeError::Unusable(
        "the exchange has no URL: a setting of the connection does not fit any more",
    ))
}
