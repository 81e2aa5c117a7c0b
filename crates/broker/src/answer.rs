//! The third party's answer on its way back: read as fast as the caller takes it, searched for secrets, and ended when
//! the right to it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::link::Link;
use crate::pool::Slot;
use crate::record::Noted;
use crate::redaction::Redaction;
use crate::refusal::Refusal;
use crate::right::{PERIOD, Right};
use crate::room::Seat;

/// How long a third party may be silent within an answer: longer than the pauses between the comments by which streams
/// of events are kept open.
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// Why an answer breaks off, for the log: the caller sees a connection that ends too early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the third party's answer broke off")]
    Upstream(#[source] hyper::Error),
    #[error("the third party fell silent")]
    Silence,
    #[error("the right to the answer ended")]
    Ended,
}

/// The body of an answer.
pub(crate) struct Answer {
    body: Incoming,
    redaction: Option<Redaction>,
    /// What is searched by nobody.
    untouched: Option<Bytes>,
    /// The connection, until it is known whether it can serve another call. An answer that nobody reads to its end takes it
    /// along.
    link: Option<(Link, Arc<Slot>)>,
    watch: Watch,
    noted: Noted,
    /// The call's place among those of the connection.
    _seat: Seat,
    attempts: u8,
    is_over: bool,
    /// Why it breaks off, once what was written before is on its way: the caller's connection ends with that, and would
    /// take the head along that the third party did send.
    broken: Option<Broken>,
}

/// Looks, while nothing comes, whether the call may go on.
enum Watch {
    Idle(Box<Right>),
    Waiting { right: Box<Right>, silence: Duration },
    Asking(Pin<Box<dyn Future<Output = (Box<Right>, bool)> + Send>>, Duration),
    Between,
}

impl Answer {
    pub(crate) fn new(
        body: Incoming,
        redaction: Option<Redaction>,
        link: (Link, Arc<Slot>),
        right: Box<Right>,
        noted: Noted,
        (seat, attempts): (Seat, u8),
    ) -> Self {
        let (link, watch) = (Some(link), Watch::Idle(right));
        let (untouched, is_over, broken) = (None, false, None);
        let mut answer =
            Self { body, redaction, untouched, link, watch, noted, _seat: seat, attempts, is_over, broken };
        if answer.body.is_end_stream() {
            answer.finish();
        }
        answer
    }

    /// How often the call was made.
    pub(crate) fn attempts(&self) -> u8 {
        self.attempts
    }

    /// The third party said all: its connection can be used again.
    fn finish(&mut self) {
        self.is_over = true;
        if let Some(redaction) = &mut self.redaction {
            redaction.finish();
        }
        if let Some((link, slot)) = self.link.take() {
            slot.take_back(link);
        }
    }

    fn break_off(
        &mut self,
        why: Broken,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        tracing::debug!(error = claviger_model::chain(&why), "an answer broke off");
        self.is_over = true;
        self.noted.broke_off(match why {
            Broken::Upstream(_) => "upstream_broken",
            Broken::Silence => "upstream_timeout",
            Broken::Ended => "ended",
        });
        self.link = None;
        self.broken = Some(why);
        // What is written is sent where nothing more is to be had for the moment.
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whoever reads it will not read on. Says why, for the record.
    pub(crate) fn give_up(mut self, why: Refusal) -> Refusal {
        self.noted.broke_off(why.code());
        why
    }

    /// What comes next of the third party's answer, over a connection whose work is done meanwhile.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = &mut self.body;
        match &mut self.link {
            Some((link, _)) => {
                link.poll_beside(context, |_, context| Pin::new(&mut *body).poll_frame(context))
            }
            None => Pin::new(body).poll_frame(context),
        }
    }

    /// Nothing came: is it time to look, and what was seen? Ready with why the answer ends.
    fn poll_watch(&mut self, context: &mut Context<'_>) -> Poll<Broken> {
        loop {
            self.watch = match std::mem::replace(&mut self.watch, Watch::Between) {
                Watch::Idle(right) => Watch::Waiting { right, silence: Duration::ZERO },
                Watch::Waiting { mut right, silence } => {
                    let pulse = self.link.as_mut().map(|(link, _)| link.poll_pulse(context));
                    if pulse.is_none_or(|pulse| pulse.is_pending()) {
                        self.watch = Watch::Waiting { right, silence };
                        return Poll::Pending;
                    }
                    let asking = async move {
                        let holds = right.holds().await;
                        (right, holds)
                    };
                    Watch::Asking(Box::pin(asking), silence + PERIOD)
                }
                Watch::Asking(mut asking, silence) => {
                    let Poll::Ready((right, holds)) = asking.as_mut().poll(context) else {
                        self.watch = Watch::Asking(asking, silence);
                        return Poll::Pending;
                    };
                    if !holds {
                        return Poll::Ready(Broken::Ended);
                    }
                    if silence >= SILENCE_MAX {
                        return Poll::Ready(Broken::Silence);
                    }
                    Watch::Waiting { right, silence }
                }
                Watch::Between => return Poll::Ready(Broken::Ended),
            };
        }
    }

    /// Something came: the silence is over, and so is no look that was due.
    fn note_data(&mut self) {
        match &mut self.watch {
            Watch::Waiting { silence, .. } | Watch::Asking(_, silence) => *silence = Duration::ZERO,
            Watch::Idle(_) | Watch::Between => {}
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = &mut *self;
        if let Some(why) = this.broken.take() {
            return Poll::Ready(Some(Err(why)));
        }
        loop {
            let next = this.redaction.as_mut().and_then(Redaction::next);
            if let Some(data) = next.or_else(|| this.untouched.take()) {
                this.noted.received(data.len());
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            if this.is_over {
                return Poll::Ready(None);
            }
            // A stream that never pauses is looked at too.
            if !matches!(this.watch, Watch::Idle(_))
                && let Poll::Ready(why) = this.poll_watch(context)
            {
                return this.break_off(why, context);
            }
            let frame = match this.poll_body(context) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let why = ready!(this.poll_watch(context));
                    return this.break_off(why, context);
                }
            };
            match frame {
                Some(Ok(frame)) => {
                    // Trailers go no further.
                    let Ok(data) = frame.into_data() else { continue };
                    this.note_data();
                    // Whoever knows the length does not ask again once it has all.
                    let is_last = this.body.is_end_stream();
                    match &mut this.redaction {
                        Some(redaction) => redaction.push(data),
                        None => this.untouched = Some(data),
                    }
                    if is_last {
                        this.finish();
                    }
                }
                Some(Err(error)) => return this.break_off(Broken::Upstream(error), context),
                None => this.finish(),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // With a redaction, only its last part tells.
        self.is_over && self.redaction.is_none() && self.broken.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.redaction {
            // What is held back for the moment is not in the rest of the body. The answer's headers tell the length.
            Some(_) => SizeHint::default(),
            None => self.body.size_hint(),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(redaction) = &self.redaction {
            self.noted.masked(redaction.found());
        }
    }
}
