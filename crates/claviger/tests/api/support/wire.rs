//! Bytes on a connection, for what no decent client would send, and for speed.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a test waits for bytes before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct WireAnswer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl WireAnswer {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let of = |line: &'_ str| -> Option<(usize, bool)> {
            let (key, _) = line.split_once(':')?;
            Some((key.len() + 1, key.eq_ignore_ascii_case(name)))
        };
        let line =
            self.head.lines().find_map(|line| of(line).filter(|(_, is_it)| *is_it).map(|(n, _)| &line[n..]));
        line.unwrap_or_default().trim()
    }
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::with_capacity(64 * 1024) }
    }

    /// Sends; what the peer no longer takes is not an error, its answer tells more.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next answer; none where the peer ends the connection before one is whole.
    pub(crate) async fn answer(&mut self) -> Option<WireAnswer> {
        loop {
            if let Some((answer, taken)) = parse(&self.read) {
                self.read.drain(..taken);
                return Some(answer);
            }
            let more = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
            match more.expect("the peer neither answers nor ends the connection") {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends and takes the answer.
    pub(crate) async fn exchange(&mut self, bytes: &[u8]) -> WireAnswer {
        self.send(bytes).await;
        self.answer().await.expect("an answer")
    }

    /// Everything until the peer ends the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let reading = self.stream.read_to_end(&mut self.read);
        let _ = tokio::time::timeout(PATIENCE, reading).await.expect("the peer ends the connection");
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Whether the peer ends the connection, without another answer.
    pub(crate) async fn is_ended(&mut self) -> bool {
        self.answer().await.is_none()
    }
}

/// The answer at the beginning and its length, if it is all there. Answers without a length have no body here.
fn parse(bytes: &[u8]) -> Option<(WireAnswer, usize)> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.get(9..12)?.parse().ok()?;
    let mut answer = WireAnswer { status, head, body: String::new() };
    let length = answer.header("content-length").parse().unwrap_or(0);
    let body = bytes.get(end..end + length)?;
    answer.body = String::from_utf8_lossy(body).into_owned();
    Some((answer, end + length))
}
