//! The ledger: one append-only record of every change, each entry bound to its predecessor by a MAC.
//!
//! It is the audit trail, the feed by which directories stay current, and the token that clients wait on. The
//! text of an entry is kept exactly as its MAC covers it, so that checking needs no canonical form.

use std::borrow::Cow;
use std::cmp::Ordering;

use claviger_model::{EntryId, OrgId, Position, Timestamp};
use claviger_vault::Vault;
use uuid::Uuid;

use crate::change::{Action, Draft, Rows, Step, Subject};
use crate::value::{Row, params};
use crate::{Refusal, Store, StoreError};

/// One entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub position: Position,
    /// Its id, chosen before it was committed.
    pub id: EntryId,
    /// When it was committed, by the server's clock.
    pub at: Timestamp,
    /// The org that it concerns; none for what concerns the whole server.
    pub org: Option<OrgId>,
    /// What was done.
    pub action: Action,
    /// To what.
    pub subject: Subject,
    /// Who did it, from where and through which credentials: JSON text.
    pub actor: String,
    /// The change, without secrets: JSON text.
    pub change: String,
    /// The key of its MAC.
    pub mac_key: Uuid,
    /// The MAC over its content and its predecessor's MAC.
    pub mac: Vec<u8>,
}

/// The end of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) position: Position,
    /// Empty before the first entry.
    pub(crate) mac: Vec<u8>,
}

impl Head {
    /// Before the first entry of a new database.
    pub(crate) const ORIGIN: Self = Self { position: Position::ORIGIN, mac: Vec::new() };

    /// Gives a change's drafts the next places. The last has the id by which the change is found again.
    pub(crate) fn append_all(
        &mut self,
        drafts: &[Draft],
        last: EntryId,
        at: Timestamp,
        vault: &Vault,
    ) -> Vec<Entry> {
        let place = |(rest, draft): (usize, &Draft)| {
            let id = if rest == 0 { last } else { EntryId::generate(vault.random()) };
            self.append(draft.clone(), id, at, vault)
        };
        (0..drafts.len()).rev().zip(drafts).map(place).collect()
    }

    /// Gives a draft the next place and its MAC.
    fn append(&mut self, draft: Draft, id: EntryId, at: Timestamp, vault: &Vault) -> Entry {
        self.position.sequence += 1;
        let mut entry = Entry {
            position: self.position,
            id,
            at,
            org: draft.org,
            action: draft.action,
            subject: draft.subject,
            actor: draft.actor.to_json().to_string(),
            change: draft.change.to_string(),
            mac_key: Uuid::nil(),
            mac: Vec::new(),
        };
        let mac = vault.ledger_mac(&entry.content(&self.mac));
        (entry.mac_key, entry.mac) = (mac.key, mac.mac.to_vec());
        self.mac.clone_from(&entry.mac);
        entry
    }
}

pub(crate) const SELECT_HEAD: &str = "SELECT epoch, sequence, mac FROM ledger_head WHERE one = 1";

/// Entries after a sequence number ($1), oldest first, at most so many ($2).
pub(crate) const SELECT_AFTER: &str =
    "SELECT sequence, epoch, id, at, org_id, action, subject_kind, subject_id, actor, change, mac_key, mac
     FROM ledger WHERE sequence > $1 ORDER BY sequence LIMIT $2";

impl Head {
    /// Whether entries were added after `followed`: then they are to be followed first.
    ///
    /// # Errors
    /// Where what was followed is not in the ledger any more.
    pub(crate) fn is_beyond(&self, followed: &Self) -> Result<bool, StoreError> {
        match self.position.cmp(&followed.position) {
            Ordering::Greater => Ok(true),
            Ordering::Equal if self.mac == followed.mac => Ok(false),
            _ => Err(StoreError::damaged("the ledger has lost entries that this server has seen")),
        }
    }
}

pub(crate) fn read_head(row: &dyn Row) -> Result<Head, StoreError> {
    Ok(Head { position: Position { epoch: row.get(0)?, sequence: row.get(1)? }, mac: row.get(2)? })
}

