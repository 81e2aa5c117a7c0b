//! Orgs, users and roles.

use std::fmt;

use crate::{
    InvitationId, KeyPrefix, LeakPolicy, OrgId, Permission, PermissionSet, PrivateReach, RoleId, Subdomain,
    Timestamp, UserId,
};

/// Settings of an org.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrgSettings {
    /// Application keys are shown once, when created, and never again. Source: the vendor's one-time-read mode.
    pub one_time_read: bool,
    /// How many live API keys the org may have.
    pub api_keys_max: u32,
    /// How many live application keys each user may have, service accounts too; and as many personal and as many
    /// service access tokens, each kind counted for itself.
    pub application_keys_per_user_max: u32,
    /// How many live native keys the org may have.
    pub native_keys_max: u32,
    /// What native keys begin with where nothing else is asked for.
    pub native_key_prefix: KeyPrefix,
    /// How many connections the org may have.
    pub connections_max: u32,
    /// What becomes of a credential whose secret was found where it should not be.
    pub leaks: LeakPolicy,
}

impl Default for OrgSettings {
    /// The vendor's limits: 200 API keys, 1000 application keys a user; one-time read off. 100,000 native keys: were
    /// each as large as it may be, they would take half a gigabyte of memory. 10,000
    /// connections, more than anybody keeps track of. What leaked is revoked.
    fn default() -> Self {
        Self {
            one_time_read: false,
            api_keys_max: 200,
            application_keys_per_user_max: 1000,
            native_keys_max: 100_000,
            native_key_prefix: KeyPrefix::default(),
            connections_max: 10_000,
            leaks: LeakPolicy::Revoke,
        }
    }
}

/// Whether a user is a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    Human,
    /// A machine's account.
    ServiceAccount,
}

/// An org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its number, which version 1 of the vendor's API shows in place of the id.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// By which subdomain the Zendesk dialect knows it, if it does.
    pub subdomain: Option<Subdomain>,
    /// Which private places calls through its connections may reach, beside the Internet.
    pub private_reach: PrivateReach,
    /// Its settings.
    pub settings: OrgSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Since when it is disabled, if it is.
    pub disabled_at: Option<Timestamp>,
}

/// A user or service account, with the roles it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its org.
    pub org: OrgId,
    /// Person or machine.
    pub kind: UserKind,
    /// The e-mail address, in lower case.
    pub email: String,
    /// What the vendor's API calls it by: the address for people, the id for service accounts.
    pub handle: String,
    /// The name, if given.
    pub name: Option<String>,
    /// The title, if given.
    pub title: Option<String>,
    /// Whether the address is known to be the user's.
    pub verified: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
    /// Since when it is disabled, if it is.
    pub disabled_at: Option<Timestamp>,
    /// The roles, oldest first.
    pub roles: Vec<RoleId>,
}

/// That a user was asked to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The org.
    pub org: OrgId,
    /// Who was asked.
    pub user: UserId,
    /// When.
    pub created_at: Timestamp,
    /// Until when the invitation holds.
    pub expires_at: Timestamp,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// Its org.
    pub org: OrgId,
    /// Its name.
    pub name: String,
    /// Which built-in role it is, if it is one.
    pub managed: Option<ManagedRole>,
    /// What it allows.
    pub permissions: PermissionSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
}

impl Role {
    /// All that the role gives: what it allows, and for admins whatever the org has defined for its own API, too.
    pub fn rights(&self) -> PermissionSet {
        match self.managed {
            Some(ManagedRole::Admin) => self.permissions | PermissionSet::ALL_OWN,
            _ => self.permissions,
        }
    }
}

/// A built-in role. Its permissions follow from the code, so that a new version's permissions reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ManagedRole {
    /// Everything.
    Admin,
    /// Everything but managing people, keys of others, money and the org itself.
    Standard,
    /// Everything that only reads, likewise.
    ReadOnly,
}

/// What an org's built-in non-admin roles lack: people, the org's keys, audit, money and the org itself.
const ADMIN_ONLY: &[&str] = &[
    "admin",
    "user_access_invite",
    "user_access_manage",
    "service_account_write",
    "org_management",
    "org_connections_write",
    "org_group_write",
    "org_app_keys_write",
    "api_keys_write",
    "api_keys_delete",
    "audit_logs_read",
    "audit_logs_write",
    "billing_read",
    "billing_edit",
    "usage_edit",
    "workload_identity_federation_write",
];

impl ManagedRole {
    /// All of them, in the order in which they are made for a new org.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Standard, Self::ReadOnly];

    /// The role's name, as the vendor's.
    pub const fn role_name(self) -> &'static str {
        match self {
            Self::Admin => "Datadog Admin Role",
            Self::Standard => "Datadog Standard Role",
            Self::ReadOnly => "Datadog Read Only Role",
        }
    }

    /// The text form in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Standard => "standard",
            Self::ReadOnly => "read_only",
        }
    }

    /// The role of that text form, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What the role allows.
    pub fn permissions(self) -> PermissionSet {
        let open = || Permission::all().filter(|permission| !ADMIN_ONLY.contains(&permission.name()));
        match self {
            Self::Admin => PermissionSet::all(),
            Self::Standard => open().collect(),
            Self::ReadOnly => open().filter(|permission| permission.name().ends_with("_read")).collect(),
        }
    }
}

impl fmt::Display for ManagedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_roles_are_nested() {
        let [admin, standard, read_only] = ManagedRole::ALL.map(ManagedRole::permissions);
        assert!(admin.contains_all(&standard) && standard.contains_all(&read_only));
        assert!(
            standard.contains(Permission::USER_APP_KEYS) && !read_only.contains(Permission::USER_APP_KEYS)
        );
        assert!(
            !standard.contains(Permission::API_KEYS_WRITE) && read_only.contains(Permission::API_KEYS_READ)
        );
    }

    #[test]
    fn names_of_admin_only_permissions_exist() {
        for name in ADMIN_ONLY {
            assert!(Permission::parse(name).is_some(), "{name}");
        }
    }
}
