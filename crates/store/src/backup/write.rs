//! Writing a backup: one picture of the database, row by row.

use std::collections::BTreeMap;
use std::io::{self, Write};

use claviger_model::{Position, Timestamp};
use claviger_vault::{Vault, hex};

use super::BackupError;
use super::line::{self, End, Header};
use super::tables::TABLES;
use crate::migrate::MIGRATIONS;
use crate::{Snapshot, StoreError};

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// The newest entry of its ledger.
    pub position: Position,
    /// How many rows of each table.
    pub rows: BTreeMap<String, u64>,
}

impl BackupSummary {
    /// How many rows in all.
    pub fn rows_in_all(&self) -> u64 {
        self.rows.values().sum()
    }
}

/// Writes on, and remembers the hash of what it wrote.
struct Hashing<'a> {
    out: &'a mut (dyn Write + Send),
    hasher: blake3::Hasher,
}

impl Hashing<'_> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.hasher.update(line.as_bytes());
        self.out.write_all(line.as_bytes())
    }
}

impl Snapshot {
    /// Writes everything. It holds one row at a time, however many there are.
    ///
    /// # Errors
    /// When something cannot be read or written; what was written so far is then no backup.
    pub async fn write_backup(
        &self,
        out: &mut (dyn Write + Send),
        vault: &Vault,
        at: Timestamp,
    ) -> Result<BackupSummary, BackupError> {
        let head = self.find_head().await?;
        let mut master_keys: Vec<_> =
            self.list_vault_keys().await?.iter().map(|key| key.kek.to_string()).collect();
        master_keys.sort_unstable();
        master_keys.dedup();
        let header = Header::new(&head, MIGRATIONS.len() as i64, self.engine(), at, master_keys);
        let mut out = Hashing { out, hasher: blake3::Hasher::new() };
        out.line(&(json(&header) + "\n"))?;
        let rows = self.write_rows(&mut out).await?;
        let hash = out.hasher.finalize();
        let mac = vault.ledger_mac(&line::signed(&hash));
        let end = End {
            rows: rows.clone(),
            blake3: hash.to_hex().to_string(),
            key: mac.key.to_string(),
            mac: hex::digits(&mac.mac).collect(),
        };
        out.line(&(json(&end) + "\n"))?;
        out.out.flush()?;
        Ok(BackupSummary { position: head.position, rows })
    }

    async fn write_rows(&self, out: &mut Hashing<'_>) -> Result<BTreeMap<String, u64>, BackupError> {
        let mut rows = line::no_rows();
        for table in TABLES {
            let (mut count, mut failure) = (0, None);
            let read = self
                .each(&table.select(), &[], |row| {
                    count += 1;
                    out.line(&line::of_row(table, row)?).map_err(|error| {
                        failure = Some(error);
                        StoreError::unavailable("the backup could not be written")
                    })
                })
                .await;
            if let Some(error) = failure {
                return Err(error.into());
            }
            read?;
            rows.insert(table.name.to_owned(), count);
        }
        Ok(rows)
    }
}

fn json(line: &impl serde::Serialize) -> String {
    serde_json::to_string(line).expect("texts and numbers are always JSON")
}
