//! Why a command failed, and the exit code that says so to scripts.

use std::io;
use std::path::PathBuf;

use claviger_egress::RootsError;
use claviger_outbound::SendError;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no place for profiles.
    #[error("there is no home directory to find profiles in: name a file with --profile")]
    NoHome,
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may read the file of profiles.
    #[error("others can read {}, which holds secrets: run `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// The file of profiles is not understood. What stands in it is not repeated: it may be a secret.
    #[error("{} is no file of profiles: {reason}", path.display())]
    Profiles {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no such profile.
    #[error("there is no profile {name} in {}: run `claviger login --as {name}`, or choose one of: {}", path.display(), known.join(", "))]
    NoSuchProfile {
        /// Which.
        name: String,
        /// Where.
        path: PathBuf,
        /// Those that there are.
        known: Vec<String>,
    },
    /// There is no profile at all.
    #[error("there is no profile yet: run `claviger login https://keys.example.com`")]
    NoProfile {
        /// Where one was looked for.
        path: PathBuf,
    },
    /// What was typed does not do.
    #[error("{0}")]
    Usage(String),
    /// Credentials would go over the network in clear.
    #[error("{0} is not https: credentials go in clear to this machine alone")]
    InClear(String),
    /// There is nobody to trust.
    #[error("TLS cannot be used")]
    Roots(#[from] RootsError),
    /// The server cannot be reached.
    #[error("{url} does not answer")]
    Unreachable {
        /// Where.
        url: String,
        /// Why not.
        source: SendError,
    },
    /// The server refused.
    #[error("the server refused ({status}): {reasons}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        reasons: String,
    },
    /// What was named is not there.
    #[error("there is no {0}")]
    Absent(String),
    /// The answer is not what the API says.
    #[error("the server's answer is not understood: is {0} the address of a Claviger?")]
    Answer(String),
    /// Nobody takes the output.
    #[error("the output cannot be written")]
    Output(#[source] io::Error),
}

impl CliError {
    /// 1 in general; 2 for what was typed; 3 where the credentials do not suffice; 4 where a thing is not there; 5 where
    /// trying again later may help.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::InClear(_) => 2,
            Self::Refused { status: 401 | 403, .. } => 3,
            Self::Refused { status: 404, .. } | Self::Absent(_) => 4,
            Self::Refused { status: 429 | 500.., .. } | Self::Unreachable { .. } => 5,
            _ => 1,
        }
    }
}
