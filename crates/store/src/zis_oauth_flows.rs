//! What was begun with an OAuth client and is not finished yet. A flow is found by the digest of what whoever comes back
//! has to show, and is good once.

use std::fmt;
use std::str::FromStr;

use claviger_model::{
    ConnectionId, CredentialId, OrgId, ParseConnectionError, Timestamp, UserId, ZisOAuthClientId,
    ZisOAuthFlowId,
};
use claviger_vault::{Digest, Place};
use serde_json::json;

use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError};

/// The most flows of an integration that are under way: more than people can be in the middle of.
pub const ZIS_OAUTH_FLOWS_MAX: u32 = 1_000;

/// How far a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowStage {
    /// A browser is on its way to the authorization server and back.
    Begun,
    /// There are tokens, and nobody has made a connection of them.
    Granted,
    /// There are none yet, and no browser is needed.
    ClientCredentials,
}

impl FlowStage {
    const ALL: [Self; 3] = [Self::Begun, Self::Granted, Self::ClientCredentials];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Granted => "granted",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl fmt::Display for FlowStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FlowStage {
    type Err = ParseConnectionError;

    fn from_str(text: &str) -> Result<Self, ParseConnectionError> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(ParseConnectionError)
    }
}

/// A flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZisOAuthFlow {
    /// Its id.
    pub id: ZisOAuthFlowId,
    /// Whose it is.
    pub org: OrgId,
    /// How far it is.
    pub stage: FlowStage,
    /// The name of the integration.
    pub integration: String,
    /// The client.
    pub client: ZisOAuthClientId,
    /// The client's grant revision when it began.
    pub grant_revision: i64,
    /// The name of the connection to be.
    pub name: String,
    /// Who began it.
    pub user: UserId,
    /// With which credential.
    pub credential: CredentialId,
    /// What is asked for.
    pub scopes: String,
    /// What stands in the place of the subdomain in the client's addresses.
    pub subdomain: Option<String>,
    /// Where the browser is sent on to.
    pub redirect_url: Option<String>,
    /// Of one that is begun the verifier, of one that is granted the tokens.
    pub sealed: Option<Vec<u8>>,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// Where what a flow holds is sealed.
pub fn flow_place(org: OrgId, id: ZisOAuthFlowId, stage: FlowStage) -> Place<'static> {
    Place { org, table: "zis_oauth_flows", row: id.uuid(), column: stage.as_str(), revision: 1 }
}

fn read_flow(row: &dyn Row) -> Result<ZisOAuthFlow, StoreError> {
    Ok(ZisOAuthFlow {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        stage: row.parsed(2)?,
        integration: row.get(3)?,
        client: row.parsed(4)?,
        grant_revision: row.get(5)?,
        name: row.get(6)?,
        user: row.parsed(7)?,
        credential: row.parsed(8)?,
        scopes: row.get(9)?,
        subdomain: row.opt(10)?,
        redirect_url: row.opt(11)?,
        sealed: row.opt(12)?,
        expires_at: row.get(13)?,
    })
}

/// Flows change nobody's state: what is kept of them tells who began what, and how far it came.
fn recorded(flow: &ZisOAuthFlow, actor: &Actor, action: &'static str, code: Option<&str>) -> Change {
    let mut detail = json!({ "connection": flow.name, "integration": flow.integration });
    if let Some(code) = code {
        detail["error"] = json!(code);
    }
    Change::new(flow.org, actor, action, ("zis_oauth_client", flow.client.to_string()), detail)
}

impl Change {
    /// Begins a flow that is found by `key`.
    ///
    /// Refused with [`Refusal::Superseded`] where its client is another one by now, and with [`Refusal::LimitReached`]
    /// beyond [`ZIS_OAUTH_FLOWS_MAX`].
    pub fn begin_zis_oauth_flow(flow: &ZisOAuthFlow, key: &Digest, now: Timestamp, actor: &Actor) -> Self {
        recorded(flow, actor, "zis_oauth_client.begun", None)
            .any("DELETE FROM zis_oauth_flows WHERE org_id = $1 AND expires_at <= $2", params![flow.org, now])
            .require(
                "SELECT 1 WHERE (SELECT COUNT(*) FROM zis_oauth_flows WHERE org_id = $1 AND integration = $2) < $3",
                params![flow.org, flow.integration.as_str(), ZIS_OAUTH_FLOWS_MAX],
                Refusal::LimitReached,
            )
            .with_flow(flow, key)
    }

