//! A network to play with: names that say what a test wants, a dialler that notes where it should have gone and goes to
//! loopback, and upstreams there that count who came.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use claviger_egress::{Connection, Dialer, Egress, Policy, Resolver, Roots, Settings, Soon, Target};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::parse(self.0.pem().as_bytes()).unwrap()
    }

    /// An identity for these names and addresses.
    pub(crate) fn acceptor<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> TlsAcceptor {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        self.acceptor_with(CertificateParams::new(names).unwrap())
    }

    pub(crate) fn acceptor_with(&self, params: CertificateParams) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config).into()
    }
}

/// Somebody on loopback who answers every request with `ok`.
#[derive(Clone)]
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicUsize>,
}

impl Upstream {
    /// Over TLS, or in clear.
    pub(crate) async fn start(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let upstream = Self { address, accepted: accepted.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    match acceptor {
                        None => answer(stream).await,
                        Some(acceptor) => answer(acceptor.accept(stream).await?).await,
                    }
                });
            }
        });
        upstream
    }

    /// How many connections there were.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// HTTP/1.1, as far as requests without a body need it.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut received = Vec::new();
    while stream.read_buf(&mut received).await? > 0 {
        if received.ends_with(b"\r\n\r\n") {
            received.clear();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await?;
        }
    }
    Ok(())
}

/// Goes to one upstream, whatever the address, and notes what the address was.
#[derive(Clone)]
pub(crate) struct Detour {
    to: SocketAddr,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
    /// Addresses that never answer.
    pub(crate) silent: BTreeSet<IpAddr>,
}

impl Detour {
    pub(crate) fn to(upstream: &Upstream) -> Self {
        Self { to: upstream.address, dialled: Arc::default(), silent: BTreeSet::new() }
    }

    /// What was dialled since the last time that this was asked.
    pub(crate) fn dialled(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut self.dialled.lock().unwrap())
    }
}

impl Dialer for Detour {
    fn dial(&self, address: SocketAddr) -> Soon<'_, io::Result<TcpStream>> {
        self.dialled.lock().unwrap().push(address);
        Box::pin(async move {
            if self.silent.contains(&address.ip()) {
                return std::future::pending().await;
            }
            TcpStream::connect(self.to).await
        })
    }
}

/// A name server: each name's answers, one for each time that it is asked; the last is repeated.
#[derive(Clone, Default)]
pub(crate) struct Names {
    records: Arc<Mutex<HashMap<String, Record>>>,
    asked: Arc<AtomicUsize>,
}

#[derive(Clone)]
enum Record {
    Alias(String),
    Addresses { answers: Vec<Vec<IpAddr>>, next: usize },
}

impl Names {
    /// This name has these addresses, whenever it is asked.
    pub(crate) fn say(&self, name: &str, addresses: &[IpAddr]) {
        self.say_in_turn(name, &[addresses]);
    }

    /// This name has these addresses the first time, those the second, and so on: a time to live of zero.
    pub(crate) fn say_in_turn(&self, name: &str, answers: &[&[IpAddr]]) {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        self.records.lock().unwrap().insert(name.to_owned(), Record::Addresses { answers, next: 0 });
    }

    /// This name is another one's alias.
    pub(crate) fn say_alias(&self, name: &str, of: &str) {
        self.records.lock().unwrap().insert(name.to_owned(), Record::Alias(of.to_owned()));
    }

    /// How many questions there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn answer(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        let mut records = self.records.lock().unwrap();
        let mut name = name.to_owned();
        loop {
            match records.get_mut(&name) {
                None => return Err(io::ErrorKind::NotFound.into()),
                Some(Record::Alias(of)) => name = of.clone(),
                Some(Record::Addresses { answers, next }) => {
                    let answer = answers[(*next).min(answers.len() - 1)].clone();
                    *next += 1;
                    return Ok(answer);
                }
            }
        }
    }
}

impl Resolver for Names {
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer(name)
    }
}

/// A way out over such a network to one upstream.
pub(crate) struct Scene {
    pub(crate) upstream: Upstream,
    pub(crate) detour: Detour,
    pub(crate) names: Names,
    pub(crate) egress: Egress,
}

impl Scene {
    pub(crate) fn new(upstream: Upstream, settings: Settings) -> Self {
        let (detour, names) = (Detour::to(&upstream), Names::default());
        let egress = Egress::over(settings, names.clone(), detour.clone()).unwrap();
        Self { upstream, detour, names, egress }
    }

    /// With an upstream that is trusted for these names.
    pub(crate) async fn trusted<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let authority = Authority::new();
        let upstream = Upstream::start(Some(authority.acceptor(names))).await;
        Self::new(upstream, Settings::new(authority.roots()))
    }

    /// What comes of calling an address: the code of what is wrong, with the words.
    pub(crate) async fn call(
        &self,
        url: &str,
        policy: &Policy,
    ) -> Result<Connection, (&'static str, String)> {
        let target: Target =
            url.parse().map_err(|error: claviger_egress::TargetError| (error.code(), error.to_string()))?;
        let connected = self.egress.connect(target.origin(), policy).await;
        connected.map_err(|error| (error.code(), format!("{error:?}")))
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("{text} is no address"))
}
