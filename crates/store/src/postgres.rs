//! PostgreSQL: a writer task on a connection of its own that holds the lock, and a pool of readers.
//!
//! The connection that writes is the one that holds the advisory lock, so that whoever has lost the lock cannot
//! write either.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_model::{Clock, Timestamp};
use claviger_vault::{Vault, WrappedKey};
use deadpool_postgres::{ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Statement};

use crate::batch::{Batch, Job};
use crate::change::Step;
use crate::database::Availability;
use crate::ledger::Head;
use crate::migrate::{CREATE_VERSIONS, Dialect, INSERT_VERSION, SELECT_VERSION, missing};
use crate::value::{Row, Value, params};
use crate::{StoreError, StoreMetrics, vault_keys};

mod search;
mod server;
mod snapshot;
mod tls;
mod writer;

pub use server::with_root_certificates;
pub(crate) use snapshot::PostgresSnapshot;

use server::Server;

/// Reading connections. PostgreSQL answers short queries faster than two cores can ask them.
const READERS_MAX: usize = 8;
/// How long the database may be silent before it is taken for gone: as long as a lease will be. Whoever cannot ask
/// may not go on answering from memory, since another server may have the lock by then.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// The advisory lock of the one writer; the number says "claviger" in ASCII.
const WRITER_LOCK: i64 = i64::from_be_bytes(*b"claviger");

/// How long a process that has just ended may seem to hold the lock: the database notices a closed connection
/// only after a while.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// The pause between two attempts to take it.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// An opened database with the newest schema, whose writer lock this process holds.
pub(crate) struct PostgresDatabase {
    server: Server,
    session: Session,
}

/// A connection with its prepared statements.
pub(super) struct Session {
    client: Client,
    connection: AbortHandle,
    /// Becomes true when the connection is gone.
    gone: watch::Receiver<bool>,
    statements: HashMap<&'static str, Statement>,
}

impl PostgresDatabase {
    pub(crate) async fn open(address: &str, now: Timestamp) -> Result<Self, StoreError> {
        let server = Server::parse(address)?.for_writing();
        let mut session = Session::connect(&server).await?;
        let started = Instant::now();
        while !session.lock().await? {
            if started.elapsed() > LOCK_PATIENCE {
                return Err(StoreError::InUse);
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        session.migrate(now).await?;
        search::ensure_index(&session.client).await?;
        Ok(Self { server, session })
    }

    pub(crate) async fn list_vault_keys(&mut self) -> Result<Vec<WrappedKey>, StoreError> {
        let rows = self.session.client.query(vault_keys::SELECT, &[]).await.map_err(failure)?;
        rows.iter().map(|row| vault_keys::read(row)).collect()
    }

    /// Runs statements in a transaction of their own; any surprise undoes all.
    pub(crate) async fn run(&mut self, steps: &[Step]) -> Result<(), StoreError> {
        let transaction = self.session.client.transaction().await.map_err(failure)?;
        for step in steps {
            let count = transaction.execute_raw(step.sql, &step.params).await.map_err(failure)?;
            if !step.rows.admits(count) {
                return Err(StoreError::damaged("a founding statement did not apply"));
            }
        }
        transaction.commit().await.map_err(failure)
    }

    pub(crate) async fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.session.client.batch_execute(sql).await.map_err(failure)
    }

    pub(crate) async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.session.client.execute_raw(sql, params).await.map_err(failure)
    }

    /// All on their way at once.
    pub(crate) async fn insert_all(&self, sql: &str, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let client = &self.session.client;
        let statement = client.prepare(sql).await.map_err(failure)?;
        try_join_all(rows.iter().map(|row| client.execute_raw(&statement, row))).await.map_err(failure)?;
        Ok(())
    }

    pub(crate) async fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        each(&self.session.client, sql, params, visit).await
    }

    pub(crate) fn readers(&self) -> PostgresReaders {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool =
            Pool::builder(self.server.manager(recycling)).max_size(READERS_MAX).runtime(Runtime::Tokio1);
        let pool = pool.wait_timeout(Some(SILENCE_MAX)).build();
        PostgresReaders { pool: pool.expect("a pool with timeouts needs a runtime, and has it") }
    }

    pub(crate) fn start(
        self,
        jobs: mpsc::Receiver<Job>,
        batches: mpsc::Sender<Batch>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        metrics: Arc<StoreMetrics>,
        availability: Availability,
    ) -> JoinHandle<()> {
        let writer = writer::Writer {
            server: self.server,
            session: self.session,
            followed: Head::ORIGIN,
            batches,
            vault,
            clock,
            metrics,
            availability,
        };
        tokio::spawn(writer.run(jobs))
    }
}

