//! Third parties: one listener that is every host there is, sees every byte that is sent to it, and answers as told.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use claviger_egress::{
    Dialer, Egress, Faults, Resolver, Roots, Settings, Soon, SystemDialer, SystemResolver,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// What every name resolves to, unless a test says otherwise: the Internet's.
const PUBLIC: [u8; 4] = [93, 184, 216, 34];

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The name that TLS was for; empty in clear.
    pub(crate) name: String,
    /// The port that was dialled.
    pub(crate) port: u16,
    /// Everything up to the empty line, with it.
    pub(crate) head: String,
    /// The body, taken out of its chunks.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// The values of a header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let of = |line: &'_ str| -> Option<usize> {
            let (key, _) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(key.len() + 1)
        };
        self.head.lines().skip(1).filter_map(|line| Some(line[of(line)?..].trim())).collect()
    }

    /// A header that is there once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {}", self.head);
        all[0]
    }

    /// Method and target.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1")
    }
}

/// What is written in answer to a request; whether the connection then stays open.
pub(crate) struct Reply {
    pub(crate) bytes: Vec<Vec<u8>>,
    pub(crate) is_kept: bool,
}

impl Reply {
    /// A whole answer.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::with("200 OK", "content-type: text/plain\r\n", body)
    }

    /// With a status and further header lines.
    pub(crate) fn with(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes =
            format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Self { bytes: vec![bytes], is_kept: true }
    }

    /// These bytes, each part by itself.
    pub(crate) fn raw(parts: &[&[u8]]) -> Self {
        Self { bytes: parts.iter().map(|part| part.to_vec()).collect(), is_kept: true }
    }

    /// After which the connection is closed.
    pub(crate) fn closing(self) -> Self {
        Self { is_kept: false, ..self }
    }
}

/// A connection, to be spoken over as a test likes.
pub(crate) type Line = Pin<Box<dyn Both + Send>>;

/// What can be read from and written to.
pub(crate) trait Both: AsyncRead + AsyncWrite {}

impl<T: AsyncRead + AsyncWrite> Both for T {}

type Script = Arc<dyn Fn(Line) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;
type Answering = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// All third parties.
#[derive(Clone)]
pub(crate) struct ThirdParty(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    roots: Roots,
    pem: String,
    seen: Mutex<Vec<Seen>>,
    answer: Mutex<Answering>,
    connections: Mutex<usize>,
    names: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    slow: SlowNames,
    dialled: Mutex<Vec<SocketAddr>>,
    arrived: Mutex<Vec<IpAddr>>,
    faults: Faults,
    script: Mutex<Option<Script>>,
}

