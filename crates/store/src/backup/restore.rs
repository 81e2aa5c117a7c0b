//! Restoring: an empty database is filled from a checked backup, in one transaction, and a new epoch begins.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::BufRead;

use claviger_model::{Credential, CredentialKind, CredentialState, EntryId, OrgId, Position, Timestamp};
use claviger_vault::Digest;
use serde_json::{Value as Json, json};

use super::BackupError;
use super::read::{CheckedBackup, Line, Lines};
use super::tables::{TABLES, Table};
use crate::change::{Action, Draft, Subject};
use crate::credentials::{COLUMNS, read_credential};
use crate::ledger::Head;
use crate::own_permissions::NO_LONGER_NAMING;
use crate::value::{Value, params};
use crate::verify::Tombstones;
use crate::{Actor, Database, LiveSecret, StoreError, registrations, state, vault_keys};

/// What killed a credential, as its entry names it.
const DEAD_LIST: &str = "the dead list, in a restore";
const RESTORE: &str = "a restore";
/// Rows that are written at once.
const CHUNK: usize = 512;

/// What is known of secrets that died after the backup was made.
#[derive(Debug, Clone, Copy)]
pub enum DeadSecrets<'a> {
    /// All of them are among these.
    Listed(&'a [Digest]),
    /// Nothing, and the operator accepts that some come back to life.
    Unknown,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The position at which the new epoch stands.
    pub position: Position,
    /// Credentials that the dead list killed.
    pub revoked: u64,
    /// Dead secrets that the backup does not know, kept so that they are never taken.
    pub tombstones: u64,
}

impl Database {
    /// Fills this database from a backup that was checked, given once more from its beginning: all of it or
    /// nothing.
    ///
    /// # Errors
    /// [`BackupError::NotEmpty`] where there is anything in it; others when the backup is not the checked one.
    pub async fn restore(
        &mut self,
        input: impl BufRead,
        backup: &CheckedBackup,
        dead: DeadSecrets<'_>,
        now: Timestamp,
    ) -> Result<Restored, BackupError> {
        self.begin().await?;
        match self.fill(input, backup, dead, now).await {
            Ok(restored) => {
                self.script("COMMIT").await?;
                Ok(restored)
            }
            Err(error) => {
                self.script("ROLLBACK").await?;
                Err(error)
            }
        }
    }

    async fn fill(
        &mut self,
        input: impl BufRead,
        backup: &CheckedBackup,
        dead: DeadSecrets<'_>,
        now: Timestamp,
    ) -> Result<Restored, BackupError> {
        self.refuse_unless_empty().await?;
        self.fill_tables(input, backup).await?;
        let mut history = History::after(backup, now);
        let (killed, tombstones) = match dead {
            DeadSecrets::Listed(dead) => self.bury(dead, now).await?,
            DeadSecrets::Unknown => (Vec::new(), 0),
        };
        let mut all = Tombstones::default();
        self.each(Tombstones::SELECT, &[], |row| all.take(row)).await?;
        let is_list_known = matches!(dead, DeadSecrets::Listed(_));
        let detail = json!({
            "backup": {
                "position": backup.summary.position.to_string(),
                "created_at_micros": backup.header.created_at_micros,
                "engine": backup.header.engine,
                "blake3": backup.hash.to_hex().as_str(),
            },
            "dead_list": if is_list_known { "replayed" } else { "absent, and accepted so" },
            "revoked": killed.len(),
            "tombstones": tombstones,
        });
        let subject = ("database", backup.summary.position.to_string());
        history.add(None, "database.restored", subject, state::with_states(detail, [all.state()]));
        let revoked = self.revoke_dead(&killed, DEAD_LIST, now, &mut history).await?;
        self.end_sessions(now, &mut history).await?;
        self.count_credentials().await?;
        let head = history.write(self, backup).await?;
        Ok(Restored { position: head.position, revoked, tombstones })
    }

