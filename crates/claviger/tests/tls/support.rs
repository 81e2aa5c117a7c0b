//! An authority of one's own, the program under a certificate of it, and a client that shows what it was shown.

use std::error::Error;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SerialNumber};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::process::{PATIENCE, Serving, program};

/// Waits for a condition.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "it never came to this: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Who signs certificates for 127.0.0.1.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    next: std::sync::atomic::AtomicU64,
    /// Its own certificate, for clients to trust.
    pub(crate) file: PathBuf,
    _directory: TempDir,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        // Some clients take a certificate whose issuer has its own name for one that signed itself.
        params.distinguished_name.push(rcgen::DnType::CommonName, "Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, next: 1.into(), file, _directory: directory }
    }

    /// A certificate and its key as PEM, and the certificate as clients see it.
    pub(crate) fn issue(&self) -> (String, String, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        params.serial_number = Some(SerialNumber::from(number));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem(), certificate.der().to_vec())
    }

    fn connector(&self, protocol: &str) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        if !protocol.is_empty() {
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        }
        Arc::new(config).into()
    }
}

/// A directory with a certificate and its key, and a data directory that is not there yet.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new(authority: &Authority) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write_certificate(authority);
        home
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn write_certificate(&self, authority: &Authority) -> Vec<u8> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        let (certificate, key, der) = authority.issue();
        fs::write(self.certificate(), certificate).unwrap();
        let unfinished = self.0.path().join("key.new");
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished).unwrap();
        file.write_all(key.as_bytes()).unwrap();
        fs::rename(unfinished, self.key()).unwrap();
        der
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        command.arg("--data").arg(self.data());
        command.arg("--tls-cert").arg(self.certificate()).arg("--tls-key").arg(self.key());
        command
    }
}

/// The program, serving.
pub(crate) struct Server {
    home: Home,
    process: Serving,
    pub(crate) address: SocketAddr,
    pub(crate) bootstrap: Value,
}

impl Server {
    pub(crate) fn start(authority: &Authority, arguments: &[&str]) -> Self {
        let home = Home::new(authority);
        let process = Serving::start(home.serve(arguments));
        assert_eq!(process.listening["tls"], true);
        let address = process.address;
        let bootstrap = fs::read_to_string(home.data().join("bootstrap.json")).unwrap();
        Self { bootstrap: serde_json::from_str(&bootstrap).unwrap(), home, process, address }
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.home.certificate()
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.home.key()
    }

    /// Puts a new certificate and key into the files, and returns the certificate.
    pub(crate) fn replace_certificate(&self, authority: &Authority) -> Vec<u8> {
        self.home.write_certificate(authority)
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    pub(crate) fn hang_up(&self) {
        self.process.signal("HUP");
    }

    pub(crate) fn curl(&self, arguments: &[&str]) -> Output {
        // Whoever runs the tests may have a proxy.
        Command::new("curl").env_clear().args(["--silent", "--show-error"]).args(arguments).output().unwrap()
    }

    /// Asks it to stop, and expects it to end well.
    /// Asks it to stop, and expects it to end well. Clients that are still connected are heard meanwhile.
    pub(crate) async fn stop(self) {
        let log = tokio::task::spawn_blocking(|| self.process.stop()).await.unwrap();
        for secret in ["api_key", "application_key"] {
            assert!(!log.contains(self.bootstrap[secret].as_str().unwrap()));
        }
        assert!(!log.contains("PRIVATE KEY"));
    }
}

/// What came back, and the certificate under which it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) version: Version,
    pub(crate) body: String,
    pub(crate) certificate: Vec<u8>,
}

pub(crate) enum Sender {
    One(http1::SendRequest<Empty<Bytes>>),
    Two(http2::SendRequest<Empty<Bytes>>),
}

/// An open connection with the admin's keys.
pub(crate) struct Connection {
    sender: Sender,
    address: SocketAddr,
    keys: [String; 2],
    certificate: Vec<u8>,
}

/// One request on a connection of its own.
pub(crate) async fn fetch(
    server: &Server,
    authority: &Authority,
    protocol: &str,
    path: &str,
) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    Ok(connect(server, authority, protocol).await?.get(path).await?.0)
}

pub(crate) async fn connect(
    server: &Server,
    authority: &Authority,
    protocol: &str,
) -> Result<Connection, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from(server.address.ip().to_string())?;
    let stream = authority.connector(protocol).connect(name, stream).await?;
    let (_, session) = stream.get_ref();
    let agreed = session.alpn_protocol().unwrap_or_default();
    assert_eq!(agreed, protocol.as_bytes());
    let certificate = session.peer_certificates().unwrap()[0].to_vec();
    let is_two = agreed == b"h2";
    let sender = if is_two {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Sender::Two(sender)
    } else {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Sender::One(sender)
    };
    let keys = ["api_key", "application_key"].map(|key| server.bootstrap[key].as_str().unwrap().to_owned());
    Ok(Connection { sender, address: server.address, keys, certificate })
}

impl Connection {
    /// Asks for a path, and hands the connection back.
    pub(crate) async fn get(mut self, path: &str) -> Result<(Answer, Self), Box<dyn Error + Send + Sync>> {
        let [api_key, application_key] = &self.keys;
        let request =
            Request::builder().header("dd-api-key", api_key).header("dd-application-key", application_key);
        let response = match &mut self.sender {
            Sender::One(sender) => {
                let request = request.uri(path).header("host", self.address.to_string());
                sender.send_request(request.body(Empty::new())?).await?
            }
            Sender::Two(sender) => {
                let request = request.uri(format!("https://{}{path}", self.address));
                sender.send_request(request.body(Empty::new())?).await?
            }
        };
        let (status, version) = (response.status().as_u16(), response.version());
        let body = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
        Ok((Answer { status, version, body, certificate: self.certificate.clone() }, self))
    }
}
