//! Roles: making, changing and removing them, and who has them.
//!
//! Users hold roles by their ids, and what a role allows stands in its row alone, so that a change of a role is a
//! change of one row, however many have it. A removed role keeps its row, marked; nobody holds it from then on, and
//! the rows that say who did are swept later ([`Store::sweep_removed_roles`]).

use std::collections::HashSet;

use claviger_model::{Credential, Role, RoleId, Timestamp, User, UserId, collation_key};
use serde_json::json;

use crate::credential_list::search_key;
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError, passwords, state, users};

/// How many rows one sweep takes away at most: a few milliseconds of the writer's time.
const SWEPT_MAX: i64 = 1000;

fn subject(role: &Role) -> (&'static str, String) {
    ("role", role.id.to_string())
}

impl Change {
    /// Makes a role.
    ///
    /// Refused with [`Refusal::NameTaken`] where the org has a role of that name.
    pub fn create_role(role: &Role, by: UserId, actor: &Actor) -> Self {
        let detail = json!({ "name": role.name, "permissions": role.permissions.to_list() });
        let detail = state::with_states(detail, [state::role(role)]);
        Self::new(role.org, actor, "role.created", subject(role), detail)
            .checking_role_name(role)
            .with_role(role)
            .one(
                "UPDATE roles SET created_by = $1, modified_by = $1 WHERE id = $2 AND org_id = $3",
                params![by, role.id, role.org],
                Refusal::Absent,
            )
    }

    fn checking_role_name(self, role: &Role) -> Self {
        self.require(
            "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM roles WHERE org_id = $1 AND name = $2 AND id <> $3)",
            params![role.org, role.name.as_str(), role.id],
            Refusal::NameTaken,
        )
    }

    /// Changes a role's name and permissions from what was read.
    ///
    /// Refused with [`Refusal::Stale`] where it was changed or removed in between, or is built in, and with
    /// [`Refusal::NameTaken`] as for [`Change::create_role`].
    pub fn update_role(role: &Role, read: &Role, by: UserId, actor: &Actor) -> Self {
        let detail = json!({
            "name": role.name,
            "was": read.name,
            "granted": role.permissions.without(&read.permissions).to_list(),
            "withdrawn": read.permissions.without(&role.permissions).to_list(),
        });
        let detail = state::with_states(detail, [state::role(role)]);
        let change = Self::new(role.org, actor, "role.updated", subject(role), detail);
        change.checking_role_name(role).requiring_own_permissions(role).one(
            "UPDATE roles SET name = $1, name_sort = $2, search = $3, permissions = $4, modified_at = $5,
                 modified_by = $6
             WHERE id = $7 AND org_id = $8 AND modified_at = $9 AND managed IS NULL AND removed_at IS NULL",
            params![
                role.name.as_str(),
                collation_key(&role.name),
                search_key(&role.name),
                role.permissions.to_list(),
                role.modified_at,
                by,
                role.id,
                role.org,
                read.modified_at,
            ],
            Refusal::Stale,
        )
    }

    /// Removes a role: from then on nobody has it, and its name is free.
    ///
    /// Refused with [`Refusal::Stale`] where it was changed or removed in between, or is built in.
    pub fn remove_role(role: &Role, at: Timestamp, by: UserId, actor: &Actor) -> Self {
        let detail = state::with_states(json!({ "name": role.name }), [state::removed_role(role)]);
        Self::new(role.org, actor, "role.removed", subject(role), detail).one(
            // No role can be given a name with a line end in it.
            "UPDATE roles SET removed_at = $1, modified_by = $2, name = $3
             WHERE id = $4 AND org_id = $5 AND modified_at = $6 AND managed IS NULL AND removed_at IS NULL",
            params![at, by, format!("removed\n{}", role.id), role.id, role.org, role.modified_at],
            Refusal::Stale,
        )
    }

