//! OAuth clients of ZIS integrations: making, changing, deleting and finding them, with all that hangs on one.

use claviger_model::{Connection, OrgId, ZisOAuthClient, ZisOAuthClientId, ZisUrl};
use claviger_vault::Place;
use serde_json::json;

use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

/// The most clients that an integration may have: each new one counts them all, and a list tells all at once.
pub const ZIS_OAUTH_CLIENTS_MAX: u32 = 100;

/// The columns of a client; read by [`read_client`].
pub(crate) const COLUMNS: &str =
    "o.id, o.org_id, o.integration, o.name, o.auth_url, o.token_url, o.client_id,
     o.default_scopes, o.grant_type, o.allowed_domain, o.secret_revision, o.grant_revision, o.revision,
     o.created_at, o.created_by, o.modified_at, o.modified_by";
/// How many [`COLUMNS`] are.
pub(crate) const COLUMN_COUNT: usize = 17;

pub(crate) fn read_client(row: &dyn Row) -> Result<ZisOAuthClient, StoreError> {
    Ok(ZisOAuthClient {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        integration: row.get(2)?,
        name: row.parsed(3)?,
        auth_url: row.opt::<String>(4)?.map(ZisUrl::kept),
        token_url: ZisUrl::kept(row.get(5)?),
        client_id: row.get(6)?,
        default_scopes: row.parsed(7)?,
        grant: row.parsed(8)?,
        allowed_domain: row.opt(9)?,
        secret_revision: row.get(10)?,
        grant_revision: row.get(11)?,
        revision: row.get(12)?,
        created_at: row.get(13)?,
        created_by: row.parsed(14)?,
        modified_at: row.get(15)?,
        modified_by: row.parsed(16)?,
    })
}

/// Where the secret of a client is sealed: it opens nowhere else, and with no other revision.
pub fn client_secret_place(org: OrgId, id: ZisOAuthClientId, revision: i64) -> Place<'static> {
    Place { org, table: "zis_oauth_clients", row: id.uuid(), column: "client_secret", revision }
}

fn subject(id: ZisOAuthClientId) -> (&'static str, String) {
    ("zis_oauth_client", id.to_string())
}

