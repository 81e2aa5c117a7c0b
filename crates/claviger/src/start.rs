//! Everything is opened in order, used, and let go of in the opposite order.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use claviger_engine::{Background, Engine, SystemClock};
use claviger_http::Identity;
use claviger_model::Clock;
use claviger_store::{Database, Location};
use claviger_vault::{SystemRandom, Vault};

use crate::bootstrap::FirstStart;
use crate::certificate::Fingerprint;
use crate::data_dir::DataDir;
use crate::error::StartError;
use crate::kek::{self, Age};
use crate::private_file;
use crate::server;
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
    // Before anything opens.
    let certificate = match (command, &settings.serve.tls) {
        (Command::Serve, Some(files)) => Some(files.load()?),
        _ => None,
    };
    let data = DataDir::open(&settings.data)?;
    let (engine, background) = open(settings, &data).await?;
    let done = match command {
        Command::Init => first_start(settings, settings.serve.listen, &data, &engine, terminal).await,
        Command::Serve => serve(settings, certificate, &data, &engine, terminal).await,
    };
    background.stop(engine).await;
    done
}

async fn open(settings: &Settings, data: &DataDir) -> Result<(Arc<Engine>, Background), StartError> {
    if let Location::Sqlite(path) = &settings.database {
        // SQLite would make it readable by others; what it makes beside it gets the same rights.
        private_file::open(path).map_err(|source| StartError::Write { path: path.clone(), source })?;
    }
    let clock = Arc::new(SystemClock);
    let mut database = Database::open(&settings.database, &*clock).await?;
    let vault = Arc::new(unlock(settings, data, &mut database, &*clock).await?);
    let (store, feed) = database.start(vault.clone(), clock.clone()).await?;
    Ok(Engine::start(store, feed, vault, clock).await?)
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

async fn serve(
    settings: &Settings,
    certificate: Option<(Identity, Fingerprint)>,
    data: &DataDir,
    engine: &Arc<Engine>,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    // Before the first start announces an address, it is ours.
    let listener = listen(settings.serve.listen)?;
    let address = listener.local_addr().unwrap_or(settings.serve.listen);
    first_start(settings, address, data, engine, terminal).await?;
    Ok(server::serve(&settings.serve, certificate, engine.clone(), listener).await?)
}

/// A listener that an asynchronous runtime can take.
///
/// # Errors
/// When the address is taken, or not this machine's.
pub fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|source| StartError::Listen { address, source })
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
