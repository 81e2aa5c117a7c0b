//! What a server does with connections: how many it takes, how long it waits, and how it ends them.

use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};

use super::*;
use crate::Identity;

/// A body that never ends, and tells that it is waited for.
struct Endless(Arc<Notify>);

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        self.0.notify_one();
        std::task::Poll::Pending
    }
}

/// A server whose `/wait` answers once it is let, and whose `/stream` never ends.
struct Running {
    address: SocketAddr,
    arrived: Arc<Notify>,
    go_on: Arc<Notify>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<bool>,
}

impl Running {
    async fn start(transport: impl Transport + Sync, connections_max: usize) -> Self {
        Self::start_draining(transport, connections_max, Duration::from_secs(60)).await
    }

    async fn start_draining(
        transport: impl Transport + Sync,
        connections_max: usize,
        drain: Duration,
    ) -> Self {
        let (arrived, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let wait = {
            let (arrived, go_on) = (arrived.clone(), go_on.clone());
            move || async move {
                arrived.notify_one();
                go_on.notified().await;
                "waited"
            }
        };
        let stream = {
            let arrived = arrived.clone();
            move || async move { Body::new(Endless(arrived)) }
        };
        let router = Router::new().route("/", get(|| async { "at once" })).route("/wait", get(wait));
        let router = router.route("/stream", get(stream));
        let handler = Ways::routed(router);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let options = ServerOptions { drain, ..ServerOptions::default() };
        let serving = tokio::spawn(async move {
            run(listener, transport, connections_max, handler, options, async { drop(stopped.await) }).await
        });
        Self { address, arrived, go_on, stop, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

fn tls() -> Tls {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pair = Identity::parse(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes());
    Tls::new(pair.unwrap())
}

/// Tells whether a request on this connection is answered, by looking at the first byte.
async fn answers(stream: &mut TcpStream) -> bool {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    stream.read_u8().await.is_ok()
}

#[tokio::test]
async fn connections_beyond_the_most_wait_until_one_ends() {
    let server = Running::start(Plain, 2).await;
    let (mut one, mut two, mut three) =
        (server.connect().await, server.connect().await, server.connect().await);
    assert!(answers(&mut one).await && answers(&mut two).await);
    // Time enough for an answer, if there were one: the others came within this.
    let waits = tokio::time::timeout(Duration::from_millis(300), answers(&mut three)).await;
    assert!(waits.is_err(), "a third connection was taken");
    drop(one);
    assert_eq!(three.read_u8().await.unwrap(), b'H');
}

/// Handshakes count among the connections, so that they are bounded too; and they do not last.
#[tokio::test]
async fn a_handshake_that_does_not_come_ends_by_itself() {
    let server = Running::start(tls(), 1).await;
    let mut silent = server.connect().await;
    // From here on time passes by itself whenever nobody has anything to do.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let ended = tokio::time::timeout(2 * HANDSHAKE_PATIENCE, silent.read(&mut [0])).await;
    assert_eq!(ended.expect("the server waits for ever").unwrap(), 0);
    assert!(started.elapsed() >= HANDSHAKE_PATIENCE - Duration::from_secs(1));
    tokio::time::resume();
    // The only place is free again.
    let mut next = server.connect().await;
    next.write_all(b"this is no TLS\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    next.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.first(), Some(&21), "a TLS alert");
}

/// Told to stop, a server takes no more connections, and ends when the request under way has its answer.
#[tokio::test]
async fn a_drain_waits_for_what_is_under_way() {
    for is_two in [false, true] {
        let server = Running::start(Plain, 10).await;
        let stream = TokioIo::new(server.connect().await);
        let request = Request::builder().uri(format!("http://{}/wait", server.address));
        let request = request.header("host", "x").body(Empty::<Bytes>::new()).unwrap();
        let answer = if is_two {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            tokio::spawn(async move { sender.send_request(request).await.unwrap() })
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            tokio::spawn(async move { sender.send_request(request).await.unwrap() })
        };
        server.arrived.notified().await;
        server.stop.send(()).unwrap();
        while TcpStream::connect(server.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!server.serving.is_finished() && !answer.is_finished());
        server.go_on.notify_one();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "waited");
        assert!(server.serving.await.unwrap(), "everything was answered");
    }
}

/// What does not end in time is ended, and holds nothing any more once the server says that it has stopped.
#[tokio::test]
async fn a_deadline_ends_what_is_under_way() {
    for (is_two, path) in [(false, "/wait"), (true, "/wait"), (false, "/stream"), (true, "/stream")] {
        let server = Running::start_draining(Plain, 10, Duration::from_millis(50)).await;
        let stream = TokioIo::new(server.connect().await);
        let request = Request::builder().uri(format!("http://{}{path}", server.address));
        let request = request.header("host", "x").body(Empty::<Bytes>::new()).unwrap();
        let asking = if is_two {
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            tokio::spawn(connection);
            tokio::spawn(async move { sender.send_request(request).await?.into_body().collect().await })
        } else {
            let (mut sender, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            tokio::spawn(async move { sender.send_request(request).await?.into_body().collect().await })
        };
        server.arrived.notified().await;
        let under_way = Arc::downgrade(&server.arrived);
        assert!(under_way.strong_count() > 1, "what is under way holds it too");
        server.stop.send(()).unwrap();
        assert!(!server.serving.await.unwrap(), "not everything was answered");
        assert_eq!(under_way.strong_count(), 1, "{path} is held no longer, over HTTP/2: {is_two}");
        assert!(asking.await.unwrap().is_err());
    }
}
