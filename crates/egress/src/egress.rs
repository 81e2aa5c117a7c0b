//! The one way out.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use claviger_model::{Host, Network, OrgId, Origin};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig};

use crate::embedded::embedded;
use crate::faults::{Faults, Guard};
use crate::lookups::Lookups;
use crate::{
    ConnectError, Connection, Connector, Dialer, Policy, Refusal, Resolver, Roots, SystemDialer,
    SystemResolver, Upstream,
};

/// Addresses of one name that are tried; no honest name has more that answer nothing. All of them are checked.
const ADDRESSES_MAX: usize = 8;

/// What an operator decides once for all orgs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whom TLS trusts.
    pub roots: Roots,
    /// Hosts that the operator has a word on.
    pub upstreams: Vec<Upstream>,
    /// Networks that are called for nobody, whatever a policy says; public ones of the operator's own, or the prefix
    /// that its network translates to IPv4.
    pub denied: Vec<Network>,
    /// How long looking up, connecting and TLS may take together.
    pub connect_timeout: Duration,
    /// Whether HTTP/2 is offered beside HTTP/1.1.
    pub http2: bool,
    /// Guards that a test build switches off.
    pub faults: Faults,
}

impl Settings {
    /// Nothing special: 10 seconds, HTTP/1.1.
    pub fn new(roots: Roots) -> Self {
        Self {
            roots,
            upstreams: Vec::new(),
            denied: Vec::new(),
            connect_timeout: Duration::from_secs(10),
            http2: false,
            faults: Faults::default(),
        }
    }
}

/// The operator says two things of one host and port.
#[derive(Debug, thiserror::Error)]
#[error("the host {0} has more than one upstream for one port")]
pub struct SettingsError(Host);

/// Opens connections, each under a policy. Cheap to clone.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
    /// Whose share of the look-ups is used; none for the server's own.
    org: Option<OrgId>,
}

struct Inner {
    lookups: Lookups,
    dialer: Box<dyn Dialer>,
    tls: TlsConnector,
    upstreams: Places,
    denied: Vec<Network>,
    connect_timeout: Duration,
    faults: Faults,
}

/// By the host and the port that callers name; none for the one that goes without saying.
type Places = BTreeMap<(Host, Option<NonZeroU16>), Place>;

/// Where an upstream is, and how it is trusted if not like all.
struct Place {
    address: IpAddr,
    port: Option<NonZeroU16>,
    tls: Option<TlsConnector>,
}

