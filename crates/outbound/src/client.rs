//! The exchange itself.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_model::WebUrl;
use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use crate::Reach;

/// Addresses of one name that are tried; no honest name has more that answer nothing.
const ADDRESSES_MAX: usize = 8;
/// Who calls, as receivers see it.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Claviger/", env!("CARGO_PKG_VERSION")));

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    tls: Arc<ClientConfig>,
    reach: Reach,
    deadline: Duration,
    answer_bytes_max: usize,
}

/// A request.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: WebUrl,
    /// Headers, beside those that every request has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

/// An answer, read whole.
#[derive(Debug, Clone)]
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
    /// In clear, where only TLS will do.
    #[error("the address is not https")]
    NotTls,
    /// The name has no address.
    #[error("the host cannot be looked up")]
    Lookup(#[source] io::Error),
    /// An address that may not be called.
    #[error("the host has an address that is not public")]
    NotPublic,
    /// Nobody answers there.
    #[error("the host cannot be connected to")]
    Connect(#[source] io::Error),
    /// No TLS, or a certificate that is not trusted.
    #[error("TLS with the host failed")]
    Tls(#[source] io::Error),
    /// What came back is no HTTP, or broke off.
    #[error("the exchange failed")]
    Exchange(#[source] hyper::Error),
    /// The answer's body is too large, or broke off.
    #[error("the answer could not be read")]
    Answer,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
}

/// Whom TLS trusts.
#[derive(Debug, Clone)]
pub struct Roots(RootCertStore);

/// There are no certificates of authorities.
#[derive(Debug, thiserror::Error)]
#[error(
    "no certificates of authorities can be used: install the system's, or name a file of them in SSL_CERT_FILE"
)]
pub struct RootsError(#[source] Option<Box<dyn std::error::Error + Send + Sync>>);

impl Roots {
    /// The authorities that the system trusts.
    ///
    /// # Errors
    /// When it names none.
    pub fn of_system() -> Result<Self, RootsError> {
        let mut found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Some systems have a few that nobody can read; only to have none is an error.
        let (usable, _) = roots.add_parsable_certificates(found.certs);
        match usable {
            0 => Err(RootsError(found.errors.pop().map(Into::into))),
            _ => Ok(Self(roots)),
        }
    }

    /// Nobody: then nothing can be called over TLS.
    pub fn none() -> Self {
        Self(RootCertStore::empty())
    }

    /// These authorities alone, in PEM form.
    ///
    /// # Errors
    /// When there is none, or one of them is none.
    pub fn parse(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| RootsError(Some(error.into())))?;
            roots.add(certificate).map_err(|error| RootsError(Some(error.into())))?;
        }
        if roots.is_empty() { Err(RootsError(None)) } else { Ok(Self(roots)) }
    }
}

impl Client {
    /// A client that trusts these, goes so far, takes so long at most for each exchange, and reads so much of an answer.
    pub fn new(roots: Roots, reach: Reach, deadline: Duration, answer_bytes_max: usize) -> Self {
        let mut tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(rustls::DEFAULT_VERSIONS)
            .expect("the provider has what both versions need")
            .with_root_certificates(roots.0)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { tls: Arc::new(tls), reach, deadline, answer_bytes_max }
    }

    /// Sends a request and reads its answer, whatever its status.
    ///
    /// # Errors
    /// When there is none.
    pub async fn send(&self, request: Request) -> Result<Answer, SendError> {
        tokio::time::timeout(self.deadline, self.exchange(request)).await.map_err(|_| SendError::Timeout)?
    }

    async fn exchange(&self, request: Request) -> Result<Answer, SendError> {
        if !request.url.is_tls() && self.reach == Reach::Public {
            return Err(SendError::NotTls);
        }
        let stream = self.connect(&request.url).await?;
        if !request.url.is_tls() {
            return self.speak(stream, request).await;
        }
        let name = match request.url.ip() {
            Some(address) => ServerName::IpAddress(address.into()),
            None => ServerName::try_from(request.url.host())
                .map_err(|error| SendError::Tls(io::Error::other(error)))?,
        };
        let stream =
            TlsConnector::from(self.tls.clone()).connect(name, stream).await.map_err(SendError::Tls)?;
        self.speak(stream, request).await
    }

    /// A connection to an address that was checked.
    async fn connect(&self, url: &WebUrl) -> Result<TcpStream, SendError> {
        let addresses: Vec<SocketAddr> = match url.ip() {
            Some(address) => vec![(address, url.port()).into()],
            None => tokio::net::lookup_host((url.host().as_str(), url.port()))
                .await
                .map_err(SendError::Lookup)?
                .collect(),
        };
        // One that is not public among others is no accident.
        if !addresses.iter().all(|address| self.reach.admits(IpAddr::to_canonical(&address.ip()))) {
            return Err(SendError::NotPublic);
        }
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses.into_iter().take(ADDRESSES_MAX) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = error,
            }
        }
        Err(SendError::Connect(failure))
    }

    async fn speak<S>(&self, stream: S, request: Request) -> Result<Answer, SendError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(SendError::Exchange)?;
        let connection = AbortOnDrop(tokio::spawn(async move { drop(connection.await) }));
        let response = sender.send_request(message(request)).await.map_err(SendError::Exchange)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.answer_bytes_max).collect().await;
        let body = body.map_err(|_| SendError::Answer)?.to_bytes();
        drop(connection);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
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
    if let Ok(host) = HeaderValue::from_str(url.authority()) {
        all.insert(HOST, host);
    }
    all.insert(USER_AGENT, AGENT);
    all.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    all.extend(headers);
    message
}
