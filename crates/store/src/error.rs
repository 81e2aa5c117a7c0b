//! What can go wrong below the engine.

use std::error::Error;
use std::fmt;

/// A failure of the database, or of what it holds.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is busy beyond the wait, or its disk refuses: later it may work again.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The database answered with an error that trying again will not mend.
    #[error("the database refused a statement")]
    Statement(#[source] Box<dyn Error + Send + Sync>),
    /// A row does not hold what it should.
    #[error("a row is damaged: {0}")]
    Damaged(String),
    /// The database was written by a later version of this program.
    #[error(
        "the database has schema version {found}, and this binary knows versions up to {known}: use the newer binary"
    )]
    Newer {
        /// The database's version.
        found: i64,
        /// The latest that this binary knows.
        known: i64,
    },
    /// The database was written by an earlier version of this program, and whoever asked only reads.
    #[error(
        "the database has schema version {found}, and this binary reads version {known}: start the server once with this binary"
    )]
    Older {
        /// The database's version.
        found: i64,
        /// The one that this binary reads.
        known: i64,
    },
    /// Another server writes to this database.
    #[error("another server is using this database: stop it first, or give this one another database")]
    InUse,
    /// The address of the database is not understood.
    #[error("the database address is not understood")]
    Address(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(crate) fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }
}

/// Why a change was refused by what the database holds. Nothing of it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// What it was to change is not there, or not this org's.
    Absent,
    /// It was made from a reading that is no longer current: read again and try again.
    Stale,
    /// Something of that name, address or digest exists already.
    Conflict,
    /// Another live one of the same owner has that name.
    NameTaken,
    /// The limit on how many there may be is reached.
    LimitReached,
    /// The operator's limit on how many there may be within something is reached.
    QuotaReached,
    /// It would take away the last one, of which there must be one.
    LastOne,
    /// The credential by which it was asked for died, or its owner was disabled, in the meantime.
    ActorGone,
    /// The user for whom it was asked is disabled.
    OwnerDisabled,
    /// Something that is alive still names it.
    InUse,
    /// It names one of the org's own permissions that is there no more.
    PermissionGone,
    /// What it was to use up was used already, or its time is over.
    Spent,
    /// Somebody else took over what it is a part of, or what it was made with is another one by now.
    Superseded,
}

/// Why a change did not happen, or is not known to have happened.
#[derive(Debug)]
pub enum CommitError {
    /// What the database holds forbids it.
    Refused(Refusal),
    /// It did not happen, or nobody can say yet whether it did.
    Failed(StoreError),
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {refusal:?}"),
            Self::Failed(_) => f.write_str("the change could not be committed"),
        }
    }
}

impl Error for CommitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(error) => Some(error),
        }
    }
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
