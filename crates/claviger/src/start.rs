//! Everything is opened in order, used, and let go of in the opposite order.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use claviger_catalog::{Catalog, SecretText};
use claviger_egress::Egress;
use claviger_engine::{AwsPrincipal, Background, ConnectionOptions, Engine, EngineOptions, SystemClock};
use claviger_http::{Identity, SessionCookie};
use claviger_model::Clock;
use claviger_native::{GithubKeys, Options as NativeOptions, SessionOptions};
use claviger_store::{Database, Location};
use claviger_vault::{SystemRandom, Vault};

use crate::backup;
use crate::bootstrap::FirstStart;
use crate::certificate::Fingerprint;
use crate::checkpoints::Checkpoints;
use crate::control::Context;
use crate::control::server::ControlServer;
use crate::data_dir::DataDir;
use crate::dead_list::DeadListFile;
use crate::error::StartError;
use crate::import;
use crate::kek::{self, Age};
use crate::ledger;
use crate::org;
use crate::outwards;
use crate::password;
use crate::private_file;
use crate::server::{self, Listeners};
use crate::settings::{Command, Settings};
use crate::terminal::Terminal;

/// Does what was asked, on a runtime of its own.
///
/// # Errors
/// When it was refused, or failed.
pub fn run_blocking(
    command: Command,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(StartError::Runtime)?.block_on(run(command, settings, terminal))
}

/// Does what was asked.
///
/// # Errors
/// When it was refused, or failed.
pub async fn run(
    command: Command,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let is_serving = match command {
        Command::Ledger(command) => return ledger::run(&command, settings, terminal).await,
        Command::Backup(command) => return backup::create(&command, settings, terminal).await,
        Command::Restore(command) => return backup::restore(&command, settings, terminal).await,
        Command::Import(arguments) => return import::run(settings, &arguments, terminal).await,
        Command::Init => false,
        Command::Serve => true,
        Command::Org { command } => return org::run(settings, &command, terminal).await,
        Command::Kek { command } => return kek::cli::run(settings, &command, terminal).await,
        // The others need none of the settings, and are done before there are any.
        Command::People(command) => match password::of(&command) {
            Some(arguments) => return password::run(settings, arguments, terminal).await,
            None => return Ok(()),
        },
    };
    // Before anything opens.
    let certificate = match &settings.serve.tls {
        Some(files) if is_serving => Some(files.load()?),
        _ => None,
    };
    let native = native(settings)?;
    let connections = connections(settings)?;
    let egress = outwards::egress(&settings.serve.upstreams)?;
    let data = DataDir::open(&settings.data)?;
    let (engine, background, dead_list) = open_with(settings, &data, connections).await?;
    let done = match is_serving {
        false => first_start(settings, settings.serve.listen, &data, &engine, terminal).await,
        true => serve(settings, certificate, &native, egress, &data, &engine, &dead_list, terminal).await,
    };
    background.stop(engine).await;
    done
}

/// What the settings' files hold for the native API.
fn native(settings: &Settings) -> Result<NativeOptions, StartError> {
    let webhook_policy = settings.serve.webhook_policy.clone().into();
    let is_over_tls = settings.serve.tls.is_some() || settings.serve.is_behind_proxy;
    let cookie = if is_over_tls { SessionCookie::OVER_TLS } else { SessionCookie::IN_CLEAR };
    let sessions = SessionOptions { cookie, ..SessionOptions::default() };
    let mut options = NativeOptions { webhook_policy, sessions, ..NativeOptions::default() };
    if let Some(path) = &settings.serve.github_keys {
        let text = std::fs::read_to_string(path)
            .map_err(|source| StartError::Read { path: path.clone(), source })?;
        options.github_keys = GithubKeys::parse(&text)
            .map_err(|source| StartError::GithubKeys { path: path.clone(), source })?;
    }
    Ok(options)
}

/// What connections can be made to, with the operator's own integrations, and as whom.
fn connections(settings: &Settings) -> Result<ConnectionOptions, StartError> {
    let mut catalog = Catalog::embedded().map_err(StartError::OwnCatalog)?;
    if let Some(path) = &settings.catalog_extra {
        let text = std::fs::read_to_string(path)
            .map_err(|source| StartError::Read { path: path.clone(), source })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        catalog = catalog
            .with_extra(&name, &text)
            .map_err(|source| StartError::Catalog { path: path.clone(), source })?;
    }
    let aws = settings.aws.as_ref().map(|aws| AwsPrincipal {
        principal_id: aws.principal_id.clone(),
        region: aws.region.clone(),
        access_key_id: aws.access_key_id.clone(),
        secret_access_key: SecretText::new(String::clone(&aws.secret_access_key)),
    });
    let zis_connections_max = settings.zis_connections_max;
    Ok(ConnectionOptions { catalog: Arc::new(catalog), aws: aws.map(Arc::new), zis_connections_max })
}