impl ThirdParty {
    /// Answers `ok` until told otherwise.
    pub(crate) async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    /// The same at an address.
    pub(crate) async fn start_at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let certificates = Arc::new(Certificates::new());
        let inner = Inner {
            address: listener.local_addr().unwrap(),
            roots: Roots::parse(certificates.pem().as_bytes()).unwrap(),
            pem: certificates.pem(),
            seen: Mutex::default(),
            answer: Mutex::new(Arc::new(|_| Reply::ok("ok"))),
            connections: Mutex::new(0),
            names: Mutex::default(),
            slow: SlowNames::default(),
            dialled: Mutex::default(),
            arrived: Mutex::default(),
            faults: Faults::default(),
            script: Mutex::default(),
        };
        let this = Self(Arc::new(inner));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_cert_resolver(certificates);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let serving = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // What a test says has been sent has been sent, and waits for nobody's acknowledgement.
                stream.set_nodelay(true).unwrap();
                let (this, acceptor) = (serving.clone(), acceptor.clone());
                tokio::spawn(async move { this.serve(stream, acceptor).await });
            }
        });
        this
    }

    /// The way to it, whichever host is called.
    pub(crate) fn egress(&self) -> Egress {
        let settings = Settings { faults: self.0.faults.clone(), ..Settings::new(self.0.roots.clone()) };
        Egress::over(settings, Names(self.clone()), Detour(self.clone())).unwrap()
    }

    /// The same, where connecting may take so long.
    pub(crate) fn patient_egress(&self, connect_timeout: Duration) -> Egress {
        let settings = Settings { connect_timeout, ..Settings::new(self.0.roots.clone()) };
        Egress::over(settings, Names(self.clone()), Detour(self.clone())).unwrap()
    }

    /// The guards of that way, to be switched off.
    pub(crate) fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The way that a server has to the world: over the system's resolver and TCP.
    pub(crate) fn system_egress(&self) -> Egress {
        Egress::over(Settings::new(self.0.roots.clone()), SystemResolver, SystemDialer).unwrap()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The certificate by which its own are known.
    pub(crate) fn pem(&self) -> &str {
        &self.0.pem
    }

    /// How many requests arrived since the last time.
    pub(crate) fn seen(&self) -> usize {
        self.0.seen.lock().unwrap().len()
    }

    /// Says how requests are answered from now on.
    pub(crate) fn answer(&self, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) {
        *self.0.answer.lock().unwrap() = Arc::new(answer);
    }

    /// Says how new connections are spoken over, byte by byte.
    pub(crate) fn script<F>(&self, script: impl Fn(Line) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.0.script.lock().unwrap() = Some(Arc::new(move |line| Box::pin(script(line))));
    }

    /// Says what a name resolves to.
    pub(crate) fn name(&self, name: &str, addresses: &[&str]) {
        self.name_in_turn(name, &[addresses.to_vec()]);
    }

    /// Says what a name resolves to, one time after the other; the last stays.
    pub(crate) fn name_in_turn(&self, name: &str, answers: &[Vec<&str>]) {
        let addresses = |answer: &Vec<&str>| answer.iter().map(|it| it.parse().unwrap()).collect();
        self.0.names.lock().unwrap().insert(name.to_owned(), answers.iter().map(addresses).collect());
    }

    /// The name servers of what ends with [`SLOW`].
    pub(crate) fn slow_names(&self) -> &SlowNames {
        &self.0.slow
    }

    /// What arrived since the last time.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.seen.lock().unwrap())
    }

    /// The only request that arrived since the last time.
    #[track_caller]
    pub(crate) fn only(&self) -> Seen {
        let mut seen = self.take_seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        *self.0.connections.lock().unwrap()
    }

    /// The addresses that were dialled.
    pub(crate) fn dialled(&self) -> Vec<SocketAddr> {
        self.0.dialled.lock().unwrap().clone()
    }

    /// The addresses at which connections arrived since the last time.
    pub(crate) fn take_arrived(&self) -> Vec<IpAddr> {
        std::mem::take(&mut *self.0.arrived.lock().unwrap())
    }

    async fn serve(&self, stream: TcpStream, acceptor: TlsAcceptor) {
        *self.0.connections.lock().unwrap() += 1;
        self.0.arrived.lock().unwrap().extend(stream.local_addr().map(|address| address.ip().to_canonical()));
        let mut first = [0];
        if stream.peek(&mut first).await.is_err() {
            return;
        }
        // A handshake begins with this byte.
        if first[0] != 0x16 {
            return self.speak(stream, String::new()).await;
        }
        if let Ok(stream) = acceptor.accept(stream).await {
            let name = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
            self.speak(stream, name).await;
        }
    }

    async fn speak(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, name: String) {
        let script = self.0.script.lock().unwrap().clone();
        if let Some(script) = script {
            return script(Box::pin(stream)).await;
        }
        let mut read = Vec::new();
        while let Some((head, body)) = next(&mut stream, &mut read).await {
            let port = self.0.dialled.lock().unwrap().last().map_or(0, SocketAddr::port);
            let seen = Seen { name: name.clone(), port, head, body };
            let answer = self.0.answer.lock().unwrap().clone();
            self.0.seen.lock().unwrap().push(seen.clone());
            let reply = answer(&seen);
            for part in reply.bytes {
                if stream.write_all(&part).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
            if !reply.is_kept {
                let _ = stream.shutdown().await;
                return;
            }
        }
    }
}

