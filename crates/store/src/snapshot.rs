//! Reading beside a running server: one consistent picture, without the writer's lock, without migrating.
//!
//! Checks and backups read through it. On SQLite it holds back the shrinking of the write-ahead log, on
//! PostgreSQL that of old rows, for as long as it is open.

use claviger_vault::WrappedKey;

use crate::database::Location;
use crate::ledger::{Head, SELECT_AFTER, SELECT_HEAD, read_head};
use crate::postgres::PostgresSnapshot;
use crate::sqlite::SqliteSnapshot;
use crate::value::{Row, Value, params};
use crate::{Entry, StoreError, vault_keys};

/// A database as it was at one moment.
pub struct Snapshot(Engine);

enum Engine {
    Sqlite(SqliteSnapshot),
    Postgres(Box<PostgresSnapshot>),
}

impl Snapshot {
    /// Opens a database to read it as it is now.
    ///
    /// # Errors
    /// [`StoreError::Older`] and [`StoreError::Newer`] for a schema of another version,
    /// [`StoreError::Unavailable`] where there is no database.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        Ok(Self(match location {
            Location::Sqlite(path) => Engine::Sqlite(SqliteSnapshot::open(path)?),
            Location::Postgres(address) => Engine::Postgres(Box::new(PostgresSnapshot::open(address).await?)),
        }))
    }

    /// Lets go of the picture and takes a new one.
    pub async fn renew(&mut self) -> Result<(), StoreError> {
        match &mut self.0 {
            Engine::Sqlite(snapshot) => snapshot.renew(),
            Engine::Postgres(snapshot) => snapshot.renew().await,
        }
    }

    /// What keeps the data.
    pub fn engine(&self) -> &'static str {
        match &self.0 {
            Engine::Sqlite(_) => "sqlite",
            Engine::Postgres(_) => "postgresql",
        }
    }

    /// Every wrapped key; none in a database that was not founded yet.
    pub async fn list_vault_keys(&self) -> Result<Vec<WrappedKey>, StoreError> {
        let mut keys = Vec::new();
        self.each(vault_keys::SELECT, &[], |row| Ok(keys.push(vault_keys::read(row)?))).await?;
        Ok(keys)
    }

    /// Up to `limit` entries after a sequence number, oldest first.
    pub async fn list_entries(&self, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        self.each(SELECT_AFTER, &params![after, limit], |row| Ok(entries.push(Entry::read(row)?))).await?;
        Ok(entries)
    }

    /// The sequence number of the newest entry, as the head says.
    pub async fn last_sequence(&self) -> Result<i64, StoreError> {
        Ok(self.find_head().await?.position.sequence)
    }

    pub(crate) async fn find_head(&self) -> Result<Head, StoreError> {
        let mut head = None;
        self.each(SELECT_HEAD, &[], |row| Ok(head = Some(read_head(row)?))).await?;
        head.ok_or_else(|| StoreError::damaged("the ledger has no head"))
    }

    /// Each row of a query in turn, without keeping any.
    pub(crate) async fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Engine::Sqlite(snapshot) => snapshot.each(sql, params, visit),
            Engine::Postgres(snapshot) => snapshot.each(sql, params, visit).await,
        }
    }
}
