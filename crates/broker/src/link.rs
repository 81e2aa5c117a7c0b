//! An open connection to a third party. Its work is done by whoever waits for what it brings.
//!
//! The library's usual way is a task for each connection, which is woken for every request and wakes its caller for every
//! answer: a good part of what a small call costs. Here a call does the work of its connection itself, so that nothing but
//! the socket has to wake it.
//!
//! What must go on though nobody waits for it has a task of its own ([`Link::work_apart`]): the rest of a request whose
//! answer has begun, which its caller reads as slowly as it likes. A connection that is idle has no work, unless something
//! came over it: it is over then, and whoever looks finds that out ([`Link::is_open`]).

mod bell;
mod wire;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep};

use self::bell::Bell;
use self::wire::Wire;
use crate::outbody::OutBody;
use crate::right::PERIOD;

/// The most bytes of an answer's headers; well above what servers send, and bounded since it is kept in memory.
const HEADER_BYTES_MAX: usize = 128 * 1024;

/// See the module's documentation.
pub(crate) struct Link {
    sender: SendRequest<OutBody>,
    work: Work,
    /// Rung where there is something to do.
    bell: Arc<Bell>,
    /// Rings it.
    waker: Waker,
    pulse: Pin<Box<Sleep>>,
}

/// The library's word of a request: with it, where not a byte of it went out.
type Answered = Result<Response<Incoming>, TrySendError<Request<OutBody>>>;

/// What the connection itself has to do: to write what is sent, and read what comes.
enum Work {
    /// Done by whoever holds the link.
    Here(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Done by a task.
    Apart(AbortHandle),
    /// None is left: the connection is closed.
    Over,
}

impl Link {
    /// Speaks HTTP over a stream.
    ///
    /// # Errors
    /// The library's.
    pub(crate) async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> hyper::Result<Self> {
        let bell = Arc::<Bell>::default();
        let mut builder = http1::Builder::new();
        // No more than 100 headers, as of requests: for more the library would take memory twice for each answer.
        builder.max_header_size(HEADER_BYTES_MAX);
        let (sender, connection) = builder.handshake(Wire::new(stream, bell.clone())).await?;
        // How it ends, whoever waits for the answer is told.
        let work = Work::Here(Box::pin(async move { drop(connection.await) }));
        let waker = Waker::from(bell.clone());
        bell.ring();
        Ok(Self { sender, work, bell, waker, pulse: Box::pin(tokio::time::sleep(PERIOD)) })
    }

    /// Sends a request. What comes of it is to be polled with [`Link::poll_answer`]; where that is given up, the link is of no
    /// more use.
    pub(crate) fn send(&mut self, request: Request<OutBody>) -> impl Future<Output = Answered> + use<> {
        self.sender.try_send_request(request)
    }

    /// Polls for the beginning of an answer. None every [`PERIOD`], for whoever then looks whether it may wait on.
    pub(crate) fn poll_answer(
        &mut self,
        context: &mut Context<'_>,
        mut answer: Pin<&mut impl Future<Output = Answered>>,
    ) -> Poll<Option<Answered>> {
        match self.poll_beside(context, |_, context| answer.as_mut().poll(context)) {
            Poll::Ready(answered) => Poll::Ready(Some(answered)),
            Poll::Pending => self.poll_pulse(context).map(|()| None),
        }
    }

    /// Ready once in a [`PERIOD`]. It is one timer for all of the connection's calls: to set one for each would cost more than
    /// most of what a call does.
    pub(crate) fn poll_pulse(&mut self, context: &mut Context<'_>) -> Poll<()> {
        ready!(self.pulse.as_mut().poll(context));
        self.pulse.as_mut().reset(Instant::now() + PERIOD);
        Poll::Ready(())
    }