impl Change {
    /// Makes a client with its sealed secret.
    ///
    /// Refused with [`Refusal::Absent`] where there is no such integration, with [`Refusal::NameTaken`], and with
    /// [`Refusal::LimitReached`] beyond [`ZIS_OAUTH_CLIENTS_MAX`].
    pub fn create_zis_oauth_client(client: &ZisOAuthClient, secret: Vec<u8>, actor: &Actor) -> Self {
        let detail = json!({ "name": client.name.as_str(), "integration": client.integration });
        let detail = state::with_states(detail, [state::zis_oauth_client(client)]);
        Self::new(client.org, actor, "zis_oauth_client.created", subject(client.id), detail)
            .require(
                "SELECT 1 FROM zis_integrations WHERE org_id = $1 AND name = $2",
                params![client.org, client.integration.as_str()],
                Refusal::Absent,
            )
            .requiring_free_client_name(client)
            .require(
                "SELECT 1 WHERE (SELECT COUNT(*) FROM zis_oauth_clients WHERE org_id = $1 AND integration = $2) < $3",
                params![client.org, client.integration.as_str(), ZIS_OAUTH_CLIENTS_MAX],
                Refusal::LimitReached,
            )
            .one(
                "INSERT INTO zis_oauth_clients (id, org_id, integration, name, auth_url, token_url, client_id,
                     client_secret, secret_revision, default_scopes, grant_type, allowed_domain, grant_revision,
                     revision, created_at, created_by, modified_at, modified_by)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
                params![
                    client.id,
                    client.org,
                    client.integration.as_str(),
                    client.name.as_str(),
                    client.auth_url.as_ref().map(ZisUrl::as_str),
                    client.token_url.as_str(),
                    client.client_id.as_str(),
                    secret,
                    client.secret_revision,
                    client.default_scopes.as_str(),
                    client.grant.as_str(),
                    client.allowed_domain.as_deref(),
                    client.grant_revision,
                    client.revision,
                    client.created_at,
                    client.created_by,
                    client.modified_at,
                    client.modified_by,
                ],
                Refusal::Conflict,
            )
    }

    fn requiring_free_client_name(self, client: &ZisOAuthClient) -> Self {
        self.require(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM zis_oauth_clients
             WHERE org_id = $1 AND integration = $2 AND name = $3 AND id <> $4)",
            params![client.org, client.integration.as_str(), client.name.as_str(), client.id],
            Refusal::NameTaken,
        )
    }

    /// Changes a client. `client` is the new state, with the revision that was read; `secret` is its new one, and `changed`
    /// is what else changes, in words. `emptied` are the new states of the connections that lose their tokens by it.
    ///
    /// Refused with [`Refusal::Stale`] where it has another revision by now, as by a connection that was made with it, or
    /// where one of the connections has; and with [`Refusal::NameTaken`].
    pub fn update_zis_oauth_client(
        client: &ZisOAuthClient,
        secret: Option<Vec<u8>>,
        changed: &[&str],
        emptied: &[EmptiedConnection],
        actor: &Actor,
    ) -> Self {
        let detail = json!({
            "name": client.name.as_str(),
            "integration": client.integration,
            "changed": changed,
            "secret_written": secret.is_some(),
            "connections_emptied": emptied.len(),
        });
        let detail = state::with_states(detail, [state::zis_oauth_client(client)]);
        let mut change = Self::new(client.org, actor, "zis_oauth_client.updated", subject(client.id), detail)
            .requiring_free_client_name(client)
            .one(
                "UPDATE zis_oauth_clients SET name = $1, auth_url = $2, token_url = $3, client_id = $4,
                     default_scopes = $5, grant_type = $6, allowed_domain = $7, secret_revision = $8,
                     grant_revision = $9, modified_at = $10, modified_by = $11, revision = revision + 1
                 WHERE id = $12 AND org_id = $13 AND revision = $14",
                params![
                    client.name.as_str(),
                    client.auth_url.as_ref().map(ZisUrl::as_str),
                    client.token_url.as_str(),
                    client.client_id.as_str(),
                    client.default_scopes.as_str(),
                    client.grant.as_str(),
                    client.allowed_domain.as_deref(),
                    client.secret_revision,
                    client.grant_revision,
                    client.modified_at,
                    client.modified_by,
                    client.id,
                    client.org,
                    client.revision,
                ],
                Refusal::Stale,
            );
        if let Some(secret) = secret {
            change = change.one(
                "UPDATE zis_oauth_clients SET client_secret = $1 WHERE id = $2 AND org_id = $3",
                params![secret, client.id, client.org],
                Refusal::Stale,
            );
        }
        emptied.iter().fold(change, |change, it| {
            let words = ["tokens".to_owned()];
            change.and(Self::update_connection(&it.connection, &[], &it.erased, &words, actor))
        })
    }

    /// Deletes a client, with the connections that were made with it and whatever was begun.
    ///
    /// Refused with [`Refusal::Stale`] where it, or one of them, is not as it was read any more.
    pub fn delete_zis_oauth_client(
        client: &ZisOAuthClient,
        connections: &[Connection],
        actor: &Actor,
    ) -> Self {
        let ZisOAuthClient { id, org, revision, .. } = *client;
        let detail = json!({
            "name": client.name.as_str(),
            "integration": client.integration,
            "connections_deleted": connections.len(),
        });
        let detail = state::with_states(detail, [state::gone(subject(id))]);
        let change = Self::new(org, actor, "zis_oauth_client.deleted", subject(id), detail)
            .any("DELETE FROM zis_oauth_flows WHERE client_id = $1 AND org_id = $2", params![id, org])
            .one(
                "DELETE FROM zis_oauth_clients WHERE id = $1 AND org_id = $2 AND revision = $3",
                params![id, org, revision],
                Refusal::Stale,
            );
        connections
            .iter()
            .fold(change, |change, connection| change.and(Self::delete_connection(connection, actor)))
    }

    /// Refuses what was begun or given with a client that is another one by now, or gone.
    pub(crate) fn requiring_grant(self, org: OrgId, client: ZisOAuthClientId, grant_revision: i64) -> Self {
        self.require(
            "SELECT 1 FROM zis_oauth_clients WHERE id = $1 AND org_id = $2 AND grant_revision = $3",
            params![client, org, grant_revision],
            Refusal::Superseded,
        )
    }
}

/// A connection that loses its tokens.
#[derive(Debug, Clone)]
pub struct EmptiedConnection {
    /// Its new state, with the revision that was read.
    pub connection: Connection,
    /// The names of the secrets that it had.
    pub erased: Vec<String>,
}

impl Store {
    /// One client of an org's integration.
    pub async fn find_zis_oauth_client(
        &self,
        org: OrgId,
        integration: &str,
        id: ZisOAuthClientId,
    ) -> Result<Option<ZisOAuthClient>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM zis_oauth_clients o
             WHERE o.id = $1 AND o.org_id = $2 AND o.integration = $3"
        );
        self.find(sql, params![id, org, integration], read_client).await
    }

    /// The client of an org's integration that has a name.
    pub async fn find_zis_oauth_client_named(
        &self,
        org: OrgId,
        integration: &str,
        name: &str,
    ) -> Result<Option<ZisOAuthClient>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM zis_oauth_clients o
             WHERE o.org_id = $1 AND o.integration = $2 AND o.name = $3"
        );
        self.find(sql, params![org, integration, name], read_client).await
    }

    /// Every client of an org's integration, in the order in which they were made.
    pub async fn list_zis_oauth_clients(
        &self,
        org: OrgId,
        integration: &str,
    ) -> Result<Vec<ZisOAuthClient>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM zis_oauth_clients o WHERE o.org_id = $1 AND o.integration = $2
             ORDER BY o.created_at, o.id"
        );
        self.long_rows(sql, params![org, integration], read_client).await
    }

    /// The sealed secret of a client, and the revision to which it is bound.
    pub async fn find_zis_oauth_client_secret(
        &self,
        org: OrgId,
        id: ZisOAuthClientId,
    ) -> Result<Option<(Vec<u8>, i64)>, StoreError> {
        let sql =
            "SELECT client_secret, secret_revision FROM zis_oauth_clients WHERE id = $1 AND org_id = $2";
        self.row(sql, &params![id, org], |row| Ok((row.get(0)?, row.get(1)?))).await
    }
}
