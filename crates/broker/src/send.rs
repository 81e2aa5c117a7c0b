//! The exchange with the third party: over a connection that is open already, or a new one.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use claviger_egress::ConnectError;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::time::Instant;

use crate::broker::Broker;
use crate::link::Link;
use crate::outbody::{OutBody, Sent};
use crate::pool::Slot;
use crate::refusal::Refusal;
use crate::right::{PERIOD, Right};

/// A kept connection that ends within so long of a request was closed as it went out. If it ends later, the third party had
/// the request, and may have done what it asks for.
const STALE_MAX: Duration = Duration::from_secs(1);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// For good.
    Refused(Refusal),
    /// The third party closed a connection that was kept, just when it was used again: see [`crate::retry`].
    Stale,
    /// Not a byte of the request went out: to connect failed, or what comes before.
    Unsent(Refusal),
    /// The third party ended the connection before it answered.
    Broken,
}

impl From<Unanswered> for Refusal {
    fn from(why: Unanswered) -> Self {
        match why {
            Unanswered::Refused(refusal) | Unanswered::Unsent(refusal) => refusal,
            Unanswered::Stale | Unanswered::Broken => Self::UpstreamBroken,
        }
    }
}

impl From<Refusal> for Unanswered {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A way to one target for one org.
pub(crate) struct Way<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) slot: &'a Arc<Slot>,
    /// How long the third party may take to begin its answer.
    pub(crate) patience: Duration,
    /// How far the request's body has got: whose upload goes on is waited for.
    pub(crate) sent: &'a Sent,
}

impl Way<'_> {
    /// Sends a request, and returns the answer once it begins, with the connection that it comes over.
    ///
    /// # Errors
    /// When there is none, or the call's right ended meanwhile.
    pub(crate) async fn send(
        &self,
        mut request: Request<OutBody>,
        right: &mut Right,
        over: Over,
    ) -> Result<(Response<Incoming>, Link), Unanswered> {
        let mut waiting = Waiting { since: Instant::now(), sent: self.sent.bytes() };
        loop {
            let kept = match over {
                Over::AnyLink => self.slot.take(),
                Over::NewLink => None,
            };
            let (mut link, is_fresh) = match kept {
                Some(link) => (link, false),
                // Apart, since it is large and seldom: all of a call's way is one value, made and moved for each call.
                None => (Box::pin(self.link(right, &mut waiting)).await?, true),
            };
            let handed = Instant::now();
            let mut error = match self.exchange(&mut link, request, right, &mut waiting).await? {
                Ok(response) => {
                    // Whoever reads the answer slowly must not hold up what is still to be sent.
                    if !self.sent.is_over() || !link.has_written() {
                        link.work_apart();
                    }
                    return Ok((response, link));
                }
                Err(error) => error,
            };
            match error.take_message() {
                // The third party can give no answer to it.
                None if self.sent.is_broken() => return Err(Refusal::BODY_BROKEN.into()),
                // Not a byte went out.
                Some(unsent) if !is_fresh => request = unsent,
                Some(_) => return Err(Unanswered::Unsent(broken(error.error()))),
                None if !is_closed(error.error()) => return Err(broken(error.error()).into()),
                None if is_fresh || handed.elapsed() >= STALE_MAX => {
                    broken(error.error());
                    return Err(Unanswered::Broken);
                }
                None => return Err(Unanswered::Stale),
            }
        }
    }

    /// One exchange, as long as the call may wait for it.
    async fn exchange(
        &self,
        link: &mut Link,
        request: Request<OutBody>,
        right: &mut Right,
        waiting: &mut Waiting,
    ) -> Result<Result<Response<Incoming>, TrySendError<Request<OutBody>>>, Unanswered> {
        let mut answer = pin!(link.send(request));
        loop {
            match poll_fn(|context| link.poll_answer(context, answer.as_mut())).await {
                Some(outcome) => return Ok(outcome),
                None => Box::pin(self.check_waiting(right, waiting)).await?,
            }
        }
    }

    /// A new connection.
    async fn link(&self, right: &mut Right, waiting: &mut Waiting) -> Result<Link, Unanswered> {
        let mut connecting = pin!(self.connect());
        loop {
            match tokio::time::timeout(PERIOD, &mut connecting).await {
                Ok(link) => return link,
                Err(_) => self.check_waiting(right, waiting).await?,
            }
        }
    }

    /// To be asked every [`PERIOD`].
    async fn check_waiting(&self, right: &mut Right, waiting: &mut Waiting) -> Result<(), Unanswered> {
        Box::pin(right.check()).await?;
        let sent = self.sent.bytes();
        if waiting.sent != sent {
            *waiting = Waiting { since: Instant::now(), sent };
        }
        match waiting.since.elapsed() >= self.patience {
            true if self.sent.is_awaited() => Err(Refusal::BodyTimeout.into()),
            true => Err(Refusal::UpstreamTimeout.into()),
            false => Ok(()),
        }
    }

    async fn connect(&self) -> Result<Link, Unanswered> {
        let policy = self.broker.policy(self.slot.reach());
        let egress = self.broker.egress.for_org(self.slot.org());
        let connected = egress.connect(self.slot.origin(), &policy).await;
        let stream = connected.map_err(|error| match error {
            ConnectError::Refused(_) | ConnectError::Target(_) => Unanswered::Refused(error.into()),
            // It may be possible in a moment.
            error => Unanswered::Unsent(error.into()),
        })?;
        Link::over(stream).await.map_err(|error| Unanswered::Unsent(broken(&error)))
    }
}

/// For how long nothing happened.
struct Waiting {
    since: Instant,
    /// How much of the request's body was out then.
    sent: u64,
}

/// Whether a connection ended without a byte of an answer.
fn is_closed(error: &hyper::Error) -> bool {
    error.is_incomplete_message() || error.is_closed() || error.is_canceled() || is_reset(error)
}

fn is_reset(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    let kind = source.map(std::io::Error::kind);
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    // The last: TLS that nobody said the end of.
    matches!(kind, Some(ConnectionReset | BrokenPipe | UnexpectedEof))
}

/// Over which connection a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// One that is open already, if there is one.
    AnyLink,
    /// A new one.
    NewLink,
}

fn broken(error: &hyper::Error) -> Refusal {
    tracing::debug!(error = claviger_model::chain(error), "an exchange with a third party broke off");
    Refusal::UpstreamBroken
}
