//! Orgs, users and roles.

use claviger_model::{
    CredentialKind, ManagedRole, Org, OrgId, OrgSettings, PermissionSet, Role, RoleId, Subdomain, User,
    UserId, UserKind,
};

use serde_json::json;

use crate::value::{Row, params};
use crate::{Actor, Change, Refusal, Store, StoreError, state};

pub(crate) const SELECT_ORG: &str =
    "SELECT id, number, name, one_time_read, api_keys_max, application_keys_per_user_max,
     created_at, modified_at, disabled_at, native_keys_max, native_key_prefix, leaks, connections_max,
     subdomain, private_reach FROM orgs";
pub(crate) const SELECT_USER: &str =
    "SELECT id, org_id, kind, email, handle, name, title, verified, created_at, modified_at,
     disabled_at FROM users";
pub(crate) const SELECT_ROLE: &str =
    "SELECT r.id, r.org_id, r.name, r.managed, r.permissions, r.created_at, r.modified_at,
     r.removed_at FROM roles r";

pub(crate) fn read_org(row: &dyn Row) -> Result<Org, StoreError> {
    Ok(Org {
        id: row.parsed(0)?,
        number: row.get(1)?,
        name: row.get(2)?,
        subdomain: row.opt_parsed(13)?,
        private_reach: row.parsed(14)?,
        settings: OrgSettings {
            one_time_read: row.get(3)?,
            api_keys_max: row.get(4)?,
            application_keys_per_user_max: row.get(5)?,
            native_keys_max: row.get(9)?,
            native_key_prefix: row.parsed(10)?,
            leaks: row.parsed(11)?,
            connections_max: row.get(12)?,
        },
        created_at: row.get(6)?,
        modified_at: row.get(7)?,
        disabled_at: row.opt(8)?,
    })
}

pub(crate) const fn user_kind_text(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Human => "human",
        UserKind::ServiceAccount => "service_account",
    }
}

pub(crate) fn read_user(row: &dyn Row) -> Result<User, StoreError> {
    let kind = match row.text(2)? {
        Some("human") => UserKind::Human,
        Some("service_account") => UserKind::ServiceAccount,
        _ => return Err(StoreError::damaged("a user is of no known kind")),
    };
    Ok(User {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        kind,
        email: row.get(3)?,
        handle: row.get(4)?,
        name: row.opt(5)?,
        title: row.opt(6)?,
        verified: row.get(7)?,
        created_at: row.get(8)?,
        modified_at: row.get(9)?,
        disabled_at: row.opt(10)?,
        roles: Vec::new(),
    })
}

pub(crate) fn read_role(row: &dyn Row) -> Result<Role, StoreError> {
    let managed = row.opt::<String>(3)?;
    let managed = managed
        .map(|text| {
            ManagedRole::parse(&text).ok_or_else(|| StoreError::damaged("a role is of no known kind"))
        })
        .transpose()?;
    let permissions = match managed {
        Some(role) => role.permissions(),
        None => PermissionSet::parse_list(&row.get::<String>(4)?)
            .map_err(|_| StoreError::damaged("a role has an unknown permission"))?,
    };
    Ok(Role {
        id: row.parsed(0)?,
        org: row.parsed(1)?,
        name: row.get(2)?,
        managed,
        permissions,
        created_at: row.get(5)?,
        modified_at: row.get(6)?,
    })
}

impl Change {
    /// Changes an org from what was read: its settings, and whether it is disabled; `home` is the actor's own. Turning one-time read on erases, in the same change, every
    /// sealed application key of the org.
    ///
    /// Refused with [`Refusal::Stale`] where it was changed in between, and with [`Refusal::NameTaken`] where its
    /// subdomain is another org's.
    pub fn update_org(org: &Org, read: &Org, home: OrgId, actor: &Actor) -> Self {
        let detail = json!({
            "name": org.name,
            "disabled": org.disabled_at.is_some(),
            "api_keys_max": org.settings.api_keys_max,
            "application_keys_per_user_max": org.settings.application_keys_per_user_max,
            "native_keys_max": org.settings.native_keys_max,
            "native_key_prefix": org.settings.native_key_prefix.as_str(),
            "subdomain": org.subdomain.as_ref().map(Subdomain::as_str),
            "connections_max": org.settings.connections_max,
            "private_reach": org.private_reach.to_string(),
        });
        let detail = state::with_states(detail, [state::org(org)]);
        let action = match (read.disabled_at.is_some(), org.disabled_at.is_some()) {
            (false, true) => "org.disabled",
            (true, false) => "org.enabled",
            _ => "org.updated",
        };
        let subject = ("org", org.id.to_string());
        let subdomain = org.subdomain.as_ref().map(Subdomain::as_str);
        let change = Self::to_other_org(org.id, Some(home), actor, action, subject, detail);
        let change = match subdomain {
            None => change,
            Some(subdomain) => change.require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM orgs WHERE subdomain = $1 AND id <> $2)",
                params![subdomain, org.id],
                Refusal::NameTaken,
            ),
        };
        let change = change.one(
            "UPDATE orgs SET name = $1, one_time_read = $2, api_keys_max = $3, application_keys_per_user_max = $4,
                 modified_at = $5, disabled_at = $6, native_keys_max = $9, native_key_prefix = $10, leaks = $11,
                 connections_max = $12, subdomain = $13, private_reach = $14
             WHERE id = $7 AND modified_at = $8",
            params![
                org.name.as_str(),
                org.settings.one_time_read,
                org.settings.api_keys_max,
                org.settings.application_keys_per_user_max,
                org.modified_at,
                org.disabled_at,
                org.id,
                read.modified_at,
                org.settings.native_keys_max,
                org.settings.native_key_prefix.as_str(),
                org.settings.leaks.as_str(),
                org.settings.connections_max,
                subdomain,
                org.private_reach.to_string(),
            ],
            Refusal::Stale,
        );
        match org.settings.one_time_read && !read.settings.one_time_read {
            false => change,
            true => change.any(
                "UPDATE secrets SET sealed = NULL WHERE sealed IS NOT NULL AND credential_id IN (
                     SELECT id FROM credentials WHERE org_id = $1 AND kind = $2)",
                params![org.id, CredentialKind::ApplicationKey],
            ),
        }
    }
}

