//! Official clients and recorded traffic against the real server, once on each engine.
//!
//! The server runs as a user would start it, on a fresh data directory, and must end well when asked to. The
//! suites learn where it is and how to log in from the environment; see [`HANDED_ON`].

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Result;
use crate::go;
use crate::postgres::{Cluster, Durability};
use crate::process::{self, Server, StopSignal, at_root, cargo, root};

pub(crate) const PYTHON: &str = "conformance/python";
pub(crate) const TYPESCRIPT: &str = "conformance/typescript";
pub(crate) const GO: &str = "conformance/go";
pub(crate) const JAVA: &str = "conformance/java";
const REPLAY: &str = "conformance/replay.py";
const RECORDED: &str = "conformance/recorded";
const WRITTEN: &str = "conformance/written";

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

/// Runs the suites with a PostgreSQL of their own.
pub(crate) fn run(profile: Profile) -> Result<()> {
    let cluster = Cluster::start(Durability::None)?;
    run_with(&cluster, profile)?;
    cluster.stop()
}

/// Runs the suites that exist on each engine, stopping at the first failure.
pub(crate) fn run_with(cluster: &Cluster, profile: Profile) -> Result<()> {
    let binary = build(profile)?;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let log_path = folder()?.join(format!("{}.log", engine.name()));
        check_engine(&binary, engine, cluster, &log_path).map_err(|error| {
            format!(
                "conformance on {}: {error}\nthe server's log ends:\n{}",
                engine.name(),
                process::tail(&log_path)
            )
        })?;
    }
    Ok(())
}

/// Whether there is a suite in Python, and so a list of the packages that it needs.
pub(crate) fn has_python() -> bool {
    root().join(PYTHON).join("requirements.txt").exists()
}

/// Whether there is a suite in TypeScript.
pub(crate) fn has_typescript() -> bool {
    root().join(TYPESCRIPT).join("package.json").exists()
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

fn check_engine(binary: &Path, engine: Engine, cluster: &Cluster, log_path: &Path) -> Result<()> {
    let directory = tempfile::Builder::new().prefix("claviger-conformance-").tempdir()?;
    let data = directory.path().join("data");
    let address = SocketAddr::from(([127, 0, 0, 1], process::free_port()?));
    let mut command = Command::new(binary);
    command.arg("serve").arg("--data").arg(&data).args(["--listen", &address.to_string()]);
    if let Engine::Postgres = engine {
        command.args(["--database", &cluster.create_database("claviger_conformance")?]);
    }
    let log = File::create(log_path)?;
    let mut server = Server::start("claviger", &mut command, StopSignal::Terminate, directory.path(), log)?;
    server.wait_until(START_LIMIT, || is_ready(address).unwrap_or(false))?;
    let bootstrap = Bootstrap::read(&data.join("bootstrap.json"))?;
    let machine = import_service_account(binary, directory.path(), &data, bootstrap.field("org_id")?)?;
    run_suites(engine, &bootstrap, &machine)?;
    server.stop()
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

fn run_suites(engine: Engine, bootstrap: &Bootstrap, machine: &str) -> Result<()> {
    let python = venv()?.join("bin/python");
    if announce("Python clients", engine, has_python()) {
        let mut command = bootstrap.command(engine, &python)?;
        process::run(command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", PYTHON]))?;
    }
    if announce("TypeScript clients", engine, has_typescript()) {
        let mut command = bootstrap.command(engine, Path::new("npm"))?;
        process::run(command.args(["test", "--prefix", TYPESCRIPT]))?;
    }
    if announce("Go clients", engine, has_go()) {
        let mut command = bootstrap.command(engine, &go::program()?)?;
        // Without `-count`, Go would not run again what passed before, against another server.
        process::run(go::prepared(&mut command).args(["test", "-count=1", "./..."]))?;
    }
    if announce("Java clients", engine, has_java()) {
        let mut command = bootstrap.command(engine, Path::new("mvn"))?;
        process::run(command.args(["--batch-mode", "--quiet", "test"]).current_dir(root().join(JAVA)))?;
    }
    let has_recorded = root().join(RECORDED).is_dir() && root().join(REPLAY).exists();
    if announce("recorded traffic", engine, has_recorded) {
        let python = if has_python() { &python } else { Path::new("python3") };
        let mut command = bootstrap.command(engine, python)?;
        let credentials = format!("{}:{machine}", bootstrap.field("api_key")?);
        command.args([REPLAY, "--base-url", bootstrap.field("url")?, "--auth", &credentials]);
        command.args(RECORDED_SCENARIOS.iter().flat_map(|pattern| ["--only", pattern]));
        process::run(command.args([RECORDED, WRITTEN]))?;
    }
    Ok(())
}

/// Says what runs now, or that it does not, so that no suite is skipped silently.
fn announce(suite: &str, engine: Engine, exists: bool) -> bool {
    let note = if exists { "" } else { ": skipped, not there" };
    println!("--> {suite} on {}{note}", engine.name());
    exists
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
