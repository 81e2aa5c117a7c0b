//! Official clients and recorded traffic against the real server, once on each engine.
//!
//! The server runs as a user would start it, on a fresh data directory, and must end well when asked to. The
//! suites learn where it is and how to log in from the environment; see [`HANDED_ON`]. What the Zendesk dialect needs
//! beside this is [`zendesk`]'s.

mod upstream;
mod zendesk;

use std::error::Error;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Result;
use crate::go;
use crate::postgres::{Cluster, Durability};
use crate::process::{self, Server, StopSignal, at_root, cargo, root};

pub(crate) const PYTHON: &str = "conformance/python";
pub(crate) const TYPESCRIPT: &str = "conformance/typescript";
pub(crate) const OAUTH: &str = "conformance/oauth";
pub(crate) const UPSTREAM: &str = "conformance/upstream";
pub(crate) const GO: &str = "conformance/go";
pub(crate) const JAVA: &str = "conformance/java";
const REPLAY: &str = "conformance/replay.py";
const RECORDED: &str = "conformance/recorded";
const WRITTEN: &str = "conformance/written";
const ZENDESK: &str = "conformance/zendesk/run.py";

/// The recorded scenarios that the server is meant to pass, as patterns of their names. A feature that gets
/// built adds its line.
const RECORDED_SCENARIOS: [&str; 6] = [
    "*pplication key*",
    "*ersonal access token*",
    "*service account*",
    "*App Key*",
    "*Action Connection*",
    "*restriction policy*",
];

/// What can be run alone.
const SUITES: [&str; 10] = [
    "python",
    "typescript",
    "go",
    "java",
    "recorded",
    "zendesk",
    "zendesk-subdomains",
    "zendesk-oauth",
    upstream::BROKER,
    upstream::RIG,
];

/// Fields of `bootstrap.json`, and the variables by which the suites get them.
const HANDED_ON: [(&str, &str); 7] = [
    ("url", "CLAVIGER_URL"),
    ("org_id", "CLAVIGER_ORG_ID"),
    ("user_id", "CLAVIGER_USER_ID"),
    ("email", "CLAVIGER_EMAIL"),
    ("api_key", "CLAVIGER_API_KEY"),
    ("application_key", "CLAVIGER_APPLICATION_KEY"),
    ("application_key_id", "CLAVIGER_APPLICATION_KEY_ID"),
];

/// The server without options.
const ONE_ORG: &str = "one_org";

const START_LIMIT: Duration = Duration::from_secs(30);

/// How the server is compiled.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Where the server keeps its data.
#[derive(Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Runs the suites, or one of them, with a PostgreSQL of their own.
pub(crate) fn run(options: &[&str]) -> Result<()> {
    let (profile, only) = match *options {
        [] => (Profile::Dev, None),
        ["--release"] => (Profile::Release, None),
        ["--only", suite] => (Profile::Dev, Some(suite)),
        ["--release", "--only", suite] => (Profile::Release, Some(suite)),
        _ => return Err("usage: cargo xtask conformance [--release] [--only SUITE]".into()),
    };
    if let Some(unknown) = only.filter(|suite| !SUITES.contains(suite)) {
        return Err(format!("{unknown} is no suite; there are: {}", SUITES.join(" ")).into());
    }
    if only == Some(upstream::RIG) {
        return upstream::check_rig(&[UPSTREAM]);
    }
    let cluster = Cluster::start(Durability::None)?;
    run_with(&cluster, profile, only)?;
    cluster.stop()
}

/// Runs the suites that exist on each engine, stopping at the first failure.
pub(crate) fn run_with(cluster: &Cluster, profile: Profile, only: Option<&str>) -> Result<()> {
    let binary = build(profile)?;
    if only.is_none() {
        upstream::check_rig(&upstream::QUICK)?;
    }
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let setup = Setup { binary: &binary, engine, cluster, only };
        check_one_org(setup).map_err(|error| told(&*error, engine, ONE_ORG))?;
        zendesk::check_subdomains(setup).map_err(|error| told(&*error, engine, zendesk::SUBDOMAINS))?;
        upstream::check_broker(setup).map_err(|error| told(&*error, engine, upstream::BROKER))?;
    }
    Ok(())
}

/// An error, and what the server said last.
fn told(error: &dyn Error, engine: Engine, purpose: &str) -> Box<dyn Error> {
    let log = log_path(engine, purpose).map(|path| process::tail(&path)).unwrap_or_default();
    format!("conformance on {}: {error}\nthe server's log ends:\n{log}", engine.name()).into()
}

/// Whether there is a suite in Python, and so a list of the packages that it needs.
pub(crate) fn has_python() -> bool {
    has_requirements(PYTHON)
}

