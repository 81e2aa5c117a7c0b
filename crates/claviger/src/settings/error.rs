//! Why settings are refused: sentences that say what to write instead.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use claviger_model::{NameError, NetworkError};

use super::UpstreamFault;

/// What is wrong with what was typed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The configuration file cannot be read.
    #[error("the configuration file {} cannot be read: name one that is there with --config", path.display())]
    FileUnreadable {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The configuration file is no TOML, or a value in it is of the wrong type.
    #[error("{}, line {line}: {message}", path.display())]
    FileSyntax {
        /// Which.
        path: PathBuf,
        /// Where, counted from one.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The configuration file holds a key that means nothing.
    #[error("{}, line {line}: there is no setting `{key}`; {}", path.display(), hint(near.as_deref()))]
    FileKey {
        /// Which.
        path: PathBuf,
        /// Where, counted from one.
        line: usize,
        /// The key.
        key: String,
        /// The setting that may have been meant.
        near: Option<String>,
    },
    /// Others may read the configuration file, and it holds a secret.
    #[error(
        "others can read the configuration file, which holds a secret: run `chmod 600 {}` and start again",
        path.display()
    )]
    FileExposed {
        /// Which.
        path: PathBuf,
    },
    /// Some of the server's own AWS credentials.
    #[error("the server's own AWS credentials are not whole: give {missing} too, or none of them")]
    HalfAws {
        /// What is missing.
        missing: String,
    },
    /// A part of the server's own AWS credentials is none.
    #[error("{setting} {text} is not {form}")]
    Aws {
        /// Which flag.
        setting: &'static str,
        /// What it says.
        text: String,
        /// What it must be.
        form: &'static str,
    },
    /// The secret of the server's own AWS access key is none. It is not repeated.
    #[error("the secret of the AWS access key has characters that none has: copy it anew")]
    AwsSecret,
    /// An environment variable is not UTF-8.
    #[error("the environment variable {name} is not UTF-8: set it to text")]
    NotText {
        /// Which.
        name: &'static str,
    },
    /// An address is none.
    #[error("{setting} {text} is not an IP address with a port: write it as 127.0.0.1:7070")]
    Address {
        /// Which flag.
        setting: &'static str,
        /// What it says.
        text: String,
    },
    /// Other machines would reach an address in clear.
    #[error(
        "--listen {address} can be reached from other machines in clear: give --tls-cert and --tls-key, or listen on 127.0.0.1, or put a proxy that speaks TLS in front and give --behind-proxy"
    )]
    OffLoopback {
        /// Which.
        address: SocketAddr,
    },
    /// Other machines would reach the metrics, which are always in clear.
    #[error(
        "--metrics-listen {address} can be reached from other machines, and metrics are shown in clear: listen on 127.0.0.1, or put a proxy that speaks TLS in front and give --behind-proxy"
    )]
    MetricsOffLoopback {
        /// Which.
        address: SocketAddr,
    },
    /// Half of what TLS needs.
    #[error("TLS needs a certificate and its key: give {missing} too, or neither")]
    HalfTls {
        /// The flag that is missing.
        missing: &'static str,
    },
    /// A trusted proxy's network is none.
    #[error("--trusted-proxy {text} {error}")]
    TrustedProxy {
        /// What it says.
        text: String,
        /// What is wrong with it.
        error: NetworkError,
    },
    /// The domain of the Zendesk dialect is none.
    #[error("--zendesk-base-domain {text} {error}")]
    ZendeskBaseDomain {
        /// What it says.
        text: String,
        /// What is wrong with it.
        error: claviger_zendesk::BaseDomainError,
    },
    /// Entries of `[[broker.upstream]]` are none.
    #[error("[[broker.upstream]] {}", listed(faults))]
    Upstreams {
        /// What is wrong, with the number of the entry, counted from one.
        faults: Vec<(usize, UpstreamFault)>,
    },
    /// A limit that would leave nothing.
    #[error("{setting} 0 would leave nothing: leave it out for no limit of its own, or give at least 1")]
    Nothing {
        /// The setting.
        setting: &'static str,
    },
    /// The public address of the Zendesk dialect is none.
    #[error("--zendesk-public-url {text} {error}")]
    ZendeskPublicUrl {
        /// What it says.
        text: String,
        /// What is wrong with it.
        error: claviger_zendesk::PublicUrlError,
    },
    /// Two listeners want one address.
    #[error(
        "--listen and --metrics-listen are both {address}: metrics are shown apart, give them another port"
    )]
    SameAddress {
        /// Which.
        address: SocketAddr,
    },
    /// The database's address is not understood. It may hold a password, so it is not repeated.
    #[error(
        "--database begins with neither postgres:// nor postgresql://: give the address of a PostgreSQL database so, or leave --database out to use SQLite in the data directory"
    )]
    Database,
    /// There are certificates for a database that is a file.
    #[error("--database-ca is for PostgreSQL: give the address of one in --database, or leave it out")]
    DatabaseCa,
    /// The master keys come from more than one place.
    #[error(
        "the master keys come from more than one place: give one of --kek-file, CLAVIGER_KEK and CLAVIGER_KEK_PASSPHRASE alone"
    )]
    KekSources,
    /// The admin's address is none.
    #[error("--email {text} is not an e-mail address: write it as name@example.com")]
    Email {
        /// What it says.
        text: String,
    },
    /// The org's name is none.
    #[error("the name in --org {0}")]
    Org(NameError),
    /// The log's filter is not understood.
    #[error(
        "--log has `{part}`: write error, warn, info, debug, trace or off, or such a level for one target, as in info,claviger_store=debug"
    )]
    Log {
        /// The part that is not understood.
        part: String,
    },
    /// The drain takes too long.
    #[error("--drain-seconds {seconds} is too long: give 0 to {max}")]
    DrainSeconds {
        /// What it says.
        seconds: u64,
        /// How long it may be.
        max: u64,
    },
}

fn listed(faults: &[(usize, UpstreamFault)]) -> String {
    let told: Vec<_> = faults.iter().map(|(number, fault)| format!("number {number}: {fault}")).collect();
    told.join("; ")
}

fn hint(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`claviger help` names them all, here they are written with _ for -".to_owned(),
    }
}
