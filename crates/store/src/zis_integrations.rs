//! ZIS integrations: making, changing, deleting and finding them, and finding the tokens that are bound to one.

use claviger_model::{
    ConnectionDialect, Credential, CredentialKind, CredentialState, OrgId, Timestamp, UserId, ZisIntegration,
    ZisIntegrationId, ZisName,
};
use claviger_vault::{Digest, Place};
use serde_json::json;

use crate::credentials::{COLUMNS as CREDENTIAL_COLUMNS, read_credential};
use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

/// The most integrations that an org may have: each new one counts them all.
pub const ZIS_INTEGRATIONS_PER_ORG_MAX: u32 = 1_000;

/// The columns of an integration; read by [`read_integration`].
pub(crate) const COLUMNS: &str =
    "z.id, z.org_id, z.name, z.description, z.client_number, z.revision, z.created_at,
     z.created_by, z.modified_at, z.modified_by, z.redirect_origins, z.jwt_public_key";
/// How many [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 12;

pub(crate) fn read_integration(row: &dyn Row) -> Result<ZisIntegration, StoreError> {
    Ok(ZisIntegration {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        name: row.parsed(2)?,
        description: row.get(3)?,
        client_number: row.get(4)?,
        revision: row.get(5)?,
        created_at: row.get(6)?,
        created_by: row.parsed(7)?,
        modified_at: row.get(8)?,
        modified_by: row.parsed(9)?,
        redirect_origins: row.parsed(10)?,
        jwt_public_key: row.opt(11)?,
    })
}

/// Where an integration's signing key is sealed. It is made once, and goes with the integration.
pub fn signing_key_place(org: OrgId, id: ZisIntegrationId) -> Place<'static> {
    Place { org, table: "zis_integrations", row: id.uuid(), column: "signing_key", revision: 1 }
}

pub(crate) fn subject(id: ZisIntegrationId) -> (&'static str, String) {
    ("zis_integration", id.to_string())
}

impl Change {
    /// Makes an integration with the digest of its OAuth client's secret, and its sealed signing key.
    ///
    /// Refused with [`Refusal::NameTaken`] where the org has one of that name, and with [`Refusal::LimitReached`]
    /// beyond [`ZIS_INTEGRATIONS_PER_ORG_MAX`].
    pub fn create_zis_integration(
        integration: &ZisIntegration,
        secret: &Digest,
        signing_key: Vec<u8>,
        actor: &Actor,
    ) -> Self {
        Self::bring_zis_integration("zis_integration.created", integration, secret, Some(signing_key), actor)
    }

    /// The same of an integration that an import brings: it gets its key once that is needed.
    pub(crate) fn import_zis_integration(
        integration: &ZisIntegration,
        secret: &Digest,
        actor: &Actor,
    ) -> Self {
        Self::bring_zis_integration("zis_integration.imported", integration, secret, None, actor)
    }