    async fn refuse_unless_empty(&mut self) -> Result<(), BackupError> {
        let names = TABLES.iter().map(|table| table.name).chain(["ledger_head", "credential_counts"]);
        for name in names {
            let mut count = 0;
            let sql = format!("SELECT COUNT(*) FROM {name}");
            self.each(&sql, &[], |row| Ok(count = row.get::<i64>(0)?)).await?;
            if count != 0 {
                return Err(BackupError::NotEmpty);
            }
        }
        Ok(())
    }

    async fn fill_tables(&mut self, input: impl BufRead, backup: &CheckedBackup) -> Result<(), BackupError> {
        let (mut lines, _) = Lines::open(input)?;
        let mut waiting: Option<(&'static Table, Vec<Vec<Value>>)> = None;
        loop {
            let line = lines.next()?;
            let next = match line {
                Line::Row(table, row) => Some((table, row)),
                // Whoever changed the file since it was checked gets nothing.
                Line::End(_, hash) if hash != backup.hash => {
                    return Err(lines.damaged("the file was changed while it was read"));
                }
                Line::End(..) => None,
            };
            let is_over = match (&waiting, &next) {
                (Some((table, rows)), Some((other, _))) => table.name != other.name || rows.len() >= CHUNK,
                _ => true,
            };
            if let Some((table, rows)) = waiting.take_if(|_| is_over) {
                self.insert_all(&table.insert(), &rows).await?;
            }
            let Some((table, row)) = next else { return Ok(()) };
            waiting.get_or_insert((table, Vec::with_capacity(CHUNK))).1.push(row);
        }
    }

    /// Kills the secrets that are known to be dead; those that are not here become tombstones. Tells whose they
    /// were, and how many are new.
    async fn bury(&mut self, dead: &[Digest], now: Timestamp) -> Result<(Vec<String>, u64), StoreError> {
        let (mut killed, mut unknown) = (BTreeSet::new(), Vec::new());
        for digest in dead {
            let mut found = None;
            let sql = "SELECT credential_id, dead_at FROM secrets WHERE digest = $1";
            self.each(sql, &params![digest], |row| {
                Ok(found = Some((row.get::<String>(0)?, row.opt::<i64>(1)?.is_some())))
            })
            .await?;
            match found {
                None => unknown.push(params![digest]),
                Some((_, true)) => {}
                Some((credential, false)) => {
                    let sql = "UPDATE secrets SET dead_at = $1, sealed = NULL WHERE digest = $2";
                    self.execute(sql, &params![now, digest]).await?;
                    killed.insert(credential);
                }
            }
        }
        let mut tombstones = 0;
        for row in &unknown {
            let sql = "INSERT INTO tombstones (digest) VALUES ($1) ON CONFLICT (digest) DO NOTHING";
            tombstones += self.execute(sql, row).await?;
        }
        Ok((killed.into_iter().collect(), tombstones))
    }

    /// Revokes the credentials whose last secret died, and puts each into the ledger.
    async fn revoke_dead(
        &mut self,
        killed: &[String],
        by: &str,
        now: Timestamp,
        history: &mut History<'_>,
    ) -> Result<u64, StoreError> {
        let mut revoked = 0;
        for id in killed {
            let mut live = Vec::new();
            let sql = "SELECT digest, valid_until FROM secrets WHERE credential_id = $1 AND dead_at IS NULL";
            self.each(sql, &params![id.as_str()], |row| {
                Ok(live.push(LiveSecret { digest: row.get(0)?, valid_until: row.opt(1)? }))
            })
            .await?;
            if live.is_empty() {
                self.execute(NO_LONGER_NAMING, &params![id.as_str()]).await?;
                let sql = "UPDATE credentials SET revoked_at = $1, modified_at = $1, revision = revision + 1
                           WHERE id = $2 AND revoked_at IS NULL";
                revoked += self.execute(sql, &params![now, id.as_str()]).await?;
            }
            let sql = format!(
                "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id WHERE c.id = $1"
            );
            let mut found = None;
            self.each(&sql, &params![id.as_str()], |row| Ok(found = Some(read_credential(row)?))).await?;
            let Some(credential) = found else { continue };
            if !credential.state.is_live() && credential.kind() == CredentialKind::ApplicationKey {
                self.execute(registrations::DELETE, &params![credential.org, credential.id]).await?;
            }
            history.add_killed(&credential, &live, by);
        }
        Ok(revoked)
    }

    /// Ends every session: whoever was signed in when the backup was made signs in again.
    async fn end_sessions(&mut self, now: Timestamp, history: &mut History<'_>) -> Result<(), StoreError> {
        let mut sessions = Vec::new();
        let sql = "SELECT id FROM credentials WHERE kind = $1 AND revoked_at IS NULL ORDER BY id";
        self.each(sql, &params![CredentialKind::Session], |row| Ok(sessions.push(row.get::<String>(0)?)))
            .await?;
        for id in &sessions {
            let sql =
                "UPDATE secrets SET dead_at = $1, sealed = NULL WHERE credential_id = $2 AND dead_at IS NULL";
            self.execute(sql, &params![now, id.as_str()]).await?;
        }
        self.revoke_dead(&sessions, RESTORE, now, history).await?;
        Ok(())
    }

    async fn count_credentials(&mut self) -> Result<(), StoreError> {
        for sql in [
            "INSERT INTO credential_counts (org_id, kind, owner_id, live)
             SELECT org_id, kind, '', COUNT(*) FROM credentials WHERE revoked_at IS NULL GROUP BY org_id, kind",
            "INSERT INTO credential_counts (org_id, kind, owner_id, live)
             SELECT org_id, kind, owner_id, COUNT(*) FROM credentials
             WHERE revoked_at IS NULL AND owner_id IS NOT NULL GROUP BY org_id, kind, owner_id",
        ] {
            self.execute(sql, &[]).await?;
        }
        Ok(())
    }
}

/// The entries that a restore adds, in the new epoch.
struct History<'a> {
    backup: &'a CheckedBackup,
    now: Timestamp,
    drafts: Vec<Draft>,
}

