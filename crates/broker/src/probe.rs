//! Testing a connection: makes the call that the catalog knows to prove its credential, and judges the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{self, Body};
use claviger_catalog::{Probe, SecretName};
use claviger_engine::{Error as EngineError, Permit, UsableConnection, UsableSettings, UseKey, rights};
use claviger_model::{ConnectionId, Health};
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Response};
use serde_json::Value;
use tokio::time::Instant;

use crate::broker::Broker;
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
    /// `no_probe`, or the code of the broker's own refusal.
    pub reason: &'static str,
    /// What the third party answered, where it was asked.
    pub status: Option<u16>,
    /// How long it took.
    pub duration: Duration,
    /// How many of the connection's secrets are too short to be found in answers.
    pub unsearched_secrets: usize,
}

/// A judgement, and the status that it is of.
type Judged = (Health, &'static str, Option<u16>);

impl Broker {
    /// Tests a connection, and keeps what comes of it. Where there is no call that would prove the credential, nothing is
    /// asked, and nothing kept.
    ///
    /// # Errors
    /// Where the caller may not use the connection, or no call can be made or recorded at present.
    pub async fn probe(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        id: ConnectionId,
    ) -> Result<Tested, EngineError> {
        let engine = self.app.engine();
        let usable = engine.usable_connection(permit, UseKey::Id(id)).await?;
        let needles = self.used(&usable).needles.as_ref();
        // Behind the secrets stand what is made of them.
        let is_secret = |place: &&usize| **place < usable.secrets.len();
        let unsearched_secrets =
            needles.map_or(0, |needles| needles.unsearched().iter().filter(is_secret).count());
        let began = Instant::now();
        let judged = match self.probe_of(&usable) {
            Some(probe) => {
                let judged = self.ask(permit, &usable, probe).await?;
                engine.record_health(&usable.connection, judged.0, judged.1).await?;
                judged
            }
            None => (Health::Unknown, "no_probe", None),
        };
        let (health, reason, status) = judged;
        Ok(Tested { health, reason, status, duration: began.elapsed(), unsearched_secrets })
    }

    fn probe_of<'a>(&'a self, usable: &'a UsableConnection) -> Option<&'a Probe> {
        let UsableSettings::Catalogued(settings) = &usable.settings else { return None };
        let secret = |name: &str| usable.secrets.get(&SecretName::field(name)).map(|secret| secret.reveal());
        let entry = self.app.engine().catalog().connection(settings).ok()?;
        entry.probe(secret)
    }

    async fn ask(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        usable: &Arc<UsableConnection>,
        probe: &Probe,
    ) -> Result<Judged, EngineError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Some third parties answer nobody who does not say what it is.
        headers.insert(USER_AGENT, HeaderValue::from_static("claviger"));
        let method = Method::from_bytes(probe.method.as_bytes())
            .map_err(|error| EngineError::Internal(Box::new(error)))?;
        let call = Inside { method, path: &probe.path, headers };
        match self.call_inside(permit.caller(), usable, call).await {
            Ok(answer) => Ok(judge(probe, answer).await),
            Err(refusal) => of_refusal(&refusal),
        }
    }
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
    (health, reason, Some(status))
}

/// A body that is JSON, short enough, and comes in time.
async fn read(body: Body) -> Option<Value> {
    let read = tokio::time::timeout(BODY_PATIENCE, body::to_bytes(body, BODY_BYTES_MAX)).await;
    serde_json::from_slice(&read.ok()?.ok()?).ok()
}

/// What a call that was not made, or not answered, says of the connection; an error where it says nothing of it.
fn of_refusal(refusal: &Refusal) -> Result<Judged, EngineError> {
    match refusal {
        Refusal::Busy | Refusal::Ended | Refusal::Unrecorded | Refusal::Unavailable => {
            Err(EngineError::Unavailable(None))
        }
        Refusal::Internal => Err(EngineError::Internal("a connection could not be tested".into())),
        Refusal::Exchange(code @ "exchange_refused") => Ok((Health::Bad, code, None)),
        refusal => Ok((Health::Unknown, refusal.code(), None)),
    }
}
