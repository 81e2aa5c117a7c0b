//! A read transaction on a connection that cannot write.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{BUSY_WAIT, STATEMENTS_MAX, each, failure};
use crate::StoreError;
use crate::migrate::{self, SELECT_VERSION};
use crate::value::{Row, Value};

pub(crate) struct SqliteSnapshot(Connection);

impl SqliteSnapshot {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failure)?;
        connection.busy_timeout(BUSY_WAIT).map_err(failure)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let snapshot = Self(connection);
        snapshot.begin()?;
        Ok(snapshot)
    }

    /// The first read in a transaction fixes what it sees: here, the version.
    fn begin(&self) -> Result<(), StoreError> {
        self.0.execute_batch("BEGIN").map_err(failure)?;
        migrate::check(self.0.query_row(SELECT_VERSION, [], |row| row.get(0)).map_err(failure)?)
    }

    pub(crate) fn renew(&self) -> Result<(), StoreError> {
        self.0.execute_batch("COMMIT").map_err(failure)?;
        self.begin()
    }

    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        each(&self.0, sql, params, visit)
    }
}
