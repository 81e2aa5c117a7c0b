//! The server: connections, the two ways that requests take, and draining.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::future::Either as EitherFuture;
use http::{Request, Response};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::Front;

/// Connections at once; more wait to be accepted. Well under the usual limit of file descriptors.
pub const CONNECTIONS_MAX: usize = 8_192;
/// How long a request's headers may take to arrive, and how long a kept connection may be silent.
const HEADER_PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// The pause after the system refuses to accept, as when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The address of a request's peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// How long requests under way may take once the server is told to stop.
    pub drain: Duration,
}

type Answer = Response<Either<Full<Bytes>, Body>>;
type Answered = Result<Answer, Infallible>;
type Answering = EitherFuture<Ready<Answered>, Pin<Box<dyn Future<Output = Answered> + Send>>>;

/// Serves until `stop` comes, then drains. Tells whether all requests were answered.
pub async fn serve(
    listener: TcpListener,
    front: Arc<dyn Front>,
    router: Router,
    options: ServerOptions,
    stop: impl Future<Output = ()>,
) -> bool {
    let builder = builder();
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, permit)
        };
        let (stream, peer, permit) = tokio::select! {
            (accepted, permit) = accepted => match accepted {
                Ok((stream, peer)) => (stream, peer, permit),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Small answers must not wait for the peer's acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
        let (front, router) = (front.clone(), router.clone());
        let service =
            hyper::service::service_fn(move |request| answer(&*front, &router, Peer(peer), request));
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &*error, "a connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    tokio::time::timeout(options.drain, graceful.shutdown()).await.is_ok()
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .keep_alive_interval(HEADER_PATIENCE);
    builder
}

fn answer(front: &dyn Front, router: &Router, peer: Peer, mut request: Request<Incoming>) -> Answering {
    if let Some(answer) = front.answer(&request) {
        return EitherFuture::Left(ready(Ok(answer.map(Either::Left))));
    }
    let router = router.clone();
    request.extensions_mut().insert(peer);
    EitherFuture::Right(Box::pin(async move {
        let Ok(answer) = router.oneshot(request.map(Body::new)).await;
        Ok(answer.map(Either::Right))
    }))
}
