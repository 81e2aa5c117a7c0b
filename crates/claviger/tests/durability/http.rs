//! The least of an HTTP client: one kept connection, one request at a time, and no answer where the server died.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A connection with its credentials.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Connection {
    /// None where nobody listens (any more).
    pub(crate) fn open(address: SocketAddr, api_key: &str, application_key: &str) -> Option<Self> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
        let head = format!("host: x\r\ndd-api-key: {api_key}\r\ndd-application-key: {application_key}\r\n");
        Some(Self { stream: BufReader::new(stream), head })
    }

    /// None where the answer did not arrive whole: nobody knows then what became of the request.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> Option<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request =
            format!("{method} {path} HTTP/1.1\r\n{}content-length: {}\r\n\r\n{body}", self.head, body.len());
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        let body = if length == 0 { Value::Null } else { serde_json::from_slice(&body).ok()? };
        Some(Answer { status, body })
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        line.ends_with("\r\n").then(|| line.trim_end().to_owned())
    }
}