impl Store {
    /// Every org.
    pub async fn list_orgs(&self) -> Result<Vec<Org>, StoreError> {
        self.long_rows(format!("{SELECT_ORG} ORDER BY created_at, id"), params![], read_org).await
    }

    /// Up to so many orgs whose number is beyond one, in the order in which they were made.
    pub async fn list_orgs_after(&self, number: i64, limit: i64) -> Result<Vec<Org>, StoreError> {
        let sql = format!("{SELECT_ORG} WHERE number > $1 ORDER BY number LIMIT $2");
        self.long_rows(sql, params![number, limit], read_org).await
    }

    /// One org.
    pub async fn find_org(&self, id: OrgId) -> Result<Option<Org>, StoreError> {
        let sql = format!("{SELECT_ORG} WHERE id = $1");
        self.find(sql, params![id], read_org).await
    }

    /// Every user of every org, with roles: what a directory starts from.
    pub async fn list_all_users(&self) -> Result<Vec<User>, StoreError> {
        let mut users = self.long_rows(SELECT_USER.to_owned(), params![], read_user).await?;
        let sql = "SELECT ur.user_id, ur.role_id FROM user_roles ur JOIN roles r ON r.id = ur.role_id
                   WHERE r.removed_at IS NULL ORDER BY r.created_at, r.id"
            .to_owned();
        let held: Vec<(UserId, RoleId)> =
            self.long_rows(sql, params![], |row| Ok((row.parsed(0)?, row.parsed(1)?))).await?;
        users.sort_unstable_by_key(|user| user.id);
        for (user, role) in held {
            if let Ok(place) = users.binary_search_by_key(&user, |user| user.id) {
                users[place].roles.push(role);
            }
        }
        Ok(users)
    }

    /// One user of an org, with roles.
    pub async fn find_user(&self, org: OrgId, id: UserId) -> Result<Option<User>, StoreError> {
        let sql = format!("{SELECT_USER} WHERE id = $1 AND org_id = $2");
        let Some(mut user) = self.find(sql, params![id, org], read_user).await? else { return Ok(None) };
        let sql = "SELECT ur.role_id FROM user_roles ur JOIN roles r ON r.id = ur.role_id
                   WHERE ur.user_id = $1 AND ur.org_id = $2 AND r.removed_at IS NULL ORDER BY r.created_at, r.id";
        user.roles = self.rows(sql, &params![id, org], |row| row.parsed(0)).await?;
        Ok(Some(user))
    }

    /// Every role of every org: what a directory starts from.
    pub async fn list_all_roles(&self) -> Result<Vec<Role>, StoreError> {
        self.long_rows(format!("{SELECT_ROLE} WHERE r.removed_at IS NULL"), params![], read_role).await
    }

    /// One role of an org.
    pub async fn find_role(&self, org: OrgId, id: RoleId) -> Result<Option<Role>, StoreError> {
        let sql = format!("{SELECT_ROLE} WHERE r.id = $1 AND r.org_id = $2 AND r.removed_at IS NULL");
        self.find(sql, params![id, org], read_role).await
    }

    pub(crate) async fn find<T: Send>(
        &self,
        sql: String,
        params: Vec<crate::value::Value>,
        map: crate::read::Map<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(&sql, &params, |row| {
            found = Some(map(row)?);
            Ok(())
        })
        .await?;
        Ok(found)
    }
}
