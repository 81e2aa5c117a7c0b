//! The exchange itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_egress::{ConnectError, Egress, OrgId, Policy, Target};
use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

/// Who calls, as receivers see it.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Claviger/", env!("CARGO_PKG_VERSION")));

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    egress: Egress,
    policy: Arc<Policy>,
    deadline: Duration,
    answer_bytes_max: usize,
}

/// A request.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Target,
    /// Headers, beside those that every request has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// An answer, read whole. What it says may be a token: printed is how much it is.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer. None of it says what an address that may not be called would have answered.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There is no connection, and may not be one.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What came back is no HTTP, or broke off.
    #[error("the exchange failed")]
    Exchange(#[source] hyper::Error),
    /// The answer's body broke off.
    #[error("the answer broke off")]
    Answer,
    /// The answer's body is longer than what is read of one.
    #[error("the answer is too large")]
    TooLarge,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
}

impl Client {
    /// A client that goes out this way, under this policy, takes so long at most for each exchange, and reads so much of
    /// an answer.
    pub fn new(egress: Egress, policy: Policy, deadline: Duration, answer_bytes_max: usize) -> Self {
        Self { egress, policy: Arc::new(policy), deadline, answer_bytes_max }
    }

    /// The same client for what an org chose the address of ([`Egress::for_org`]).
    pub fn for_org(&self, org: OrgId) -> Self {
        Self { egress: self.egress.for_org(org), ..self.clone() }
    }

    /// Sends a request and reads its answer, whatever its status.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        tokio::time::timeout(self.deadline, self.exchange(request)).await.map_err(|_| SendError::Timeout)?
    }

    async fn exchange(&self, request: Request) -> Result<Answer, SendError> {
        let stream = self.egress.connect(request.url.origin(), &self.policy).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(SendError::Exchange)?;
        let connection = AbortOnDrop(tokio::spawn(async move { drop(connection.await) }));
        let response = sender.send_request(message(request)).await.map_err(SendError::Exchange)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.answer_bytes_max).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => SendError::TooLarge,
            false => SendError::Answer,
        })?;
        let body = body.to_bytes();
        drop(connection);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers, body } = self;
        write!(f, "Answer({}, {} headers, {} bytes)", status.as_u16(), headers.len(), body.len())
    }
}

/// The work of a connection, which ends with whoever waits for the answer.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message(request: Request) -> http::Request<Full<Bytes>> {
    let Request { method, url, headers, body } = request;
    let mut message = http::Request::new(Full::new(body.clone()));
    *message.method_mut() = method;
    // An address is made of characters that these types take.
    *message.uri_mut() = url.path_and_query().parse().unwrap_or_default();
    let all = message.headers_mut();
    if let Ok(host) = HeaderValue::from_str(&url.origin().authority()) {
        all.insert(HOST, host);
    }
    all.insert(USER_AGENT, AGENT);
    all.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    all.extend(headers);
    message
}
