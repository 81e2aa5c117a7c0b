//! Installs what the tests need, each thing only when it is missing. Made for Debian; elsewhere it says what to
//! install by hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, ask, at_root, cargo, root};
use crate::{Result, conformance, go, postgres};

/// Pinned, since a new release may bring new findings, and builds should not break by themselves.
const CARGO_DENY_VERSION: &str = "0.20.2";

pub(crate) fn run() -> Result<()> {
    debian_packages()?;
    rust_components()?;
    cargo_deny()?;
    python_packages()?;
    node_packages()?;
    go_modules()?;
    java_packages()
}

fn debian_packages() -> Result<()> {
    let mut missing = Vec::new();
    let mut want = |is_present: bool, packages: &[&'static str]| {
        if !is_present {
            missing.extend_from_slice(packages);
        }
    };
    want(postgres::programs().is_ok(), &["postgresql"]);
    // Debian keeps it in /usr/sbin, which only root's search path has.
    want(answers("nginx", "-v")? || answers("/usr/sbin/nginx", "-v")?, &["nginx"]);
    want(answers("strace", "--version")?, &["strace"]);
    // The vendor's examples are curl's, and some of them go over TLS.
    want(answers("curl", "--version")?, &["curl"]);
    want(answers("openssl", "version")?, &["openssl"]);
    // Compiles libFuzzer.
    want(answers("c++", "--version")?, &["g++"]);
    if conformance::has_python() || conformance::has_requirements(conformance::UPSTREAM) {
        // Without its package, Debian's Python has the module venv but cannot put pip into what it makes.
        let can_make_venv = ask(at_root("python3").args(["-c", "import ensurepip, venv"]))?.is_some();
        want(can_make_venv, &["python3", "python3-venv"]);
    }
    if conformance::has_node(conformance::TYPESCRIPT) || conformance::has_node(conformance::OAUTH) {
        want(answers("npm", "--version")?, &["nodejs", "npm"]);
    }
    if conformance::has_go() {
        want(go::program().is_ok() || answers("go", "version")?, &["golang-go"]);
    }
    if conformance::has_java() {
        // A runtime alone answers `java`, but compiles nothing.
        want(answers("javac", "-version")?, &["default-jdk-headless"]);
        want(answers("mvn", "--version")?, &["maven"]);
    }
    if missing.is_empty() {
        return Ok(());
    }
    if ask(Command::new("apt-get").arg("--version"))?.is_none() {
        return Err(format!("apt-get is missing here; please install: {}", missing.join(" ")).into());
    }
    println!("setup: installing {}", missing.join(" "));
    process::run(apt_get()?.arg("update"))?;
    process::run(apt_get()?.args(["install", "--yes", "--no-install-recommends"]).args(missing))
}

/// `apt-get` as root, never asking anything.
fn apt_get() -> Result<Command> {
    let is_root = ask(Command::new("id").arg("-u"))?.as_deref() == Some("0");
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]);
    Ok(command)
}

fn rust_components() -> Result<()> {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if ask(cargo().args([subcommand, "--version"]))?.is_none() {
            println!("setup: installing {component}");
            process::run(at_root("rustup").args(["component", "add", component]))?;
        }
    }
    Ok(())
}

fn cargo_deny() -> Result<()> {
    if ask(cargo().args(["deny", "--version"]))?.is_some() {
        return Ok(());
    }
    println!("setup: building cargo-deny {CARGO_DENY_VERSION}; this takes some minutes, once");
    process::run(cargo().args([
        "install",
        "--quiet",
        "--locked",
        "cargo-deny",
        "--version",
        CARGO_DENY_VERSION,
    ]))
}

fn python_packages() -> Result<()> {
    let all =
        [(conformance::PYTHON, conformance::venv()?), (conformance::UPSTREAM, conformance::upstream_venv()?)];
    for (folder, venv) in all {
        if conformance::has_requirements(folder) {
            python_packages_of(folder, &venv)?;
        }
    }
    Ok(())
}

fn python_packages_of(folder: &str, venv: &Path) -> Result<()> {
    let requirements = root().join(folder).join("requirements.txt");
    if is_installed(venv, &requirements)? {
        return Ok(());
    }
    println!("setup: installing the Python packages of {folder}");
    process::run(at_root("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    process::run(pip.arg(&requirements))?;
    note_installed(venv, &requirements)
}

fn node_packages() -> Result<()> {
    for suite in [conformance::TYPESCRIPT, conformance::OAUTH] {
        if conformance::has_node(suite) {
            node_packages_of(suite)?;
        }
    }
    Ok(())
}

fn node_packages_of(suite: &str) -> Result<()> {
    let folder = root().join(suite);
    let modules = folder.join("node_modules");
    let lock = folder.join("package-lock.json");
    let (list, verb) = if lock.exists() { (lock, "ci") } else { (folder.join("package.json"), "install") };
    if is_installed(&modules, &list)? {
        return Ok(());
    }
    println!("setup: installing the npm packages of {suite}");
    process::run(Command::new("npm").args([verb, "--no-audit", "--no-fund"]).current_dir(&folder))?;
    fs::create_dir_all(&modules)?; // npm makes none when there is nothing to install
    note_installed(&modules, &list)
}

fn go_modules() -> Result<()> {
    if !conformance::has_go() {
        return Ok(());
    }
    go::install()?;
    let sums = root().join(conformance::GO).join("go.sum");
    let marker = folder_in_conformance("go")?;
    if is_installed(&marker, &sums)? {
        return Ok(());
    }
    println!("setup: downloading the Go modules of {}", conformance::GO);
    process::run(go::prepared(&mut Command::new(go::program()?)).args(["mod", "download"]))?;
    note_installed(&marker, &sums)
}

fn java_packages() -> Result<()> {
    if !conformance::has_java() {
        return Ok(());
    }
    let folder = root().join(conformance::JAVA);
    let (pom, marker) = (folder.join("pom.xml"), folder_in_conformance("java")?);
    if is_installed(&marker, &pom)? {
        return Ok(());
    }
    println!("setup: downloading the Maven packages of {}", conformance::JAVA);
    // Maven knows what a step needs only by taking it; this one finds no test of that name.
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "test", "-Dtest=None", "-Dsurefire.failIfNoSpecifiedTests=false"]);
    process::run(maven.current_dir(&folder))?;
    note_installed(&marker, &pom)
}

/// A folder of conformance, made if need be.
fn folder_in_conformance(name: &str) -> Result<PathBuf> {
    let folder = conformance::folder()?.join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn answers(program: &str, question: &str) -> Result<bool> {
    Ok(ask(Command::new(program).arg(question))?.is_some())
}

/// Whether `list` is what was last installed into `folder`, by the copy of it that was left there.
fn is_installed(folder: &Path, list: &Path) -> Result<bool> {
    let installed = fs::read(folder.join(".installed")).ok();
    Ok(installed == Some(fs::read(list)?))
}

fn note_installed(folder: &Path, list: &Path) -> Result<()> {
    fs::copy(list, folder.join(".installed"))?;
    Ok(())
}
