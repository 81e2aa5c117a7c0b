//! The real program on a database of one's own: run, served, asked over HTTP, stopped, killed.

#![allow(dead_code, reason = "each test program uses its part")]

#[path = "../api/support/database.rs"]
mod database;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use claviger_store::Location;
pub(crate) use database::TestDatabase;
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

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
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        // Whoever runs the tests may have settings of their own.
        command.env_clear().current_dir(self.directory.path()).args(arguments).arg("--data").arg(self.data());
        if let Location::Postgres(url) = self.database.location() {
            command.args(["--database", &url]);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome(self.command(arguments).output().unwrap())
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
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut seen) = (String::new(), String::new());
        while !line.contains("\"listening\"") {
            seen += &line;
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended: {seen}");
        }
        let listening: Value = serde_json::from_str(&line).unwrap();
        let address = listening["address"].as_str().unwrap().parse().unwrap();
        let rest = std::thread::spawn(move || {
            let mut rest = seen;
            log.read_to_string(&mut rest).unwrap();
            rest
        });
        Server { child, address, log: rest }
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

/// What a run of the program came to.
pub(crate) struct Outcome(pub(crate) Output);

impl Outcome {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        assert_eq!(self.0.status.code(), Some(0), "{}", self.stderr());
        self
    }

    /// Ends with code 1 and tells all of these.
    #[track_caller]
    pub(crate) fn fails(self, expected: &[&str]) -> Self {
        let stderr = self.stderr();
        assert_eq!(self.0.status.code(), Some(1), "{stderr}");
        for part in expected {
            assert!(stderr.contains(part), "{part:?} is not in: {stderr}");
        }
        self
    }
}

/// A server of the program.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    log: JoinHandle<String>,
}

/// An answer's status and body.
pub(crate) type Answer = (u16, String);

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

    /// Asks it to stop, waits until it has, and tells its log.
    pub(crate) fn stop(self) -> String {
        self.end("TERM")
    }

    /// Kills it where it stands.
    pub(crate) fn kill(self) -> String {
        self.end("KILL")
    }

    fn end(mut self, signal: &str) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.child.wait().unwrap();
        self.log.join().unwrap()
    }
}

/// Asks over a connection of its own.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<Answer> {
    ask_with(address, method, path, headers, "")
}

/// The same with a body.
pub(crate) fn ask_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Answer> {
    let text = exchange(address, method, path, headers, body)?;
    let broken = || std::io::Error::other(format!("no answer: {text}"));
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let (_, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    Ok((status, body.to_owned()))
}

/// A whole answer, as it came.
fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = match body.len() {
        0 => String::new(),
        length => format!("content-length: {length}\r\n"),
    };
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{length}{headers}\r\n");
    stream.write_all((head + body).as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
