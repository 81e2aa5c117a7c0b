//! The vault's wrapped keys, as the database keeps them.

use claviger_model::OrgId;
use claviger_vault::{KekId, WrappedKey};
use serde_json::json;

use crate::change::{Rows, Step};
use crate::ledger::Head;
use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError};

pub(crate) const SELECT: &str = "SELECT id, purpose, org_id, kek_id, wrapped, created_at FROM vault_keys";

pub(crate) fn read(row: &dyn Row) -> Result<WrappedKey, StoreError> {
    Ok(WrappedKey {
        id: row.parsed(0)?,
        purpose: row.parsed(1)?,
        org: row.opt_parsed::<OrgId>(2)?,
        kek: row.parsed(3)?,
        wrapped: row.get(4)?,
        created_at: row.get(5)?,
    })
}

const INSERT: &str = "INSERT INTO vault_keys (id, purpose, org_id, kek_id, wrapped, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)";

fn insert_params(key: &WrappedKey) -> Vec<crate::value::Value> {
    params![key.id, key.purpose.as_str(), key.org, key.kek.to_string(), key.wrapped.clone(), key.created_at]
}

/// A key that was wrapped anew.
#[derive(Debug)]
pub struct Rewrapped {
    /// The master key that wrapped it before.
    pub was: KekId,
    /// The key, as it is wrapped now.
    pub key: WrappedKey,
}

impl Change {
    /// Adds a wrapped key.
    pub(crate) fn with_vault_key(self, key: &WrappedKey) -> Self {
        self.one(INSERT, insert_params(key), Refusal::Conflict)
    }

    /// Puts keys that were wrapped anew in the place of what was read. The ledger does not record it: nothing
    /// that anybody may do follows from it.
    ///
    /// Refused with [`Refusal::Stale`] where a key is wrapped by another master key than when it was read.
    pub fn rewrap_vault_keys(rewrapped: &[Rewrapped]) -> Self {
        rewrapped.iter().fold(Self::unrecorded(), Self::with_rewrapped)
    }

    /// The last keys of a rotation, and the entry that says that it is complete.
    pub fn complete_kek_rotation(rewrapped: &[Rewrapped], from: &[KekId], to: &KekId, actor: &Actor) -> Self {
        let from: Vec<_> = from.iter().map(ToString::to_string).collect();
        let change = Self::of_server(actor, "kek.rotated", ("kek", to.to_string()), json!({ "from": from }));
        rewrapped.iter().fold(change, Self::with_rewrapped)
    }

    /// Records that a master key is being taken away, and makes sure that nothing needs it.
    ///
    /// Refused with [`Refusal::Conflict`] where a key is wrapped by it.
    pub fn remove_kek(id: &KekId, actor: &Actor) -> Self {
        Self::of_server(actor, "kek.removed", ("kek", id.to_string()), json!({})).require(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM vault_keys WHERE kek_id = $1)",
            params![id.to_string()],
            Refusal::Conflict,
        )
    }

    fn with_rewrapped(self, Rewrapped { was, key }: &Rewrapped) -> Self {
        self.one(
            "UPDATE vault_keys SET kek_id = $1, wrapped = $2 WHERE id = $3 AND kek_id = $4",
            params![key.kek.to_string(), key.wrapped.clone(), key.id, was.to_string()],
            Refusal::Stale,
        )
    }
}

/// What a new database begins with.
pub(crate) fn founding_steps(keys: &[WrappedKey]) -> Vec<Step> {
    let head = insert_head(&Head::ORIGIN);
    let key = |key| Step {
        sql: INSERT,
        params: insert_params(key),
        rows: Rows::Changed(1),
        otherwise: Refusal::Conflict,
    };
    std::iter::once(head).chain(keys.iter().map(key)).collect()
}

/// The statement that gives a database its head.
pub(crate) fn insert_head(head: &Head) -> Step {
    Step {
        sql: "INSERT INTO ledger_head (one, epoch, sequence, mac) VALUES (1, $1, $2, $3)",
        params: params![head.position.epoch, head.position.sequence, head.mac.clone()],
        rows: Rows::Changed(1),
        otherwise: Refusal::Conflict,
    }
}

impl Store {
    /// Every wrapped key.
    pub async fn list_vault_keys(&self) -> Result<Vec<WrappedKey>, StoreError> {
        self.rows(SELECT, &[], read).await
    }
}
