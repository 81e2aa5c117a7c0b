//! What the directory is told of secrets.

use claviger_model::{
    CredentialId, CredentialKind, Expiry, Guards, OrgId, Scopes, Timestamp, UserId, ZisIntegrationId,
    ZisScopes,
};
use claviger_vault::Digest;

use super::columns::{read_guards, read_scopes};
use crate::value::{Row, Value, params};
use crate::{Store, StoreError};

/// What the directory knows of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSecret {
    /// Its digest.
    pub digest: Digest,
    /// Its credential.
    pub credential: CredentialId,
    /// The credential's org.
    pub org: OrgId,
    /// The credential's kind.
    pub kind: CredentialKind,
    /// Whom it acts for.
    pub owner: Option<UserId>,
    /// What it is narrowed to.
    pub scopes: Option<Scopes>,
    /// Until when it is valid: as its credential, or not as long.
    pub expiry: Expiry,
    /// Until when it goes on, where a newer secret has replaced it.
    pub valid_until: Option<Timestamp>,
    /// What guards its credential.
    pub guards: Guards,
    /// Whether it may read remote configuration.
    pub remote_config_read: bool,
    /// Of an application key: whether it is registered for the management of connections.
    pub is_registered: bool,
    /// Whether secret and credential are both alive.
    pub is_live: bool,
    /// When the credential was last used.
    pub last_used: Option<Timestamp>,
    /// Of a native key: whose it is.
    pub external_id: Option<String>,
    /// Of a native key: what its org wants to know.
    pub metadata: Option<String>,
    /// Of an integration token: what it is bound to, and what it may do there.
    pub binding: Option<KnownBinding>,
}

/// What an integration token is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBinding {
    /// The integration.
    pub integration: ZisIntegrationId,
    /// Its name, which never changes.
    pub name: String,
    /// What the token may do there.
    pub scopes: ZisScopes,
}

pub(crate) const SELECT_KNOWN: &str = "SELECT s.digest, c.id, c.org_id, c.kind, c.owner_id, c.scopes, c.expires_at,
     c.remote_config_read, s.dead_at, c.revoked_at, l.at, s.valid_until, c.allow_list, c.requests_max,
     c.requests_period, c.external_id, c.metadata, r.application_key_id, z.id, z.name, c.zis_scopes
     FROM secrets s JOIN credentials c ON c.id = s.credential_id LEFT JOIN last_used l ON l.credential_id = c.id
     LEFT JOIN app_key_registrations r ON r.org_id = c.org_id AND r.application_key_id = c.id
     LEFT JOIN zis_integrations z ON z.id = c.zis_integration_id";

/// How many credentials [`Store::list_known_secrets_of`] asks for in one statement.
const ASKED_AT_ONCE: usize = 16;

pub(crate) fn read_known(row: &dyn Row) -> Result<KnownSecret, StoreError> {
    let valid_until: Option<Timestamp> = row.opt(11)?;
    Ok(KnownSecret {
        digest: row.get(0)?,
        credential: row.parsed(1)?,
        org: row.parsed(2)?,
        kind: row.parsed(3)?,
        owner: row.opt_parsed(4)?,
        scopes: read_scopes(row, 5)?,
        expiry: Expiry::from(row.opt(6)?).earlier(Expiry::from(valid_until)),
        valid_until,
        guards: read_guards(row, 12)?,
        remote_config_read: row.get(7)?,
        is_registered: row.text(17)?.is_some(),
        is_live: row.opt::<Timestamp>(8)?.is_none() && row.opt::<Timestamp>(9)?.is_none(),
        last_used: row.opt(10)?,
        external_id: row.opt(15)?,
        metadata: row.opt(16)?,
        binding: match (row.opt_parsed(18)?, row.opt(19)?, row.opt_parsed(20)?) {
            (Some(integration), Some(name), Some(scopes)) => Some(KnownBinding { integration, name, scopes }),
            _ => None,
        },
    })
}

impl Store {
    /// Every live secret of every org: what a directory starts from. There may be millions, so that each is
    /// handed over and none is kept.
    pub async fn each_live_secret(
        &self,
        mut visit: impl FnMut(KnownSecret) + Send,
    ) -> Result<(), StoreError> {
        let sql = format!("{SELECT_KNOWN} WHERE s.dead_at IS NULL AND c.revoked_at IS NULL");
        self.scan(&sql, |row| Ok(visit(read_known(row)?))).await
    }

    /// Every secret, dead or alive, of many credentials.
    pub async fn list_known_secrets_of(&self, ids: &[CredentialId]) -> Result<Vec<KnownSecret>, StoreError> {
        let mut known = Vec::with_capacity(ids.len());
        let sql = format!(
            "{SELECT_KNOWN} WHERE s.credential_id IN
             ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        );
        for some in ids.chunks(ASKED_AT_ONCE) {
            // What is missing to the full number is filled up with the last: a row comes once, however often it is
            // asked for.
            let last = some.last().map(|last| Value::from(*last)).unwrap_or(Value::Null);
            let mut params: Vec<_> = some.iter().map(|id| Value::from(*id)).collect();
            params.resize(ASKED_AT_ONCE, last);
            self.each(&sql, &params, |row| Ok(known.push(read_known(row)?))).await?;
        }
        Ok(known)
    }

    /// The digest of every secret that is known to be dead.
    pub async fn each_dead_digest(&self, mut visit: impl FnMut(Digest) + Send) -> Result<(), StoreError> {
        for sql in ["SELECT digest FROM secrets WHERE dead_at IS NOT NULL", "SELECT digest FROM tombstones"] {
            self.each(sql, &[], |row| Ok(visit(row.get(0)?))).await?;
        }
        Ok(())
    }

    /// Every secret, dead or alive, of a credential.
    pub async fn list_known_secrets(&self, id: CredentialId) -> Result<Vec<KnownSecret>, StoreError> {
        let mut known = Vec::new();
        let sql = format!("{SELECT_KNOWN} WHERE s.credential_id = $1");
        self.each(&sql, &params![id], |row| Ok(known.push(read_known(row)?))).await?;
        Ok(known)
    }
}
