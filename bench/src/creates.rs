//! Durable creates over HTTP beside a bare loop that commits one row at a time. Neither is pinned.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::Result;
use crate::fill::{self, Shape};
use crate::load::{self, Requests};
use crate::options::Options;
use crate::process::ANY_CORE;
use crate::server::Server;
use crate::table::{Report, heading, median, middle};

pub(crate) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    heading("Durable creates: 64 connections, fsync before each answer, nothing pinned");
    let filled = fill::directory(options, Shape::users(2))?;
    let product = Server::product(options, ANY_CORE, &filled.data, None)?;
    let mut requests = requests(&filled.admin);
    let mut bare = Bare::open(&options.folder.join("bare.db"))?;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        theirs.push(bare.run(options.turn())?);
        ours.push(load::run(&product, &mut requests, options.turn())?);
    }
    product.stop()?;
    let (theirs, ours) = (median(theirs), middle(&ours));
    println!("rusqlite, one row a transaction: {theirs:.0} rows/s");
    println!("claviger on SQLite: {:.0} creates/s, {:.0} µs CPU each", ours.per_second, ours.cpu_micros);
    report.at_least("creates/s of a bare loop's rows/s", ours.per_second / theirs, 1.5, "");

    if let Some(url) = &options.postgres {
        let data = tempfile::tempdir()?;
        let data = data.path().join("data");
        let filled = fill::postgres(options, url, &data, Shape::api_keys(1))?;
        let product = Server::product(options, ANY_CORE, &data, filled.postgres.as_deref())?;
        let mut requests = self::requests(&filled.admin);
        let turns = (0..options.rounds()).map(|_| load::run(&product, &mut requests, options.turn()));
        let ours = middle(&turns.collect::<Result<Vec<_>>>()?);
        println!(
            "claviger on PostgreSQL: {:.0} creates/s, {:.0} µs CPU each, PostgreSQL's own not counted",
            ours.per_second, ours.cpu_micros
        );
        product.stop()?;
    }
    Ok(())
}

pub(crate) fn requests((api_key, application_key): &(String, String)) -> Requests {
    let create = |number: usize| {
        let body = format!(r#"{{"data":{{"type":"api_keys","attributes":{{"name":"created {number}"}}}}}}"#);
        format!(
            "POST /api/v2/api_keys HTTP/1.1\r\nhost: 127.0.0.1:7070\r\ndd-api-key: {api_key}\r\n\
             dd-application-key: {application_key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    Requests::new((0..10_000).map(create), 201)
}

/// What anybody would write first: a table with an id and three indexes, a transaction for each row.
struct Bare {
    connection: Connection,
    next: i64,
}

impl Bare {
    fn open(path: &Path) -> Result<Self> {
        for suffix in ["", "-wal", "-shm"] {
            match std::fs::remove_file(format!("{}{suffix}", path.display())) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE keys (id TEXT PRIMARY KEY, org_id TEXT NOT NULL, name TEXT NOT NULL,
                 digest BLOB NOT NULL, created_at BIGINT NOT NULL);
             CREATE UNIQUE INDEX keys_by_digest ON keys (digest);
             CREATE INDEX keys_by_name ON keys (org_id, name);
             CREATE INDEX keys_by_age ON keys (org_id, created_at);",
        )?;
        Ok(Self { connection, next: 0 })
    }

    /// Rows in a second.
    fn run(&mut self, time: Duration) -> Result<f64> {
        let mut insert = self.connection.prepare(
            "INSERT INTO keys (id, org_id, name, digest, created_at)
             VALUES (lower(hex(randomblob(16))), 'the org', ?1, randomblob(32), ?2)",
        )?;
        let (started, before) = (Instant::now(), self.next);
        while started.elapsed() < time {
            insert.execute(params![format!("created {}", self.next), self.next])?;
            self.next += 1;
        }
        Ok((self.next - before) as f64 / started.elapsed().as_secs_f64())
    }
}
