//! Bodies on their way to a third party.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How far a body has got.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    bytes: AtomicU64,
    is_over: AtomicBool,
    is_awaited: AtomicBool,
    is_broken: AtomicBool,
}

impl Sent {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Whether nothing of it is still to come.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// Whether the third party would take more, and the caller sends none.
    pub(crate) fn is_awaited(&self) -> bool {
        self.is_awaited.load(Relaxed)
    }

    /// Whether it broke off on its way in.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }
}

/// A body: the caller's as it comes, or one that was read whole. Trailers go no further.
pub(crate) struct OutBody {
    inner: Inner,
    /// How much of it went out.
    sent: Arc<Sent>,
}

enum Inner {
    Streamed(Incoming),
    Whole(Option<Bytes>),
}

impl OutBody {
    /// The caller's, as it comes.
    pub(crate) fn streamed(body: Incoming, sent: Arc<Sent>) -> Self {
        Self { inner: Inner::Streamed(body), sent }
    }

    /// One that was read whole.
    pub(crate) fn whole(body: Bytes, sent: Arc<Sent>) -> Self {
        sent.is_over.store(body.is_empty(), Relaxed);
        Self { inner: Inner::Whole(Some(body).filter(|body| !body.is_empty())), sent }
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let frame = match &mut this.inner {
            Inner::Whole(body) => body.take().map(|body| Ok(Frame::data(body))),
            Inner::Streamed(body) => {
                let polled = Pin::new(body).poll_frame(context);
                this.sent.is_awaited.store(polled.is_pending(), Relaxed);
                ready!(polled)
            }
        };
        if matches!(frame, Some(Err(_))) {
            this.sent.is_broken.store(true, Relaxed);
        }
        match frame {
            Some(Ok(frame)) => {
                let data = frame.into_data().ok();
                if data.is_none() || self.is_end_stream() {
                    self.sent.is_over.store(true, Relaxed);
                }
                let Some(data) = data else { return Poll::Ready(None) };
                self.sent.bytes.fetch_add(data.len() as u64, Relaxed);
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            other => {
                self.sent.is_over.store(other.is_none(), Relaxed);
                Poll::Ready(other)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Whole(body) => body.is_none(),
            Inner::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            Inner::Streamed(body) => body.size_hint(),
        }
    }
}
