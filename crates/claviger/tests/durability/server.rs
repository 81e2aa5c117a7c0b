//! The real binary on a data directory of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Connection;

/// How long a start may take before the test gives up on it.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A data directory, and the keys of its first admin.
pub(crate) struct Home {
    directory: TempDir,
    api_key: String,
    application_key: String,
    address: SocketAddr,
}

/// The running server; killed when dropped.
pub(crate) struct Running(Child);

impl Home {
    pub(crate) fn founded() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut home =
            Self { directory, api_key: String::new(), application_key: String::new(), address: port };
        assert!(
            home.command(&["init"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        );
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
        let binary = [env!("CARGO_BIN_EXE_claviger")];
        let mut words = under.iter().chain(&binary).chain(arguments);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("--data").arg(self.data()).env_clear();
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_under(&[], arguments)
    }

    /// Starts the server, as an argument of another program if `under` names one, and waits until it is ready.
    pub(crate) fn serve(&self, under: &[&str], variables: &[(&str, &str)]) -> Running {
        let address = self.address.to_string();
        let mut command = self.command_under(under, &["serve", "--listen", &address, "--log", "error"]);
        command.envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::inherit());
        let running = Running(command.spawn().unwrap());
        let deadline = Instant::now() + START_PATIENCE;
        let is_ready = || self.connect()?.send("GET", "/readyz", None).filter(|answer| answer.status == 200);
        while is_ready().is_none() {
            assert!(Instant::now() < deadline, "the server did not become ready");
            std::thread::yield_now();
        }
        running
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

impl Running {
    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// The process; of the program it runs under, if it does.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Waits for an end that somebody else has asked for.
    pub(crate) fn wait(mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
