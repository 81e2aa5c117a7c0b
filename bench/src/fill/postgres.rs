//! Rows into a PostgreSQL database, by COPY.

use std::fmt::Write;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use claviger_model::{CredentialKind, OrgId, Timestamp, UserId};
use futures_util::SinkExt;
use tokio_postgres::{Client, NoTls};

use super::rows::{self, CredentialRow};
use crate::Result;

/// The database that is made anew for each run.
const NAME: &str = "claviger_bench";

/// How often it is asked whether the database is unused, and how many times.
const POLL: Duration = Duration::from_millis(20);
const POLLS_MAX: u32 = 500;

#[derive(Default)]
pub(super) struct Sink {
    credentials: String,
    secrets: String,
    statements: String,
}

/// Makes the database, and returns its URL.
pub(super) fn create_database(url: &str) -> Result<String> {
    run(url, async |client| {
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")).await?;
        Ok(client.batch_execute(&format!("CREATE DATABASE {NAME}")).await?)
    })?;
    let (server, _) = url.rsplit_once('/').ok_or("the PostgreSQL URL names no database")?;
    Ok(format!("{server}/{NAME}"))
}

/// Waits until nobody is connected to the database: a process that has ended is not gone for PostgreSQL at once, and
/// the lock of the one writer goes with its connection.
pub(super) fn wait_until_unused(url: &str) -> Result<()> {
    run(url, async |client| {
        let others = "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        for _ in 0..POLLS_MAX {
            if client.query_one(others, &[]).await?.get::<_, i64>(0) == 0 {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err("somebody stays connected to the database".into())
    })
}

fn run(url: &str, work: impl AsyncFnOnce(&Client) -> Result<()>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        let connection = tokio::spawn(connection);
        work(&client).await?;
        drop(client);
        Ok(connection.await??)
    })
}

async fn copy(client: &Client, sql: &str, text: String) -> Result<()> {
    let mut sink = pin!(client.copy_in::<_, Bytes>(sql).await?);
    sink.send(text.into()).await?;
    sink.finish().await?;
    Ok(())
}

impl Sink {
    pub(super) fn finish(self, url: &str) -> Result<()> {
        run(url, async |client| {
            client.batch_execute("BEGIN; UPDATE orgs SET api_keys_max = 100000000").await?;
            copy(
                client,
                "COPY credentials (id, org_id, kind, name, name_sort, name_search, last4, category,
                     remote_config_read, revision, created_at, created_by, modified_at, modified_by) FROM STDIN",
                self.credentials,
            )
            .await?;
            copy(
                client,
                "COPY secrets (digest, digest_key, org_id, credential_id, revision, sealed, created_at) FROM STDIN",
                self.secrets,
            )
            .await?;
            client.batch_execute(&self.statements).await?;
            Ok(client.batch_execute("COMMIT; ANALYZE").await?)
        })
    }
}

/// Bytes as COPY reads them.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\\\x".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

impl rows::Sink for Sink {
    /// Only API keys are filled in here, which belong to nobody.
    fn user(&mut self, _: OrgId, _: UserId, _: Timestamp) -> Result<()> {
        Err("users are not filled into PostgreSQL".into())
    }

    fn credential(&mut self, row: CredentialRow) -> Result<()> {
        let CredentialRow { id, org, kind, name, last4, by, .. } = &row;
        let (search, sort, at) = (name.to_lowercase(), hex(&row.name_sort), row.at.micros());
        let last4 = hex(last4.as_bytes());
        writeln!(
            self.credentials,
            "{id}\t{org}\t{kind}\t{name}\t{sort}\t{search}\t{last4}\tdefault\t1\t1\t{at}\t{by}\t{at}\t{by}"
        )?;
        let (digest, digest_key, sealed) = (hex(&row.digest), &row.digest_key, row.sealed.as_deref());
        let sealed = sealed.map_or("\\N".to_owned(), hex);
        Ok(writeln!(self.secrets, "{digest}\t{digest_key}\t{org}\t{id}\t1\t{sealed}\t{at}")?)
    }

    fn count(&mut self, org: OrgId, kind: CredentialKind, _: Option<UserId>, more: usize) -> Result<()> {
        Ok(write!(
            self.statements,
            "UPDATE credential_counts SET live = live + {more}
             WHERE org_id = '{org}' AND kind = '{kind}' AND owner_id = '';"
        )?)
    }
}
