//! Bodies on their way to a third party.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// A body: the caller's as it comes, or one that was read whole. Trailers go no further.
pub(crate) struct OutBody {
    inner: Inner,
    /// How much of it went out.
    sent: Arc<AtomicU64>,
}

enum Inner {
    Streamed(Incoming),
    Whole(Option<Bytes>),
}

impl OutBody {
    /// The caller's, as it comes.
    pub(crate) fn streamed(body: Incoming, sent: Arc<AtomicU64>) -> Self {
        Self { inner: Inner::Streamed(body), sent }
    }

    /// One that was read whole.
    pub(crate) fn whole(body: Bytes, sent: Arc<AtomicU64>) -> Self {
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
        let frame = match &mut self.inner {
            Inner::Whole(body) => body.take().map(|body| Ok(Frame::data(body))),
            Inner::Streamed(body) => ready!(Pin::new(body).poll_frame(context)),
        };
        match frame {
            Some(Ok(frame)) => {
                let Ok(data) = frame.into_data() else { return Poll::Ready(None) };
                self.sent.fetch_add(data.len() as u64, Relaxed);
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            other => Poll::Ready(other),
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
