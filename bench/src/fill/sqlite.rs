//! Rows into an SQLite file, in one transaction that does not wait for the disk.

use std::path::Path;

use claviger_model::{CredentialKind, OrgId, Timestamp, UserId};
use rusqlite::{Connection, params};

use super::rows::{self, ALLOW_LIST, CredentialRow, LIMIT};
use crate::Result;

pub(super) struct Sink(Connection);

impl Sink {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(32);
        connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; BEGIN")?;
        let sink = Self(connection);
        sink.0.execute("UPDATE orgs SET api_keys_max = 100000000", [])?;
        Ok(sink)
    }

    pub(super) fn finish(self) -> Result<()> {
        Ok(self.0.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
    }
}

impl rows::Sink for Sink {
    fn user(&mut self, org: OrgId, id: UserId, at: Timestamp) -> Result<()> {
        let (org, id, email) = (org.to_string(), id.to_string(), format!("{id}@example.com"));
        self.0
            .prepare_cached(
                "INSERT INTO users (id, org_id, kind, email, handle, verified, created_at, modified_at)
             VALUES (?1, ?2, 'human', ?3, ?3, 1, ?4, ?4)",
            )?
            .execute(params![id, org, email, at.micros()])?;
        self.0
            .prepare_cached(
                "INSERT INTO user_roles (org_id, user_id, role_id)
             SELECT org_id, ?1, id FROM roles WHERE org_id = ?2 AND managed = 'standard'",
            )?
            .execute(params![id, org])?;
        Ok(())
    }

    fn credential(&mut self, row: CredentialRow) -> Result<()> {
        let (id, org, by) = (row.id.to_string(), row.org.to_string(), row.by.to_string());
        let owner = row.owner.map(|owner| owner.to_string());
        let (is_api_key, is_token) = (row.kind == CredentialKind::ApiKey, row.public_portion.is_some());
        let category = if is_api_key { "default" } else { "" };
        self.0.prepare_cached(
            "INSERT INTO credentials (id, org_id, kind, owner_id, name, name_sort, name_search, last4, scopes,
                 category, remote_config_read, revision, created_at, created_by, modified_at, modified_by,
                 public_portion, allow_list, requests_max, requests_period)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?13, 1, ?11, ?12, ?11, ?12, ?14, ?15, ?16, ?17)",
        )?
        .execute(params![
            id, org, row.kind.as_str(), owner, row.name, row.name_sort, row.name.to_lowercase(), row.last4.as_bytes(),
            row.scopes, category, row.at.micros(), by, is_api_key, row.public_portion,
            is_token.then_some(ALLOW_LIST), is_token.then_some(LIMIT.0), is_token.then_some(LIMIT.1),
        ])?;
        self.0.prepare_cached(
            "INSERT INTO secrets (digest, digest_key, org_id, credential_id, revision, sealed, created_at)
             VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
        )?
        .execute(params![row.digest, row.digest_key, org, id, row.sealed, row.at.micros()])?;
        Ok(())
    }

    fn count(&mut self, org: OrgId, kind: CredentialKind, owner: Option<UserId>, more: usize) -> Result<()> {
        let owner = owner.map(|owner| owner.to_string()).unwrap_or_default();
        self.0.execute(
            "INSERT INTO credential_counts (org_id, kind, owner_id, live) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (org_id, kind, owner_id) DO UPDATE SET live = live + excluded.live",
            params![org.to_string(), kind.as_str(), owner, more as i64],
        )?;
        Ok(())
    }
}
