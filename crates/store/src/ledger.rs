//! The ledger: one append-only record of every change, each entry bound to its predecessor by a MAC.
//!
//! It is the audit trail, the feed by which directories stay current, and the token that clients wait on. The
//! text of an entry is kept exactly as its MAC covers it, so that checking needs no canonical form.

use std::borrow::Cow;
use std::cmp::Ordering;

use claviger_model::{EntryId, OrgId, Position, Timestamp};
use claviger_vault::{Digest, Vault};
use serde_json::{Map, Value as Json};
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
            let id = if rest == 0 { last } else { EntryId::generate_at(vault.random(), at) };
            self.append(draft, id, at, vault)
        };
        (0..drafts.len()).rev().zip(drafts).map(place).collect()
    }

    /// Gives a draft the next place and its MAC.
    pub(crate) fn append(&mut self, draft: &Draft, id: EntryId, at: Timestamp, vault: &Vault) -> Entry {
        self.position.sequence += 1;
        let mut entry = Entry {
            position: self.position,
            id,
            at,
            org: draft.org,
            action: draft.action.clone(),
            subject: draft.subject.clone(),
            actor: draft.actor.clone(),
            change: draft.change.clone(),
            mac_key: Uuid::nil(),
            mac: Vec::new(),
        };
        let mac = vault.ledger_mac(&entry.content(&self.mac));
        (entry.mac_key, entry.mac) = (mac.key, mac.mac.to_vec());
        self.mac.clone_from(&entry.mac);
        entry
    }
}

/// What is signed or MACed: its fields, the first of which says what it is, each with its length before it, so
/// that no two lists of fields give the same bytes.
pub fn framed(fields: &[&[u8]]) -> Vec<u8> {
    let mut content = Vec::with_capacity(fields.iter().map(|field| 8 + field.len()).sum());
    for field in fields {
        content.extend_from_slice(&(field.len() as u64).to_be_bytes());
        content.extend_from_slice(field);
    }
    content
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
    /// What the MAC covers: every column, after the predecessor's MAC.
    fn content(&self, previous: &[u8]) -> Vec<u8> {
        framed(&[
            b"claviger ledger 1",
            previous,
            &self.position.epoch.to_be_bytes(),
            &self.position.sequence.to_be_bytes(),
            self.id.to_string().as_bytes(),
            &self.at.micros().to_be_bytes(),
            self.org.map(|org| org.to_string()).unwrap_or_default().as_bytes(),
            self.action.as_str().as_bytes(),
            self.subject.kind.as_bytes(),
            self.subject.id.as_bytes(),
            self.actor.as_bytes(),
            self.change.as_bytes(),
        ])
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
        let split = |key: &String| key.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()));
        self.states().keys().filter_map(split).collect()
    }

    /// Whether it names a secret among those that its change left alive.
    pub fn names(&self, digest: &Digest) -> bool {
        self.change.contains(&digest.to_hex())
    }

    /// The new states of what it touched, by `kind:id`.
    pub fn states(&self) -> Map<String, Json> {
        let change = serde_json::from_str::<Map<String, Json>>(&self.change);
        match change.ok().and_then(|mut change| change.remove("states")) {
            Some(Json::Object(states)) => states,
            _ => Map::new(),
        }
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
        Ok(self.find_head().await?.position)
    }

    pub(crate) async fn find_head(&self) -> Result<Head, StoreError> {
        let head = self.row(SELECT_HEAD, &[], read_head).await?;
        head.ok_or_else(|| StoreError::damaged("the ledger has no head"))
    }

    /// Up to `limit` entries after a sequence number, oldest first.
    pub async fn list_entries(&self, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.rows(SELECT_AFTER, &params![after, limit], Entry::read).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use claviger_model::testing::SeededRandom;
    use claviger_vault::KekRing;
    use serde_json::json;

    use super::*;
    use crate::Actor;

    fn entry(vault: &Vault, random: &SeededRandom) -> Entry {
        let draft = Draft {
            org: Some(OrgId::generate(random)),
            action: Action(Cow::Borrowed("credential.created")),
            subject: Subject { kind: Cow::Borrowed("credential"), id: "some id".to_owned() },
            actor: Actor::SERVER.to_json().to_string(),
            change: json!({ "name": "some name" }).to_string(),
        };
        let mut head = Head { position: Position { epoch: 1, sequence: 41 }, mac: vec![7; 32] };
        head.append(&draft, EntryId::generate(random), Timestamp::from_micros(5), vault)
    }

    #[test]
    fn an_entry_with_any_byte_altered_is_not_intact() {
        let random = Arc::new(SeededRandom::new(1));
        let (vault, _) =
            Vault::create(KekRing::generate(&*random), random.clone(), Timestamp::from_micros(1));
        let entry = entry(&vault, &random);
        let previous = [7; 32];
        assert!(entry.is_intact(&previous, &vault));

        let content = entry.content(&previous);
        for place in 0..content.len() {
            let mut altered = content.clone();
            altered[place] ^= 1 << (place % 8);
            assert_eq!(vault.ledger_mac_matches(entry.mac_key, &altered, &entry.mac), Ok(false), "{place}");
        }
        for place in 0..32 {
            let mut altered = entry.clone();
            altered.mac[place] ^= 1;
            assert!(!altered.is_intact(&previous, &vault), "MAC {place}");
            let mut other = previous;
            other[place] ^= 1;
            assert!(!entry.is_intact(&other, &vault), "predecessor {place}");
        }
        let check = |what: &str, alter: &dyn Fn(&mut Entry)| {
            let mut altered = entry.clone();
            alter(&mut altered);
            assert!(!altered.is_intact(&previous, &vault), "{what}");
        };
        check("epoch", &|entry| entry.position.epoch += 1);
        check("sequence", &|entry| entry.position.sequence += 1);
        check("id", &|entry| entry.id = EntryId::generate(&*random));
        check("at", &|entry| entry.at = Timestamp::from_micros(6));
        check("org", &|entry| entry.org = None);
        check("action", &|entry| entry.action = Action(Cow::Borrowed("credential.revoked")));
        check("kind", &|entry| entry.subject.kind = Cow::Borrowed("org"));
        check("subject", &|entry| entry.subject.id.push(' '));
        check("actor", &|entry| entry.actor.push(' '));
        check("change", &|entry| entry.change.push(' '));
        check("key", &|entry| entry.mac_key = Uuid::from_u128(1));
        // What moves from the end of one field to the beginning of the next is no longer the same.
        check("border", &|entry| {
            let moved = entry.actor.pop().unwrap();
            entry.change.insert(0, moved);
        });
    }
}
