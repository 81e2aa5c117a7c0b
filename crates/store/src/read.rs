//! Running queries on either engine.

use crate::database::Readers;
use crate::value::{Row, Value};
use crate::{Store, StoreError};

/// How a row becomes a value.
pub(crate) type Map<T> = fn(&dyn Row) -> Result<T, StoreError>;

impl Store {
    /// All rows of a short query. On SQLite it runs where it is called: a point lookup is cheaper than handing
    /// it to another thread.
    pub(crate) async fn rows<T: Send>(
        &self,
        sql: &'static str,
        params: &[Value],
        map: Map<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        self.each(sql, params, |row| {
            rows.push(map(row)?);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// The first row of a short query.
    pub(crate) async fn row<T: Send>(
        &self,
        sql: &'static str,
        params: &[Value],
        map: Map<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.rows(sql, params, map).await?.into_iter().next())
    }

    /// Each row of whole tables in turn, without keeping any.
    pub(crate) async fn scan(
        &self,
        sql: &str,
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        match self.readers() {
            Readers::Sqlite(readers) => readers.scan(sql, visit),
            Readers::Postgres(readers) => readers.each(sql, &[], visit).await,
        }
    }

    /// Each row in turn, without keeping any.
    pub(crate) async fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        match self.readers() {
            Readers::Sqlite(readers) => readers.each(sql, params, visit),
            Readers::Postgres(readers) => readers.each(sql, params, visit).await,
        }
    }

    /// All rows of a query that may take a while: on SQLite it runs on a thread for such work.
    pub(crate) async fn long_rows<T: Send + 'static>(
        &self,
        sql: String,
        params: Vec<Value>,
        map: Map<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut rows = Vec::new();
        match self.readers() {
            Readers::Postgres(readers) => {
                readers.each(&sql, &params, |row| Ok(rows.push(map(row)?))).await?;
                Ok(rows)
            }
            Readers::Sqlite(readers) => {
                let readers = readers.clone();
                let work = move || {
                    readers.each(&sql, &params, |row| Ok(rows.push(map(row)?)))?;
                    Ok(rows)
                };
                tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?
            }
        }
    }
}
