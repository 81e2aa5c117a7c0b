//! An answer on its way back: what of its head goes on, and what its body takes along.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};

use crate::answer::{Answer, Coming};
use crate::broker::Broker;
use crate::faults::Guard;
use crate::headers;
use crate::link::Link;
use crate::pool::Slot;
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::refusal::Refusal;
use crate::right::Right;
use crate::room::Seat;

/// What goes on while an answer is read.
pub(crate) struct Onward {
    pub(crate) link: Link,
    pub(crate) slot: Arc<Slot>,
    pub(crate) right: Box<Right>,
    pub(crate) redaction: Option<Redaction>,
    pub(crate) seat: Seat,
    pub(crate) attempts: u8,
}

impl Broker {
    /// Hands an answer back, with what goes on while it is read.
    pub(crate) async fn hand_back(
        &self,
        answer: Response<Incoming>,
        onward: Onward,
        mut noted: Noted,
    ) -> Response<Answer> {
        let (mut parts, body) = answer.into_parts();
        let Onward { link, slot, right, mut redaction, seat, attempts } = onward;
        if self.options.faults.stands(Guard::AnswerStrip) {
            headers::inwards(&mut parts.headers);
        }
        if let Some(redaction) = &mut redaction {
            redaction.mask_headers(&mut parts.headers, !body.is_end_stream());
        }
        if parts.status == StatusCode::NO_CONTENT {
            // Whatever a third party says, it has none (RFC 9110, 8.6).
            parts.headers.remove(CONTENT_LENGTH);
        }
        parts.version = Version::HTTP_11;
        // The words behind the status among them, in which a secret could stand.
        parts.extensions = http::Extensions::default();
        noted.handed_back(parts.status.as_u16());
        let mut coming = Box::new(Coming::new(body, redaction, (link, slot), noted, seat));
        let reader = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        coming.begin(&mut Context::from_waker(&reader));
        Response::from_parts(parts, Answer::new(coming, right, attempts, &reader))
    }
}

/// Refuses an answer that cannot be handed back.
pub(crate) fn check_answer(answer: &Response<Incoming>) -> Result<(), Refusal> {
    // Without a body, whatever is said of its encoding means nothing.
    if !answer.body().is_end_stream() {
        headers::check_searchable(answer.status(), answer.headers())?;
    }
    match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS => Err(Refusal::UpstreamBroken),
        _ => Ok(()),
    }
}
