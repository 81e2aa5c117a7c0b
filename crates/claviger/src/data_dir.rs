//! The directory in which a server keeps what is its own, and the lock that makes it the only one there.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::StartError;
use crate::private_file;

/// How long to wait for a lock. Between its fork and its exec, a child holds whatever its parent has open, so that the
/// lock of a process that has ended may seem to be held for a moment longer.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
/// The pause between two attempts.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// A data directory that this process, and no other, uses.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Held for as long as the directory is used. The system lets go of it when the process ends, however it does.
    _lock: File,
}

impl DataDir {
    /// Makes the directory where it is not there, and takes its lock, waiting a moment for whoever has just ended.
    ///
    /// # Errors
    /// When others may read it, another process uses it, or it cannot be made.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let started = Instant::now();
        loop {
            match Self::try_open(path) {
                Err(StartError::DataDirInUse { .. }) if started.elapsed() < LOCK_PATIENCE => {
                    thread::sleep(LOCK_PAUSE);
                }
                decided => return decided,
            }
        }
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`open`](Self::open)'s.
    pub fn try_open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::DataDir { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        if private_file::is_exposed(&fs::metadata(path).map_err(failed)?) {
            return Err(StartError::DataDirExposed { path: path.to_owned() });
        }
        let lock = private_file::open(&path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StartError::DataDirInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The SQLite file's place.
    pub fn sqlite_file(data: &Path) -> PathBuf {
        data.join("claviger.db")
    }

    /// The usual place of the master keys.
    pub fn kek_file(data: &Path) -> PathBuf {
        data.join("kek")
    }

    /// Where the salt of a passphrase is kept. It is no secret, but the passphrase is worth nothing without it.
    pub fn kek_salt_file(&self) -> PathBuf {
        Self::kek_salt_file_of(&self.path)
    }

    /// The same for a directory that another process may be using.
    pub fn kek_salt_file_of(data: &Path) -> PathBuf {
        data.join("kek.salt")
    }

    /// The usual place of the checkpoints.
    pub fn checkpoint_file(data: &Path) -> PathBuf {
        data.join("checkpoints.jsonl")
    }

    /// Where the dead are listed.
    pub fn dead_list_file(&self) -> PathBuf {
        self.path.join("dead.jsonl")
    }

    /// Where commands are taken while a server runs.
    pub fn control_socket(&self) -> PathBuf {
        Self::control_socket_in(&self.path)
    }

    /// The same, for those who do not hold the lock.
    pub fn control_socket_in(data: &Path) -> PathBuf {
        data.join("control.sock")
    }

    /// Where the first secrets are put.
    pub fn bootstrap_file(&self) -> PathBuf {
        self.path.join("bootstrap.json")
    }
}
