//! The ledger on the command line: checked and shown, beside a running server or without one. Nothing is written,
//! and nothing is locked.

mod tail;
mod verify;

use std::sync::Arc;

use claviger_store::Snapshot;
use claviger_vault::{SystemRandom, Vault};

use crate::error::StartError;
use crate::kek;
use crate::settings::{LedgerCommand, Settings};
use crate::terminal::Terminal;

/// Does what was asked.
///
/// # Errors
/// When the database cannot be read, or is not as it was written.
pub async fn run(
    command: &LedgerCommand,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    match command {
        LedgerCommand::Verify(command) => verify::run(command, settings, terminal).await,
        LedgerCommand::Tail(command) => tail::run(command, settings, terminal).await,
    }
}

/// The vault of a database that is only read.
pub(crate) async fn unlock(snapshot: &Snapshot, settings: &Settings) -> Result<Vault, StartError> {
    let keks = kek::load_beside(&settings.kek, &settings.data)?;
    Ok(Vault::unlock(keks, Arc::new(SystemRandom), snapshot.list_vault_keys().await?)?)
}