type Opened = (Arc<Engine>, Background, Arc<DeadListFile>);

/// Opens everything that is kept, and starts the engine over it.
pub(crate) async fn open(settings: &Settings, data: &DataDir) -> Result<Opened, StartError> {
    open_with(settings, data, connections(settings)?).await
}

async fn open_with(
    settings: &Settings,
    data: &DataDir,
    connections: ConnectionOptions,
) -> Result<Opened, StartError> {
    if let Location::Sqlite(path) = &settings.database {
        // SQLite would make it readable by others; what it makes beside it gets the same rights.
        private_file::open(path).map_err(|source| StartError::Write { path: path.clone(), source })?;
    }
    let clock = Arc::new(SystemClock);
    let mut database = Database::open(&settings.database, &*clock).await?;
    let vault = Arc::new(unlock(settings, data, &mut database, &*clock).await?);
    let (store, feed) = database.start(vault.clone(), clock.clone()).await?;
    let dead_list = Arc::new(DeadListFile::open(data.dead_list_file(), &store, vault.clone()).await?);
    let options = EngineOptions { dead_list: dead_list.clone(), connections };
    let (engine, background) = Engine::start_with(store, feed, vault, clock, options).await?;
    Ok((engine, background, dead_list))
}

async fn unlock(
    settings: &Settings,
    data: &DataDir,
    database: &mut Database,
    clock: &dyn Clock,
) -> Result<Vault, StartError> {
    let keys = database.list_vault_keys().await?;
    let age = if keys.is_empty() { Age::New } else { Age::Existing };
    // The master keys are on the disk before anything is wrapped under them.
    let keks = kek::load(&settings.kek, data, age)?;
    match age {
        Age::Existing => Ok(Vault::unlock(keks, Arc::new(SystemRandom), keys)?),
        Age::New => {
            let (vault, keys) = Vault::create(keks, Arc::new(SystemRandom), clock.now());
            database.found(&keys).await?;
            Ok(vault)
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "each is opened by itself, and used once")]
async fn serve(
    settings: &Settings,
    certificate: Option<(Identity, Fingerprint)>,
    native: &NativeOptions,
    egress: Egress,
    data: &DataDir,
    engine: &Arc<Engine>,
    dead_list: &DeadListFile,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    // Before the first start announces an address, it is ours.
    let listeners = Listeners {
        requests: listen("--listen", settings.serve.listen)?,
        metrics: settings.serve.metrics_listen.map(|at| listen("--metrics-listen", at)).transpose()?,
    };
    let address = listeners.requests.local_addr().unwrap_or(settings.serve.listen);
    first_start(settings, address, data, engine, terminal).await?;
    dead_list.ensure()?;
    let context = Context { engine: engine.clone(), kek: settings.kek.clone() };
    let control = ControlServer::open(data, context)?;
    // From here on, whatever ends the serving, all of it is let go of in order.
    let checkpoints = Checkpoints::start(engine.clone(), settings.serve.checkpoints.clone());
    let policy = settings.serve.webhook_policy.clone();
    let courier = outwards::start_webhooks(engine.clone(), egress.clone(), policy);
    let served = server::serve(&settings.serve, certificate, native, egress, engine.clone(), listeners).await;
    courier.stop().await;
    control.close(settings.serve.drain).await;
    checkpoints.stop().await;
    Ok(served?)
}

/// A listener that an asynchronous runtime can take.
///
/// # Errors
/// When the address is taken, or not this machine's.
fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|source| StartError::Listen { setting, address, source })
}

async fn first_start(
    settings: &Settings,
    address: SocketAddr,
    data: &DataDir,
    engine: &Engine,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let first_start = FirstStart {
        first: &settings.first,
        address,
        is_tls: settings.serve.tls.is_some(),
        file: &data.bootstrap_file(),
        is_file_wanted: settings.is_bootstrap_file_wanted,
    };
    first_start.run(engine, terminal).await
}
