//! Testing a connection: makes the call that its terms name, or else the catalog, to prove its credential, and judges the
//! answer. What needs no call is proved by [`crate::prove`].
//!
//! What the terms name takes the catalog's place: whoever owns the credential knows what it is for. One that may do little
//! is `limited` by the catalog's call, and the connection's own rules may refuse that.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body};
use claviger_catalog::{Exchange, Probe, SecretName, ZisType};
use claviger_engine::{
    Error as EngineError, Permit, Proof, UsableConnection, UsableSettings, UseKey, rights,
};
use claviger_model::{CallProbe, ConnectionId, Health, Origin, Scheme};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::Instant;

use crate::broker::Broker;
use crate::by::By;
use crate::headers::name_us;
use crate::inside::Inside;
use crate::refusal::Refusal;

/// How much of an answer is looked at. Those that are checked are of a few hundred bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long it may take to come, once it has begun.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What a test said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// Whether the third party takes the credential.
    pub health: Health,
    /// Why that is so, as a stable code: `accepted`, `refused`, `not_allowed`, `unexpected_status`, `unexpected_answer`,
    /// `no_probe`; of an OAuth connection `token_held`, `grant_refused`, `tokens_lost`, `token_over`,
    /// `token_not_renewed`; or the code of the broker's own refusal, those of exchanges among them.
    pub reason: &'static str,
    /// The provider's own code, where one refused.
    pub detail: Option<String>,
    /// What the third party answered, where it was asked.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// How many of the connection's secrets are too short to be found in answers.
    pub unsearched_secrets: usize,
}

/// A judgement.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) health: Health,
    pub(crate) reason: &'static str,
    /// The status that it is of.
    pub(crate) status: Option<u16>,
    pub(crate) detail: Option<String>,
}

impl Judged {
    pub(crate) const ACCEPTED: Self = Self::new(Health::Ok, "accepted");
    pub(crate) const NO_PROBE: Self = Self::new(Health::Unknown, "no_probe");

    pub(crate) const fn new(health: Health, reason: &'static str) -> Self {
        Self { health, reason, status: None, detail: None }
    }

    /// The reason as it is kept: that of a refused grant as the refusal itself left it, so that the same takes it back.
    fn kept(&self) -> Cow<'static, str> {
        match (self.reason, &self.detail) {
            ("grant_refused", Some(code)) => Cow::Owned(format!("oauth: {code}")),
            (reason, _) => Cow::Borrowed(reason),
        }
    }
}

/// What proves a credential.
enum Proving<'p> {
    /// The call that the connection's terms name.
    Named(&'p CallProbe),
    /// The call that the catalog knows.
    Call(&'p Probe),
    /// The exchange that comes before calls.
    Exchange(Exchange),
    /// That there is a token.
    Token,
}

impl Broker {
    /// Tests a connection, and keeps what comes of it. Where there is nothing that would prove the credential, nobody is
    /// asked, and nothing kept. Once `proof` is no longer good, the test ends.
    ///
    /// # Errors
    /// Where the caller may not use the connection, or no call can be made or recorded at present.
    pub async fn probe(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        proof: Proof,
        id: ConnectionId,
    ) -> Result<Tested, EngineError> {
        let usable = self.app.engine().usable_connection(permit, UseKey::Id(id)).await?;
        let needles = self.used(&usable).needles.as_ref();
        // Behind the secrets stand what is made of them.
        let is_secret = |place: &&usize| **place < usable.secrets.len();
        let unsearched_secrets =
            needles.map_or(0, |needles| needles.unsearched().iter().filter(is_secret).count());
        let began = Instant::now();
        let mut tested = usable.clone();
        let judged = match self.judge(By::caller(permit.caller(), proof), &mut tested).await? {
            Some(judged) => {
                self.keep(&tested, &judged).await?;
                judged
            }
            None => Judged::NO_PROBE,
        };
        let Judged { health, reason, status, detail } = judged;
        Ok(Tested { health, reason, detail, status, duration: began.elapsed(), unsearched_secrets })
    }

    /// Tests a connection; none where nothing would prove its credential. To come by a token is to change the connection:
    /// `usable` is then the one that has it, of which the judgement is.
    pub(crate) async fn judge(
        &self,
        by: By,
        usable: &mut Arc<UsableConnection>,
    ) -> Result<Option<Judged>, EngineError> {
        let given = usable.clone();
        Ok(match self.proving(&given) {
            None => None,
            Some(Proving::Named(probe)) => {
                // Why there is no token is told better by what asks for nothing else.
                if given.is_of_oauth() {
                    let judged = self.prove_by_token(&by, usable).await?;
                    if judged.health != Health::Ok {
                        return Ok(Some(judged));
                    }
                }
                Some(self.ask_as_named(by, usable, probe).await?)
            }
            Some(Proving::Call(probe)) => Some(self.ask_as_catalogued(by, usable, probe).await?),
            Some(Proving::Exchange(exchange)) => Some(self.prove_by_exchange(by, usable, exchange).await?),
            Some(Proving::Token) => Some(self.prove_by_token(&by, usable).await?),
        })
    }

    /// Keeps what was said of a connection as it was when it was tested.
    pub(crate) async fn keep(&self, tested: &UsableConnection, judged: &Judged) -> Result<(), EngineError> {
        self.app.engine().record_health(&tested.connection, judged.health, &judged.kept()).await
    }

    fn proving<'a>(&'a self, usable: &'a UsableConnection) -> Option<Proving<'a>> {
        if let Some(probe) = &usable.connection.terms.probe {
            return Some(Proving::Named(probe));
        }
        let settings = match &usable.settings {
            UsableSettings::Catalogued(settings) => settings,
            UsableSettings::Zis(ZisType::OAuth, _) => return Some(Proving::Token),
            UsableSettings::Zis(..) => return None,
        };
        let secret = |name: &str| usable.secrets.get(&SecretName::field(name)).map(|secret| secret.reveal());
        let entry = self.app.engine().catalog().connection(settings).ok()?;
        // A call proves more than the exchange that it needs.
        let exchange = || entry.credential().exchange().map(Proving::Exchange);
        entry.probe(secret).map(Proving::Call).or_else(exchange)
    }

    async fn ask_as_catalogued(
        &self,
        by: By,
        usable: &Arc<UsableConnection>,
        probe: &Probe,
    ) -> Result<Judged, EngineError> {
        match self.ask(by, usable, &probe.method, None, &probe.path).await {
            Ok(answer) => Ok(judge(probe, answer).await),
            Err(refusal) => of_refusal(&refusal),
        }
    }

    async fn ask_as_named(
        &self,
        by: By,
        usable: &Arc<UsableConnection>,
        probe: &CallProbe,
    ) -> Result<Judged, EngineError> {
        let origin = probe.host.clone().map(|host| Origin::new(Scheme::Https, host));
        let asked = self.ask(by, usable, probe.method.as_str(), origin.as_ref(), probe.path.as_str());
        match asked.await {
            Ok(answer) => Ok(judge_status(answer.status())),
            Err(refusal) => of_refusal(&refusal),
        }
    }

    async fn ask(
        &self,
        by: By,
        usable: &Arc<UsableConnection>,
        method: &str,
        origin: Option<&Origin>,
        path: &str,
    ) -> Result<Response<Body>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        name_us(&mut headers);
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| Refusal::Internal)?;
        self.call_inside(by, usable, Inside { method, origin, path, headers }).await
    }
}