/// Whether this folder lists packages for Python.
pub(crate) fn has_requirements(folder: &str) -> bool {
    root().join(folder).join("requirements.txt").exists()
}

/// Whether there is a suite of this name for Node.
pub(crate) fn has_node(suite: &str) -> bool {
    root().join(suite).join("package.json").exists()
}

/// Whether there is a suite in Go.
pub(crate) fn has_go() -> bool {
    root().join(GO).join("go.mod").exists()
}

/// Whether there is a suite in Java.
pub(crate) fn has_java() -> bool {
    root().join(JAVA).join("pom.xml").exists()
}

/// Where the Python suite's packages live.
pub(crate) fn venv() -> Result<PathBuf> {
    Ok(folder()?.join("venv"))
}

/// Where the packages of what plays the third parties live.
pub(crate) fn upstream_venv() -> Result<PathBuf> {
    Ok(folder()?.join("upstream-venv"))
}

/// What conformance leaves behind: packages, what is built from the suites, and each server's log.
pub(crate) fn folder() -> Result<PathBuf> {
    let folder = root().join("target/conformance");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn build(profile: Profile) -> Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "claviger"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    process::run(&mut command)?;
    // Beside this program's own profile, wherever the developer lets cargo build.
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).ok_or("this program does not run from cargo's target directory")?;
    Ok(target.join(if profile == Profile::Release { "release" } else { "debug" }).join("claviger"))
}

/// What every server is started from.
#[derive(Clone, Copy)]
struct Setup<'a> {
    binary: &'a Path,
    engine: Engine,
    cluster: &'a Cluster,
    /// The suite that is wanted, where not all are.
    only: Option<&'a str>,
}

/// A server that answers, and what it said of itself when it began. Its directory goes after it.
struct Running {
    server: Server,
    address: SocketAddr,
    bootstrap: Bootstrap,
    data: PathBuf,
    directory: TempDir,
}

impl Setup<'_> {
    /// Says that a suite runs now, or that it does not exist, so that none is skipped silently.
    fn runs(self, suite: &str, exists: bool) -> bool {
        debug_assert!(SUITES.contains(&suite), "{suite} is in no list");
        if self.only.is_some_and(|only| only != suite) {
            return false;
        }
        let note = if exists { "" } else { ": skipped, not there" };
        println!("--> {suite} on {}{note}", self.engine.name());
        exists
    }

    /// Starts a server on a fresh database, with further options, and waits until `is_ready` of its address. Its
    /// `purpose` names its database and its log.
    fn start(
        self,
        purpose: &str,
        directory: TempDir,
        options: &[String],
        is_ready: impl Fn(SocketAddr) -> bool,
    ) -> Result<Running> {
        let data = directory.path().join("data");
        let address = SocketAddr::from(([127, 0, 0, 1], process::free_port()?));
        let mut command = Command::new(self.binary);
        command.arg("serve").arg("--data").arg(&data).args(["--listen", &address.to_string()]).args(options);
        if let Engine::Postgres = self.engine {
            command.args(["--database", &self.cluster.create_database(&format!("conformance_{purpose}"))?]);
        }
        let log = File::create(log_path(self.engine, purpose)?)?;
        let mut server =
            Server::start("claviger", &mut command, StopSignal::Terminate, directory.path(), log)?;
        server.wait_until(START_LIMIT, || is_ready(address))?;
        let bootstrap = Bootstrap::read(&data.join("bootstrap.json"))?;
        Ok(Running { server, address, bootstrap, data, directory })
    }
}

impl Running {
    /// A command that knows the server, and what its operator has on its machine.
    fn command(&self, setup: Setup<'_>, program: &str) -> Result<Command> {
        let mut command = self.bootstrap.command(setup.engine, Path::new(program))?;
        command.env("CLAVIGER_PROGRAM", setup.binary).env("CLAVIGER_DATA", &self.data);
        Ok(command)
    }

    fn stop(self) -> Result<()> {
        self.server.stop()
    }
}

/// Where a server writes its log.
fn log_path(engine: Engine, purpose: &str) -> Result<PathBuf> {
    Ok(folder()?.join(format!("{}_{purpose}.log", engine.name())))
}

fn fresh_directory() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("claviger-conformance-").tempdir()?)
}

/// The suites against a server as it is without options: all of them but what needs several orgs by their hosts.
fn check_one_org(setup: Setup<'_>) -> Result<()> {
    let running =
        setup.start(ONE_ORG, fresh_directory()?, &[], |address| is_ready(address).unwrap_or(false))?;
    let org = running.bootstrap.field("org_id")?;
    let machine = import_service_account(setup.binary, running.directory.path(), &running.data, org)?;
    run_suites(setup, &running, &machine)?;
    running.stop()
}

