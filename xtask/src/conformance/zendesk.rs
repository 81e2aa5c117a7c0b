//! The server as the clients of the Zendesk dialect meet it: over TLS, with several orgs that are told apart by the host,
//! and with the limits of the vendor.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{OAUTH, Running, Setup, ZENDESK, folder, fresh_directory, has_node};
use crate::Result;
use crate::process::{self, ask, root};

/// The server that is started here.
pub(super) const SUBDOMAINS: &str = "subdomains";

/// The domain under which orgs are told apart. It is nobody's (RFC 2606), should a request ever get out.
const BASE_DOMAIN: &str = "claviger.example";

/// The domain of the third party that the OAuth suite plays; nobody's either.
const PROVIDER_DOMAIN: &str = "provider.example";

/// Its hosts that the server calls.
const PROVIDER_HOSTS: [&str; 5] = ["login", "late", "moody", "faulty", "elsewhere"];

/// Runs what there is about several orgs, and about third parties' authorization servers.
pub(super) fn check_subdomains(setup: Setup<'_>) -> Result<()> {
    let has_requests = setup.runs("zendesk-subdomains", root().join(ZENDESK).exists());
    let has_oauth = setup.runs("zendesk-oauth", has_node(OAUTH));
    if !has_requests && !has_oauth {
        return Ok(());
    }
    let directory = fresh_directory()?;
    let pki = Pki::make(directory.path())?;
    let provider = SocketAddr::from(([127, 0, 0, 1], process::free_port()?));
    let settings = directory.path().join("claviger.toml");
    fs::write(&settings, upstreams(provider, &pki.authority))?;
    let options = [
        ("--config", settings.to_string_lossy().into_owned()),
        ("--zendesk-base-domain", BASE_DOMAIN.to_owned()),
        ("--zendesk-public-url", format!("https://zis.{BASE_DOMAIN}")),
        ("--limits", "vendor".to_owned()),
        ("--tls-cert", pki.certificate.clone()),
        ("--tls-key", pki.key.clone()),
    ];
    let options = options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    let options: Vec<_> = options.chain(["--zendesk-show-tokens".to_owned()]).collect();
    let running =
        setup.start(SUBDOMAINS, directory, &options, |address| is_ready(address, &pki.authority))?;
    if has_requests {
        process::run(prepared(setup, &running, &pki, "python3")?.arg(ZENDESK))?;
    }
    if has_oauth {
        let mut command = prepared(setup, &running, &pki, "npm")?;
        command.env("CLAVIGER_PROVIDER_ADDRESS", provider.to_string());
        command.env("CLAVIGER_PROVIDER_CERTIFICATE", &pki.certificate).env("CLAVIGER_PROVIDER_KEY", &pki.key);
        process::run(command.args(["test", "--prefix", OAUTH]))?;
    }
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

/// Settings that say where the third party's hosts are, and whom to trust there.
fn upstreams(provider: SocketAddr, authority: &str) -> String {
    let upstream = |host: &str| {
        format!(
            "[[broker.upstream]]\nhost = \"{host}.{PROVIDER_DOMAIN}\"\naddress = \"{provider}\"\nca_file = \"{authority}\"\n"
        )
    };
    PROVIDER_HOSTS.map(upstream).join("\n")
}

/// Whether `GET /readyz` is answered well over TLS.
fn is_ready(address: SocketAddr, authority: &str) -> bool {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--noproxy", "*", "--max-time", "1", "--cacert", authority]);
    ask(curl.arg(format!("https://{address}/readyz"))).is_ok_and(|answer| answer.is_some())
}

/// Files of an authority, and of a certificate that it signed for the hosts of the server and of the third party.
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
        let names = format!("subjectAltName=DNS:*.{BASE_DOMAIN},DNS:*.{PROVIDER_DOMAIN},IP:127.0.0.1");
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
