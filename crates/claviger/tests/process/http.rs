//! The least of an HTTP client: each request over a connection of its own.

use std::io::{Error, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// An answer's status and body.
pub(crate) type Answer = (u16, String);

/// Asks without a body.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    ask_with(address, method, path, headers, "")
}

/// Asks with a body.
pub(crate) fn ask_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer> {
    let text = exchange(address, method, path, headers, body)?;
    let broken = || Error::other(format!("no answer: {text}"));
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    Ok((status, body.to_owned()))
}

/// A whole answer, as it came.
pub(crate) fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let host = match headers.iter().any(|(name, _)| *name == "host") {
        true => String::new(),
        false => format!("host: {address}\r\n"),
    };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = match body.len() {
        0 => String::new(),
        length => format!("content-length: {length}\r\n"),
    };
    let head = format!("{method} {path} HTTP/1.1\r\n{host}connection: close\r\n{length}{headers}\r\n");
    stream.write_all((head + body).as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