/// Brings a service account into the running server, and returns its application key: the recorded traffic is a
/// machine's, and shows whose keys are. The key may manage connections.
fn import_service_account(binary: &Path, directory: &Path, data: &Path, org: &str) -> Result<String> {
    let owner = "ci@example.com";
    let document = json!({ "orgs": [{
        "id": org,
        "users": [{ "email": owner, "name": "CI Account", "kind": "service_account", "roles": ["Datadog Admin Role"] }],
        "application_keys": [{ "name": "recorded traffic", "owner": owner, "registered": true }],
    }]});
    let file = directory.join("import.json");
    fs::write(&file, document.to_string())?;
    let output = Command::new(binary).arg("import").arg(&file).arg("--data").arg(data).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let made: Value = serde_json::from_slice(&output.stdout)?;
    let secret = made["secrets"][0]["secret"].as_str().ok_or("the import told no secret")?;
    Ok(secret.to_owned())
}

fn run_suites(setup: Setup<'_>, running: &Running, machine: &str) -> Result<()> {
    let (engine, bootstrap) = (setup.engine, &running.bootstrap);
    let python = venv()?.join("bin/python");
    if setup.runs("python", has_python()) {
        let mut command = bootstrap.command(engine, &python)?;
        process::run(command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", PYTHON]))?;
    }
    if setup.runs("typescript", has_node(TYPESCRIPT)) {
        let mut command = bootstrap.command(engine, Path::new("npm"))?;
        process::run(command.args(["test", "--prefix", TYPESCRIPT]))?;
    }
    if setup.runs("go", has_go()) {
        let mut command = bootstrap.command(engine, &go::program()?)?;
        // Without `-count`, Go would not run again what passed before, against another server.
        process::run(go::prepared(&mut command).args(["test", "-count=1", "./..."]))?;
    }
    if setup.runs("java", has_java()) {
        let mut command = bootstrap.command(engine, Path::new("mvn"))?;
        process::run(command.args(["--batch-mode", "--quiet", "test"]).current_dir(root().join(JAVA)))?;
    }
    let has_recorded = root().join(RECORDED).is_dir() && root().join(REPLAY).exists();
    if setup.runs("recorded", has_recorded) {
        let python = if has_python() { &python } else { Path::new("python3") };
        let mut command = bootstrap.command(engine, python)?;
        let credentials = format!("{}:{machine}", bootstrap.field("api_key")?);
        command.args([REPLAY, "--base-url", bootstrap.field("url")?, "--auth", &credentials]);
        command.args(RECORDED_SCENARIOS.iter().flat_map(|pattern| ["--only", pattern]));
        process::run(command.args([RECORDED, WRITTEN]))?;
    }
    if setup.runs("zendesk", root().join(ZENDESK).exists()) {
        process::run(running.command(setup, "python3")?.arg(ZENDESK))?;
    }
    Ok(())
}

/// What a server writes on its first start: where it is, and the first credentials.
struct Bootstrap(Value);

impl Bootstrap {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    fn field(&self, name: &str) -> Result<&str> {
        self.0[name].as_str().ok_or_else(|| format!("bootstrap.json has no text in {name:?}").into())
    }

    /// A command at the repository's root that knows the server.
    fn command(&self, engine: Engine, program: &Path) -> Result<Command> {
        let mut command = at_root(&program.to_string_lossy());
        for (field, variable) in HANDED_ON {
            command.env(variable, self.field(field)?);
        }
        command.env("CLAVIGER_ENGINE", engine.name());
        Ok(command)
    }
}

/// Whether `GET /readyz` is answered with 200.
fn is_ready(address: SocketAddr) -> std::io::Result<bool> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::net::TcpListener;
    use std::thread;

    /// Answers one request with `answer`, and returns what `is_ready` makes of it.
    fn readiness(answer: &'static str) -> bool {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let is_ready = is_ready(address).unwrap_or(false);
        server.join().unwrap();
        is_ready
    }

    #[test]
    fn only_200_is_ready() {
        assert!(readiness("HTTP/1.1 200 OK\r\n\r\n"));
        assert!(!readiness("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
        assert!(!readiness(""));
    }

    #[test]
    fn a_missing_field_of_the_bootstrap_file_is_named() {
        let bootstrap = Bootstrap(serde_json::json!({"url": "http://127.0.0.1:1"}));
        assert_eq!(bootstrap.field("url").unwrap(), "http://127.0.0.1:1");
        assert!(bootstrap.field("api_key").unwrap_err().to_string().contains("\"api_key\""));
    }
}
