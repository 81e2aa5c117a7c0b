//! Opening a database, and the handle through which everything else uses it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_model::{Clock, EntryId, Position};
use claviger_vault::{Vault, WrappedKey};
use tokio::sync::{mpsc, oneshot};

use crate::batch::{Feed, Job, WAITING_BATCHES_MAX, WAITING_CHANGES_MAX};
use crate::postgres::{PostgresDatabase, PostgresReaders};
use crate::sqlite::{SqliteDatabase, SqliteReaders};
use crate::value::{Row, Value};
use crate::{Change, CommitError, StoreError, StoreMetrics};

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL address, `postgres://…`.
    Postgres(String),
}

/// Leaves out a PostgreSQL address: it may hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

/// An opened database with the newest schema, of which this process is the only writer. Nothing is written to
/// it yet.
pub struct Database(Engine);

enum Engine {
    Sqlite(SqliteDatabase),
    Postgres(Box<PostgresDatabase>),
}

impl Database {
    /// Opens and migrates.
    ///
    /// # Errors
    /// [`StoreError::Newer`] for a database of a later version, [`StoreError::InUse`] where another server
    /// writes to it, [`StoreError::Address`] and [`StoreError::Unavailable`] where it cannot be reached.
    pub async fn open(location: &Location, clock: &dyn Clock) -> Result<Self, StoreError> {
        let mut database = Self(match location {
            Location::Sqlite(path) => Engine::Sqlite(SqliteDatabase::open(path, clock.now())?),
            Location::Postgres(address) => {
                Engine::Postgres(Box::new(PostgresDatabase::open(address, clock.now()).await?))
            }
        });
        database.fill_names().await?;
        Ok(database)
    }

    /// The wrapped keys; none in a database that was not founded yet.
    pub async fn list_vault_keys(&mut self) -> Result<Vec<WrappedKey>, StoreError> {
        match &mut self.0 {
            Engine::Sqlite(database) => database.list_vault_keys(),
            Engine::Postgres(database) => database.list_vault_keys().await,
        }
    }

    /// Writes what a new database begins with, in one transaction: the head of the ledger, and the wrapped keys.
    pub async fn found(&mut self, keys: &[WrappedKey]) -> Result<(), StoreError> {
        let steps = crate::vault_keys::founding_steps(keys);
        match &mut self.0 {
            Engine::Sqlite(database) => database.run(&steps),
            Engine::Postgres(database) => database.run(&steps).await,
        }
    }

    /// Begins a transaction in which nobody else writes.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        match &self.0 {
            // A transaction that may be refused its lock later is of no use.
            Engine::Sqlite(database) => database.script("BEGIN IMMEDIATE"),
            Engine::Postgres(database) => database.script("BEGIN").await,
        }
    }

    pub(crate) async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        match &self.0 {
            Engine::Sqlite(database) => database.script(sql),
            Engine::Postgres(database) => database.script(sql).await,
        }
    }

    /// Runs one statement, and tells how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        match &self.0 {
            Engine::Sqlite(database) => database.execute(sql, params),
            Engine::Postgres(database) => database.execute(sql, params).await,
        }
    }

    /// Runs one statement once for each list of parameters.
    pub(crate) async fn insert_all(&mut self, sql: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        match &self.0 {
            Engine::Sqlite(database) => {
                rows.iter().try_for_each(|row| database.execute(sql, row).map(|_| ()))
            }
            Engine::Postgres(database) => database.insert_all(sql, rows).await,
        }
    }

    /// Each row of a query, without keeping any.
    pub(crate) async fn each(
        &mut self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Engine::Sqlite(database) => database.each(sql, params, visit),
            Engine::Postgres(database) => database.each(sql, params, visit).await,
        }
    }

    /// Starts the writer. The feed must be followed: nobody is answered before a batch is acknowledged.
    pub async fn start(self, vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Result<(Store, Feed), StoreError> {
        let (jobs, waiting_jobs) = mpsc::channel(WAITING_CHANGES_MAX);
        let (batches, feed) = mpsc::channel(WAITING_BATCHES_MAX);
        let metrics = Arc::new(StoreMetrics::default());
        let availability = Availability::default();
        let (readers, writer) = match self.0 {
            Engine::Sqlite(database) => {
                let readers = database.readers();
                let thread =
                    database.start(waiting_jobs, batches, vault.clone(), clock.clone(), metrics.clone());
                (Readers::Sqlite(readers), Writer::Thread(thread))
            }
            Engine::Postgres(database) => {
                let readers = database.readers();
                let watch = availability.clone();
                let (vault, clock) = (vault.clone(), clock.clone());
                let task = database.start(waiting_jobs, batches, vault, clock, metrics.clone(), watch);
                (Readers::Postgres(readers), Writer::Task(task))
            }
        };
        let inner = Inner { readers, jobs, vault, clock, metrics, availability };
        Ok((
            Store { inner: Arc::new(inner), writer: Arc::new(std::sync::Mutex::new(Some(writer))) },
            Feed(feed),
        ))
    }
}

