//! An import: whatever is new in one or more orgs, in one change, and what has to be known to draw it up.

use std::collections::BTreeSet;

use claviger_model::{
    Connection, ConnectionDialect, Credential, CredentialId, CredentialKind, Org, OrgId, Role, Timestamp,
    User, UserId, ZisIntegration, collation_key,
};
use claviger_vault::{Digest, WrappedKey};
use serde_json::json;

use crate::credentials::{COLUMNS, SELECT_KNOWN, read_credential, read_known};
use crate::state;
use crate::value::{Value, params};
use crate::{Actor, Change, ConnectionSecret, KnownSecret, NewSecret, Store, StoreError};

/// What an import brings to one org.
#[derive(Debug)]
pub struct ImportedOrg<'a> {
    /// The org; its number, if it is new, is chosen by the database.
    pub org: &'a Org,
    /// The key that its values are sealed with, if the org is new.
    pub data_key: Option<&'a WrappedKey>,
    /// New roles.
    pub roles: &'a [Role],
    /// New users, whose roles are among those of the org by then.
    pub users: &'a [User],
    /// New credentials.
    pub credentials: &'a [(Credential, NewSecret)],
    /// New registrations for the use of connections.
    pub registrations: &'a [CredentialId],
    /// New ZIS integrations, each with the digest of its OAuth client's secret.
    pub zis_integrations: &'a [(ZisIntegration, Digest)],
    /// How many connections a ZIS integration may have.
    pub zis_connections_max: Option<u32>,
    /// New connections with their sealed secrets.
    pub connections: &'a [(Connection, Vec<ConnectionSecret>)],
    /// When it is imported.
    pub at: Timestamp,
}

impl Change {
    /// Brings what is new to all of these orgs, with an entry for each of them.
    ///
    /// Refused, all of it, where anything of it is there by now or no longer allowed.
    pub fn import(orgs: &[ImportedOrg<'_>], actor: &Actor) -> Self {
        let one = |org: &ImportedOrg<'_>| Self::import_one(org, actor);
        orgs.iter().map(one).fold(Self::unrecorded(), Self::and)
    }

    fn import_one(imported: &ImportedOrg<'_>, actor: &Actor) -> Self {
        let org = imported.org;
        let mut states: Vec<_> = imported.data_key.map(|_| state::org(org)).into_iter().collect();
        states.extend(imported.roles.iter().map(state::role));
        states.extend(imported.users.iter().map(state::user));
        let credential = |(credential, secret): &(Credential, NewSecret)| {
            state::credential(credential, &[secret.digest.into()])
        };
        states.extend(imported.credentials.iter().map(credential));
        states.extend(imported.registrations.iter().map(|id| state::registration(org.id, *id)));
        let detail = json!({ "name": org.name, "created": imported.data_key.is_some() });
        let detail = state::with_states(detail, states);
        let change = Self::new(org.id, actor, "org.imported", ("org", org.id.to_string()), detail);
        let change = match imported.data_key {
            Some(key) => change.with_org(org, key),
            None => change,
        };
        let change = imported.roles.iter().fold(change, Self::with_role);
        let change = imported.users.iter().fold(change, Self::with_user);
        let with_credential =
            |change: Self, (credential, secret): &_| change.with_credential(credential, secret);
        let change = imported.credentials.iter().fold(change, with_credential);
        let with_registration = |change: Self, id: &_| change.with_registration(org.id, *id, imported.at);
        let change = imported.registrations.iter().fold(change, with_registration);
        // Before the connections that are in them.
        let with_integration = |change: Self, (integration, secret): &(ZisIntegration, Digest)| {
            change.and(Self::import_zis_integration(integration, secret, actor))
        };
        let change = imported.zis_integrations.iter().fold(change, with_integration);
        // Each has an entry of its own: by it, its history is found.
        let with_connection = |change: Self, (connection, secrets): &(Connection, Vec<ConnectionSecret>)| {
            change.and(Self::import_connection(connection, secrets, actor))
        };
        let change = imported.connections.iter().fold(change, with_connection);
        let Some(max) = imported.zis_connections_max else { return change };
        let containers = imported.connections.iter().filter_map(|(connection, _)| match connection.dialect {
            ConnectionDialect::Zendesk => connection.container.as_deref(),
            ConnectionDialect::Datadog => None,
        });
        let containers: BTreeSet<_> = containers.collect();
        containers.into_iter().fold(change, |change, name| change.within_zis_quota(org.id, name, max))
    }
}

impl Store {
    /// The org of a credential, dead or alive.
    pub async fn find_org_of_credential(&self, id: CredentialId) -> Result<Option<OrgId>, StoreError> {
        let sql = "SELECT org_id FROM credentials WHERE id = $1";
        self.row(sql, &params![id], |row| row.parsed(0)).await
    }

    /// A secret of any org, dead or alive.
    pub async fn find_known_secret(&self, digest: &Digest) -> Result<Option<KnownSecret>, StoreError> {
        let sql = format!("{SELECT_KNOWN} WHERE s.digest = $1");
        let mut found = None;
        self.each(&sql, &params![digest], |row| Ok(found = Some(read_known(row)?))).await?;
        Ok(found)
    }

    /// The live credentials of an org that have exactly this name; of this owner, where they have one.
    pub async fn list_credentials_named(
        &self,
        org: OrgId,
        kind: CredentialKind,
        owner: Option<UserId>,
        name: &str,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.org_id = $1 AND c.kind = $2 AND c.name_sort = $3 AND c.name = $4 AND c.revoked_at IS NULL"
        );
        let mut found = Vec::new();
        let params = params![org, kind, collation_key(name), name];
        self.each(&sql, &params, |row| Ok(found.push(read_credential(row)?))).await?;
        found.retain(|credential| credential.detail.owner() == owner);
        Ok(found)
    }

    /// How many live credentials of a kind there are: in the org, or of one owner.
    pub async fn count_live_credentials(
        &self,
        org: OrgId,
        kind: CredentialKind,
        owner: Option<UserId>,
    ) -> Result<i64, StoreError> {
        let sql = "SELECT live FROM credential_counts WHERE org_id = $1 AND kind = $2 AND owner_id = $3";
        let owner = owner.map_or(Value::Text(String::new()), Value::from);
        Ok(self.row(sql, &params![org, kind, owner], |row| row.get(0)).await?.unwrap_or(0))
    }
}
