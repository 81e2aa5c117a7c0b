//! The broker against a stand-in for the services behind connections, which judges what arrives as they do.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{
    START_LIMIT, Setup, UPSTREAM, folder, fresh_directory, has_requirements, is_ready, upstream_venv,
};
use crate::Result;
use crate::process::{self, Server, StopSignal, at_root};

/// The suite that drives the broker, and the server that it is driven on.
pub(super) const BROKER: &str = "broker";

/// The rig's own tests. They take minutes, and no server has part in them: all of them run when they are named.
pub(super) const RIG: &str = "upstream";

/// Those of them that always run, in seconds: how requests are read, and how tokens are exchanged and judged.
pub(super) const QUICK: [&str; 5] = [
    "conformance/upstream/tests/test_azure.py",
    "conformance/upstream/tests/test_google.py",
    "conformance/upstream/tests/test_oauth.py",
    "conformance/upstream/tests/test_partner.py",
    "conformance/upstream/tests/test_wire.py",
];

/// Where browsers would reach the server. It is nobody's (RFC 2606): what plays the browser knows where the server is.
const PUBLIC_URL: &str = "https://zis.claviger.example";

/// Makes a connection of each type, and every call that there is through it.
pub(super) fn check_broker(setup: Setup<'_>) -> Result<()> {
    if !setup.runs(BROKER, has_requirements(UPSTREAM)) {
        return Ok(());
    }
    let rig = Rig::start(setup)?;
    let directory = fresh_directory()?;
    let settings = directory.path().join("claviger.toml");
    rig.write_settings(&settings)?;
    let options =
        ["--config", &settings.to_string_lossy(), "--zendesk-public-url", PUBLIC_URL].map(str::to_owned);
    let running = setup.start(BROKER, directory, &options, |address| is_ready(address).unwrap_or(false))?;
    let mut drive = running.command(setup, &program()?.to_string_lossy())?;
    drive.arg(UPSTREAM).arg("drive").arg(&rig.secrets).arg("--ports").arg(&rig.ports);
    process::run(drive.arg("--journal").arg(&rig.journal).arg("--ca").arg(&rig.authority))?;
    running.stop()?;
    rig.server.stop()
}

/// The rig's own tests, those at `paths`.
pub(super) fn check_rig(paths: &[&str]) -> Result<()> {
    if !has_requirements(UPSTREAM) {
        println!("--> {RIG}: skipped, not there");
        return Ok(());
    }
    println!("--> {RIG}");
    let mut pytest = at_root(&program()?.to_string_lossy());
    process::run(pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).args(paths))
}

/// The Python that has what the rig needs.
fn program() -> Result<PathBuf> {
    Ok(upstream_venv()?.join("bin/python"))
}

/// A command of the rig's.
fn command(verb: &str) -> Result<Command> {
    let mut command = at_root(&program()?.to_string_lossy());
    command.args([UPSTREAM, verb]);
    Ok(command)
}

/// The rig while it plays, with the files by which others find it. They go when it does.
struct Rig {
    server: Server,
    secrets: PathBuf,
    authority: PathBuf,
    journal: PathBuf,
    ports: PathBuf,
    _directory: TempDir,
}

impl Rig {
    fn start(setup: Setup<'_>) -> Result<Self> {
        let directory = fresh_directory()?;
        let file = |name: &str| directory.path().join(name);
        let (secrets, authority, journal, ports) =
            (file("secrets.json"), file("ca.pem"), file("journal"), file("ports.json"));
        process::run(command("secrets")?.arg(&secrets))?;
        let mut serve = command("serve")?;
        serve.arg("--secrets").arg(&secrets).arg("--ca").arg(&authority);
        serve.arg("--journal").arg(&journal).arg("--ports").arg(&ports);
        let log = File::create(folder()?.join(format!("{}_{RIG}.log", setup.engine.name())))?;
        let mut server = Server::start("the rig", &mut serve, StopSignal::Terminate, directory.path(), log)?;
        // The file comes into being whole, once the listeners are open.
        server.wait_until(START_LIMIT, || ports.exists())?;
        Ok(Self { server, secrets, authority, journal, ports, _directory: directory })
    }

    /// Writes settings that lead the services' names to the rig. They hold the operator's key at AWS, so the server
    /// takes them from a file that is its owner's alone.
    fn write_settings(&self, path: &Path) -> Result<()> {
        let mut config = command("config")?;
        config.arg(&self.secrets).arg("--ports").arg(&self.ports).arg("--ca").arg(&self.authority);
        let output = config.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(&output.stdout)?;
        Ok(())
    }
}