impl Entry {
    /// What the MAC covers: every column, each with its length before it, after the predecessor's MAC.
    fn content(&self, previous: &[u8]) -> Vec<u8> {
        let mut content = Vec::with_capacity(256 + self.actor.len() + self.change.len());
        let mut field = |bytes: &[u8]| {
            content.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            content.extend_from_slice(bytes);
        };
        field(b"claviger ledger 1");
        field(previous);
        field(&self.position.epoch.to_be_bytes());
        field(&self.position.sequence.to_be_bytes());
        field(self.id.to_string().as_bytes());
        field(&self.at.micros().to_be_bytes());
        field(self.org.map(|org| org.to_string()).unwrap_or_default().as_bytes());
        field(self.action.as_str().as_bytes());
        field(self.subject.kind.as_bytes());
        field(self.subject.id.as_bytes());
        field(self.actor.as_bytes());
        field(self.change.as_bytes());
        content
    }

    /// Whether the entry is what was written after an entry with the MAC `previous` (empty for the first).
    pub fn is_intact(&self, previous: &[u8], vault: &Vault) -> bool {
        vault.ledger_mac_matches(self.mac_key, &self.content(previous), &self.mac).unwrap_or(false)
    }

    /// The end of a ledger whose last entry this is.
    pub(crate) fn into_head(self) -> Head {
        Head { position: self.position, mac: self.mac }
    }

    /// What it touched, as pairs of kind and id: whatever its change gives a new state.
    pub fn touched(&self) -> Vec<(String, String)> {
        let change: serde_json::Value = serde_json::from_str(&self.change).unwrap_or_default();
        let states = change.get("states").and_then(serde_json::Value::as_object);
        let split = |key: &String| key.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        states.map(|states| states.keys().filter_map(split).collect()).unwrap_or_default()
    }

    /// The statement that writes it.
    pub(crate) fn insert(&self) -> Step {
        Step {
            sql: "INSERT INTO ledger
                  (sequence, epoch, id, at, org_id, action, subject_kind, subject_id, actor, change, mac_key, mac)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            params: params![
                self.position.sequence,
                self.position.epoch,
                self.id,
                self.at,
                self.org,
                self.action.as_str(),
                self.subject.kind.as_ref(),
                self.subject.id.as_str(),
                self.actor.as_str(),
                self.change.as_str(),
                self.mac_key,
                self.mac.clone(),
            ],
            rows: Rows::Changed(1),
            otherwise: Refusal::Conflict,
        }
    }

    pub(crate) fn read(row: &dyn Row) -> Result<Self, StoreError> {
        Ok(Self {
            position: Position { sequence: row.get(0)?, epoch: row.get(1)? },
            id: row.parsed(2)?,
            at: row.get(3)?,
            org: row.opt_parsed(4)?,
            action: Action(Cow::Owned(row.get(5)?)),
            subject: Subject { kind: Cow::Owned(row.get(6)?), id: row.get(7)? },
            actor: row.get(8)?,
            change: row.get(9)?,
            mac_key: row.parsed(10)?,
            mac: row.get(11)?,
        })
    }
}

/// The statement that moves the head.
pub(crate) fn move_head(head: &Head) -> Step {
    Step {
        sql: "UPDATE ledger_head SET epoch = $1, sequence = $2, mac = $3 WHERE one = 1",
        params: params![head.position.epoch, head.position.sequence, head.mac.clone()],
        rows: Rows::Changed(1),
        otherwise: Refusal::Stale,
    }
}

impl Store {
    /// The position of the newest committed entry.
    pub async fn head(&self) -> Result<Position, StoreError> {
        let heads = self.rows(SELECT_HEAD, &[], read_head).await?;
        Ok(heads.into_iter().next().ok_or_else(|| StoreError::damaged("the ledger has no head"))?.position)
    }

    /// Up to `limit` entries after a sequence number, oldest first.
    pub async fn list_entries(&self, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.rows(SELECT_AFTER, &params![after, limit], Entry::read).await
    }
}
