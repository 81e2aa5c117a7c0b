//! Users and service accounts: making and changing them.
//!
//! Listing is in [`crate::user_list`]; what roles they have, in [`crate::roles`].

use std::collections::BTreeMap;

use claviger_model::{Credential, CredentialState, OrgId, Timestamp, User, UserId, UserKind};
use serde_json::json;

use crate::credentials::{COLUMNS, read_credential};
use crate::people::user_kind_text;
use crate::value::params;
use crate::{Actor, Change, Refusal, Store, StoreError, names, state};

pub(crate) fn subject(user: &User) -> (&'static str, String) {
    ("user", user.id.to_string())
}

impl Change {
    /// Makes a user with roles of its org.
    ///
    /// Refused with [`Refusal::NameTaken`] where the org has a person of that address, disabled or not, and with
    /// [`Refusal::Absent`] where it has not one of the roles.
    pub fn create_user(user: &User, actor: &Actor) -> Self {
        let detail = json!({ "kind": user_kind_text(user.kind), "email": user.email, "name": user.name });
        let detail = state::with_states(detail, [state::user(user)]);
        Self::new(user.org, actor, "user.created", subject(user), detail)
            .checking_address(user)
            .with_user(user)
    }

    /// Refuses an address that another person of the org has. Service accounts may share one.
    fn checking_address(self, user: &User) -> Self {
        match user.kind {
            UserKind::ServiceAccount => self,
            UserKind::Human => self.require(
                "SELECT 1 WHERE NOT EXISTS (
                     SELECT 1 FROM users WHERE org_id = $1 AND email = $2 AND kind = 'human' AND id <> $3)",
                params![user.org, user.email.as_str(), user.id],
                Refusal::NameTaken,
            ),
        }
    }

    /// Changes a user from what was read. Where that disables it, `killed` are its live credentials, of whatever
    /// kind: they die with it, for good, and so do their secrets.
    ///
    /// Refused with [`Refusal::Stale`] where the user or one of its credentials was changed in between,
    /// [`Refusal::NameTaken`] as for [`Change::create_user`], and [`Refusal::LastOne`] where nobody who is enabled
    /// would be left with the built-in admin role.
    pub fn update_user(user: &User, read: &User, killed: &[Credential], by: UserId, actor: &Actor) -> Self {
        let is_disabled = user.disabled_at.is_some();
        let action = match (read.disabled_at.is_some(), is_disabled) {
            (false, true) => "user.disabled",
            (true, false) => "user.enabled",
            _ => "user.updated",
        };
        let detail = json!({ "email": user.email, "name": user.name, "title": user.title });
        let mut states = vec![state::user(user)];
        if let Some(at) = user.disabled_at {
            states.extend(killed.iter().flat_map(|credential| {
                let dead = Credential { state: CredentialState::Revoked { at }, ..credential.clone() };
                state::dead(&dead).collect::<Vec<_>>()
            }));
        }
        let detail = state::with_states(detail, states);
        let change = Self::new(user.org, actor, action, subject(user), detail).checking_address(user).one(
            "UPDATE users SET email = $1, handle = $2, name = $3, title = $4, name_sort = $5, search = $6,
                 disabled_at = $7, modified_at = $8 WHERE id = $9 AND org_id = $10 AND modified_at = $11",
            params![
                user.email.as_str(),
                user.handle.as_str(),
                user.name.clone(),
                user.title.clone(),
                names::sort_key(user),
                names::search_text(user),
                user.disabled_at,
                user.modified_at,
                user.id,
                user.org,
                read.modified_at,
            ],
            Refusal::Stale,
        );
        match user.disabled_at.filter(|_| action == "user.disabled") {
            None => change,
            Some(at) => change.killing(user, killed, at, by).keeping_an_admin(user.org, user.id),
        }
    }

    /// Kills credentials of one owner, who must not have any others.
    fn killing(self, owner: &User, killed: &[Credential], at: Timestamp, by: UserId) -> Self {
        let kill = |change: Self, credential: &Credential| change.killing_credential(credential, at, by);
        let change = killed.iter().fold(self, kill).require(
            "SELECT 1 WHERE NOT EXISTS (
                 SELECT 1 FROM credentials WHERE owner_id = $1 AND org_id = $2 AND revoked_at IS NULL)",
            params![owner.id, owner.org],
            Refusal::Stale,
        );
        let mut counts = BTreeMap::<&str, i64>::new();
        for credential in killed {
            *counts.entry(credential.kind().as_str()).or_default() += 1;
        }
        counts.into_iter().fold(change, |change, (kind, count)| {
            change.any(
                "UPDATE credential_counts SET live = live - $1
                 WHERE org_id = $2 AND kind = $3 AND owner_id IN ('', $4)",
                params![count, owner.org, kind, owner.id],
            )
        })
    }

    /// Refuses what leaves nobody who is enabled with the built-in admin role, where `user` had it.
    pub(crate) fn keeping_an_admin(self, org: OrgId, user: UserId) -> Self {
        self.require(
            "SELECT 1 WHERE NOT EXISTS (
                 SELECT 1 FROM user_roles ur JOIN roles r ON r.id = ur.role_id
                 WHERE ur.user_id = $1 AND r.org_id = $2 AND r.managed = 'admin')
             OR EXISTS (
                 SELECT 1 FROM roles r JOIN user_roles ur ON ur.role_id = r.id JOIN users u ON u.id = ur.user_id
                 WHERE r.org_id = $2 AND r.managed = 'admin' AND u.disabled_at IS NULL)",
            params![user, org],
            Refusal::LastOne,
        )
    }
}

impl Store {
    /// The live credentials of every kind that act for a user.
    pub async fn list_credentials_of(
        &self,
        org: OrgId,
        owner: UserId,
    ) -> Result<Vec<Credential>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM credentials c LEFT JOIN last_used l ON l.credential_id = c.id
             WHERE c.owner_id = $1 AND c.org_id = $2 AND c.revoked_at IS NULL ORDER BY c.id"
        );
        let mut found = Vec::new();
        self.each(&sql, &params![owner, org], |row| Ok(found.push(read_credential(row)?))).await?;
        Ok(found)
    }
}
