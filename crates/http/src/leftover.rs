//! What a handler leaves of a request's body.
//!
//! A connection that is closed while the client is still sending resets, and the reset can overtake the answer:
//! the client then sees a broken connection in place of a 401. So what nobody read is read here, within bounds,
//! before the answer goes out.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

/// The most that is read for nobody. Whoever sends more must live with a reset.
const LEFTOVER_BYTES_MAX: usize = 1024 * 1024;
/// How long reading for nobody may take.
const LEFTOVER_PATIENCE: Duration = Duration::from_secs(2);

/// A body that, dropped before its end, comes back through its [`Leftover`].
pub(crate) struct Returning {
    body: Option<Incoming>,
    /// Whether the client waits to be asked for its body, and was not: then there is nothing to read, and reading
    /// would ask for it.
    is_awaited: bool,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where the rest of a body comes out.
pub(crate) struct Leftover(oneshot::Receiver<Incoming>);

impl Returning {
    /// `is_awaited`: whether the client sends its body only when asked ([`awaits_asking`]).
    pub(crate) fn new(body: Incoming, is_awaited: bool) -> (Self, Leftover) {
        let (back, rest) = oneshot::channel();
        (Self { body: Some(body), is_awaited, back: Some(back) }, Leftover(rest))
    }
}

impl Body for Returning {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        self.is_awaited = false;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take())
            && !body.is_end_stream()
            && !self.is_awaited
        {
            // Where nobody waits for it, the connection is on its way down anyway.
            let _ = back.send(body);
        }
    }
}

impl Leftover {
    /// Reads what is left, if anything is. To be called once the handler is done.
    pub(crate) async fn read(mut self) {
        if let Ok(rest) = self.0.try_recv() {
            discard(rest).await;
        }
    }
}

/// Whether a client sends its body only when asked for it.
pub fn awaits_asking(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Reads a body for nobody, within bounds.
pub async fn discard(mut body: Incoming) {
    let read = async {
        let mut total = 0;
        while let Some(Ok(frame)) = body.frame().await {
            total += frame.data_ref().map_or(0, Bytes::len);
            if total > LEFTOVER_BYTES_MAX {
                return;
            }
        }
    };
    // A slow sender gets the answer when the time is up, and what then becomes of it.
    let _ = tokio::time::timeout(LEFTOVER_PATIENCE, read).await;
}