    /// Polls for something that comes over this connection, and does its work where that is not there yet.
    pub(crate) fn poll_beside<T>(
        &mut self,
        context: &mut Context<'_>,
        mut poll: impl FnMut(&mut SendRequest<OutBody>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.bell.attend(context.waker());
        let mut outcome = poll(&mut self.sender, &mut Context::from_waker(&self.waker));
        if outcome.is_pending() && self.do_work() {
            outcome = poll(&mut self.sender, &mut Context::from_waker(&self.waker));
        }
        // What rang meanwhile comes next: others have their turn first.
        if self.bell.leave() && outcome.is_pending() {
            context.waker().wake_by_ref();
        }
        outcome
    }

    /// Does what there is to do, where the bell was rung. Tells whether it was.
    fn do_work(&mut self) -> bool {
        let is_rung = self.bell.answer();
        if let Work::Here(work) = &mut self.work
            && is_rung
            && work.as_mut().poll(&mut Context::from_waker(&self.waker)).is_ready()
        {
            self.work = Work::Over;
        }
        is_rung
    }

    /// Has the work done by a task from now on: it goes on whether or not anybody waits for what this brings.
    pub(crate) fn work_apart(&mut self) {
        self.work = match std::mem::replace(&mut self.work, Work::Over) {
            Work::Here(work) => Work::Apart(tokio::spawn(work).abort_handle()),
            other => other,
        };
    }

    /// Whether all that was handed to the connection is written.
    pub(crate) fn has_written(&self) -> bool {
        !self.bell.is_write_pending()
    }

    /// Whether it is open still, as far as that can be known by now. An idle one over which anything came is not.
    pub(crate) fn is_open(&mut self) -> bool {
        self.do_work();
        !self.sender.is_closed()
    }

    /// Whether the next request can be sent: the last one and its answer are over.
    pub(crate) fn is_free(&self) -> bool {
        self.sender.is_ready() && self.needs_nobody()
    }

    /// Waits until it is free. Tells whether it will ever be.
    pub(crate) async fn free(&mut self) -> bool {
        let (bell, mut was_writing) = (self.bell.clone(), true);
        let is_apart = matches!(self.work, Work::Apart(_));
        let mut poll = |sender: &mut SendRequest<OutBody>, context: &mut Context<'_>| {
            if was_writing && !bell.is_write_pending() {
                // The library sees that there is room for another request only when it is asked once more.
                was_writing = false;
                bell.ring();
            }
            match sender.poll_ready(context) {
                Poll::Ready(Ok(())) if bell.is_write_pending() && !is_apart => Poll::Pending,
                ready => ready,
            }
        };
        poll_fn(|context| self.poll_beside(context, &mut poll)).await.is_ok()
    }

    /// Whether all that is still to be written will be, though nobody waits.
    fn needs_nobody(&self) -> bool {
        matches!(self.work, Work::Apart(_)) || self.has_written()
    }

