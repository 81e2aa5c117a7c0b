//! Calls as bytes, which no decent client would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Kind, Suite};

/// How long a call may stay unanswered.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so long an attempt says that nothing more comes: some would be waited for to send a body.
const HALF: Duration = Duration::from_millis(500);

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Whoever may use all connections.
    Token,
    /// An integration token of the ZIS connection's own integration.
    OwnIntegration,
    /// One of another.
    OtherIntegration,
    /// Who may, but for the connection's restriction.
    Outsider,
    /// An admin of another org.
    OtherOrg,
    /// A token without the right.
    Rightless,
    /// Nobody.
    Nobody,
}

/// A call. In its texts `{id}`, `{zis}` and `{token}` stand for the connection, its name and the caller's credential.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Before the path: empty, or what makes the target absolute.
    pub(crate) before: String,
    /// The connection in the target, if it is another.
    pub(crate) connection: Option<String>,
    pub(crate) path: String,
    /// The whole target, if it is another.
    pub(crate) target: Option<String>,
    pub(crate) host: String,
    /// Lines, without their ends.
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    /// Whether the length of the body is told.
    pub(crate) is_framed: bool,
    pub(crate) by: By,
    /// As frames of HTTP/2: pseudo-headers instead of the line.
    pub(crate) frames: Option<Vec<(String, String)>>,
    /// What is in a frame of data behind them.
    pub(crate) data: Option<String>,
}

impl Call {
    pub(crate) fn plain(kind: Kind) -> Self {
        let body = if kind == Kind::Http { b"{}".to_vec() } else { Vec::new() };
        Self {
            method: if kind == Kind::Http { "POST".to_owned() } else { "GET".to_owned() },
            before: String::new(),
            connection: None,
            path: "/projects".to_owned(),
            target: None,
            host: "claviger.example".to_owned(),
            lines: Vec::new(),
            body,
            is_framed: true,
            by: By::Token,
            frames: None,
            data: None,
        }
    }

    pub(crate) fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.lines.push(line.as_ref().to_vec());
        self
    }

    pub(crate) fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    pub(crate) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    pub(crate) fn body(self, body: impl AsRef<[u8]>) -> Self {
        Self { body: body.as_ref().to_vec(), method: "POST".to_owned(), ..self }
    }

    /// Sends it over a connection of its own; what came back, as far as it came.
    pub(crate) async fn send(&self, suite: &Suite<'_>, kind: Kind, is_attempt: bool) -> Vec<u8> {
        let bytes = match &self.frames {
            Some(pseudo) => self.framed(pseudo, suite, kind),
            None => self.written(suite, kind),
        };
        exchange(suite.scene.server.address, &bytes, self.frames.is_some(), is_attempt).await
    }

    fn target(&self, suite: &Suite<'_>, kind: Kind) -> String {
        if let Some(target) = &self.target {
            return target.clone();
        }
        let connection = self.connection.clone().unwrap_or_else(|| suite.id(kind).to_owned());
        suite.fill(&format!("{}/broker/{connection}{}", self.before, self.path), kind)
    }

    /// The caller's credential, and the host that the connection needs to be told.
    fn own_lines(&self, suite: &Suite<'_>, kind: Kind) -> Vec<(String, String)> {
        let mut own = suite.credentials(self.by);
        let names_host =
            self.lines.iter().any(|line| line.to_ascii_lowercase().starts_with(b"claviger-host"));
        if kind.needs_host() && !names_host {
            own.push(("claviger-host".to_owned(), kind.host().to_owned()));
        }
        own
    }

    fn written(&self, suite: &Suite<'_>, kind: Kind) -> Vec<u8> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.target(suite, kind), self.host)
                .into_bytes();
        for (name, value) in self.own_lines(suite, kind) {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        for line in &self.lines {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        if self.is_framed && !self.body.is_empty() {
            bytes.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Preface, settings, one frame of headers with END_HEADERS, and of data if there is any, the last with END_STREAM. Literals without indexing, so that
    /// nothing corrects what they say (RFC 7541, 6.2.2).
    fn framed(&self, pseudo: &[(String, String)], suite: &Suite<'_>, kind: Kind) -> Vec<u8> {
        let mut block = Vec::new();
        let mut literal = |name: &str, value: &str| {
            block.push(0);
            for text in [name, value] {
                integer(text.len(), &mut block);
                block.extend_from_slice(text.as_bytes());
            }
        };
        for (name, value) in pseudo {
            literal(name, &suite.fill(value, kind));
        }
        for (name, value) in self.own_lines(suite, kind) {
            literal(&name, &value);
        }
        if self.data.is_some() {
            literal("x-turn", &suite.mark(kind));
        }
        for line in &self.lines {
            let line = String::from_utf8_lossy(line).into_owned();
            if let Some((name, value)) = line.split_once(": ") {
                literal(name, value);
            }
        }
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
        let length = u32::try_from(block.len()).unwrap().to_be_bytes();
        bytes.extend_from_slice(&length[1..]);
        let flags = if self.data.is_some() { 0x4 } else { 0x5 };
        bytes.extend_from_slice(&[1, flags, 0, 0, 0, 1]);
        bytes.extend_from_slice(&block);
        if let Some(data) = &self.data {
            let length = u32::try_from(data.len()).unwrap().to_be_bytes();
            bytes.extend_from_slice(&length[1..]);
            bytes.extend_from_slice(&[0, 0x1, 0, 0, 0, 1]);
            bytes.extend_from_slice(data.as_bytes());
        }
        bytes
    }
}

/// A string's length, without Huffman (RFC 7541, 5.1).
fn integer(value: usize, into: &mut Vec<u8>) {
    if value < 127 {
        return into.push(value as u8);
    }
    into.push(127);
    let mut rest = value - 127;
    while rest >= 128 {
        into.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    into.push(rest as u8);
}

/// Sends bytes, and reads until an answer is whole, the peer ends the connection, or patience does.
async fn exchange(address: SocketAddr, bytes: &[u8], is_framed: bool, is_attempt: bool) -> Vec<u8> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let _ = to.write_all(bytes).await;
    let mut read = Vec::new();
    let is_whole = |read: &[u8]| if is_framed { is_stream_over(read) } else { is_answer_over(read) };
    let started = Instant::now();
    let mut end = started + if is_attempt { HALF } else { PATIENCE };
    while !is_whole(&read) {
        match timeout_at(end, from.read_buf(&mut read)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => {}
            Err(_) if end < started + PATIENCE => {
                let _ = to.shutdown().await;
                end = started + PATIENCE;
            }
            Err(_) => break,
        }
    }
    read
}

fn is_answer_over(read: &[u8]) -> bool {
    let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    if read.starts_with(b"HTTP/1.1 1") {
        return is_answer_over(&read[end + 4..]);
    }
    let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    match head.contains("transfer-encoding: chunked") {
        true => read.ends_with(b"0\r\n\r\n"),
        false => read.len() >= end + 4 + length.unwrap_or(0),
    }
}

/// Whether stream 1 ended: END_STREAM, RST_STREAM or GOAWAY.
fn is_stream_over(mut read: &[u8]) -> bool {
    while let [a, b, c, kind, flags, _, _, _, stream, rest @ ..] = read {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        match (kind, stream) {
            (0 | 1, 1) if flags & 1 == 1 && rest.len() >= length => return true,
            (3, 1) | (7, _) => return true,
            _ => {}
        }
        let Some(next) = rest.get(length..) else { return false };
        read = next;
    }
    false
}
