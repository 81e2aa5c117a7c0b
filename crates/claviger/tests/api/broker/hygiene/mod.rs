//! Messages are passed on as they must be, however odd the other side is.

mod answers;
mod broken;
mod idle;
mod requests;
mod signed;
mod streams;
mod uploads;
mod wholes;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Scene;
use crate::support::connections::gitlab;
use crate::support::third_party::Line;

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A caller who writes bytes.
struct Caller {
    stream: TcpStream,
    read: Vec<u8>,
    head: String,
}

impl Caller {
    async fn new(scene: &Scene) -> Self {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        Self::through(scene, &id).await
    }

    /// One who calls through this connection.
    async fn through(scene: &Scene, id: &str) -> Self {
        let token = scene.token().await;
        let stream = TcpStream::connect(scene.server.address).await.unwrap();
        let head = format!("/broker/{id}/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n");
        Self { stream, read: Vec::new(), head }
    }

    /// The connection that it calls through.
    fn connection(&self) -> &str {
        self.head.trim_start_matches("/broker/").split('/').next().unwrap()
    }

    /// The same caller over another connection.
    async fn again(&self, scene: &Scene) -> Self {
        let stream = TcpStream::connect(scene.server.address).await.unwrap();
        Self { stream, read: Vec::new(), head: self.head.clone() }
    }

    /// Sends a request's head with further lines, and what follows it.
    async fn ask(&mut self, method: &str, lines: &str, body: &[u8]) {
        let head = format!("{method} {}{lines}\r\n", self.head);
        self.send(head.as_bytes()).await;
        self.send(body).await;
    }

    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads until something is there.
    async fn until(&mut self, is_there: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        while !is_there(&self.read) {
            let more = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
            let more = more.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.read)));
            if matches!(more, Ok(0) | Err(_)) {
                panic!("the connection ended: {}", String::from_utf8_lossy(&self.read));
            }
        }
        std::mem::take(&mut self.read)
    }

    /// The head of the next answer.
    async fn head(&mut self) -> String {
        let read = self.until(|read| read.windows(4).any(|four| four == b"\r\n\r\n")).await;
        let end = read.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        self.read = read[end..].to_vec();
        String::from_utf8_lossy(&read[..end]).to_lowercase()
    }

    /// The next answer, whose body is as long as it says, or in chunks; with these as they are.
    async fn answer(&mut self) -> (String, String) {
        let head = self.head().await;
        let length: Option<usize> =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let body = match length {
            Some(length) => {
                let read = self.until(|read| read.len() >= length).await;
                self.read = read[length..].to_vec();
                read[..length].to_vec()
            }
            None if head.contains("transfer-encoding: chunked") => {
                self.until(|read| read.ends_with(b"0\r\n\r\n")).await
            }
            None => Vec::new(),
        };
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    /// All that comes until the connection ends.
    async fn rest(&mut self) -> Vec<u8> {
        let _ = timeout(PATIENCE, self.stream.read_to_end(&mut self.read)).await.expect("it ends");
        std::mem::take(&mut self.read)
    }
}

/// The code of a refusal.
#[track_caller]
fn check_refused(answer: &(String, String), status: u16, code: &str) {
    assert!(answer.0.starts_with(&format!("http/1.1 {status} ")), "{answer:?}");
    assert!(answer.0.contains(&format!("claviger-error: {code}\r\n")), "{answer:?}");
}

#[track_caller]
fn check_ok(answer: &(String, String)) {
    assert!(answer.0.starts_with("http/1.1 200 "), "{answer:?}");
}

/// Reads a request's head from a line.
pub(super) async fn head_of(line: &mut Line) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        match line.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(read).unwrap()
}

/// Writes and sends what was written.
pub(super) async fn say(line: &mut Line, bytes: &[u8]) {
    let _ = line.write_all(bytes).await;
    let _ = line.flush().await;
}