    /// Lets go of whoever waited last.
    pub(crate) fn rest(&self) {
        self.bell.forget();
    }
}

/// What nobody holds any more is closed, whatever its peer still does: one that does not read could keep it open, and the
/// caller's body with it.
impl Drop for Link {
    fn drop(&mut self) {
        if let Work::Apart(task) = &self.work {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use bytes::Bytes;
    use http_body_util::BodyExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// How often somebody was woken.
    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn request(body: &'static [u8]) -> Request<OutBody> {
        let body = OutBody::whole(Bytes::from_static(body), Arc::default());
        Request::put("/x").header("host", "a").body(body).unwrap()
    }

    /// A link that its peer takes so many bytes of at a time.
    async fn link(bytes: usize) -> (Link, DuplexStream) {
        let (near, far) = tokio::io::duplex(bytes);
        (Link::over(near).await.unwrap(), far)
    }

    async fn exchange(link: &mut Link, request: Request<OutBody>) -> Answered {
        let mut answer = pin!(link.send(request));
        poll_fn(|context| link.poll_answer(context, answer.as_mut())).await.expect("it comes at once")
    }

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

    #[tokio::test]
    async fn whoever_waits_is_woken_by_what_comes_and_by_nothing_else() {
        let (mut link, mut far) = link(4096).await;
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(woken.clone());
        let mut context = Context::from_waker(&waker);
        for number in 1..=3 {
            let mut answer = Box::pin(link.send(request(b"")));
            assert!(link.poll_answer(&mut context, answer.as_mut()).is_pending());
            far.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
            far.write_all(ANSWER).await.unwrap();
            let Poll::Ready(Some(answer)) = link.poll_answer(&mut context, answer.as_mut()) else {
                panic!("no answer")
            };
            let mut body = pin!(answer.ok().expect("an answer").into_body().collect());
            let body = link.poll_beside(&mut context, |_, context| body.as_mut().poll(context));
            let Poll::Ready(Ok(body)) = body else { panic!("no body") };
            assert_eq!(body.to_bytes(), "hello");
            assert!(link.is_free());
            link.rest();
            assert_eq!(woken.0.load(Ordering::SeqCst), number);
        }
        assert!(link.is_open());
        drop(far);
        assert!(!link.is_open() && !link.is_free());
        assert!(!link.free().await);
    }

    #[tokio::test]
    async fn a_request_comes_back_where_its_connection_was_over_before() {
        for unasked in [None, Some(ANSWER)] {
            let (mut link, mut far) = link(4096).await;
            if let Some(bytes) = unasked {
                far.write_all(bytes).await.unwrap();
            } else {
                drop(far);
            }
            let Err(mut error) = exchange(&mut link, request(b"body")).await else { panic!("{unasked:?}") };
            assert!(error.take_message().is_some(), "{unasked:?}");
        }
    }

    /// What is not written when an answer is over is written all the same, before the connection serves another.
    #[tokio::test]
    async fn it_is_free_once_all_is_written() {
        let (mut link, mut far) = link(64).await;
        let answer = tokio::spawn(async move {
            let mut first = [0; 16];
            far.read_exact(&mut first).await.unwrap();
            far.write_all(ANSWER).await.unwrap();
            far
        });
        let response = exchange(&mut link, request(&[b'b'; 10_000])).await.ok().expect("an answer");
        assert!(!link.has_written());
        let body = response.into_body();
        let mut body = pin!(body.collect());
        let body = poll_fn(|context| link.poll_beside(context, |_, context| body.as_mut().poll(context)));
        assert_eq!(body.await.unwrap().to_bytes(), "hello");
        assert!(!link.is_free());
        let mut far = answer.await.unwrap();
        let reading = tokio::spawn(async move {
            let mut read = vec![0; 10_000 - 16];
            far.read_exact(&mut read).await.unwrap();
            far
        });
        assert!(link.free().await);
        reading.await.unwrap();
    }

    /// The same of one that served already.
    #[tokio::test]
    async fn what_comes_between_two_requests_answers_neither() {
        for is_closed in [false, true] {
            let (mut link, mut far) = link(4096).await;
            let peer = tokio::spawn(async move {
                far.read_buf(&mut Vec::with_capacity(4096)).await.unwrap();
                far.write_all(ANSWER).await.unwrap();
                far
            });
            let response = exchange(&mut link, request(b"")).await.ok().expect("an answer");
            let mut body = pin!(response.into_body().collect());
            let body = poll_fn(|context| link.poll_beside(context, |_, context| body.as_mut().poll(context)));
            assert_eq!(body.await.unwrap().to_bytes(), "hello");
            assert!(link.is_free());
            link.rest();
            let mut far = peer.await.unwrap();
            match is_closed {
                true => drop(far),
                false => far.write_all(ANSWER).await.unwrap(),
            }
            let Err(mut error) = exchange(&mut link, request(b"")).await else { panic!("{is_closed}") };
            assert!(error.take_message().is_some(), "closed: {is_closed}");
        }
    }
}