impl Egress {
    /// A way out over the system's resolver and TCP.
    ///
    /// # Errors
    /// When two upstreams are for the same host.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        Self::over(settings, SystemResolver, SystemDialer)
    }

    /// A way out with nothing special that trusts these.
    pub fn trusting(roots: Roots) -> Self {
        Self::assemble(Settings::new(roots), BTreeMap::new(), SystemResolver, SystemDialer)
    }

    /// A way out over another network.
    ///
    /// # Errors
    /// When two upstreams are for the same host.
    pub fn over(
        mut settings: Settings,
        resolver: impl Resolver,
        dialer: impl Dialer,
    ) -> Result<Self, SettingsError> {
        let mut upstreams = Places::new();
        for Upstream { host, named_port, address, port, roots } in std::mem::take(&mut settings.upstreams) {
            let tls = roots.map(|roots| tls(roots, settings.http2));
            if upstreams.insert((host.clone(), named_port), Place { address, port, tls }).is_some() {
                return Err(SettingsError(host));
            }
        }
        Ok(Self::assemble(settings, upstreams, resolver, dialer))
    }

    fn assemble(settings: Settings, upstreams: Places, resolver: impl Resolver, dialer: impl Dialer) -> Self {
        let inner = Arc::new(Inner {
            lookups: Lookups::new(resolver),
            dialer: Box::new(dialer),
            tls: tls(settings.roots, settings.http2),
            upstreams,
            denied: settings.denied,
            connect_timeout: settings.connect_timeout,
            faults: settings.faults,
        });
        Self { inner, org: None }
    }

    /// The same way for an org: it looks names up within a share of its own, so that name servers that do not answer
    /// keep nobody else's calls waiting. Whatever an org chose the host of goes this way.
    pub fn for_org(&self, org: OrgId) -> Self {
        Self { inner: self.inner.clone(), org: Some(org) }
    }

    /// The guard under one policy, for hyper-util's client.
    pub fn connector(&self, policy: Arc<Policy>) -> Connector {
        Connector::new(self.clone(), policy)
    }

    /// Connects to a host: over TLS with its certificate verified, or in clear, as the origin says.
    ///
    /// # Errors
    /// When the guard refuses it, or it cannot be reached.
    pub async fn connect(&self, origin: &Origin, policy: &Policy) -> Result<Connection, ConnectError> {
        let deadline = Instant::now() + self.inner.connect_timeout;
        let (stream, address) = timeout_at(deadline, self.reach(origin, policy, deadline))
            .await
            .map_err(|_| ConnectError::Timeout)??;
        if !origin.is_tls() {
            return Ok(Connection::clear(stream, address));
        }
        let own = self.place(origin).and_then(|place| place.tls.as_ref());
        let handshake = own.unwrap_or(&self.inner.tls).connect(server_name(origin.host())?, stream);
        let stream = timeout_at(deadline, handshake).await.map_err(|_| ConnectError::Timeout)?;
        Ok(Connection::tls(stream.map_err(ConnectError::Tls)?, address))
    }

    /// A TCP connection to an address of the host that was checked.
    async fn reach(
        &self,
        origin: &Origin,
        policy: &Policy,
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), ConnectError> {
        // Before a name is asked for: whoever answers for it need not know of a call that will not be made.
        let is_clear = !origin.is_tls() && self.inner.faults.stands(Guard::Clear);
        if is_clear && !policy.admits_clear(origin.host()) {
            return Err(Refusal::Clear.into());
        }
        if let Some(place) = self.place(origin) {
            let port = place.port.map_or(origin.port(), NonZeroU16::get);
            let address = SocketAddr::new(place.address, port);
            return Ok((self.inner.dialer.dial(address).await.map_err(ConnectError::Connect)?, address));
        }
        let mut addresses = self.look_up(origin.host()).await?;
        self.admit(&addresses, policy, is_clear)?;
        if !self.inner.faults.stands(Guard::Resolution) {
            addresses = self.look_up(origin.host()).await?;
        }
        self.dial_any(&addresses, origin.port(), deadline).await
    }

    /// Where the operator says that an origin is.
    fn place(&self, origin: &Origin) -> Option<&Place> {
        let place = |port| self.inner.upstreams.get(&(origin.host().clone(), port));
        let is_usual = origin.port() == origin.scheme().port();
        place(NonZeroU16::new(origin.port())).or_else(|| if is_usual { place(None) } else { None })
    }

    /// All addresses of a host, each once, in the form in which packets go to them.
    async fn look_up(&self, host: &Host) -> Result<Vec<IpAddr>, ConnectError> {
        let found = match (host.address(), host.name()) {
            (Some(address), _) => [address].into(),
            (None, name) => self.inner.lookups.ask(self.org, name.unwrap_or_default()).await?,
        };
        let mut addresses = Vec::new();
        for address in found.iter().map(IpAddr::to_canonical) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    /// Checks every address: one that may not be called refuses all.
    fn admit(&self, addresses: &[IpAddr], policy: &Policy, is_clear: bool) -> Result<(), Refusal> {
        for address in addresses {
            let is_denied = |address: IpAddr| self.inner.denied.iter().any(|denied| denied.contains(address));
            if is_denied(*address) || embedded(*address).is_some_and(is_denied) {
                return Err(Refusal::Denied);
            }
            policy.admit(*address, is_clear)?;
        }
        Ok(())
    }

    /// Tries one after the other, each for its share of the time that is left, so that one that does not answer leaves
    /// some for the next.
    async fn dial_any(
        &self,
        addresses: &[IpAddr],
        port: u16,
        deadline: Instant,
    ) -> Result<(TcpStream, SocketAddr), ConnectError> {
        let mut failure = ConnectError::Lookup(io::ErrorKind::NotFound.into());
        let tried = &addresses[..addresses.len().min(ADDRESSES_MAX)];
        for (place, address) in tried.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(tried.len() - place).unwrap_or(1);
            let address = SocketAddr::new(*address, port);
            failure = match timeout(share, self.inner.dialer.dial(address)).await {
                Ok(Ok(stream)) => return Ok((stream, address)),
                Ok(Err(error)) => ConnectError::Connect(error),
                Err(_) => ConnectError::Timeout,
            };
        }
        Err(failure)
    }
}

fn tls(roots: Roots, http2: bool) -> TlsConnector {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(rustls::DEFAULT_VERSIONS)
        .expect("the provider has what both versions need")
        .with_root_certificates(roots.0)
        .with_no_client_auth();
    config.alpn_protocols = if http2 { vec![b"h2".to_vec()] } else { Vec::new() };
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Arc::new(config).into()
}

fn server_name(host: &Host) -> Result<ServerName<'static>, ConnectError> {
    match host.address() {
        Some(address) => Ok(ServerName::IpAddress(address.into())),
        None => {
            ServerName::try_from(host.to_string()).map_err(|error| ConnectError::Tls(io::Error::other(error)))
        }
    }
}
