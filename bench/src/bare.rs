//! The bare server: hyper and nothing else, giving one answer again and again.

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::Result;

/// The word by which this program is told to be the bare server.
pub(crate) const COMMAND: &str = "bare-server";

/// Serves the answer in a file, as it came over the wire, and prints its address.
pub(crate) fn serve_blocking(answer: &Path) -> Result<()> {
    let (status, headers, body) = parse(&std::fs::read(answer)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(status, headers, body))
}

async fn serve(status: StatusCode, headers: HeaderMap, body: Bytes) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{}", listener.local_addr()?);
    let answer = move |_: Request<Incoming>| {
        let mut response = Response::new(Full::new(body.clone()));
        *response.status_mut() = status;
        *response.headers_mut() = headers.clone();
        std::future::ready(Ok::<_, Infallible>(response))
    };
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(answer.clone()));
        tokio::spawn(connection);
    }
}

/// Status, headers but those that hyper adds itself, and body.
fn parse(answer: &[u8]) -> Result<(StatusCode, HeaderMap, Bytes)> {
    let text = std::str::from_utf8(answer)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer has no end of headers")?;
    let (first, lines) = head.split_once("\r\n").ok_or("the answer has no headers")?;
    let status = first.split(' ').nth(1).ok_or("the answer has no status")?.parse()?;
    let mut headers = HeaderMap::new();
    for line in lines.split("\r\n") {
        let (name, value) = line.split_once(": ").ok_or("a header without a value")?;
        if !["date", "content-length"].contains(&name) {
            headers.insert(HeaderName::try_from(name)?, HeaderValue::from_str(value)?);
        }
    }
    Ok((status, headers, Bytes::copy_from_slice(body.as_bytes())))
}
