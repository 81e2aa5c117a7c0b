//! A throw-away PostgreSQL: a fresh cluster in a temporary directory, reachable on 127.0.0.1 only, without
//! passwords. Clusters that the machine runs already are neither used nor touched.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::chown;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use tempfile::TempDir;

use crate::Result;
use crate::process::{self, Server, StopSignal};

/// Where tests find the cluster.
pub(crate) const URL_VARIABLE: &str = "CLAVIGER_TEST_POSTGRES";

/// Where Debian puts the server programs, outside the search path, one directory for each version.
const DEBIAN_PROGRAMS: &str = "/usr/lib/postgresql";

const START_LIMIT: Duration = Duration::from_secs(30);

/// Tests run in parallel, each with a database and connections of its own.
const CONNECTIONS_MAX: u32 = 300;

/// What a commit promises.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Durability {
    /// Nothing: the cluster would not survive a power cut, and the tests run much faster.
    None,
    /// As in production.
    Full,
}

/// A running cluster; dropping it stops it and removes its files.
pub(crate) struct Cluster {
    // Declared before the directory, and so dropped before it.
    server: Server,
    directory: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    pub(crate) fn start(durability: Durability) -> Result<Self> {
        let programs = programs()?;
        let account = Account::for_server()?;
        let directory = tempfile::Builder::new().prefix("claviger-postgres-").tempdir()?;
        if let Some(account) = account {
            chown(directory.path(), Some(account.uid), Some(account.gid))?;
        }
        create_files(&programs, account, directory.path())?;

        let port = process::free_port()?;
        let mut command = program(&programs, "postgres", account, directory.path());
        command.args(["-D", "data", "-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        // The default directory for sockets belongs to the machine's own clusters.
        command.args(["-c", "unix_socket_directories="]);
        command.args(["-c", &format!("max_connections={CONNECTIONS_MAX}")]);
        if durability == Durability::None {
            command.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        let log_path = directory.path().join("log");
        let log = File::create(&log_path)?;
        let mut server =
            Server::start("PostgreSQL", &mut command, StopSignal::Interrupt, directory.path(), log)?;
        let status_path = directory.path().join("data/postmaster.pid");
        server
            .wait_until(START_LIMIT, || says_ready(&status_path))
            .map_err(|error| format!("{error}\n{}", process::tail(&log_path)))?;
        Ok(Self { server, directory, programs, port })
    }

    /// The URL of the database that every cluster has.
    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Creates an empty database and returns its URL.
    pub(crate) fn create_database(&self, name: &str) -> Result<String> {
        let mut command = program(&self.programs, "createdb", None, self.directory.path());
        process::run(command.args([
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
            "-U",
            "postgres",
            name,
        ]))?;
        Ok(self.url_of(name))
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.server.stop()
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// Runs a developer's command with a cluster of its own, and answers with the command's exit code.
pub(crate) fn lend(durability: Durability, command: &[OsString]) -> Result<ExitCode> {
    let [program, arguments @ ..] = command else { return Err("no command given".into()) };
    let cluster = Cluster::start(durability)?;
    let status = Command::new(program)
        .args(arguments)
        .env(URL_VARIABLE, cluster.url())
        .status()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    cluster.stop()?;
    // As a shell reports it: 128 and the signal's number.
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The directory of the newest installed server's programs.
pub(crate) fn programs() -> Result<PathBuf> {
    let debian = std::fs::read_dir(DEBIAN_PROGRAMS).into_iter().flatten().flatten().map(|entry| entry.path());
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = debian.filter(|path| has_server(&path.join("bin"))).max_by_key(|path| version(path));
    if let Some(newest) = newest {
        return Ok(newest.join("bin"));
    }
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&search_path)
        .find(|directory| has_server(directory))
        .ok_or_else(|| "no PostgreSQL server is installed; `cargo xtask setup` installs it".into())
}

fn has_server(directory: &Path) -> bool {
    directory.join("initdb").exists() && directory.join("postgres").exists()
}

/// PostgreSQL refuses to run as root, so root lends it the account that its package creates.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// `None`: the developer's own account will do.
    fn for_server() -> Result<Option<Self>> {
        let id = |arguments: &[&str]| -> Result<u32> {
            let answer = process::ask(Command::new("id").args(arguments))?;
            Ok(answer.ok_or_else(|| format!("`id {}` fails", arguments.join(" ")))?.parse()?)
        };
        if id(&["-u"])? != 0 {
            return Ok(None);
        }
        Ok(Some(Self { uid: id(&["-u", "postgres"])?, gid: id(&["-g", "postgres"])? }))
    }
}

/// One of PostgreSQL's programs, running inside the cluster's directory: that is one which its account may read.
fn program(programs: &Path, name: &str, account: Option<Account>, directory: &Path) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir(directory);
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

fn create_files(programs: &Path, account: Option<Account>, directory: &Path) -> Result<()> {
    let mut command = program(programs, "initdb", account, directory);
    command.args(["-D", "data", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]);
    let output = command.arg("--no-sync").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("initdb: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)).into())
}

/// The eighth line of `postmaster.pid` is the server's state, and what PostgreSQL's own tools wait for.
fn says_ready(status_path: &Path) -> bool {
    let text = std::fs::read_to_string(status_path).unwrap_or_default();
    text.lines().nth(7).is_some_and(|state| state.trim() == "ready")
}
