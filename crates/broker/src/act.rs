//! A call that is asked for in one piece, and answered in one: an HTTP action.
//!
//! From the connection on it goes the door's own way; its body is in memory, and its answer is read to the end.

use std::time::Duration;

use bytes::Bytes;
use claviger_engine::{Permit, Proof, UseKey, rights};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::address::Address;
use crate::answer::{Answer, Broken};
use crate::broker::Broker;
use crate::by::By;
use crate::credentials::Found;
use crate::door::{Who, check_form};
use crate::headers::name_us;
use crate::inbody::InBody;
use crate::place::Place;
use crate::refusal::Refusal;
use crate::retry::RETRIES;

/// The longest answer: as much as a request may bring. It is in memory twice, since it is given back within JSON. What
/// is longer goes through the door, which keeps none of it.
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
    /// How often it was made.
    pub attempts: u8,
    /// How long it took until the answer began.
    pub until_answer: Duration,
    /// How long all of it took.
    pub total: Duration,
}

impl Broker {
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
        let answer = begun.inspect_err(|refusal| self.app.metrics().count_brokered(refusal.code()))?;
        let until_answer = began.elapsed();
        let (head, answer) = answer.into_parts();
        let attempts = answer.attempts();
        let body = self.read(answer).await?;
        let total = began.elapsed();
        Ok(Acted { status: head.status, headers: head.headers, body, attempts, until_answer, total })
    }

    async fn begin(
        &self,
        permit: &Permit<rights::ConnectionsResolve>,
        proof: Proof,
        action: Action<'_>,
    ) -> Result<Response<Answer>, Refusal> {
        let Action { connection, method, place, mut headers, body, retries } = action;
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
        let usable = self.usable(permit, connection).await?;
        let who = Who { by: By::caller(permit.caller(), proof), found: Found::usual() };
        self.pass(&parts, &mut Some(InBody::Here(body)), &address, who, &usable).await
    }

    /// All of an answer, if it is short enough and comes in as long a time as it may take to begin.
    async fn read(&self, mut answer: Answer) -> Result<Bytes, Refusal> {
        let deadline = Instant::now() + self.options.patience;
        let mut read = Vec::new();
        loop {
            let Ok(frame) = timeout_at(deadline, answer.frame()).await else {
                return Err(answer.give_up(Refusal::UpstreamTimeout));
            };
            match frame {
                None => return Ok(read.into()),
                Some(Err(Broken::Upstream(_))) => return Err(Refusal::UpstreamBroken),
                Some(Err(Broken::Silence)) => return Err(Refusal::UpstreamTimeout),
                Some(Err(Broken::Ended)) => return Err(Refusal::Ended),
                Some(Err(Broken::Unknown)) => return Err(Refusal::RightUnknown),
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    if read.len() + data.len() > ANSWER_BYTES_MAX {
                        return Err(answer.give_up(Refusal::AnswerTooLarge));
                    }
                    read.extend_from_slice(&data);
                }
            }
        }
    }
}