    /// Gives a user a role; `user` is its new state, made from what was read.
    ///
    /// Refused with [`Refusal::Stale`] where the user was changed in between, and with [`Refusal::Absent`] where the
    /// role is gone.
    pub fn grant_role(user: &User, read: &User, role: RoleId, actor: &Actor) -> Self {
        Self::of_member(user, read, role, "role.granted", &[], actor).one(
            "INSERT INTO user_roles (org_id, user_id, role_id) SELECT org_id, $1, id FROM roles
             WHERE id = $2 AND org_id = $3 AND removed_at IS NULL",
            params![user.id, role, user.org],
            Refusal::Absent,
        )
    }

    /// Takes a role from a user; `user` is its new state, made from what was read. Where that makes the user no admin
    /// any more, `ended` are the user's live sessions, which die with it.
    ///
    /// Refused with [`Refusal::Stale`] where the user was changed in between or has other sessions by now, and with
    /// [`Refusal::LastOne`] where nobody who is enabled would be left with the built-in admin role.
    pub fn withdraw_role(
        user: &User,
        read: &User,
        role: RoleId,
        ended: Option<&[Credential]>,
        actor: &Actor,
    ) -> Self {
        let at = user.modified_at;
        let change = Self::of_member(user, read, role, "role.withdrawn", ended.unwrap_or_default(), actor);
        let change = match ended {
            None => change,
            Some(ended) => change.ending_sessions(user, ended, at),
        };
        change
            .one(
                "DELETE FROM user_roles WHERE user_id = $1 AND role_id = $2 AND org_id = $3",
                params![user.id, role, user.org],
                Refusal::Stale,
            )
            .require(
                "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM roles WHERE id = $1 AND managed = 'admin')
                 OR EXISTS (
                     SELECT 1 FROM user_roles ur JOIN users u ON u.id = ur.user_id
                     WHERE ur.role_id = $1 AND u.disabled_at IS NULL)",
                params![role],
                Refusal::LastOne,
            )
    }

    /// A change of who has a role, which is one of the user.
    fn of_member(
        user: &User,
        read: &User,
        role: RoleId,
        action: &'static str,
        ended: &[Credential],
        actor: &Actor,
    ) -> Self {
        let states = [state::user(user)].into_iter().chain(passwords::dead(ended, user.modified_at));
        let detail = state::with_states(json!({ "role": role.to_string() }), states);
        Self::new(user.org, actor, action, users::subject(user), detail).one(
            "UPDATE users SET modified_at = $1 WHERE id = $2 AND org_id = $3 AND modified_at = $4",
            params![user.modified_at, user.id, user.org, read.modified_at],
            Refusal::Stale,
        )
    }
}

impl Store {
    /// The ids of all roles that were removed, of every org.
    pub async fn list_removed_roles(&self) -> Result<HashSet<RoleId>, StoreError> {
        let sql = "SELECT id FROM roles WHERE removed_at IS NOT NULL".to_owned();
        Ok(self.long_rows(sql, params![], |row| row.parsed(0)).await?.into_iter().collect())
    }

    /// Takes away some of the rows that say who had a role which is removed; tells whether there may be more.
    pub async fn sweep_removed_roles(&self) -> Result<bool, StoreError> {
        let sql = "SELECT r.id FROM roles r WHERE r.removed_at IS NOT NULL
                   AND EXISTS (SELECT 1 FROM user_roles ur WHERE ur.role_id = r.id) LIMIT 1";
        if self.row(sql, &[], |row| row.get::<String>(0)).await?.is_none() {
            return Ok(false);
        }
        let sweep = Change::unrecorded().any(
            "DELETE FROM user_roles WHERE (user_id, role_id) IN (
                 SELECT ur.user_id, ur.role_id FROM user_roles ur JOIN roles r ON r.id = ur.role_id
                 WHERE r.removed_at IS NOT NULL LIMIT $1)",
            params![SWEPT_MAX],
        );
        match self.commit(sweep).await {
            Ok(_) => Ok(true),
            Err(crate::CommitError::Failed(error)) => Err(error),
            Err(crate::CommitError::Refused(_)) => Ok(false),
        }
    }
}
