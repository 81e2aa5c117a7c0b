//! Finding one credential, and its secret where that can be shown again.

use claviger_model::{Credential, CredentialId, OrgId};
use claviger_vault::Digest;

use super::columns::{COLUMNS, read_credential};
use crate::value::{Row, Value, params};
use crate::{Store, StoreError};

/// A secret that can be shown again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// Which of the credential's secrets it is; the sealed value is bound to it.
    pub revision: i64,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

impl Store {
    /// One credential of an org, dead or alive.
    pub async fn find_credential(
        &self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Option<Credential>, StoreError> {
        self.find_one("c.id = $1 AND c.org_id = $2", params![id, org]).await
    }

    /// The credential of an org to which a secret belongs, dead or alive.
    pub async fn find_credential_by_digest(
        &self,
        org: OrgId,
        digest: &Digest,
    ) -> Result<Option<Credential>, StoreError> {
        let condition = "c.id = (SELECT credential_id FROM secrets WHERE digest = $1) AND c.org_id = $2";
        self.find_one(condition, params![digest, org]).await
    }

    async fn find_one(&self, condition: &str, params: Vec<Value>) -> Result<Option<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id WHERE {condition}"
        );
        let mut found = None;
        self.each(&sql, &params, |row| Ok(found = Some(read_credential(row)?))).await?;
        Ok(found)
    }

    /// The newest live secret of a credential that can be shown again.
    pub async fn find_sealed_secret(
        &self,
        org: OrgId,
        id: CredentialId,
    ) -> Result<Option<SealedSecret>, StoreError> {
        let sql = "SELECT revision, sealed FROM secrets WHERE credential_id = $1 AND org_id = $2 AND dead_at IS NULL
                   AND sealed IS NOT NULL ORDER BY revision DESC LIMIT 1";
        let read = |row: &dyn Row| Ok(SealedSecret { revision: row.get(0)?, sealed: row.get(1)? });
        self.row(sql, &params![id, org], read).await
    }
}
