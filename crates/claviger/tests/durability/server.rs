//! The real binary on a data directory of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Connection;
use crate::process::{Outcome, Serving, program_under};

/// A data directory, and the keys of its first admin.
pub(crate) struct Home {
    directory: TempDir,
    api_key: String,
    application_key: String,
    address: SocketAddr,
}

impl Home {
    pub(crate) fn founded() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut home =
            Self { directory, api_key: String::new(), application_key: String::new(), address: port };
        Outcome::of(&mut home.command(&["init"])).succeeds();
        let bootstrap = fs::read_to_string(home.data().join("bootstrap.json")).unwrap();
        let bootstrap: Value = serde_json::from_str(&bootstrap).unwrap();
        let text = |name: &str| bootstrap[name].as_str().unwrap().to_owned();
        (home.api_key, home.application_key) = (text("api_key"), text("application_key"));
        home
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The binary with this home's data directory; with `under`, as an argument of another program.
    fn command_under(&self, under: &[&str], arguments: &[&str]) -> Command {
        let mut command = program_under(under);
        command.args(arguments).arg("--data").arg(self.data());
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_under(&[], arguments)
    }

    /// Starts the server, as an argument of another program if `under` names one, and waits until it listens.
    pub(crate) fn serve(&self, under: &[&str], variables: &[(&str, &str)]) -> Serving {
        let address = self.address.to_string();
        // What it says of each request would be in the trace too.
        let log = "error,claviger::server=info";
        let mut command = self.command_under(under, &["serve", "--listen", &address, "--log", log]);
        command.envs(variables.iter().copied());
        Serving::start(command)
    }

    /// A connection with the admin's keys.
    pub(crate) fn connect(&self) -> Option<Connection> {
        Connection::open(self.address, &self.api_key, &self.application_key)
    }

    /// Whether a secret is a good API key.
    pub(crate) fn is_valid(&self, secret: &str) -> bool {
        let mut connection = Connection::open(self.address, secret, "").unwrap();
        connection.send("GET", "/api/v1/validate", None).unwrap().status == 200
    }

    /// Lets the org have as many API keys as a test makes.
    pub(crate) fn lift_limits(&self) {
        let body = json!({ "api_keys_max": 10_000_000 });
        let answer = self.connect().unwrap().send("PATCH", "/claviger/v1/org", Some(&body)).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
