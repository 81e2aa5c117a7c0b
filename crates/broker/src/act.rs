//! A call that is asked for in one piece, and answered in one: an HTTP action.
//!
//! From the connection on it goes the door's own way; its body is in memory, and its answer is read to the end.

use std::time::Duration;

use bytes::Bytes;
use claviger_engine::{Permit, Proof, UseKey, rights};
use claviger_model::OrgId;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::Address;
use crate::answer::{Answer, Broken};
use crate::broker::Broker;
use crate::by::By;
use crate::credentials::Found;
use crate::door::{Who, check_form};
use crate::headers::name_us;
use crate::inbody::{InBody, WHOLE_BYTES_MAX};
use crate::memory::{Held, SMALL_BYTES_MAX};
use crate::place::Place;
use crate::refusal::Refusal;
use crate::retry::RETRIES;
use crate::right::{Holds, PERIOD};

/// The longest answer: as much as a request may bring. What is longer goes through the door, which keeps none of it.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What is to be called.
pub struct Action<'a> {
    /// Through which connection.
    pub connection: UseKey<'a>,
    /// How.
    pub method: Method,
    /// Where.
    pub place: Place,
    /// The caller's headers. Of these goes on what would at the door.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// The memory that it takes, where it is not small ([`Broker::hold`]).
    pub held: Option<Held>,
    /// How often it may be made again; none for as often as the connection's terms say. More than
    /// [`RETRIES_MAX`](claviger_model::RETRIES_MAX) are refused.
    pub retries: Option<u8>,
}

/// What came of it.
pub struct Acted {
    /// The third party's status.
    pub status: StatusCode,
    /// The third party's headers, masked, but for those that go no further.
    pub headers: HeaderMap,
    /// Its body, masked.
    pub body: Bytes,
    /// The memory that it takes, where it is not small: to be kept as long as the body is.
    pub held: Option<Held>,
    /// How often it was made.
    pub attempts: u8,
    /// How long it took until the answer began.
    pub until_answer: Duration,
    /// How long all of it took.
    pub total: Duration,
}

impl Broker {
    /// Takes the memory for a body that is read whole and is at most so long: twice that, since what is read of it is taken
    /// out of it. Whoever needs no more gives the rest back. None is taken for one that is small.
    ///
    /// # Errors
    /// [`Refusal::OrgBusy`], [`Refusal::ServerBusy`]: it is not there.
    pub fn hold(&self, org: OrgId, longest: Option<u64>) -> Result<Option<Held>, Refusal> {
        let longest = longest.and_then(|longest| longest.try_into().ok()).unwrap_or(WHOLE_BYTES_MAX);
        if longest <= SMALL_BYTES_MAX {
            return Ok(None);
        }
        let held = self.bodies.try_take(org, 2 * longest.min(WHOLE_BYTES_MAX)).map(Some);
        held.inspect_err(|refusal| self.app.metrics().count_brokered(refusal.code()))
    }

    /// Makes a call through a connection, and reads its answer. `proof` is what the caller proved itself by: once that is
    /// no longer good, the call ends.
    ///
    /// # Errors
    /// As at the door, where what the answer would break off for is an error here; and [`Refusal::AnswerTooLarge`].
    pub async fn act(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        proof: Proof,
        action: Action<'_>,
    ) -> Result<Acted, Refusal> {
        let began = Instant::now();
        let begun = self.begin(permit, proof, action).await;
        let (answer, patience) =
            begun.inspect_err(|refusal| self.app.metrics().count_brokered(refusal.code()))?;
        let until_answer = began.elapsed();
        let (head, answer) = answer.into_parts();
        let attempts = answer.attempts();
        let (body, held) = self.read(answer, permit.caller().org(), patience).await?;
        let total = began.elapsed();
        let (status, headers) = (head.status, head.headers);
        Ok(Acted { status, headers, body, held, attempts, until_answer, total })
    }

    async fn begin(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        proof: Proof,
        action: Action<'_>,
    ) -> Result<(Response<Answer>, Duration), Refusal> {
        let Action { connection, method, place, mut headers, body, held: _held, retries } = action;
        // Where a call goes is said by its place alone, and nothing else is asked for in headers.
        let ours: Vec<_> =
            headers.keys().filter(|name| name.as_str().starts_with("claviger-")).cloned().collect();
        for name in ours {
            headers.remove(name);
        }
        if let Some(retries) = retries {
            headers.insert(RETRIES, HeaderValue::from(u16::from(retries)));
        }
        name_us(&mut headers);
        let (mut parts, ()) = Request::new(()).into_parts();
        (parts.method, parts.headers) = (method, headers);
        check_form(&parts)?;
        let address =
            Address { origin: place.origin(), ..Address::of(connection, place.path(), place.query())? };
        let (usable, admitted) = self.usable(permit, connection).await?;
        let who = Who { by: By::caller(permit.caller(), proof), found: Found::usual() };
        let answer =
            self.pass(&parts, &mut Some(InBody::Here(body)), &address, who, &usable, admitted).await?;
        Ok((answer, self.used(&usable).patience))
    }

    /// All of an answer, if it is short enough and comes in as long a time as it may take to begin; and the memory that it
    /// takes.
    async fn read(
        &self,
        mut answer: Answer,
        org: OrgId,
        patience: Duration,
    ) -> Result<(Bytes, Option<Held>), Refusal> {
        let deadline = Instant::now() + patience;
        let (mut read, mut held) = (Vec::new(), None);
        loop {
            let Ok(frame) = timeout_at(deadline, answer.frame()).await else {
                return Err(answer.give_up(Refusal::UpstreamTimeout));
            };
            match frame {
                None => {
                    read.shrink_to_fit();
                    if let Some(held) = &mut held {
                        Held::keep(held, read.len());
                    }
                    return Ok((read.into(), held));
                }
                Some(Err(Broken::Upstream(_))) => return Err(Refusal::UpstreamBroken),
                Some(Err(Broken::Silence | Broken::Unread)) => return Err(Refusal::UpstreamTimeout),
                Some(Err(Broken::Ended)) => return Err(Refusal::Ended),
                Some(Err(Broken::Unknown)) => return Err(Refusal::RightUnknown),
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    let length = read.len() + data.len();
                    if length > ANSWER_BYTES_MAX {
                        return Err(answer.give_up(Refusal::AnswerTooLarge));
                    }
                    if length > SMALL_BYTES_MAX && held.is_none() {
                        match self.room_for(&mut answer, org, deadline).await {
                            Ok(taken) => held = Some(taken),
                            Err(refusal) => return Err(answer.give_up(refusal)),
                        }
                        // All that was taken, and no more by growing.
                        read.reserve_exact(ANSWER_BYTES_MAX - read.len());
                    }
                    read.extend_from_slice(&data);
                }
            }
        }
    }

    /// Waits for the memory of the longest answer, as long as there is a right to it.
    async fn room_for(&self, answer: &mut Answer, org: OrgId, deadline: Instant) -> Result<Held, Refusal> {
        let mut taking = std::pin::pin!(self.answers.take(org, ANSWER_BYTES_MAX, deadline));
        loop {
            if let Ok(taken) = timeout(PERIOD, &mut taking).await {
                return taken;
            }
            match answer.holds().await {
                Holds::Yes => {}
                Holds::Ended => return Err(Refusal::Ended),
                Holds::Unknown => return Err(Refusal::RightUnknown),
            }
        }
    }
}