    fn with_flow(self, flow: &ZisOAuthFlow, key: &Digest) -> Self {
        self.requiring_grant(flow.org, flow.client, flow.grant_revision).one(
            "INSERT INTO zis_oauth_flows (id, org_id, key, stage, integration, client_id, grant_revision, name,
                 user_id, credential_id, scopes, subdomain, redirect_url, sealed, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            params![
                flow.id,
                flow.org,
                key,
                flow.stage.as_str(),
                flow.integration.as_str(),
                flow.client,
                flow.grant_revision,
                flow.name.as_str(),
                flow.user,
                flow.credential,
                flow.scopes.as_str(),
                flow.subdomain.as_deref(),
                flow.redirect_url.as_deref(),
                flow.sealed.clone(),
                flow.expires_at,
            ],
            Refusal::Conflict,
        )
    }

    /// Uses a flow up: nobody else can take it from then on. `code` is what the authorization server said in place of a
    /// grant.
    ///
    /// Refused with [`Refusal::Spent`] where it was taken already, or is over.
    pub fn take_zis_oauth_flow(
        flow: &ZisOAuthFlow,
        code: Option<&str>,
        now: Timestamp,
        actor: &Actor,
    ) -> Self {
        recorded(flow, actor, "zis_oauth_client.returned", code).spending_flow(flow, now)
    }

    fn spending_flow(self, flow: &ZisOAuthFlow, now: Timestamp) -> Self {
        self.one(
            "DELETE FROM zis_oauth_flows WHERE id = $1 AND org_id = $2 AND stage = $3 AND expires_at > $4",
            params![flow.id, flow.org, flow.stage.as_str(), now],
            Refusal::Spent,
        )
    }

    /// Keeps the tokens that a flow came to, found by another `key` from now on.
    ///
    /// Refused with [`Refusal::Superseded`] where its client is another one by now.
    pub fn grant_zis_oauth_flow(flow: &ZisOAuthFlow, key: &Digest, actor: &Actor) -> Self {
        recorded(flow, actor, "zis_oauth_client.granted", None).with_flow(flow, key)
    }

    /// The same change only where a flow is still there, which it uses up, and its client is still the one with which it
    /// began. One that was taken before is not looked for. Whoever renews the connection's token at the same time loses.
    ///
    /// Refused with [`Refusal::Spent`] and [`Refusal::Superseded`].
    pub fn finishing_zis_oauth_flow(
        self,
        flow: &ZisOAuthFlow,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Self {
        let change = match flow.stage {
            FlowStage::Begun => self,
            FlowStage::Granted | FlowStage::ClientCredentials => self.spending_flow(flow, now),
        };
        change
            // Whoever changes or deletes the client meanwhile looks for its connections again.
            .one(
                "UPDATE zis_oauth_clients SET revision = revision + 1
                 WHERE id = $1 AND org_id = $2 AND grant_revision = $3",
                params![flow.client, flow.org, flow.grant_revision],
                Refusal::Superseded,
            )
            .any(
                "INSERT INTO zis_oauth_refreshes (connection_id, org_id, fence, until) VALUES ($1, $2, 1, 0)
                 ON CONFLICT (connection_id) DO UPDATE SET fence = zis_oauth_refreshes.fence + 1, until = 0,
                     refused_revision = NULL, refused_grant_revision = NULL, refused_code = NULL",
                params![connection, flow.org],
            )
            .forgiving_refusal(connection)
    }
}

impl Store {
    /// The flow that is found by a key, if it is not over.
    pub async fn find_zis_oauth_flow(
        &self,
        key: &Digest,
        now: Timestamp,
    ) -> Result<Option<ZisOAuthFlow>, StoreError> {
        let sql =
            "SELECT id, org_id, stage, integration, client_id, grant_revision, name, user_id, credential_id,
                       scopes, subdomain, redirect_url, sealed, expires_at
                   FROM zis_oauth_flows WHERE key = $1 AND expires_at > $2";
        self.row(sql, &params![key, now], read_flow).await
    }

    /// Erases flows whose time is over: what they hold is nobody's any more.
    pub async fn sweep_zis_oauth_flows(&self, now: Timestamp) -> Result<(), crate::CommitError> {
        let sql = "SELECT 1 FROM zis_oauth_flows WHERE expires_at <= $1 LIMIT 1";
        let found = self.row(sql, &params![now], |row| row.get::<i64>(0)).await?;
        if found.is_none() {
            return Ok(());
        }
        let sql = "DELETE FROM zis_oauth_flows WHERE expires_at <= $1";
        self.commit(Change::unrecorded().any(sql, params![now])).await.map(drop)
    }
}
