//! SQLite: one writer thread, and readers that run where they are called.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use claviger_model::{Clock, Timestamp};
use claviger_vault::{Vault, WrappedKey};
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use tokio::sync::mpsc;

use crate::batch::{Batch, Job};
use crate::change::{Rows, Step};
use crate::ledger::Head;
use crate::migrate::{CREATE_VERSIONS, Dialect, INSERT_VERSION, SELECT_VERSION, missing};
use crate::value::{Row, Value, params};
use crate::{StoreError, StoreMetrics, vault_keys};

pub(crate) mod search;
mod snapshot;
mod writer;

pub(crate) use snapshot::SqliteSnapshot;

/// How long a statement waits for another process that holds the file, as a backup tool may.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements kept by each connection: more than the store has.
const STATEMENTS_MAX: usize = 128;
/// Pages in the WAL at which they are brought into the file: 32 MiB. A batch of changes writes hundreds of pages, and
/// at SQLite's own 1,000 every third commit would wait for that work, which syncs twice more.
const WAL_PAGES: u32 = 8_192;
/// How much of the file a scan of whole tables may map.
const SCAN_BYTES_MAX: i64 = 1 << 40;
/// Idle reading connections that are kept: as many as ever read at once on a small machine.
const IDLE_READERS_MAX: usize = 8;

/// An opened file with the newest schema.
pub(crate) struct SqliteDatabase {
    path: PathBuf,
    connection: Connection,
}

impl SqliteDatabase {
    pub(crate) fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        let mut connection = Connection::open(path).map_err(failure)?;
        set_up(&connection)?;
        // WAL lets readers go on beside the writer; FULL makes each commit wait for the disk; secure_delete
        // overwrites what is deleted, so that erased sealed values are gone from the file.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
                 PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;",
            )
            .map_err(failure)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES).map_err(failure)?;
        #[cfg(feature = "faults")]
        break_synchronous(&connection)?;
        migrate(&mut connection, now)?;
        search::index_waiting(&connection)?;
        Ok(Self { path: path.to_owned(), connection })
    }

    pub(crate) fn list_vault_keys(&self) -> Result<Vec<WrappedKey>, StoreError> {
        let mut keys = Vec::new();
        each(&self.connection, vault_keys::SELECT, &[], |row| Ok(keys.push(vault_keys::read(row)?)))?;
        Ok(keys)
    }

    /// Runs statements in a transaction of their own; any surprise undoes all.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Result<(), StoreError> {
        let transaction = self.connection.transaction().map_err(failure)?;
        for step in steps {
            let count = run_step(&transaction, step).map_err(failure)?;
            if !step.rows.admits(count) {
                return Err(StoreError::damaged("a founding statement did not apply"));
            }
        }
        transaction.commit().map_err(failure)
    }

    pub(crate) fn script(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.execute_batch(sql).map_err(failure)
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(&numbered(sql)).map_err(failure)?;
        Ok(statement.execute(params_from_iter(params)).map_err(failure)? as u64)
    }

    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        each(&self.connection, sql, params, visit)
    }

    pub(crate) fn readers(&self) -> SqliteReaders {
        SqliteReaders { path: Arc::from(self.path.as_path()), idle: Arc::default() }
    }

    pub(crate) fn start(
        self,
        jobs: mpsc::Receiver<Job>,
        batches: mpsc::Sender<Batch>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        metrics: Arc<StoreMetrics>,
    ) -> JoinHandle<()> {
        let writer =
            writer::Writer { connection: self.connection, vault, clock, metrics, followed: Head::ORIGIN };
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(jobs, &batches))
            .expect("the system can start one thread while the server is starting")
    }
}

/// What every connection has.
fn set_up(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_WAIT).map_err(failure)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // One plan for each statement, whatever its parameters: otherwise some are prepared again at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop).map_err(failure)
}

/// Leaves the syncing to the operating system, if the environment asks for that fault.
#[cfg(feature = "faults")]
fn break_synchronous(connection: &Connection) -> Result<(), StoreError> {
    match std::env::var("CLAVIGER_FAULT_SYNCHRONOUS").as_deref() {
        Ok("OFF") => connection.execute_batch("PRAGMA synchronous = OFF").map_err(failure),
        _ => Ok(()),
    }
}

fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    connection.execute_batch(CREATE_VERSIONS).map_err(failure)?;
    let version = connection.query_row(SELECT_VERSION, [], |row| row.get(0)).map_err(failure)?;
    for (version, sql) in missing(version, Dialect::Sqlite)? {
        let transaction = connection.transaction().map_err(failure)?;
        transaction.execute_batch(sql).map_err(failure)?;
        let params = params![version, now];
        transaction.execute(&numbered(INSERT_VERSION), params_from_iter(&params)).map_err(failure)?;
        transaction.commit().map_err(failure)?;
    }
    Ok(())
}

/// Reading connections, made as they are needed and kept while idle.
#[derive(Clone)]
pub(crate) struct SqliteReaders {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl SqliteReaders {
    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let idle = || self.idle.lock().expect("nothing panics while it holds this lock");
        let kept = idle().pop();
        let connection = kept.map_or_else(|| self.connect(), Ok)?;
        let result = each(&connection, sql, params, visit);
        let mut idle = idle();
        if idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        result
    }

    /// Like [`Self::each`], for reading whole tables once: on a connection of its own that maps the file, since the
    /// lookups of a join over millions of rows do not fit any cache. Not for every day: where the file is cut short
    /// by somebody else, a mapping kills the process.
    pub(crate) fn scan(
        &self,
        sql: &str,
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let connection = self.connect()?;
        connection.pragma_update(None, "mmap_size", SCAN_BYTES_MAX).map_err(failure)?;
        each(&connection, sql, &[], visit)
    }

    fn connect(&self) -> Result<Connection, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(failure)?;
        set_up(&connection)?;
        Ok(connection)
    }
}

fn each(
    connection: &Connection,
    sql: &str,
    params: &[Value],
    mut visit: impl FnMut(&dyn Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&numbered(sql)).map_err(failure)?;
    let mut rows = statement.query(params_from_iter(params)).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        visit(row)?;
    }
    Ok(())
}

/// Runs one statement: how many rows it changed, or for a query, whether it found any.
fn run_step(connection: &Connection, step: &Step) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(&numbered_once(step.sql))?;
    match step.rows {
        Rows::Found => Ok(statement.query(params_from_iter(&step.params))?.next()?.is_some().into()),
        Rows::Changed(_) | Rows::Any => Ok(statement.execute(params_from_iter(&step.params))? as u64),
    }
}

/// SQLite numbers `$n` by appearance; `?n` means the n-th parameter, as `$n` does to PostgreSQL.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

/// The same for the texts of changes, which are the same few again and again: rewritten once for each thread.
fn numbered_once(sql: &'static str) -> Rc<str> {
    thread_local! {
        static NUMBERED: RefCell<HashMap<*const u8, Rc<str>>> = RefCell::default();
    }
    // A static text is known by its address, if its length says that it is not the beginning of another.
    NUMBERED.with_borrow_mut(|known| match known.get(&sql.as_ptr()) {
        Some(text) if text.len() == sql.len() => text.clone(),
        _ => {
            let text: Rc<str> = numbered(sql).into();
            known.insert(sql.as_ptr(), text.clone());
            text
        }
    })
}

fn failure(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory,
        ) => StoreError::unavailable(error),
        _ => StoreError::Statement(error.into()),
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(int) => ValueRef::Integer(*int),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.get_ref(column).map_err(failure)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(int) => Ok(Some(int)),
            _ => Err(StoreError::damaged(format!("column {column} is no number"))),
        }
    }

    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.get_ref(column).map_err(failure)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text)
                .map(Some)
                .map_err(|_| StoreError::damaged(format!("column {column} is not UTF-8"))),
            _ => Err(StoreError::damaged(format!("column {column} is no text"))),
        }
    }

    fn bytes(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get_ref(column).map_err(failure)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(StoreError::damaged(format!("column {column} is no bytes"))),
        }
    }
}
