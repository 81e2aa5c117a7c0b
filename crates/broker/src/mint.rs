//! Tokens of short life, for which a connection's secret is exchanged: at AWS's STS, at Entra, at Google.
//!
//! Kept until shortly before they end, one exchange at a time for each connection, revision and scope, and dropped when a
//! third party refuses one. The exchange goes out like everything else: over the address guard, to the place that the
//! catalog names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_catalog::{Destination, Exchange, SecretText, Settings};
use claviger_egress::{Egress, Policy, Target};
use claviger_engine::{Engine, UsableConnection, UsableSettings};
use claviger_exchange::aws::{self, AssumeRole, Credentials};
use claviger_exchange::cache::{Cache, Fresh};
use claviger_exchange::gcp::{self, ServiceAccount};
use claviger_exchange::oauth::OAuthClient;
use claviger_exchange::{ExchangeError, azure};
use claviger_http::App;
use claviger_model::{Clock, Connection, ConnectionId, Timestamp};
use claviger_oauth::{AccessError, AccessToken, OAuth};
use claviger_outbound::Client;
use claviger_redact::Needles;

use crate::prepared::{Source, value_of};
use crate::refusal::Refusal;

/// What a token depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
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
    Aws(Credentials),
}

/// The tokens of all connections.
pub(crate) struct Mint {
    app: App,
    http: Client,
    kept: Cache<Key, Minted>,
    oauth: OAuth,
    /// The tokens of OAuth connections that were used last, so that what they are searched by is made once.
    of_oauth: Mutex<HashMap<ConnectionId, Known>>,
}

/// What is known of an OAuth connection's token.
struct Known {
    token: AccessToken,
    /// The connection's, whose secrets are searched for beside the token.
    revision: i64,
    minted: Arc<Minted>,
}

/// So many OAuth connections are kept in mind; beyond, what they are searched by is made anew.
const KNOWN_MAX: usize = 4096;

struct EngineClock(App);

impl Clock for EngineClock {
    fn now(&self) -> Timestamp {
        self.0.engine().clock().now()
    }
}

impl Mint {
    pub(crate) fn new(app: App, egress: Egress, oauth: OAuth) -> Self {
        let kept = Cache::new(Arc::new(EngineClock(app.clone())));
        let http = claviger_exchange::client(egress, Policy::public());
        Self { http, app, kept, oauth, of_oauth: Mutex::default() }
    }

    /// The token of a connection for a destination, and what it is kept under.
    ///
    /// # Errors
    /// [`Refusal::Exchange`].
    pub(crate) async fn token(
        &self,
        usable: &Arc<UsableConnection>,
        source: Source,
        destination: &Destination,
    ) -> Result<(Key, Arc<Minted>), Refusal> {
        let connection = &usable.connection;
        let exchange = match source {
            Source::Exchange(exchange) => exchange,
            Source::OAuth => {
                let key = Key { connection: connection.id, revision: 0, scope: None };
                return Ok((key, self.oauth_token(usable).await?));
            }
        };
        let scope = destination.scope.clone();
        let key = Key { connection: connection.id, revision: connection.revision, scope: scope.clone() };
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

    /// A third party refused a token. Whether it is worth trying once more.
    pub(crate) async fn reject(&self, key: &Key, minted: &Arc<Minted>, source: Source) -> bool {
        match source {
            Source::Exchange(_) => self.kept.reject(key, minted),
            Source::OAuth => self.replace_oauth(key.connection, minted).await,
        }
    }

    async fn oauth_token(&self, usable: &UsableConnection) -> Result<Arc<Minted>, Refusal> {
        let Connection { org, id, revision, .. } = usable.connection;
        let token = self.oauth.access_token(org, id).await.map_err(|error| {
            tracing::debug!(error = claviger_model::chain(&error), "an OAuth connection has no good token");
            of_access(&error)
        })?;
        let mut known = self.known();
        let is_it = |it: &&Known| it.token.reveal() == token.reveal() && it.revision == revision;
        if let Some(known) = known.get(&id).filter(is_it) {
            return Ok(known.minted.clone());
        }
        let needles = needles(usable, [Some(token.reveal()), None]);
        let credential = Credential::Token(SecretText::new(token.reveal().to_owned()));
        let minted = Arc::new(Minted { credential, needles });
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(id, Known { token, revision, minted: minted.clone() });
        Ok(minted)
    }

    /// Has an OAuth connection's token replaced that was refused, once for all who were refused with it.
    async fn replace_oauth(&self, id: ConnectionId, refused: &Arc<Minted>) -> bool {
        let token = match self.known().get(&id) {
            Some(known) if Arc::ptr_eq(&known.minted, refused) => known.token.clone(),
            // Another call had it replaced.
            Some(_) => return true,
            None => return false,
        };
        match self.app.engine().org_of_connection(id).await {
            Ok(Some(org)) => self.oauth.replace_token(org, id, &token).await.is_ok(),
            Ok(None) | Err(_) => false,
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ConnectionId, Known>> {
        self.of_oauth.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_access(error: &AccessError) -> Refusal {
    match error {
        AccessError::Absent => Refusal::ConnectionAbsent,
        _ => Refusal::Exchange("oauth_token_lost"),
    }
}

fn refusal(error: &ExchangeError) -> Refusal {
    Refusal::Exchange(match error {
        ExchangeError::Refused { .. } => "exchange_refused",
        ExchangeError::Limited { .. } => "exchange_limited",
        ExchangeError::Failed { .. } => "exchange_failed",
        ExchangeError::Unreachable(_) => "exchange_unreachable",
        ExchangeError::Garbage(_) => "exchange_garbage",
        ExchangeError::Unusable(_) => "exchange_unusable",
        ExchangeError::Operator { .. } => "exchange_operator",
        ExchangeError::Busy => "exchange_busy",
    })
}

async fn mint(
    engine: &Engine,
    http: &Client,
    usable: &UsableConnection,
    exchange: Exchange,
    scope: Option<&str>,
) -> Result<Fresh<Minted>, ExchangeError> {
    const MISSING: ExchangeError =
        ExchangeError::Unusable("the connection lacks a setting that the exchange needs");
    let UsableSettings::Catalogued(settings) = &usable.settings else { return Err(MISSING) };
    let value = |name: &str| value_of(usable, settings, name).ok_or(MISSING);
    let now = engine.clock().now();
    match exchange {
        Exchange::AwsAssumeRole => {
            let operator = ExchangeError::Operator { code: "not_configured".to_owned() };
            let own = engine.aws_principal().ok_or(operator)?;
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
            let needles = needles(usable, [Some(own.secret_access_key.reveal()), token]);
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
    let needles = needles(usable, [Some(token.value.reveal()), None]);
    Fresh {
        value: Minted { credential: Credential::Token(token.value), needles },
        expires_at: token.expires_at,
    }
}

fn needles(usable: &UsableConnection, minted: [Option<&str>; 2]) -> Needles {
    let kept = usable.secrets.values().map(|secret| secret.reveal().as_bytes());
    let all: Vec<&[u8]> = kept.chain(minted.into_iter().flatten().map(str::as_bytes)).collect();
    Needles::new(&all)
}

fn url(exchange: Exchange, settings: &Settings, region: &str) -> Result<Target, ExchangeError> {
    let url = exchange.url(settings, region).and_then(|url| url.parse().ok());
    url.ok_or(ExchangeError::Unusable(
        "the exchange has no URL: a setting of the connection does not fit any more",
    ))
}
