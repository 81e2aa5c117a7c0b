//! A token endpoint in the same process: it answers what the test says, byte for byte, and keeps what it was sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_catalog::SecretText;
use claviger_egress::{Egress, Policy, Roots, Target};
use claviger_exchange::oauth::OAuthClient;
use claviger_outbound::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the endpoint does with every request.
#[derive(Clone)]
pub(crate) enum Play {
    /// Answers these bytes, and closes.
    Bytes(Vec<u8>),
    /// Answers these bytes, and never closes.
    Hangs(Vec<u8>),
    /// Answers without end.
    Endless,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Received {
    /// The body as a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The endpoint. It ends with the test's runtime.
pub(crate) struct Provider {
    origin: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Provider {
    /// One that does the same with every request.
    pub(crate) async fn playing(play: Play) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&received);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, play.clone(), Arc::clone(&all)));
            }
        });
        Self { origin, received }
    }

    /// One that answers with a status, headers and a body.
    pub(crate) async fn answering(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        Self::playing(Play::Bytes(answer(status, headers, body.as_ref()))).await
    }

    /// One that answers with JSON.
    pub(crate) async fn json(status: u16, body: &str) -> Self {
        Self::answering(status, &[("content-type", "application/json")], body).await
    }

    /// Where it is.
    pub(crate) fn target(&self) -> Target {
        format!("{}/token?own=1", self.origin).parse().unwrap()
    }

    /// A client of it.
    pub(crate) fn client(&self) -> OAuthClient {
        OAuthClient {
            token_url: self.target(),
            client_id: "the client/1".to_owned(),
            client_secret: secret("s3cr+t&=%/ü"),
        }
    }

    /// What it was sent.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned())
}

/// The way to providers in this process.
pub(crate) fn http() -> Client {
    claviger_exchange::client(Egress::trusting(Roots::none()), Policy::private_too())
}

/// The same with little patience.
pub(crate) fn impatient() -> Client {
    let egress = Egress::trusting(Roots::none());
    Client::new(
        egress,
        Policy::private_too(),
        Duration::from_millis(300),
        claviger_exchange::ANSWER_BYTES_MAX,
    )
}

/// An answer's bytes.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status} Any\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

async fn serve(mut stream: TcpStream, play: Play, received: Arc<Mutex<Vec<Received>>>) {
    let Some(request) = read(&mut stream).await else { return };
    received.lock().unwrap().push(request);
    match play {
        Play::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Play::Hangs(bytes) => {
            let _ = stream.write_all(&bytes).await;
            // Until the other side has had enough.
            let _ = stream.read(&mut [0; 16]).await;
        }
        Play::Endless => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"access_token\":\"";
            let _ = stream.write_all(head).await;
            while stream.write_all(&[b'a'; 4096]).await.is_ok() {}
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let body = bytes[end + 4..].to_vec();
            let request = Received { head, body: String::from_utf8(body).ok()? };
            let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
            if request.body.len() >= length {
                return Some(request);
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
