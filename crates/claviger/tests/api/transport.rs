//! What HTTP promises below any API: both versions in clear, bounds on what is sent, and the pause before a body.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestDatabase, TestServer};

/// Sends this on a connection of its own, and reads until the server ends it.
async fn exchange(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may answer, and hang up, before all of it is sent.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// A client that knows beforehand, without TLS to agree on it: fronts, router and a change with a body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_by_prior_knowledge() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let keys = server.admin();
    let body = r#"{"data":{"type":"api_keys","attributes":{"name":"by HTTP/2"}}}"#;
    for (method, path, body, status) in [
        ("GET", "/verify", "", 200),
        ("GET", "/verify/some/path?permission=api_keys_read", "", 200),
        ("GET", "/api/v1/validate", "", 200),
        ("GET", "/api/v2/validate", "", 200),
        ("GET", "/api/v2/api_keys", "", 200),
        ("POST", "/api/v2/api_keys", body, 201),
        ("GET", "/nowhere", "", 404),
    ] {
        let request = Request::builder().method(method).uri(format!("http://{}{path}", server.address));
        let request = request
            .header("dd-api-key", keys.api_key.as_deref().unwrap())
            .header("dd-application-key", keys.application_key.as_deref().unwrap());
        let answer = client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (version, got) = (answer.version(), answer.status().as_u16());
        assert!(answer.headers().contains_key("x-request-id"));
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!((version, got), (http::Version::HTTP_2, status), "{path}: {text:?}");
    }
    drop(client);
    server.stop().await;
}

/// The body is asked for before it is sent, by a client that waits for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_expects_100_continue_is_told_to_go_on() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let keys = server.admin();
    let body = r#"{"data":{"type":"api_keys","attributes":{"name":"patient"}}}"#;
    let head = format!(
        "POST /api/v2/api_keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\n\
         content-length: {}\r\ndd-api-key: {}\r\ndd-application-key: {}\r\n\r\n",
        body.len(),
        keys.api_key.unwrap(),
        keys.application_key.unwrap(),
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 25];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.starts_with("HTTP/1.1 201 Created\r\n"), "{rest}");

    // Who is refused anyway is not asked for a body.
    let refused = exchange(
        server.address,
        "POST /api/v2/api_keys HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\n\
         content-length: 10\r\n\r\n",
    )
    .await;
    assert!(refused.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{refused}");
    server.stop().await;
}

/// These are refused below any route, bare and without an id: HTTP itself failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_are_bounded_in_number_and_size() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    let many: String = (0..1000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let answer =
            exchange(server.address, &format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(!answer.contains("x-request-id"), "the documentation says that there is none");
    }
    let nonsense = exchange(server.address, "GET\0 / HTTP/1.1\r\n\r\n").await;
    assert!(nonsense.starts_with("HTTP/1.1 400 "), "{nonsense}");
    server.stop().await;
}