    fn bring_zis_integration(
        action: &'static str,
        integration: &ZisIntegration,
        secret: &Digest,
        signing_key: Option<Vec<u8>>,
        actor: &Actor,
    ) -> Self {
        let ZisIntegration { id, org, .. } = *integration;
        let detail = json!({ "name": integration.name.as_str(), "shown": true });
        let detail = state::with_states(detail, [state::zis_integration(integration, secret)]);
        Self::new(org, actor, action, subject(id), detail)
            .require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM zis_integrations WHERE org_id = $1 AND name = $2)",
                params![org, integration.name.as_str()],
                Refusal::NameTaken,
            )
            .require(
                "SELECT 1 WHERE (SELECT COUNT(*) FROM zis_integrations WHERE org_id = $1) < $2",
                params![org, ZIS_INTEGRATIONS_PER_ORG_MAX],
                Refusal::LimitReached,
            )
            .one(
                "INSERT INTO zis_integrations (id, org_id, name, description, client_number, client_secret, revision,
                     created_at, created_by, modified_at, modified_by, redirect_origins, jwt_public_key, signing_key)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                params![
                    id,
                    org,
                    integration.name.as_str(),
                    integration.description.as_str(),
                    integration.client_number,
                    secret,
                    integration.revision,
                    integration.created_at,
                    integration.created_by,
                    integration.modified_at,
                    integration.modified_by,
                    integration.redirect_origins.to_string(),
                    integration.jwt_public_key.as_deref(),
                    signing_key,
                ],
                Refusal::Conflict,
            )
    }

    /// Gives an integration that has none its signing key. `integration` is the new state, with the revision that was read,
    /// and `secret` the digest of its OAuth client's.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision, or a key, by now, or is gone.
    pub fn give_signing_key(
        integration: &ZisIntegration,
        secret: &Digest,
        signing_key: Vec<u8>,
        actor: &Actor,
    ) -> Self {
        let detail = json!({ "name": integration.name.as_str() });
        let detail = state::with_states(detail, [state::zis_integration(integration, secret)]);
        Self::new(integration.org, actor, "zis_integration.keyed", subject(integration.id), detail).one(
            // Others write what they read of its state: they must notice.
            "UPDATE zis_integrations SET jwt_public_key = $1, signing_key = $2, revision = revision + 1
             WHERE id = $3 AND org_id = $4 AND revision = $5 AND signing_key IS NULL",
            params![
                integration.jwt_public_key.as_deref(),
                signing_key,
                integration.id,
                integration.org,
                integration.revision,
            ],
            Refusal::Stale,
        )
    }

    /// Says where browsers may be sent. `integration` is the new state, with the revision that was read, and `secret` the
    /// digest of its OAuth client's.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is gone.
    pub fn change_redirect_origins(integration: &ZisIntegration, secret: &Digest, actor: &Actor) -> Self {
        let origins = integration.redirect_origins.to_string();
        let detail = json!({ "name": integration.name.as_str(), "redirect_origins": origins });
        let detail = state::with_states(detail, [state::zis_integration(integration, secret)]);
        Self::new(integration.org, actor, "zis_integration.redirected", subject(integration.id), detail).one(
            "UPDATE zis_integrations SET redirect_origins = $1, modified_at = $2, modified_by = $3,
                 revision = revision + 1
             WHERE id = $4 AND org_id = $5 AND revision = $6",
            params![
                origins,
                integration.modified_at,
                integration.modified_by,
                integration.id,
                integration.org,
                integration.revision,
            ],
            Refusal::Stale,
        )
    }

    /// Describes an integration anew. `integration` is the new state, with the revision that was read.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, or is gone.
    pub fn describe_zis_integration(integration: &ZisIntegration, actor: &Actor) -> Self {
        let detail = json!({ "name": integration.name.as_str(), "description": integration.description });
        Self::new(integration.org, actor, "zis_integration.updated", subject(integration.id), detail).one(
            "UPDATE zis_integrations SET description = $1, modified_at = $2, modified_by = $3,
                 revision = revision + 1
             WHERE id = $4 AND org_id = $5 AND revision = $6",
            params![
                integration.description.as_str(),
                integration.modified_at,
                integration.modified_by,
                integration.id,
                integration.org,
                integration.revision,
            ],
            Refusal::Stale,
        )
    }

    /// Deletes an integration and kills its tokens for good; `tokens` are those that are alive.
    ///
    /// Refused with [`Refusal::InUse`] where it still has connections or OAuth clients, and with [`Refusal::Stale`] where it is gone, or
    /// has other tokens by now.
    pub fn delete_zis_integration(
        integration: &ZisIntegration,
        tokens: &[Credential],
        at: Timestamp,
        by: UserId,
        actor: &Actor,
    ) -> Self {
        let ZisIntegration { id, org, .. } = *integration;
        let dead =
            |token: &Credential| Credential { state: CredentialState::Revoked { at }, ..token.clone() };
        let dead: Vec<_> = tokens.iter().map(dead).collect();
        let states = dead.iter().flat_map(state::dead).chain([state::gone(subject(id))]);
        let detail = json!({ "name": integration.name.as_str(), "tokens": tokens.len() });
        let detail = state::with_states(detail, states);
        let change = Self::new(org, actor, "zis_integration.deleted", subject(id), detail).require(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM connections
             WHERE org_id = $1 AND dialect = $2 AND container = $3)",
            params![org, ConnectionDialect::Zendesk.as_str(), integration.name.as_str()],
            Refusal::InUse,
        );
        let change = change.require(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM zis_oauth_clients WHERE org_id = $1 AND integration = $2)",
            params![org, integration.name.as_str()],
            Refusal::InUse,
        );
        let change = tokens.iter().fold(change, |change, token| {
            change.killing_credential(token, at, by).counting_even_the_last_less(token)
        });
        change
            .require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM credentials
                 WHERE org_id = $1 AND zis_integration_id = $2 AND revoked_at IS NULL)",
                params![org, id],
                Refusal::Stale,
            )
            .one(
                "DELETE FROM zis_integrations WHERE id = $1 AND org_id = $2 AND revision = $3",
                params![id, org, integration.revision],
                Refusal::Stale,
            )
    }

    /// Refuses, with [`Refusal::QuotaReached`], more than so many connections in an integration, those that this change
    /// makes included: it stands behind what makes them, so that a name that is taken is told first.
    pub fn within_zis_quota(self, org: OrgId, integration: &str, max: u32) -> Self {
        self.require(
            "SELECT 1 WHERE (SELECT COUNT(*) FROM connections WHERE org_id = $1 AND container = $2) <= $3",
            params![org, integration, max],
            Refusal::QuotaReached,
        )
    }

    /// Refuses to bind a new token to an integration that is not there.
    pub(crate) fn requiring_zis_integration(self, org: OrgId, id: ZisIntegrationId) -> Self {
        self.require(
            "SELECT 1 FROM zis_integrations WHERE id = $1 AND org_id = $2",
            params![id, org],
            Refusal::Absent,
        )
    }
}

