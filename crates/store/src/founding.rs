//! Making an org: itself, its data key, its built-in roles, its first users and their credentials, in one change.

use claviger_model::{Credential, CredentialId, Org, OrgId, Role, User, collation_key};
use claviger_vault::WrappedKey;
use serde_json::json;

use crate::credential_list::search_key;
use crate::names;
use crate::people::user_kind_text;
use crate::state;
use crate::value::params;
use crate::{Actor, Change, NewSecret, Refusal};

/// All that a new org begins with. Its number is chosen by the database.
#[derive(Debug)]
pub struct Founding<'a> {
    /// The org.
    pub org: &'a Org,
    /// The key that its values are sealed with.
    pub data_key: &'a WrappedKey,
    /// Its built-in roles.
    pub roles: &'a [Role],
    /// Its first users, with roles from the above.
    pub users: &'a [User],
    /// Its first credentials.
    pub credentials: &'a [(Credential, NewSecret)],
    /// Those of them that are registered for the use of connections.
    pub registrations: &'a [CredentialId],
}

impl Change {
    /// Makes an org with all that it begins with; `home` is the actor's own, where it has one.
    pub fn create_org(founding: &Founding<'_>, home: Option<OrgId>, actor: &Actor) -> Self {
        let org = founding.org;
        let mut states = vec![state::org(org)];
        states.extend(founding.roles.iter().map(state::role));
        states.extend(founding.users.iter().map(state::user));
        let credential = |(credential, secret): &(Credential, NewSecret)| {
            state::credential(credential, &[secret.digest.into()])
        };
        states.extend(founding.credentials.iter().map(credential));
        states.extend(founding.registrations.iter().map(|id| state::registration(org.id, *id)));
        let detail = state::with_states(json!({ "name": org.name }), states);
        let subject = ("org", org.id.to_string());
        let change = Self::to_other_org(org.id, home, actor, "org.created", subject, detail)
            .with_org(org, founding.data_key);
        let change = founding.roles.iter().fold(change, Self::with_role);
        let change = founding.users.iter().fold(change, Self::with_user);
        let with_credential =
            |change: Self, (credential, secret): &_| change.with_credential(credential, secret);
        let change = founding.credentials.iter().fold(change, with_credential);
        let with_registration = |change: Self, id: &_| change.with_registration(org.id, *id, org.created_at);
        founding.registrations.iter().fold(change, with_registration)
    }

    /// Adds the rows of a new org.
    pub(crate) fn with_org(self, org: &Org, data_key: &WrappedKey) -> Self {
        self.one(
            // Numbers start high enough not to be taken for a count, as the vendor's do.
            "INSERT INTO orgs (id, number, name, one_time_read, api_keys_max, application_keys_per_user_max,
                 created_at, modified_at, native_keys_max, native_key_prefix,
                 connections_max)
             SELECT $1, COALESCE(MAX(number), 100000) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM orgs",
            params![
                org.id,
                org.name.as_str(),
                org.settings.one_time_read,
                org.settings.api_keys_max,
                org.settings.application_keys_per_user_max,
                org.created_at,
                org.modified_at,
                org.settings.native_keys_max,
                org.settings.native_key_prefix.as_str(),
                org.settings.connections_max,
            ],
            Refusal::Conflict,
        )
        .with_vault_key(data_key)
    }

    /// Adds the row of a new role.
    pub(crate) fn with_role(self, role: &Role) -> Self {
        let permissions = if role.managed.is_some() { String::new() } else { role.permissions.to_list() };
        self.one(
            "INSERT INTO roles (id, org_id, name, managed, permissions, created_at, modified_at, name_sort, search)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![
                role.id,
                role.org,
                role.name.as_str(),
                role.managed.map(|managed| managed.as_str()),
                permissions,
                role.created_at,
                role.modified_at,
                collation_key(&role.name),
                search_key(&role.name),
            ],
            Refusal::Conflict,
        )
        .requiring_own_permissions(role)
    }

    /// Adds the rows of a new user, whose roles are there.
    pub(crate) fn with_user(self, user: &User) -> Self {
        let change = self.one(
            "INSERT INTO users (id, org_id, kind, email, handle, name, title, verified, created_at, modified_at,
                 disabled_at, name_sort, search)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            params![
                user.id,
                user.org,
                user_kind_text(user.kind),
                user.email.as_str(),
                user.handle.as_str(),
                user.name.clone(),
                user.title.clone(),
                user.verified,
                user.created_at,
                user.modified_at,
                user.disabled_at,
                names::sort_key(user),
                names::search_text(user),
            ],
            Refusal::Conflict,
        );
        user.roles.iter().fold(change, |change, role| {
            change.one(
                "INSERT INTO user_roles (org_id, user_id, role_id) SELECT org_id, $1, id FROM roles
                 WHERE id = $2 AND org_id = $3 AND removed_at IS NULL",
                params![user.id, *role, user.org],
                Refusal::Absent,
            )
        })
    }
}
