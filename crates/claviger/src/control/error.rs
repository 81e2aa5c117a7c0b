//! Why a command was not done.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a command was not done, as the sentence that its user reads. It crosses the socket as text.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure for this reason.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// An error with what led to it.
    pub fn of(error: &dyn Error) -> Self {
        Self(claviger_model::chain(error))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Failure {}

impl From<claviger_engine::Error> for Failure {
    fn from(error: claviger_engine::Error) -> Self {
        Self::of(&error)
    }
}

/// Why a command did not reach a server, or was not done by it.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The socket cannot be opened.
    #[error(
        "the control socket {} cannot be opened: let this user write there, and name a data directory with a shorter path if it has more than 100 characters",
        path.display()
    )]
    Open {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Somebody has the data directory, and does not take commands.
    #[error(
        "the data directory is in use: another claviger works in {} and takes no commands; wait until it has ended, or stop it",
        path.display()
    )]
    Deaf {
        /// The data directory.
        path: PathBuf,
        /// What the socket says.
        source: io::Error,
    },
    /// The conversation broke off.
    #[error(
        "the server did not answer; whether it did what was asked is not known: look at its log, and run the command again"
    )]
    Broken(#[source] io::Error),
    /// The server gave the reason.
    #[error(transparent)]
    Failed(#[from] Failure),
}
