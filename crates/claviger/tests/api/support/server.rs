//! A running server, that can be stopped and started again on what it left.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use claviger::app::{self, Application, Outwards};
use claviger_broker::{Background as BrokerWork, Options as BrokerOptions};
use claviger_egress::{Egress, Policy, Roots};
use claviger_engine::{
    AwsPrincipal, Background, ConnectionOptions, Engine, EngineOptions, FirstOrg, Founded,
};
use claviger_http::{App, Limits, RouteInfo, ServerOptions, TrustedProxies};
use claviger_model::testing::{ManualClock, SeededRandom};
use claviger_model::{Clock, Email, Name, Position, Timestamp};
use claviger_native::{GithubKeys, Options as NativeOptions};
use claviger_oauth::OAuth;
use claviger_outbound::Client as OutboundClient;
use claviger_store::{Check, Database, Location, Report, Snapshot};
use claviger_vault::{KekRing, SystemRandom, Vault};
use claviger_webhooks::{Courier, Options as CourierOptions};
use claviger_zendesk::Options as ZendeskOptions;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Client, Keys, TestDatabase, sample, session};

/// When every test begins, by its own clock.
pub(crate) const START: &str = "2026-03-04T05:06:07.123456Z";

/// Where browsers reach every test's server, as it believes.
pub(crate) const PUBLIC_URL: &str = "https://claviger.example.com";

/// How a server is to be started.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    /// The proxies whose word about a client's address is believed.
    pub(crate) proxies: TrustedProxies,
    pub(crate) options: ServerOptions,
    /// Where the server is to find its database, if not where the test does.
    pub(crate) location: Option<Location>,
    /// Answers before the directory is applied: what the revocation test must notice.
    pub(crate) is_answering_first: bool,
    /// What the operator decided for the native API.
    pub(crate) native: NativeOptions,
    /// How the Zendesk dialect tells orgs apart.
    pub(crate) zendesk: ZendeskOptions,
    /// With what webhooks are told of events; none for not at all.
    pub(crate) outbound: Option<OutboundClient>,
    /// How third parties are reached; none where nobody is.
    pub(crate) egress: Option<Egress>,
    /// How many connections a ZIS integration may have.
    pub(crate) zis_connections_max: Option<u32>,
    /// With what authorization servers are asked; none for nobody can be.
    pub(crate) exchange: Option<OutboundClient>,
    /// What the operator decided for the broker.
    pub(crate) broker: BrokerOptions,
    /// As whom the server assumes roles at AWS.
    pub(crate) aws: Option<Arc<AwsPrincipal>>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            limits: Limits::none(),
            proxies: TrustedProxies::default(),
            options: app::server_options(Duration::from_secs(5)),
            location: None,
            is_answering_first: false,
            native: NativeOptions {
                github_keys: GithubKeys::parse(sample::GITHUB_KEYS).unwrap(),
                ..NativeOptions::default()
            },
            zendesk: ZendeskOptions::default().with_public_url(PUBLIC_URL).unwrap(),
            outbound: None,
            egress: None,
            zis_connections_max: None,
            exchange: None,
            broker: BrokerOptions::default(),
            aws: None,
        }
    }
}

/// A running server with one org.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    /// All but the Zendesk dialect's and that of sessions, whose callers present other credentials.
    pub(crate) routes: Vec<RouteInfo>,
    pub(crate) session_routes: Vec<RouteInfo>,
    pub(crate) zendesk_routes: Vec<RouteInfo>,
    pub(crate) founded: Founded,
    pub(crate) oauth: OAuth,
    app: App,
    background: Background,
    courier: Option<Courier>,
    broker: BrokerWork,
    serving: tokio::task::JoinHandle<bool>,
    stop: oneshot::Sender<()>,
    database: TestDatabase,
    keks: KekRing,
}

/// What a server left: its database, what opens it, and what its first admin has.
pub(crate) struct Halted {
    pub(crate) database: TestDatabase,
    pub(crate) founded: Founded,
    keks: KekRing,
    clock: Arc<ManualClock>,
}

