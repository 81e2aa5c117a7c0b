//! The server as the Zendesk dialect's clients meet it: over TLS, with several orgs that are told apart by the host, and
//! with the vendor's limits.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Running, Setup, ZENDESK, folder, fresh_directory};
use crate::Result;
use crate::process::{self, ask, root};

/// The server that is started here.
pub(super) const SUBDOMAINS: &str = "subdomains";

/// The domain under which orgs are told apart. It is nobody's (RFC 2606), should a request ever get out.
const BASE_DOMAIN: &str = "claviger.example";

/// Runs what there is about several orgs.
pub(super) fn check_subdomains(setup: Setup<'_>) -> Result<()> {
    if !setup.runs("zendesk-subdomains", root().join(ZENDESK).exists()) {
        return Ok(());
    }
    let directory = fresh_directory()?;
    let pki = Pki::make(directory.path())?;
    let options = [
        "--zendesk-base-domain",
        BASE_DOMAIN,
        "--limits",
        "vendor",
        "--tls-cert",
        &pki.certificate,
        "--tls-key",
        &pki.key,
    ]
    .map(str::to_owned);
    let running =
        setup.start(SUBDOMAINS, directory, &options, |address| is_ready(address, &pki.authority))?;
    process::run(prepared(setup, &running, &pki, "python3")?.arg(ZENDESK))?;
    running.stop()
}

/// A command that knows the server, and how its hosts are reached.
fn prepared(setup: Setup<'_>, running: &Running, pki: &Pki, program: &str) -> Result<Command> {
    let mut command = running.command(setup, program)?;
    command.env("CLAVIGER_BASE_DOMAIN", BASE_DOMAIN);
    command.env("CLAVIGER_ADDRESS", running.address.to_string());
    command.env("CLAVIGER_CA", &pki.authority);
    Ok(command)
}

/// Whether `GET /readyz` is answered well over TLS.
fn is_ready(address: SocketAddr, authority: &str) -> bool {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--noproxy", "*", "--max-time", "1", "--cacert", authority]);
    ask(curl.arg(format!("https://{address}/readyz"))).is_ok_and(|answer| answer.is_some())
}

/// Files of an authority, and of a certificate that it signed for every subdomain and for the address.
struct Pki {
    authority: String,
    certificate: String,
    key: String,
}

impl Pki {
    fn make(directory: &Path) -> Result<Self> {
        let file = |name: &str| directory.join(name).to_string_lossy().into_owned();
        let pki =
            Self { authority: file("ca.pem"), certificate: file("server.pem"), key: file("server.key") };
        let ca_key = file("ca.key");
        let log = folder()?.join("openssl.log");
        certify(&log, &["-subj", "/CN=Conformance", "-keyout", &ca_key, "-out", &pki.authority])?;
        let names = format!("subjectAltName=DNS:*.{BASE_DOMAIN},IP:127.0.0.1");
        let (signer, result) =
            (["-CA", &pki.authority, "-CAkey", &ca_key], ["-keyout", &pki.key, "-out", &pki.certificate]);
        let whose =
            ["-subj", "/CN=Claviger", "-addext", &names, "-addext", "basicConstraints=critical,CA:FALSE"];
        certify(&log, &[&signer[..], &result, &whose].concat())?;
        Ok(pki)
    }
}

/// Makes a key and a certificate of it, good for two days. What openssl says on the way goes to a log.
fn certify(log: &PathBuf, options: &[&str]) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]);
    let said = File::create(log)?;
    process::run(openssl.args(options).stderr(said))
        .map_err(|error| format!("{error}; it said:\n{}", process::tail(log)).into())
}
