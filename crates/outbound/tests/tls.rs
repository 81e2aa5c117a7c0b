//! Over TLS: who is trusted, and under which name.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_egress::{ConnectError, Egress, Policy, Roots};
use claviger_outbound::{Client, Request, SendError};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server that answers everybody, with a certificate for `name`; its port, and the certificate in PEM form.
async fn serve(name: &str) -> (u16, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
        }
    });
    (port, made.cert.pem())
}

async fn ask(roots: Roots, url: String) -> Result<Bytes, SendError> {
    let egress = Egress::trusting(roots);
    let client = Client::new(egress, Policy::private_too(), Duration::from_secs(10), 1024);
    let request =
        Request { method: Method::GET, url: url.parse().unwrap(), headers: Vec::new(), body: Bytes::new() };
    client.send(request).await.map(|answer| answer.body)
}

#[tokio::test]
async fn only_who_is_trusted_under_its_own_name_is_talked_to() {
    let (port, pem) = serve("localhost").await;
    let roots = || Roots::parse(pem.as_bytes()).unwrap();
    assert_eq!(ask(roots(), format!("https://localhost:{port}/")).await.unwrap(), "ok");
    for (roots, url) in [
        (roots(), format!("https://127.0.0.1:{port}/")),
        (Roots::none(), format!("https://localhost:{port}/")),
        (Roots::parse(serve("localhost").await.1.as_bytes()).unwrap(), format!("https://localhost:{port}/")),
    ] {
        assert!(matches!(ask(roots, url).await, Err(SendError::Connect(ConnectError::Tls(_)))));
    }
}

#[tokio::test]
async fn an_answer_beyond_its_bound_is_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1025\r\n\r\n").await;
        let _ = stream.write_all(&[b'x'; 1025]).await;
    });
    assert!(matches!(ask(Roots::none(), url).await, Err(SendError::TooLarge)));
}
