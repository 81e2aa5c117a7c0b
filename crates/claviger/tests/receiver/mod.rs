//! A real receiver of events: an HTTP server of its own that keeps what it was told.

#![allow(dead_code, reason = "no test needs all of it")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claviger_vault::WebhookSecret;
use serde_json::Value;
use zeroize::Zeroizing;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver was told.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) path: String,
    /// By names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
    /// What it was answered.
    pub(crate) status: u16,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Whether one of its signatures is by this secret, as it was shown.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let secret = WebhookSecret::from_opened(Zeroizing::new(key));
        let seconds = self.headers["webhook-timestamp"].parse().unwrap();
        let expected = secret.sign(self.id(), seconds, self.body.as_bytes());
        self.headers["webhook-signature"].split(' ').any(|signature| signature == expected)
    }
}

/// A receiver, as long as somebody holds it.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    told: Mutex<Vec<Delivery>>,
    more: Condvar,
    /// What is answered; 0 for nothing at all.
    status: AtomicU16,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { told: Mutex::default(), more: Condvar::new(), status: AtomicU16::new(204) });
        let serving = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, shared) = (stream.unwrap(), serving.clone());
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?for=claviger", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on answers so; 0 for not at all.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// Everything so far.
    pub(crate) fn told(&self) -> Vec<Delivery> {
        self.shared.told.lock().unwrap().clone()
    }

    /// The types of what was accepted so far.
    pub(crate) fn accepted(&self) -> Vec<String> {
        self.told().iter().filter(|delivery| delivery.status == 204).map(Delivery::kind).collect()
    }

    /// Waits until what was told so far is enough.
    #[track_caller]
    pub(crate) fn wait_until(&self, is_enough: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let deadline = Instant::now() + PATIENCE;
        let mut told = self.shared.told.lock().unwrap();
        while !is_enough(&told) {
            let left = deadline.saturating_duration_since(Instant::now());
            let kinds: Vec<_> = told.iter().map(|delivery| (delivery.kind(), delivery.status)).collect();
            assert!(!left.is_zero(), "only told of {kinds:?}");
            told = self.shared.more.wait_timeout(told, left).unwrap().0;
        }
        told.clone()
    }

    /// Waits until so many were told.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Delivery> {
        self.wait_until(|told| told.len() >= count)
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap().to_owned();
        assert!(line.starts_with("POST "), "{line}");
        let mut headers = HashMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let status = self.status.load(Ordering::SeqCst);
        let delivery = Delivery { path, headers, body: String::from_utf8(body).unwrap(), status };
        self.told.lock().unwrap().push(delivery);
        self.more.notify_all();
        if status == 0 {
            // Until the other side gives up.
            let _ = reader.read(&mut [0]);
            return;
        }
        let location = if status == 302 { "location: /elsewhere\r\n" } else { "" };
        let mut stream = stream;
        let _ = write!(stream, "HTTP/1.1 {status} Status\r\n{location}content-length: 0\r\n\r\n");
    }
}