impl<'a> History<'a> {
    fn after(backup: &'a CheckedBackup, now: Timestamp) -> Self {
        Self { backup, now, drafts: Vec::new() }
    }

    fn add(
        &mut self,
        org: Option<OrgId>,
        action: &'static str,
        subject: (&'static str, String),
        change: Json,
    ) {
        self.drafts.push(Draft {
            org,
            action: Action(Cow::Borrowed(action)),
            subject: Subject { kind: Cow::Borrowed(subject.0), id: subject.1 },
            actor: Actor::SERVER.to_json().to_string(),
            change: change.to_string(),
        });
    }

    fn add_killed(&mut self, credential: &Credential, live: &[LiveSecret], by: &str) {
        let action = match credential.state {
            CredentialState::Live => "credential.updated",
            CredentialState::Revoked { .. } => "credential.revoked",
        };
        let detail = json!({
            "kind": credential.kind().as_str(),
            "name": credential.name,
            "by": by,
        });
        let detail = match credential.state {
            CredentialState::Live => state::with_states(detail, [state::credential(credential, live)]),
            CredentialState::Revoked { .. } => state::with_states(detail, state::dead(credential)),
        };
        self.add(Some(credential.org), action, ("credential", credential.id.to_string()), detail);
    }

    async fn write(self, database: &mut Database, backup: &CheckedBackup) -> Result<Head, StoreError> {
        let vault = &self.backup.vault;
        let mut head = backup.head.clone();
        head.position.epoch += 1;
        for draft in &self.drafts {
            let id = EntryId::generate_at(vault.random(), self.now);
            let entry = head.append(draft, id, self.now, vault);
            let step = entry.insert();
            database.execute(step.sql, &step.params).await?;
        }
        let step = vault_keys::insert_head(&head);
        database.execute(step.sql, &step.params).await?;
        Ok(head)
    }
}
