//! Backups on the command line: written beside a running server, restored into an empty database under the data
//! directory's lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use claviger_engine::SystemClock;
use claviger_model::Clock;
use claviger_store::{
    BackupError, BackupSummary, CheckedBackup, Database, DeadSecrets, Location, Snapshot, check_backup,
};
use claviger_vault::{Digest, KekRing, SystemRandom};

use crate::data_dir::DataDir;
use crate::dead_list::DeadListFile;
use crate::error::StartError;
use crate::kek::{self, Age};
use crate::ledger::unlock;
use crate::private_file;
use crate::settings::{BackupCommand, RestoreCommand, Settings};
use crate::terminal::Terminal;

/// Why a backup was not written, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupFailure {
    /// There is a file of that name.
    #[error("{} is there already: name another file, or move it away", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The backup was not written.
    #[error("no backup was written to {}", path.display())]
    NotWritten {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: BackupError,
    },
    /// Nothing was restored.
    #[error("nothing was restored from {}", path.display())]
    NotRestored {
        /// The backup.
        path: PathBuf,
        /// Why not.
        source: BackupError,
    },
    /// There is no list of what died since.
    #[error(
        "nothing was restored: {} is not there, and without it keys that were revoked since the backup was made come back to life; name the list with --dead-list, or accept that with --accept-resurrected-keys",
        path.display()
    )]
    NoDeadList {
        /// Where it should be.
        path: PathBuf,
    },
    /// The list of what died since cannot be used.
    #[error(
        "nothing was restored: the dead list {} cannot be used; put the right one back, or move it away and accept with --accept-resurrected-keys that revoked keys come back to life",
        path.display()
    )]
    DeadList {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Writes a backup, reads it again, and only then gives it its name.
///
/// # Errors
/// When it cannot be written, or what was written is not what it should be.
pub async fn create(
    command: &BackupCommand,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let path = &command.file;
    if path.exists() {
        return Err(BackupFailure::Exists { path: path.clone() }.into());
    }
    let snapshot = Snapshot::open(&settings.database).await?;
    let vault = unlock(&snapshot, settings).await?;
    let unfinished = private_file::unfinished(path);
    let written = async {
        let mut out = BufWriter::new(create_new(&unfinished)?);
        let summary = snapshot.write_backup(&mut out, &vault, SystemClock.now()).await?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        check_written(&unfinished, settings, &summary)?;
        private_file::finish(path)?;
        Ok(summary)
    }
    .await;
    let summary: BackupSummary = match written {
        Ok(summary) => summary,
        Err(source) => {
            // What is left of it is no backup.
            let _ = fs::remove_file(&unfinished);
            return Err(BackupFailure::NotWritten { path: path.clone(), source }.into());
        }
    };
    let said = format!(
        "{}: {} rows, the ledger to {}; read again and found whole.\n\
         It holds no master key. Without the master keys nobody can use it: keep a copy of them, apart from it.\n",
        path.display(),
        summary.rows_in_all(),
        summary.position,
    );
    terminal.write(&said).map_err(StartError::Output)
}

fn create_new(path: &Path) -> io::Result<File> {
    // Anew, because the mode of a file that is there already would stay what it is.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Reads back what was written, as a restore would.
fn check_written(path: &Path, settings: &Settings, summary: &BackupSummary) -> Result<(), BackupError> {
    let keks = kek::load_beside(&settings.kek, &settings.data).map_err(io::Error::other)?;
    let checked = check(path, keks)?;
    match checked.summary == *summary {
        true => Ok(()),
        false => Err(io::Error::other("what was read back is not what was written").into()),
    }
}

fn check(path: &Path, keks: KekRing) -> Result<CheckedBackup, BackupError> {
    check_backup(BufReader::new(File::open(path)?), keks, Arc::new(SystemRandom))
}

/// Fills an empty database from a backup.
///
/// # Errors
/// When the backup or the dead list is not whole, its keys do not open, or the database is not empty.
pub async fn restore(
    command: &RestoreCommand,
    settings: &Settings,
    terminal: &mut Terminal<'_>,
) -> Result<(), StartError> {
    let data = DataDir::open(&settings.data)?;
    let keks = kek::load(&settings.kek, &data, Age::Existing)?;
    let refused = |source| BackupFailure::NotRestored { path: command.file.clone(), source };
    let backup = check(&command.file, keks).map_err(refused)?;
    let dead = read_dead(command, &data, &backup)?;
    if let Location::Sqlite(path) = &settings.database {
        private_file::open(path).map_err(|source| StartError::Write { path: path.clone(), source })?;
    }
    let clock = SystemClock;
    let mut database = Database::open(&settings.database, &clock).await?;
    let input = BufReader::new(File::open(&command.file).map_err(|error| refused(error.into()))?);
    let listed = dead.as_deref().map_or(DeadSecrets::Unknown, DeadSecrets::Listed);
    let restored = database.restore(input, &backup, listed, clock.now()).await.map_err(refused)?;
    let list = match &dead {
        Some(dead) => format!("{} dead secrets were replayed", dead.len()),
        None => "without a dead list: KEYS REVOKED SINCE THE BACKUP ARE ALIVE AGAIN".to_owned(),
    };
    let said = format!(
        "{} rows were restored, the ledger goes on at {}; {list}: {} credentials revoked, {} tombstones kept.\n",
        backup.summary.rows_in_all(),
        restored.position,
        restored.revoked,
        restored.tombstones,
    );
    terminal.write(&said).map_err(StartError::Output)
}

/// What died since, as far as a list tells; nothing where there is none and the operator accepts that.
fn read_dead(
    command: &RestoreCommand,
    data: &DataDir,
    backup: &CheckedBackup,
) -> Result<Option<Vec<Digest>>, BackupFailure> {
    let path = command.dead_list.clone().unwrap_or_else(|| data.dead_list_file());
    match DeadListFile::read(&path, &backup.vault) {
        Ok(dead) => Ok(Some(dead)),
        Err(error) if error.kind() == ErrorKind::NotFound => match command.accept_resurrected_keys {
            true => Ok(None),
            false => Err(BackupFailure::NoDeadList { path }),
        },
        Err(source) => Err(BackupFailure::DeadList { path, source }),
    }
}
