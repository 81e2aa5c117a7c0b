//! Why a backup cannot be written or used.

use std::io;

use claviger_vault::UnlockError;

use crate::StoreError;

/// Why a backup cannot be written or used. Nothing was restored then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database.
    #[error("the database does not take part")]
    Store(#[from] StoreError),
    /// The file.
    #[error("the file cannot be read or written")]
    Io(#[from] io::Error),
    /// It is not whole, or was altered.
    #[error("the backup is damaged at line {line}: {what}")]
    Damaged {
        /// Counted from one.
        line: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// It was made by another version.
    #[error(
        "the backup has schema version {found}, and this binary restores version {known}: use the binary that made it"
    )]
    Version {
        /// The backup's version.
        found: i64,
        /// This binary's.
        known: i64,
    },
    /// Its keys do not open.
    #[error("the keys in the backup do not open with the master keys at hand")]
    Keys(#[from] UnlockError),
    /// The ledger in it is not as it was written.
    #[error("the ledger is not as it was written: entry {sequence} does not match its MAC or its place")]
    Ledger {
        /// Which entry.
        sequence: i64,
    },
    /// There is something in the database already.
    #[error("the database is not empty: restore into a new one")]
    NotEmpty,
}