impl TestServer {
    /// A server without rate limits.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, Setup::default()).await
    }

    /// A server on a fresh database.
    pub(crate) async fn start_with(database: TestDatabase, setup: Setup) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse_rfc3339(START).unwrap()));
        let keks = KekRing::generate(&SystemRandom);
        let location = setup.location.clone().unwrap_or_else(|| database.location());
        let mut opened = Database::open(&location, &*clock).await.unwrap();
        let (vault, keys) = Vault::create(keks.clone(), Arc::new(SystemRandom), clock.now());
        opened.found(&keys).await.unwrap();
        let (engine, background) = start_engine(opened, vault, clock.clone(), &setup).await;
        let founded = found(&engine, "Test", "admin@example.com").await;
        // At once, but from a server that answers first.
        let position = engine.wait_for(Position { epoch: 1, sequence: 1 }, Duration::from_secs(10)).await;
        position.expect("the org is known");
        Self::serve(database, keks, clock, engine, background, founded, setup).await
    }

    async fn serve(
        database: TestDatabase,
        keks: KekRing,
        clock: Arc<ManualClock>,
        engine: Arc<Engine>,
        background: Background,
        founded: Founded,
        setup: Setup,
    ) -> Self {
        let egress = setup.egress.unwrap_or_else(|| Egress::trusting(Roots::none()));
        let exchange = setup.exchange.unwrap_or_else(unreachable);
        let outwards = Outwards { egress, exchange, broker: setup.broker };
        let application = Application::assemble(
            engine.clone(),
            setup.limits,
            setup.proxies,
            &setup.native,
            &setup.zendesk,
            outwards,
            &SeededRandom::new(1),
        );
        // Looks often, since the tests' clock moves by itself.
        let options = CourierOptions { tick: Duration::from_millis(20), pause: Duration::from_millis(1) };
        let courier = setup.outbound.map(|client| Courier::start(engine.clone(), client, options));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let ways = application.ways();
        let Application { app, broker, routes, oauth, .. } = application;
        let (zendesk_routes, routes): (Vec<_>, Vec<_>) =
            routes.into_iter().partition(|it| claviger_zendesk::is_ours(it.path));
        let (session_routes, routes) = routes.into_iter().partition(|it| it.path == session::SESSION);
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            claviger_http::serve(listener, ways, setup.options, stopped).await
        });
        Self {
            address,
            engine,
            clock,
            routes,
            session_routes,
            zendesk_routes,
            founded,
            app,
            oauth,
            background,
            courier,
            broker,
            serving,
            stop,
            database,
            keks,
        }
    }

    /// Another org with an admin of its own.
    pub(crate) async fn found_another(&self, name: &str) -> Founded {
        found(&self.engine, name, &format!("{}@example.com", name.to_lowercase())).await
    }

    /// The first admin's keys.
    pub(crate) fn admin(&self) -> Keys {
        Keys::of(&self.founded)
    }

    /// A client with the first admin's keys.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address, self.admin())
    }

    /// A client with other keys.
    pub(crate) fn client_with(&self, keys: Keys) -> Client {
        Client::new(self.address, keys)
    }

    /// What the time is by the test's clock.
    pub(crate) fn clock_micros(&self) -> i64 {
        self.clock.now().micros()
    }

    /// What `ledger verify --state` finds.
    pub(crate) async fn check_record(&self) -> Report {
        let snapshot = Snapshot::open(&self.database.location()).await.unwrap();
        let keys = snapshot.list_vault_keys().await.unwrap();
        let vault = Vault::unlock(self.keks.clone(), Arc::new(SystemRandom), keys).unwrap();
        let check = Check { vault: &vault, checkpoints: &[], is_state_wanted: true };
        snapshot.verify_ledger(&check).await.unwrap()
    }

    /// Checks that the rows are what the ledger says.
    pub(crate) async fn verify_state(&self) {
        let report = self.check_record().await;
        assert!(report.is_clean(), "{:?}", report.findings);
    }

    /// The metrics page.
    pub(crate) fn metrics(&self) -> String {
        self.app.metrics().page(&self.engine)
    }

    /// The digits of the master key.
    pub(crate) fn master_key(&self) -> String {
        let text = self.keks.to_text();
        let line = text.lines().find_map(|line| line.strip_prefix("claviger-kek-1:"));
        line.expect("a ring has a key").to_owned()
    }

    /// The database, for looking at what is in it.
    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Stops it and keeps what it leaves.
    pub(crate) async fn halt(self) -> Halted {
        let _ = self.stop.send(());
        assert!(self.serving.await.unwrap(), "every request was answered before the deadline");
        drop(self.app);
        drop(self.oauth);
        self.broker.stop().await;
        if let Some(courier) = self.courier {
            courier.stop().await;
        }
        self.background.stop(self.engine).await;
        let Self { database, founded, keks, clock, .. } = self;
        Halted { database, founded, keks, clock }
    }

    /// Stops it, and removes its database.
    pub(crate) async fn stop(self) {
        self.halt().await.database.remove().await;
    }
}

impl Halted {
    /// Starts a server on what another has left.
    pub(crate) async fn start(self, setup: Setup) -> TestServer {
        let Self { database, founded, keks, clock } = self;
        let mut opened = Database::open(&database.location(), &*clock).await.unwrap();
        let keys = opened.list_vault_keys().await.unwrap();
        let vault = Vault::unlock(keks.clone(), Arc::new(SystemRandom), keys).unwrap();
        let (engine, background) = start_engine(opened, vault, clock.clone(), &setup).await;
        TestServer::serve(database, keks, clock, engine, background, founded, setup).await
    }
}

/// Whoever is asked through it trusts nobody.
fn unreachable() -> OutboundClient {
    claviger_exchange::client(Egress::trusting(Roots::none()), Policy::public())
}

async fn start_engine(
    opened: Database,
    vault: Vault,
    clock: Arc<ManualClock>,
    setup: &Setup,
) -> (Arc<Engine>, Background) {
    let vault = Arc::new(vault);
    let (store, feed) = opened.start(vault.clone(), clock.clone()).await.unwrap();
    match setup.is_answering_first {
        false => {
            let zis_connections_max = setup.zis_connections_max;
            let aws = setup.aws.clone();
            let connections = ConnectionOptions { zis_connections_max, aws, ..ConnectionOptions::default() };
            let options = EngineOptions { connections, ..EngineOptions::default() };
            Engine::start_with(store, feed, vault, clock, options).await.unwrap()
        }
        true => Engine::start_answering_first(store, feed, vault, clock).await.unwrap(),
    }
}

async fn found(engine: &Engine, name: &str, email: &str) -> Founded {
    let first = FirstOrg { name: Name::parse(name).unwrap(), email: Email::parse(email).unwrap() };
    engine.found_org(engine.draft_org(&first).unwrap()).await.unwrap()
}