/// The next request; none where there is no other.
async fn next(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&read[..end]).into_owned();
    read.drain(..end);
    let lower = head.to_lowercase();
    if lower.contains("transfer-encoding: chunked") {
        let mut body = Vec::new();
        loop {
            let line = until(stream, read, b"\r\n").await?;
            let size = usize::from_str_radix(std::str::from_utf8(&line).ok()?.trim(), 16).ok()?;
            let chunk = exactly(stream, read, size + 2).await?;
            if size == 0 {
                return Some((head, body));
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let body = exactly(stream, read, length.unwrap_or(0)).await?;
    Some((head, body))
}

async fn exactly(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>, count: usize) -> Option<Vec<u8>> {
    while read.len() < count {
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
    Some(read.drain(..count).collect())
}

async fn until(stream: &mut (impl AsyncRead + Unpin), read: &mut Vec<u8>, end: &[u8]) -> Option<Vec<u8>> {
    loop {
        if let Some(at) = read.windows(end.len()).position(|window| window == end) {
            let line = read[..at].to_vec();
            read.drain(..at + end.len());
            return Some(line);
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// What ends with this has name servers that do not answer until they are let.
pub(crate) const SLOW: &str = ".slow.example.com";

/// Name servers that do not answer: whoever looks such a name up is held.
#[derive(Default)]
pub(crate) struct SlowNames {
    state: Mutex<SlowState>,
    let_go: Condvar,
}

#[derive(Default)]
struct SlowState {
    is_let: bool,
    held: usize,
}

impl SlowNames {
    /// How many look-ups are held.
    pub(crate) fn held(&self) -> usize {
        self.state.lock().unwrap().held
    }

    /// Lets all go.
    pub(crate) fn let_go(&self) {
        self.state.lock().unwrap().is_let = true;
        self.let_go.notify_all();
    }

    fn wait(&self, name: &str) {
        if name.ends_with(SLOW) {
            let mut state = self.state.lock().unwrap();
            state.held += 1;
            state = self.let_go.wait_while(state, |state| !state.is_let).unwrap();
            state.held -= 1;
        }
    }
}

struct Names(ThirdParty);

impl Resolver for Names {
    fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.0.0.slow.wait(name);
        let mut names = self.0.0.names.lock().unwrap();
        let named = names.get_mut(name).and_then(|answers| match answers.len() {
            0 | 1 => answers.front().cloned(),
            _ => answers.pop_front(),
        });
        drop(names);
        Ok(named.unwrap_or_else(|| vec![IpAddr::from(PUBLIC)]))
    }
}

struct Detour(ThirdParty);

impl Dialer for Detour {
    fn dial(&self, address: SocketAddr) -> Soon<'_, io::Result<TcpStream>> {
        self.0.0.dialled.lock().unwrap().push(address);
        Box::pin(TcpStream::connect(self.0.0.address))
    }
}

/// A certificate for whichever name is asked for.
struct Certificates {
    issuer: CertifiedIssuer<'static, KeyPair>,
    made: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer, made: Mutex::default() }
    }

    fn pem(&self) -> String {
        self.issuer.pem()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or("127.0.0.1").to_owned();
        let mut made = self.made.lock().unwrap();
        let made = made.entry(name.clone()).or_insert_with(|| {
            let key = KeyPair::generate().unwrap();
            let certificate =
                CertificateParams::new(vec![name]).unwrap().signed_by(&key, &self.issuer).unwrap();
            let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            let key = aws_lc_rs::sign::any_supported_type(&der).unwrap();
            Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
        });
        Some(made.clone())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}
