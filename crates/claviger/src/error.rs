//! Why a server does not start: sentences that say what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use claviger_catalog::CatalogError;
use claviger_model::Position;
use claviger_native::GithubKeysError;
use claviger_store::StoreError;
use claviger_vault::{KekError, UnlockError};

use crate::certificate::CertificateError;
use crate::control::ControlError;
use crate::server::ServeError;

/// Why the program ends without having done what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made or used.
    #[error(
        "the data directory {} cannot be used: make it a directory that this user may write to, or name another with --data",
        path.display()
    )]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Others may read the data directory.
    #[error(
        "others can read the data directory, where secrets are kept: run `chmod 700 {}` and start again",
        path.display()
    )]
    DataDirExposed {
        /// Which.
        path: PathBuf,
    },
    /// Another process uses the data directory.
    #[error(
        "the data directory is in use: another claviger works in {}; stop it first, or name another directory with --data",
        path.display()
    )]
    DataDirInUse {
        /// Which.
        path: PathBuf,
    },
    /// A file of authorities has none.
    #[error("{} has no certificates of authorities that can be used: name a PEM file of them", path.display())]
    Authorities {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: claviger_egress::RootsError,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: let this user read it", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: let this user write there, and see that the disk has room", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// GitHub's public keys are not what they should be.
    #[error("{} cannot be used: fetch the list anew, or leave --github-keys out", path.display())]
    GithubKeys {
        /// Where they are.
        path: PathBuf,
        /// Why not.
        source: GithubKeysError,
    },
    /// The operator's own integrations are not what they should be.
    #[error("{} cannot be used: correct the entry, or leave --catalog-extra out", path.display())]
    Catalog {
        /// Where they are.
        path: PathBuf,
        /// Which entry, and what is wrong with it.
        source: CatalogError,
    },
    /// The catalog that the program carries cannot be used.
    #[error("this program's own catalog cannot be used: install the program anew")]
    OwnCatalog(#[source] CatalogError),
    /// The master keys are not where they should be.
    #[error(
        "the master keys are missing: put {} back from its backup, or give its text in CLAVIGER_KEK; nothing in this database can be read without them",
        path.display()
    )]
    KekMissing {
        /// Where they should be.
        path: PathBuf,
    },
    /// Others may read the master keys.
    #[error("others can read the master keys: run `chmod 600 {}` and start again", path.display())]
    KekExposed {
        /// Where they are.
        path: PathBuf,
    },
    /// What should be master keys is something else.
    #[error("{place} holds no usable master keys: put the right text back")]
    KekText {
        /// Where.
        place: String,
        /// What it is instead.
        source: KekError,
    },
    /// The salt of the passphrase is gone.
    #[error(
        "the salt of the passphrase is missing: put {} back from its backup; if this database was begun with a master key file, unset CLAVIGER_KEK_PASSPHRASE",
        path.display()
    )]
    SaltMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The salt of the passphrase is something else.
    #[error("{} is not 32 hexadecimal digits: put it back from its backup", path.display())]
    SaltText {
        /// Where.
        path: PathBuf,
    },
    /// The master keys are not those of this database.
    #[error(
        "these are not the master keys of this database: give it those with which it was begun, or name its own database"
    )]
    KekWrong(#[source] UnlockError),
    /// The database's own keys do not open.
    #[error("the keys in the database do not open: restore it from a backup")]
    Unlock(#[source] UnlockError),
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[from] StoreError),
    /// The certificate for TLS cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The server cannot listen.
    #[error("cannot listen on {address}: {}", listen_advice(setting, source))]
    Listen {
        /// The flag that says so.
        setting: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// There would be no place for the first secrets.
    #[error(
        "the first keys would be lost: without a bootstrap file they are shown on a terminal only; start once from a terminal, or without --no-bootstrap-file"
    )]
    NoPlaceForSecrets,
    /// There are first secrets already, of another database.
    #[error(
        "{} holds the first keys of another database: move it away, then start again",
        path.display()
    )]
    BootstrapOfAnother {
        /// Which file.
        path: PathBuf,
    },
    /// The first secrets could not be shown.
    #[error("the first keys could not be shown; nothing was made: start again from a terminal")]
    Show(#[source] io::Error),
    /// The first org could not be made.
    #[error("the first org could not be looked for or made: start again")]
    FirstStart(#[source] claviger_engine::Error),
    /// The dead list is another database's, or was altered.
    #[error(
        "{} was altered, or lists the dead of another database: if it is, move it away and start again",
        path.display()
    )]
    DeadListForeign {
        /// Which file.
        path: PathBuf,
    },
    /// The database lacks entries that were answered for.
    #[error(
        "this database ends at {head}, and {} has seen {through}: it is older than what was answered for, and keys revoked since may be alive in it; put the right database back, or restore a backup into an empty one; to accept the loss, move that file away",
        path.display()
    )]
    DatabaseBehind {
        /// Which file knows more.
        path: PathBuf,
        /// Where the database ends.
        head: Position,
        /// What the file has seen.
        through: Position,
    },
    /// A file of checkpoints cannot be used.
    #[error("{} is no file of checkpoints: name one with --checkpoint", path.display())]
    Checkpoints {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: crate::checkpoints::ReadError,
    },
    /// The database, or its ledger, is not as it was written.
    #[error(
        "{count} things are not as they were written (see above): find out who can write to this database before you trust it again"
    )]
    NotAsWritten {
        /// How many.
        count: u64,
    },
    /// A backup was not written, or not restored.
    #[error(transparent)]
    Backup(#[from] crate::backup::BackupFailure),
    /// What was asked for could not be shown.
    #[error("the output could not be written")]
    Output(#[source] io::Error),
    /// Serving ended before anybody asked for it.
    #[error("the server stopped")]
    Serve(#[from] ServeError),
    /// A command did not reach a server, or was not done.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// There is no data directory.
    #[error("there is no data directory {}: name the server's with --data", path.display())]
    NoDataDir {
        /// Where.
        path: PathBuf,
    },
    /// What should be imported is no import file.
    #[error("{} {why}", path.display())]
    ImportFile {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// There is something already where secrets are to be put.
    #[error("{} is there already: name a new file with --secrets-out, so that no secret is overwritten", path.display())]
    SecretsOutExists {
        /// Which file.
        path: PathBuf,
    },
    /// What was done could not be told.
    #[error("it was done, but its result could not be written to standard output")]
    DoneButUntold(#[source] io::Error),
    /// The system gives no threads.
    #[error("the program cannot be set up")]
    Runtime(#[source] io::Error),
}

impl From<UnlockError> for StartError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::WrongKek { .. } => Self::KekWrong(error),
            UnlockError::Damaged { .. } | UnlockError::Missing { .. } => Self::Unlock(error),
        }
    }
}

fn listen_advice(setting: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => "stop what listens there, or choose another port with",
        io::ErrorKind::AddrNotAvailable => "give an address of this machine with",
        io::ErrorKind::PermissionDenied => "choose a port from 1024 up with",
        _ => "choose another address with",
    };
    format!("{advice} {setting}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Each of these is what an operator reads; one that says nothing to do would leave them alone.
    #[test]
    fn sentences_say_what_to_do() {
        let path = || Path::new("/srv/claviger").to_owned();
        let io = || io::Error::other("why");
        let listen = |kind: io::ErrorKind| StartError::Listen {
            setting: "--listen",
            address: ([127, 0, 0, 1], 7070).into(),
            source: kind.into(),
        };
        for (error, advice) in [
            (StartError::DataDir { path: path(), source: io() }, "--data"),
            (StartError::DataDirExposed { path: path() }, "`chmod 700 /srv/claviger`"),
            (StartError::DataDirInUse { path: path() }, "the data directory is in use: "),
            (StartError::Read { path: path(), source: io() }, "let this user read it"),
            (StartError::Write { path: path(), source: io() }, "let this user write there"),
            (StartError::KekMissing { path: path() }, "put /srv/claviger back"),
            (StartError::KekMissing { path: path() }, "CLAVIGER_KEK"),
            (StartError::KekExposed { path: path() }, "`chmod 600 /srv/claviger`"),
            (StartError::KekText { place: "X".into(), source: KekError::NoKey }, "put the right text back"),
            (StartError::SaltMissing { path: path() }, "put /srv/claviger back"),
            (StartError::SaltText { path: path() }, "put it back"),
            (StartError::NoPlaceForSecrets, "without --no-bootstrap-file"),
            (StartError::BootstrapOfAnother { path: path() }, "move it away"),
            (StartError::Show(io()), "start again from a terminal"),
            (
                listen(io::ErrorKind::AddrInUse),
                "stop what listens there, or choose another port with --listen",
            ),
            (listen(io::ErrorKind::AddrNotAvailable), "address of this machine"),
            (listen(io::ErrorKind::PermissionDenied), "from 1024 up"),
            (listen(io::ErrorKind::Other), "--listen"),
        ] {
            let sentence = error.to_string();
            assert!(sentence.contains(advice), "{sentence}");
            assert!(!sentence.contains("why"), "a cause is told once, by the chain: {sentence}");
        }
    }
}