impl Store {
    /// The integration of an org that has a name.
    pub async fn find_zis_integration(
        &self,
        org: OrgId,
        name: &ZisName,
    ) -> Result<Option<ZisIntegration>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM zis_integrations z WHERE z.org_id = $1 AND z.name = $2");
        self.find(sql, params![org, name.as_str()], read_integration).await
    }

    /// The integration of an org whose OAuth client has a number.
    pub async fn find_zis_integration_by_client(
        &self,
        org: OrgId,
        client_number: i64,
    ) -> Result<Option<ZisIntegration>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM zis_integrations z WHERE z.org_id = $1 AND z.client_number = $2");
        self.find(sql, params![org, client_number], read_integration).await
    }

    /// The digest of the secret of an integration's OAuth client.
    pub async fn find_zis_client_secret(
        &self,
        org: OrgId,
        id: ZisIntegrationId,
    ) -> Result<Option<Digest>, StoreError> {
        let sql = "SELECT client_secret FROM zis_integrations WHERE id = $1 AND org_id = $2";
        self.row(sql, &params![id, org], |row| row.get(0)).await
    }

    /// The sealed signing key of an integration, if it has one.
    pub async fn find_signing_key(
        &self,
        org: OrgId,
        id: ZisIntegrationId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT signing_key FROM zis_integrations WHERE id = $1 AND org_id = $2";
        Ok(self.row(sql, &params![id, org], |row| row.opt(0)).await?.flatten())
    }

    /// Every integration of an org, in the order in which they were made.
    pub async fn list_zis_integrations(&self, org: OrgId) -> Result<Vec<ZisIntegration>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM zis_integrations z WHERE z.org_id = $1 ORDER BY z.created_at, z.id"
        );
        self.long_rows(sql, params![org], read_integration).await
    }

    /// How many connections an integration has.
    pub async fn count_zis_connections(&self, org: OrgId, integration: &ZisName) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM connections WHERE org_id = $1 AND container = $2";
        self.count(sql.to_owned(), params![org, integration.as_str()]).await
    }

    /// The live tokens that are bound to an integration.
    pub async fn list_integration_tokens(
        &self,
        org: OrgId,
        id: ZisIntegrationId,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.org_id = $1 AND c.zis_integration_id = $2 AND c.revoked_at IS NULL ORDER BY c.id"
        );
        self.long_rows(sql, params![org, id], read_credential).await
    }

    /// The live token of an org that has a number.
    pub async fn find_integration_token(
        &self,
        org: OrgId,
        number: i64,
    ) -> Result<Option<Credential>, StoreError> {
        let sql = format!(
            "SELECT {CREDENTIAL_COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.org_id = $1 AND c.token_number = $2 AND c.kind = $3 AND c.revoked_at IS NULL"
        );
        self.find(sql, params![org, number, CredentialKind::IntegrationToken], read_credential).await
    }
}