/// Whether this process may still speak for the database: not from when its connection or its lock is lost
/// until it has both again and has caught up.
#[derive(Clone, Default)]
pub(crate) struct Availability(Arc<Losses>);

/// Counted, so that the end of one loss, told late, is not taken for the end of the next.
#[derive(Default)]
struct Losses {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Availability {
    pub(crate) fn lose(&self) {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
    }

    /// What ends the present loss, once the follower has all that was missed.
    pub(crate) fn regaining(&self) -> Regaining {
        Regaining { of: self.clone(), loss: self.0.begun.load(Ordering::SeqCst) }
    }

    fn is_set(&self) -> bool {
        self.0.ended.load(Ordering::SeqCst) == self.0.begun.load(Ordering::SeqCst)
    }
}

/// The end of one loss.
pub(crate) struct Regaining {
    of: Availability,
    loss: u64,
}

impl Regaining {
    pub(crate) fn take_effect(self) {
        self.of.0.ended.fetch_max(self.loss, Ordering::SeqCst);
    }
}

/// The running store: cheap to clone, shared by everything that reads or changes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    writer: Arc<std::sync::Mutex<Option<Writer>>>,
}

struct Inner {
    readers: Readers,
    jobs: mpsc::Sender<Job>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    metrics: Arc<StoreMetrics>,
    availability: Availability,
}

pub(crate) enum Readers {
    Sqlite(SqliteReaders),
    Postgres(PostgresReaders),
}

enum Writer {
    Thread(std::thread::JoinHandle<()>),
    Task(tokio::task::JoinHandle<()>),
}

impl Store {
    /// Commits a change with its ledger entry, and answers once the batch it was in is acknowledged.
    ///
    /// # Errors
    /// [`CommitError::Refused`] where what the database holds forbids it; nothing of it was done then.
    /// [`CommitError::Failed`] where it did not happen, or its fate is unknown.
    pub async fn commit(&self, change: Change) -> Result<Position, CommitError> {
        let entry = EntryId::generate_at(self.inner.vault.random(), self.inner.clock.now());
        let (reply, answer) = oneshot::channel();
        let closed = |_| StoreError::unavailable("the store is closed");
        self.inner.jobs.send(Job { change, entry, reply }).await.map_err(|_| closed(()))?;
        answer.await.map_err(|_| StoreError::unavailable("the fate of the change is unknown"))?
    }

    /// Whether this process still holds the database. While it does not, nothing that it remembers may be taken
    /// for true.
    pub fn is_available(&self) -> bool {
        self.inner.availability.is_set()
    }

    /// The writer's counters.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.inner.metrics
    }

    /// Lets the writer finish what it has, and waits until it has let go of the database. Only the last handle
    /// can do so; with others about, it does nothing.
    pub async fn close(self) {
        let Self { inner, writer } = self;
        // Of two that close at the same time, one gets it.
        let Some(writer) = Arc::into_inner(writer) else { return };
        drop(inner);
        match writer.into_inner().ok().flatten() {
            Some(Writer::Thread(thread)) => {
                let _ = tokio::task::spawn_blocking(|| thread.join()).await;
            }
            Some(Writer::Task(task)) => {
                let _ = task.await;
            }
            None => {}
        }
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub(crate) fn readers(&self) -> &Readers {
        &self.inner.readers
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
