//! The server: connections, the ways that requests take, and draining.
//!
//! A connection is plain or speaks TLS; which one is decided when the server starts, by a type, so that neither
//! pays for the other.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
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
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

use self::ended::Counted;
use crate::body::BodyPatience;
use crate::guarded::Guarded;
use crate::leftover::{Returning, awaits_asking, discard};
use crate::{Door, Front, Misfit, Tls, plain_misfit};

mod ended;

/// Connections at once, those whose TLS handshake is under way included; more wait to be accepted. Each is an open file,
/// of which systems often let a process have 1,024: whoever runs a server sees to it that there are more.
pub const CONNECTIONS_MAX: usize = 8_192;
/// How long a TLS handshake may take.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 256;
/// The pause after the system refuses to accept, as when it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long what is cut off may take to be gone: it only has to let go of what it holds.
const CUT_PATIENCE: Duration = Duration::from_secs(5);

/// The address of a request's peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// How long requests under way may take once the server is told to stop.
    pub drain: Duration,
    /// How long a request's headers may take to arrive, and how long a kept connection may be silent.
    pub header_patience: Duration,
    /// How long a request's body may take to arrive.
    pub body_patience: Duration,
    /// How requests are refused that never reach a handler.
    pub misfit: Misfit,
}

impl Default for ServerOptions {
    /// Patience beyond what any working client needs; no time to drain.
    fn default() -> Self {
        Self {
            drain: Duration::ZERO,
            header_patience: Duration::from_secs(30),
            body_patience: Duration::from_secs(10),
            misfit: plain_misfit,
        }
    }
}

type Answer = Response<Either<Full<Bytes>, Body>>;
type Answered = Result<Answer, Infallible>;
type Answering = EitherFuture<Ready<Answered>, Pin<Box<dyn Future<Output = Answered> + Send>>>;

/// The ways that requests take, asked in this order.
#[derive(Clone)]
pub struct Ways {
    /// What answers verifications.
    pub front: Arc<dyn Front>,
    /// What passes requests on to somebody else.
    pub door: Option<Arc<dyn Door>>,
    /// What answers everything else.
    pub router: Router,
}

impl Ways {
    /// The router alone.
    pub fn routed(router: Router) -> Self {
        Self { front: Arc::new(Vec::new()), door: None, router }
    }
}

/// Serves in clear until `stop` comes, then drains. Tells whether all requests were answered; those that were not are
/// ended by then, and hold nothing any more.
pub async fn serve(
    listener: TcpListener,
    ways: Ways,
    options: ServerOptions,
    stop: impl Future<Output = ()>,
) -> bool {
    run(listener, Plain, CONNECTIONS_MAX, ways, options, stop).await
}

/// The same over TLS.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Tls,
    ways: Ways,
    options: ServerOptions,
    stop: impl Future<Output = ()>,
) -> bool {
    run(listener, tls, CONNECTIONS_MAX, ways, options, stop).await
}

/// What makes of an accepted connection one that HTTP can be spoken on.
trait Transport: Clone + Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn open(self, stream: TcpStream) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

#[derive(Clone)]
struct Plain;

impl Transport for Plain {
    type Stream = TcpStream;

    async fn open(self, stream: TcpStream) -> io::Result<TcpStream> {
        Ok(stream)
    }
}

impl Transport for Tls {
    type Stream = tokio_rustls::server::TlsStream<TcpStream>;

    async fn open(self, stream: TcpStream) -> io::Result<Self::Stream> {
        tokio::time::timeout(HANDSHAKE_PATIENCE, self.accept(stream)).await?
    }
}

async fn run(
    listener: TcpListener,
    transport: impl Transport,
    connections_max: usize,
    ways: Ways,
    options: ServerOptions,
    stop: impl Future<Output = ()>,
) -> bool {
    let (ends, held) = watch::channel(());
    let builder = Arc::new(builder(options.header_patience, Counted::new(&held)));
    let mut connections = JoinSet::new();
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(connections_max));
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
                    tracing::warn!(error = claviger_model::chain(&error), "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            () = &mut stop => break,
        };
        // Small answers must not wait for the peer's acknowledgement of earlier ones.
        let _ = stream.set_nodelay(true);
        let (builder, transport, ways) = (builder.clone(), transport.clone(), ways.clone());
        // From here on the drain waits for it, a handshake that is under way included.
        let watcher = graceful.watcher();
        connections.spawn(async move {
            let stream = match transport.open(stream).await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::debug!(error = claviger_model::chain(&error), "a TLS handshake failed");
                    return;
                }
            };
            let stream = Guarded::new(stream, options.header_patience, options.misfit);
            let service =
                hyper::service::service_fn(move |request| answer(&ways, Peer(peer), options, request));
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(connection.into_owned()).await {
                tracing::debug!(error = claviger_model::chain(&*error), "a connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    let is_drained = tokio::time::timeout(options.drain, graceful.shutdown()).await.is_ok();
    if !is_drained && let Some(door) = &ways.door {
        door.cut_off();
    }
    // What a request holds, it lets go of before this returns: whoever writes down what becomes of requests is told of all.
    drop((builder, held));
    let ended = async {
        connections.shutdown().await;
        ends.closed().await;
    };
    if tokio::time::timeout(CUT_PATIENCE, ended).await.is_err() {
        tracing::warn!("requests that were cut off do not end");
    }
    is_drained
}

fn builder(header_patience: Duration, executor: Counted) -> Builder<Counted> {
    let mut builder = Builder::new(executor);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(header_patience)
        .max_buf_size(HEADER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX as u32)
        .keep_alive_interval(header_patience);
    builder
}

fn answer(ways: &Ways, peer: Peer, options: ServerOptions, mut request: Request<Incoming>) -> Answering {
    if let Some(answer) = ways.front.answer(&request, peer) {
        let answer = answer.map(Either::Left);
        if request.body().is_end_stream() || awaits_asking(request.headers()) {
            return EitherFuture::Left(ready(Ok(answer)));
        }
        return EitherFuture::Right(Box::pin(async move {
            discard(request.into_body()).await;
            Ok(answer)
        }));
    }
    if let Some(door) = ways.door.as_ref().filter(|door| door.is_for(&request)) {
        let opening = door.clone().open(request, peer);
        return EitherFuture::Right(Box::pin(async move { Ok(opening.await.map(Either::Right)) }));
    }
    let router = ways.router.clone();
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(BodyPatience(options.body_patience));
    EitherFuture::Right(Box::pin(async move {
        let (parts, body) = request.into_parts();
        let (body, leftover) = Returning::new(body, awaits_asking(&parts.headers));
        let Ok(answer) = router.oneshot(Request::from_parts(parts, Body::new(body))).await;
        leftover.read().await;
        Ok(answer.map(Either::Right))
    }))
}

#[cfg(test)]
mod tests;
