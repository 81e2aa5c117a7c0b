//! What commands other than serving are told beside the settings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum LedgerCommand {
    /// Check that nobody edited the record, and name what is not as it was written
    Verify(VerifyCommand),
    /// Show the newest entries
    Tail(TailCommand),
}

/// What to check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct VerifyCommand {
    /// Compare with the signed checkpoints in this file too; may be given again
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// Compare orgs, roles, users, credentials and registrations with what the entries say
    #[arg(long)]
    pub state: bool,
}

/// What to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct TailCommand {
    /// Go on showing entries as they are written
    #[arg(long, short)]
    pub follow: bool,
    /// One JSON object per line, as is done wherever the output is no terminal
    #[arg(long)]
    pub json: bool,
    /// How many to begin with
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub lines: u32,
}

/// Where a backup goes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct BackupCommand {
    /// The file to write; there must be none of that name
    pub file: PathBuf,
}

/// Where a backup comes from.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct RestoreCommand {
    /// The file to read
    pub file: PathBuf,
    /// The list of what died since the backup was made [default: dead.jsonl in the data directory]
    #[arg(long, value_name = "FILE")]
    pub dead_list: Option<PathBuf>,
    /// Go on without that list: keys that were revoked since the backup was made come back to life
    #[arg(long)]
    pub accept_resurrected_keys: bool,
}
