//! A server of one's own for each test, and a plain client for it.

mod client;
mod database;

use std::net::SocketAddr;
use std::sync::Arc;

use claviger::app::Application;
use claviger_engine::{Background, Engine, FirstOrg, Founded};
use claviger_http::{Limits, RouteInfo, ServerOptions};
use claviger_model::testing::{ManualClock, SeededRandom};
use claviger_model::{Clock, Email, Name, Timestamp};
use claviger_store::{Database, Location};
use claviger_vault::{KekRing, SystemRandom, Vault};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) use client::{Client, Keys};
pub(crate) use database::TestDatabase;

/// Writes each case once and runs it on both engines: `on_both_engines! { fn name(server) { … } }` becomes
/// `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* async fn $name:ident($server:ident: &TestServer) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($server: &TestServer) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let server = TestServer::start(TestDatabase::sqlite()).await;
                case(&server).await;
                server.stop().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(database) = TestDatabase::postgres().await else { return };
                let server = TestServer::start(database).await;
                case(&server).await;
                server.stop().await;
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// When every test begins, by its own clock.
pub(crate) const START: &str = "2026-03-04T05:06:07.123456Z";

/// A running server with one org.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
    #[allow(dead_code, reason = "the walk over all routes uses it")]
    pub(crate) routes: Vec<RouteInfo>,
    pub(crate) founded: Founded,
    background: Background,
    serving: tokio::task::JoinHandle<bool>,
    stop: oneshot::Sender<()>,
    database: TestDatabase,
}

impl TestServer {
    /// A server without rate limits.
    pub(crate) async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, Limits::none()).await
    }

    /// A server with rate limits.
    pub(crate) async fn start_with(database: TestDatabase, limits: Limits) -> Self {
        let location = database.location();
        Self::start_at(location, database, limits).await
    }

    /// A server that reaches its database at another address than the test does.
    pub(crate) async fn start_at(location: Location, database: TestDatabase, limits: Limits) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::parse_rfc3339(START).unwrap()));
        let (engine, background) = open(&location, clock.clone()).await;
        let first = FirstOrg {
            name: Name::parse("Test").unwrap(),
            email: Email::parse("admin@example.com").unwrap(),
        };
        let founded = engine.found_org(engine.draft_org(&first).unwrap()).await.unwrap();
        let application = Application::assemble(engine.clone(), limits, &SeededRandom::new(1));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let options = ServerOptions { drain: std::time::Duration::from_secs(5) };
        let (front, router) = (application.front, application.router);
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            claviger_http::serve(listener, front, router, options, stopped).await
        });
        Self {
            address,
            engine,
            clock,
            routes: application.routes,
            founded,
            background,
            serving,
            stop,
            database,
        }
    }

    /// The first admin's keys.
    pub(crate) fn admin(&self) -> Keys {
        Keys {
            api_key: Some(self.founded.api_key.reveal().to_owned()),
            application_key: Some(self.founded.application_key.reveal().to_owned()),
            bearer: None,
        }
    }

    /// A client with the first admin's keys.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address, self.admin())
    }

    /// A client with other keys.
    pub(crate) fn client_with(&self, keys: Keys) -> Client {
        Client::new(self.address, keys)
    }

    /// Stops it, and removes its database.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        assert!(self.serving.await.unwrap(), "every request was answered before the deadline");
        self.background.stop(self.engine).await;
        self.database.remove().await;
    }
}

async fn open(location: &Location, clock: Arc<dyn Clock>) -> (Arc<Engine>, Background) {
    let mut opened = Database::open(location, &*clock).await.unwrap();
    let (vault, keys) = Vault::create(KekRing::generate(&SystemRandom), Arc::new(SystemRandom), clock.now());
    opened.found(&keys).await.unwrap();
    let vault = Arc::new(vault);
    let (store, feed) = opened.start(vault.clone(), clock.clone()).await.unwrap();
    Engine::start(store, feed, vault, clock).await.unwrap()
}
