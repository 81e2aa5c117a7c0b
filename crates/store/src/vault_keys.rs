//! The vault's wrapped keys, as the database keeps them.

use claviger_model::OrgId;
use claviger_vault::WrappedKey;

use crate::change::{Rows, Step};
use crate::ledger::Head;
use crate::value::{Row, params};
use crate::{Change, Refusal, Store, StoreError};

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

impl Change {
    /// Adds a wrapped key.
    pub(crate) fn with_vault_key(self, key: &WrappedKey) -> Self {
        self.one(INSERT, insert_params(key), Refusal::Conflict)
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
