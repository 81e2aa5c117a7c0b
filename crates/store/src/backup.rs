//! Backups: everything that a database holds, in one file that either engine can be filled from.
//!
//! A file is lines of JSON: a header, one line for each row, and an end with the number of rows of each table, a
//! BLAKE3 hash of all before it, and a MAC of that hash under the ledger's key. It holds the wrapped keys and no
//! master key. Not in it: counts of credentials, which are counted anew, and the head, which the header names.
//!
//! Nothing here opens files: whoever calls brings something to write to or to read from.

mod error;
mod line;
mod read;
mod restore;
mod tables;
mod write;

pub use error::BackupError;
pub use read::{CheckedBackup, check_backup};
pub use restore::{DeadSecrets, Restored};
pub use write::BackupSummary;
