//! Reading a backup, and checking it before anything is made of it.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::sync::Arc;

use claviger_model::Random;
use claviger_vault::{KekRing, Vault, WrappedKey, hex};
use uuid::Uuid;

use super::line::{self, End, Header};
use super::tables::{LEDGER, Table, VAULT_KEYS};
use super::{BackupError, BackupSummary};
use crate::ledger::Head;
use crate::migrate::MIGRATIONS;
use crate::value::Value;
use crate::{Entry, StoreError, vault_keys};

/// No line is as long; a file that is none of ours may be one line of gigabytes.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A backup that is whole: it is what its writer wrote, its keys open, and its ledger is as it was written.
pub struct CheckedBackup {
    /// What it holds.
    pub summary: BackupSummary,
    /// The database's vault.
    pub vault: Vault,
    pub(super) head: Head,
    pub(super) header: Header,
    pub(super) hash: blake3::Hash,
}

/// The lines of a backup, one after the other.
pub(super) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    hasher: blake3::Hasher,
    rows: BTreeMap<String, u64>,
}

/// What comes after the header.
pub(super) enum Line {
    Row(&'static Table, Vec<Value>),
    /// The end, and the hash of what came before it.
    End(End, blake3::Hash),
}

impl<R: BufRead> Lines<R> {
    pub(super) fn open(input: R) -> Result<(Self, Header), BackupError> {
        let hasher = blake3::Hasher::new();
        let mut lines = Self { input, buffer: Vec::new(), number: 0, hasher, rows: line::no_rows() };
        lines.read()?;
        let header = Header::parse(&lines.buffer).ok_or_else(|| lines.damaged("it is no backup"))?;
        lines.hasher.update(&lines.buffer);
        let known = MIGRATIONS.len() as i64;
        match header.schema == known {
            true => Ok((lines, header)),
            false => Err(BackupError::Version { found: header.schema, known }),
        }
    }

    pub(super) fn next(&mut self) -> Result<Line, BackupError> {
        self.read()?;
        if let Some((table, row)) = line::to_row(&self.buffer) {
            self.hasher.update(&self.buffer);
            if let Some(count) = self.rows.get_mut(table.name) {
                *count += 1;
            }
            return Ok(Line::Row(table, row));
        }
        let end: End =
            serde_json::from_slice(&self.buffer).map_err(|_| self.damaged("it is neither row nor end"))?;
        let hash = self.hasher.finalize();
        if end.blake3 != hash.to_hex().as_str() {
            return Err(self.damaged("what stands before it has another hash"));
        }
        if end.rows != self.rows {
            return Err(self.damaged("there are more or fewer rows than it says"));
        }
        if !self.input.fill_buf()?.is_empty() {
            return Err(self.damaged("something follows the end"));
        }
        Ok(Line::End(end, hash))
    }

    /// Reads the next whole line into the buffer.
    fn read(&mut self) -> Result<(), BackupError> {
        self.buffer.clear();
        self.number += 1;
        (&mut self.input).take(LINE_BYTES_MAX).read_until(b'\n', &mut self.buffer)?;
        match self.buffer.last() {
            Some(b'\n') => Ok(()),
            _ => Err(self.damaged("the file ends too early")),
        }
    }

    pub(super) fn damaged(&self, what: &'static str) -> BackupError {
        BackupError::Damaged { line: self.number, what }
    }
}

/// Reads a backup from its first line to its last, and keeps nothing but its keys.
///
/// # Errors
/// When it is not whole, was altered, is of another version, or its keys do not open.
pub fn check_backup(
    input: impl BufRead,
    keks: KekRing,
    random: Arc<dyn Random>,
) -> Result<CheckedBackup, BackupError> {
    let (mut lines, header) = Lines::open(input)?;
    let expected = header.head().ok_or_else(|| lines.damaged("it is no backup"))?;
    let mut keys: Vec<WrappedKey> = Vec::new();
    let mut row = lines.next()?;
    while let Line::Row(Table { name: VAULT_KEYS, .. }, values) = &row {
        keys.push(vault_keys::read(values)?);
        row = lines.next()?;
    }
    let vault = Vault::unlock(keks, random, keys)?;
    let mut head = Head::ORIGIN;
    let (end, hash) = loop {
        match row {
            Line::End(end, hash) => break (end, hash),
            Line::Row(Table { name: VAULT_KEYS, .. }, _) => {
                return Err(lines.damaged("a key is out of place"));
            }
            Line::Row(Table { name: LEDGER, .. }, values) => follow(&mut head, &values, &vault)?,
            Line::Row(..) => {}
        }
        row = lines.next()?;
    };
    if head != expected {
        return Err(BackupError::Ledger { sequence: head.position.sequence });
    }
    if !is_ours(&end, &hash, &vault) {
        return Err(lines.damaged("its MAC does not match: it was altered, or made by another database"));
    }
    let summary = BackupSummary { position: head.position, rows: lines.rows };
    Ok(CheckedBackup { summary, vault, head, header, hash })
}

fn follow(head: &mut Head, values: &Vec<Value>, vault: &Vault) -> Result<(), BackupError> {
    let broken = BackupError::Ledger { sequence: head.position.sequence + 1 };
    let entry = match Entry::read(values) {
        Err(StoreError::Damaged(_)) => return Err(broken),
        read => read?,
    };
    if entry.position.sequence != head.position.sequence + 1 || !entry.is_intact(&head.mac, vault) {
        return Err(broken);
    }
    *head = Head { position: entry.position, mac: entry.mac };
    Ok(())
}

fn is_ours(end: &End, hash: &blake3::Hash, vault: &Vault) -> bool {
    let mut mac = [0; 32];
    let (Some(()), Ok(key)) = (hex::decode(&end.mac, &mut mac), Uuid::try_parse(&end.key)) else {
        return false;
    };
    vault.ledger_mac_matches(key, &line::signed(hash), &mac).unwrap_or(false)
}
