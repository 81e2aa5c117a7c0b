//! The third party's answer on its way back: read as fast as the caller takes it, searched for secrets, and ended when
//! the right to it ends.
//!
//! Most answers are short, and there as soon as they begin. What takes longer is watched from beside ([`Watched`]): while
//! a caller takes nothing, nobody else would look whether the right to it holds.

mod coming;
mod watched;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

pub(crate) use self::coming::Coming;
use self::watched::Watched;
use crate::refusal::Refusal;
use crate::right::{Holds, Right};

/// Why an answer breaks off, for the log: the caller sees a connection that ends too early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the third party's answer broke off")]
    Upstream(#[source] hyper::Error),
    #[error("the third party fell silent")]
    Silence,
    #[error("the caller reads no further")]
    Unread,
    #[error("the right to the answer ended")]
    Ended,
    #[error("whether there is a right to the answer cannot be known")]
    Unknown,
}

impl Broken {
    /// The name for programs, in the record.
    fn code(&self) -> &'static str {
        match self {
            Self::Upstream(_) => "upstream_broken",
            Self::Silence => "upstream_timeout",
            Self::Unread => "unread",
            Self::Ended => Refusal::Ended.code(),
            Self::Unknown => Refusal::RightUnknown.code(),
        }
    }
}

/// The body of an answer.
pub(crate) struct Answer {
    held: Held,
    attempts: u8,
    /// Why it breaks off, once what was written before is on its way: the caller's connection ends with that, and would
    /// take the head along that the third party did send.
    broken: Option<Broken>,
}

/// Who holds what comes.
enum Held {
    /// Its reader alone: nothing more does.
    Alone(Box<Coming>, Box<Right>),
    /// Its reader, and whoever watches.
    Watched(Arc<Watched>),
    /// Nobody: it broke off.
    Broken,
}

impl Answer {
    /// An answer that has begun; `reader` is whoever looks at it next.
    pub(crate) fn new(coming: Box<Coming>, right: Box<Right>, attempts: u8, reader: &Waker) -> Self {
        let held = match coming.is_over() {
            true => Held::Alone(coming, right),
            false => Held::Watched(Watched::begin(coming, right, reader)),
        };
        Self { held, attempts, broken: None }
    }

    /// How often the call was made.
    pub(crate) fn attempts(&self) -> u8 {
        self.attempts
    }

    /// Whoever reads it will not read on. Says why, for the record.
    pub(crate) fn give_up(mut self, why: Refusal) -> Refusal {
        match &mut self.held {
            Held::Alone(coming, _) => coming.broke_off(why.code()),
            Held::Watched(watched) => watched.give_up(why.code()),
            Held::Broken => {}
        }
        why
    }

    /// Whether the right to it holds: asked by whoever does not read on for the moment.
    pub(crate) async fn holds(&mut self) -> Holds {
        match &mut self.held {
            Held::Alone(_, right) => right.holds().await,
            Held::Watched(watched) => watched.holds(),
            Held::Broken => Holds::Ended,
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
        let next = match &mut this.held {
            Held::Alone(coming, _) => coming.poll(context),
            Held::Watched(watched) => watched.poll(context),
            Held::Broken => Poll::Ready(None),
        };
        match ready!(next) {
            Some(Err(why)) => {
                tracing::debug!(error = claviger_model::chain(&why), "an answer broke off");
                this.held = Held::Broken;
                this.broken = Some(why);
                // What is written is sent where nothing more is to be had for the moment.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            next => Poll::Ready(next.map(|data| data.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.held {
            Held::Alone(coming, _) => coming.is_told(),
            Held::Watched(watched) => watched.is_told(),
            Held::Broken => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.held {
            Held::Alone(coming, _) => coming.size_hint(),
            Held::Watched(watched) => watched.size_hint(),
            Held::Broken => SizeHint::default(),
        }
    }
}
