//! The real program on a database of one's own, on either engine.

#![allow(dead_code, unused_imports, reason = "each test program uses its part")]

#[path = "../api/support/database.rs"]
mod database;
#[path = "../process/mod.rs"]
mod process;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use claviger_store::Location;
pub(crate) use database::TestDatabase;
pub(crate) use process::{Answer, Outcome, Serving as Server, ask, until};
use process::{PATIENCE, ask_with, exchange, program};
use serde_json::Value;
use tempfile::TempDir;

/// Writes each case once and runs it on both engines, as `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($($(#[$doc:meta])* fn $name:ident($home:ident: &Home) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            fn case($home: &Home) $body

            #[test]
            fn sqlite() {
                case(&Home::new());
            }

            #[test]
            fn postgres() {
                let Some(home) = Home::on_postgres() else { return };
                case(&home);
                home.remove();
            }
        }
    )*};
}
pub(crate) use on_both_engines;

/// A data directory that is not there yet, and a database.
pub(crate) struct Home {
    directory: TempDir,
    database: TestDatabase,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), database: TestDatabase::sqlite() }
    }

    /// None only where PostgreSQL was left out on purpose.
    pub(crate) fn on_postgres() -> Option<Self> {
        let database = wait(TestDatabase::postgres())?;
        Some(Self { directory: tempfile::tempdir().unwrap(), database })
    }

    pub(crate) fn remove(self) {
        wait(self.database.remove());
    }

    pub(crate) fn location(&self) -> Location {
        match &self.database {
            TestDatabase::Sqlite(_) => Location::Sqlite(self.file("claviger.db")),
            TestDatabase::Postgres { .. } => self.database.location(),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A file of the data directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    /// Writes a file beside the data directory, and tells its name.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command.current_dir(self.directory.path()).args(arguments).arg("--data").arg(self.data());
        if let Location::Postgres(url) = self.database.location() {
            command.args(["--database", &url]);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }

    pub(crate) fn import(&self, document: &Value) -> Outcome {
        let path = self.write("import.json", &document.to_string());
        self.run(&["import", path.to_str().unwrap()])
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, variables: &[(&str, &str)]) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(variables.iter().copied());
        Server::start(command)
    }

    /// The number that a query gives.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match self.location() {
            Location::Sqlite(path) => {
                let database = rusqlite::Connection::open(path).unwrap();
                database.busy_timeout(PATIENCE).unwrap();
                database.query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Location::Postgres(url) => wait(async {
                let (client, connection) =
                    tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                let number = client.query_one(sql, &[]).await.unwrap().get(0);
                drop(client);
                connection.await.unwrap().unwrap();
                number
            }),
        }
    }

    pub(crate) fn ledger_length(&self) -> i64 {
        self.number("SELECT COUNT(*) FROM ledger")
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl Outcome {
    /// Ends with code 1 and tells all of these.
    #[track_caller]
    pub(crate) fn fails(self, expected: &[&str]) -> Self {
        let stderr = self.stderr();
        for part in expected {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
        self.ends(1, &[])
    }
}

impl Server {
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.address, "GET", path, headers).unwrap()
    }

    pub(crate) fn delete(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.address, "DELETE", path, headers).unwrap()
    }

    /// Sends a body.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        ask_with(self.address, method, path, headers, &body.to_string()).unwrap()
    }

    /// Sends a body, and tells the status and the headers of the answer.
    pub(crate) fn head_of(&self, method: &str, path: &str, body: &Value) -> Answer {
        let text = exchange(self.address, method, path, &[], &body.to_string()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        (text.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned())
    }

    /// The status of the verification of any credential.
    pub(crate) fn verify(&self, secret: &str) -> u16 {
        self.get("/verify", &[("x-api-key", secret)]).0
    }
}
