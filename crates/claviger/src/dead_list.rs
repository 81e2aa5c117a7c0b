//! The dead list: digests of dead secrets, in a file beside the database, so that restoring an older database does
//! not bring them back to life.
//!
//! Each line carries a MAC under the ledger's key and the position up to which the list is complete once it is
//! read so far. A line with a digest is on the disk before the call that killed it is answered; lines without one
//! are written now and then, so that a start has little of the ledger to look through.

mod line;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use claviger_engine::DeadList;
use claviger_model::Position;
use claviger_store::Store;
use claviger_vault::{Digest, Vault};

use crate::error::StartError;
use crate::line_file::{self, LineFile};
use crate::private_file;
use line::Line;

/// So many entries may go by without a death before their end is marked.
const MARK_EVERY: i64 = 4096;
/// Entries that are held at once when a start looks for deaths.
const PAGE: u32 = 1000;

/// The dead list of a running server.
pub struct DeadListFile {
    path: PathBuf,
    vault: Arc<Vault>,
    open: Mutex<Open>,
}

struct Open {
    /// None until there is something to write.
    file: Option<LineFile>,
    /// Up to where the file says that it is complete.
    through: Position,
}

impl DeadListFile {
    /// Opens the list of a database, and adds what a crash or a restore kept from it.
    ///
    /// # Errors
    /// When the list is another database's, or knows of entries that this database does not have: it is then older
    /// than what was answered for.
    pub async fn open(path: PathBuf, store: &Store, vault: Arc<Vault>) -> Result<Self, StartError> {
        let head = store.head().await?;
        let unreadable = |source| StartError::Read { path: path.clone(), source };
        let through = match line_file::last(&path).map_err(unreadable)? {
            None => None,
            Some(text) => match Line::parse(&text, &vault) {
                Some(line) => Some(line.through),
                None => return Err(StartError::DeadListForeign { path }),
            },
        };
        if let Some(through) = through.filter(|through| *through > head) {
            return Err(StartError::DatabaseBehind { path, head, through });
        }
        let open = Mutex::new(Open { file: None, through: head });
        let list = Self { path, vault, open };
        let dead = match through {
            Some(through) if through.epoch == head.epoch => list.dead_since(through, store).await?,
            // There is none, or the database was restored since: what it holds is what counts.
            _ => {
                list.write_anew(store, head).await?;
                Vec::new()
            }
        };
        if !dead.is_empty() {
            list.append(&dead, head).map_err(|source| list.unwritable(source))?;
        }
        Ok(list)
    }

    /// Makes the file where nothing has died yet, so that its absence is known to be a loss.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn ensure(&self) -> Result<(), StartError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if self.path.exists() {
            return Ok(());
        }
        let mark = Line { dead: None, through: open.through }.to_text(&self.vault);
        let written = || {
            let mut file = LineFile::open(&self.path)?;
            file.append(&mark)?;
            file.sync()?;
            Ok(file)
        };
        open.file = Some(written().map_err(|source| self.unwritable(source))?);
        Ok(())
    }

    /// The digests in a list, each once.
    ///
    /// # Errors
    /// When it cannot be read, or a line of it is not as this vault's database wrote it.
    pub fn read(path: &Path, vault: &Vault) -> io::Result<Vec<Digest>> {
        let mut dead = Vec::new();
        line_file::each(path, |number, text| {
            let altered = || io::Error::other(format!("line {number} is not as this database wrote it"));
            dead.extend(Line::parse(text, vault).ok_or_else(altered)?.dead);
            Ok(())
        })?;
        dead.sort_unstable();
        dead.dedup();
        Ok(dead)
    }

    /// What died after a position, as far as entries tell: those secrets of what they touched that are dead now.
    async fn dead_since(&self, through: Position, store: &Store) -> Result<Vec<Digest>, StartError> {
        let mut dead = BTreeSet::new();
        let mut after = through.sequence;
        loop {
            let entries = store.list_entries(after, PAGE).await?;
            let Some(last) = entries.last() else { return Ok(dead.into_iter().collect()) };
            after = last.position.sequence;
            for (kind, id) in entries.iter().flat_map(claviger_store::Entry::touched) {
                let ("credential", Ok(id)) = (kind.as_str(), id.parse()) else { continue };
                let secrets = store.list_known_secrets(id).await?.into_iter();
                dead.extend(secrets.filter(|secret| !secret.is_live).map(|secret| secret.digest));
            }
        }
    }

    /// Writes a list of all that this database knows to be dead, in place of any that is there.
    async fn write_anew(&self, store: &Store, head: Position) -> Result<(), StartError> {
        let mut text = String::new();
        let to_text = |dead| Line { dead, through: head }.to_text(&self.vault);
        store.each_dead_digest(|digest| text += &to_text(Some(digest))).await?;
        if text.is_empty() && !self.path.exists() {
            return Ok(());
        }
        text += &to_text(None);
        private_file::write(&self.path, text.as_bytes()).map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> StartError {
        StartError::Write { path: self.path.clone(), source }
    }
}

impl DeadList for DeadListFile {
    fn append(&self, dead: &[Digest], through: Position) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if dead.is_empty() && through.sequence - open.through.sequence < MARK_EVERY {
            return Ok(());
        }
        let lines = dead.iter().copied().map(Some).chain([None].into_iter().filter(|_| dead.is_empty()));
        let text: String = lines.map(|dead| Line { dead, through }.to_text(&self.vault)).collect();
        let file = match &mut open.file {
            Some(file) => file,
            none => none.insert(LineFile::open(&self.path)?),
        };
        file.append(&text)?;
        // A mark may be lost: a start then looks through more of the ledger.
        if !dead.is_empty() {
            file.sync()?;
        }
        open.through = through;
        Ok(())
    }
}
