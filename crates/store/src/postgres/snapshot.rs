//! A repeatable-read transaction that cannot write, on a connection of its own.

use super::server::Server;
use super::{Session, each, failure};
use crate::StoreError;
use crate::migrate::{self, SELECT_VERSION};
use crate::value::{Row, Value};

pub(crate) struct PostgresSnapshot(Session);

impl PostgresSnapshot {
    pub(crate) async fn open(address: &str) -> Result<Self, StoreError> {
        let snapshot = Self(Session::connect(&Server::parse(address)?).await?);
        snapshot.begin().await?;
        Ok(snapshot)
    }

    /// The first query in a transaction fixes what it sees: here, the version.
    async fn begin(&self) -> Result<(), StoreError> {
        let client = &self.0.client;
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failure)?;
        migrate::check(client.query_one(SELECT_VERSION, &[]).await.map_err(failure)?.get(0))
    }

    pub(crate) async fn renew(&self) -> Result<(), StoreError> {
        self.0.client.batch_execute("COMMIT").await.map_err(failure)?;
        self.begin().await
    }

    pub(crate) async fn each(
        &self,
        sql: &str,
        params: &[Value],
        visit: impl FnMut(&dyn Row) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        each(&self.0.client, sql, params, visit).await
    }
}