/// By its status alone: what else a third party says, nobody told us how to read. To be told to come later is to be told
/// nothing of the credential.
fn judge_status(status: StatusCode) -> Judged {
    let (health, reason) = match status {
        status if status.is_success() => (Health::Ok, "accepted"),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (Health::Bad, "refused"),
        _ => (Health::Unknown, "unexpected_status"),
    };
    Judged { status: Some(status.as_u16()), ..Judged::new(health, reason) }
}

async fn judge(probe: &Probe, answer: Response<Body>) -> Judged {
    let status = answer.status().as_u16();
    let (health, reason) = if probe.ok.contains(&status) {
        match &probe.check {
            None => (Health::Ok, "accepted"),
            Some((pointer, wanted)) => match read(answer.into_body()).await {
                Some(body) if body.pointer(pointer) == Some(wanted) => (Health::Ok, "accepted"),
                Some(_) => (Health::Bad, "refused"),
                None => (Health::Unknown, "unexpected_answer"),
            },
        }
    } else if probe.bad.contains(&status) {
        (Health::Bad, "refused")
    } else if probe.limited.contains(&status) {
        (Health::Limited, "not_allowed")
    } else {
        (Health::Unknown, "unexpected_status")
    };
    Judged { status: Some(status), ..Judged::new(health, reason) }
}

/// A body that is JSON, short enough, and comes in time.
async fn read(body: Body) -> Option<Value> {
    let read = tokio::time::timeout(BODY_PATIENCE, body::to_bytes(body, BODY_BYTES_MAX)).await;
    serde_json::from_slice(&read.ok()?.ok()?).ok()
}

/// What a call that was not made, or not answered, says of the connection; an error where it says nothing of it.
fn of_refusal(refusal: &Refusal) -> Result<Judged, EngineError> {
    match refusal {
        Refusal::Busy
        | Refusal::OrgBusy
        | Refusal::ServerBusy
        | Refusal::LookupBusy
        | Refusal::Ended
        | Refusal::Changed
        | Refusal::RightUnknown
        | Refusal::Unrecorded
        | Refusal::Unavailable => Err(EngineError::Unavailable(None)),
        Refusal::Internal => Err(EngineError::Internal("a connection could not be tested".into())),
        Refusal::Exchange(code @ ("exchange_refused" | "exchange_unusable")) => {
            Ok(Judged::new(Health::Bad, code))
        }
        refusal => Ok(Judged::new(Health::Unknown, refusal.code())),
    }
}