impl Session {
    async fn connect(server: &Server) -> Result<Self, StoreError> {
        let (client, connection) = server.connect().await.map_err(failure)?;
        let (tell, gone) = watch::channel(false);
        let connection = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(error = claviger_model::chain(&error), "a database connection broke");
            }
            // Nobody may be left to hear it.
            let _ = tell.send(true);
        });
        Ok(Self { client, connection: connection.abort_handle(), gone, statements: HashMap::new() })
    }

    /// Ends the connection without a word, as it may be that nobody hears. With it goes the lock, at once or when
    /// the database notices.
    fn hang_up(&self) {
        self.connection.abort();
    }

    /// Whether the database still answers.
    async fn answers(&self) -> bool {
        within(&self.connection, self.client.batch_execute("")).await.is_ok()
    }

    /// Takes the lock of the one writer, if nobody has it.
    async fn lock(&self) -> Result<bool, StoreError> {
        let locking = self.client.query_one("SELECT pg_try_advisory_lock($1)", &[&WRITER_LOCK]);
        Ok(within(&self.connection, locking).await?.get(0))
    }

    /// Gives the lock back, so that a successor need not wait until the database has noticed.
    async fn unlock(&self) {
        let unlocking = self.client.query_one("SELECT pg_advisory_unlock($1)", &[&WRITER_LOCK]);
        if let Err(error) = within(&self.connection, unlocking).await {
            tracing::warn!(error = claviger_model::chain(&error), "the lock was not given back");
        }
    }

    async fn migrate(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.client.batch_execute(CREATE_VERSIONS).await.map_err(failure)?;
        let version = self.client.query_one(SELECT_VERSION, &[]).await.map_err(failure)?.get(0);
        for (version, sql) in missing(version, Dialect::Postgres)? {
            let transaction = self.client.transaction().await.map_err(failure)?;
            transaction.batch_execute(sql).await.map_err(failure)?;
            transaction.execute_raw(INSERT_VERSION, params![version, now]).await.map_err(failure)?;
            transaction.commit().await.map_err(failure)?;
        }
        Ok(())
    }

    /// The prepared form of a statement.
    async fn prepared(&mut self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Waits for the database, but not for ever: a connection on which it is silent is hung up.
async fn within<T>(
    connection: &AbortHandle,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(SILENCE_MAX, answer).await {
        Ok(answer) => answer.map_err(failure),
        Err(elapsed) => {
            connection.abort();
            Err(StoreError::unavailable(elapsed))
        }
    }
}

/// A pool of reading connections.
pub(crate) struct PostgresReaders {
    pool: Pool,
}

impl PostgresReaders {
    pub(crate) async fn each(
        &self,
        sql: &str,
        params: &[Value],
        mut visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let client = self.pool.get().await.map_err(StoreError::unavailable)?;
        let statement = client.prepare_cached(sql).await.map_err(failure)?;
        let mut rows = pin!(client.query_raw(&statement, params).await.map_err(failure)?);
        while let Some(row) = rows.try_next().await.map_err(failure)? {
            visit(&row)?;
        }
        Ok(())
    }
}

/// Each row of a query, without keeping any.
async fn each(
    client: &Client,
    sql: &str,
    params: &[Value],
    mut visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
) -> Result<(), StoreError> {
    let statement = client.prepare(sql).await.map_err(failure)?;
    let mut rows = pin!(client.query_raw(&statement, params).await.map_err(failure)?);
    while let Some(row) = rows.try_next().await.map_err(failure)? {
        visit(&row)?;
    }
    Ok(())
}

fn failure(error: tokio_postgres::Error) -> StoreError {
    let Some(code) = error.code() else { return StoreError::unavailable(error) };
    // 08 connection, 25 read-only, 53 resources, 55 in use, 57 operator's shutdown, 58 system, 40 try again
    match code.code().get(..2) {
        Some("08" | "25" | "40" | "53" | "55" | "57" | "58") => StoreError::unavailable(error),
        _ if *code == SqlState::INVALID_PASSWORD => StoreError::unavailable(error),
        _ => StoreError::Statement(error.into()),
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut tokio_postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) => int.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl Row for tokio_postgres::Row {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|error| StoreError::damaged(error.to_string()))
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.try_get(column).map_err(|error| StoreError::damaged(error.to_string()))
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        self.try_get(column).map_err(|error| StoreError::damaged(error.to_string()))
    }
}
