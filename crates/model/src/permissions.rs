//! Permissions, sets of them, and scopes.
//!
//! A credential's effective rights are its owner's permissions ∩ its scopes; no scopes means the owner's.

mod scopes;
mod set;

pub use scopes::{ScopeError, Scopes};
pub use set::PermissionSet;

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use crate::permission_list::GROUPS;

/// How many permissions there are, scope-only names included.
pub const COUNT: usize = count();

const fn count() -> usize {
    let (mut group, mut total) = (0, 0);
    while group < GROUPS.len() {
        total += GROUPS[group].1.len();
        group += 1;
    }
    total
}

/// One permission of the fixed list.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permission(u16);

macro_rules! named {
    ($($(#[$doc:meta])* $constant:ident = $name:literal),* $(,)?) => {
        impl Permission {
            $($(#[$doc])* pub const $constant: Self = Self::known($name);)*
        }
    };
}

named! {
    /// See users and roles. The vendor knows it as a scope only; here roles may have it too.
    USER_ACCESS_READ = "user_access_read",
    /// Invite users.
    USER_ACCESS_INVITE = "user_access_invite",
    /// Manage users, their roles, and everyone's registrations.
    USER_ACCESS_MANAGE = "user_access_manage",
    /// Manage one's own application keys and tokens.
    USER_APP_KEYS = "user_app_keys",
    /// See everyone's application keys and tokens.
    ORG_APP_KEYS_READ = "org_app_keys_read",
    /// Change everyone's application keys and tokens.
    ORG_APP_KEYS_WRITE = "org_app_keys_write",
    /// See API keys.
    API_KEYS_READ = "api_keys_read",
    /// Create and change API keys.
    API_KEYS_WRITE = "api_keys_write",
    /// Delete API keys.
    API_KEYS_DELETE = "api_keys_delete",
    /// Manage service accounts and their keys.
    SERVICE_ACCOUNT_WRITE = "service_account_write",
    /// Change the org's settings.
    ORG_MANAGEMENT = "org_management",
    /// See connections.
    CONNECTIONS_READ = "connections_read",
    /// Change connections.
    CONNECTIONS_WRITE = "connections_write",
    /// Use connections.
    CONNECTIONS_RESOLVE = "connections_resolve",
}

impl Permission {
    /// The permission of that name, if there is one. `connection_write` is taken for `connections_write`, since the
    /// vendor's reference calls it so where connections are deleted ("Action Connection"); it is never shown under
    /// that name.
    pub fn parse(name: &str) -> Option<Self> {
        // Looked up and not searched for: verification parses names too.
        static PLACES: LazyLock<HashMap<&str, u16>> = LazyLock::new(|| {
            let alias = ("connection_write", Permission::CONNECTIONS_WRITE.0);
            NAMES.iter().copied().zip(0..).chain([alias]).collect()
        });
        PLACES.get(name).copied().map(Self)
    }

    /// Its name, as in roles and scopes.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The name of its group in listings; empty for a name that is only valid as a scope.
    pub fn group(self) -> &'static str {
        let mut place = usize::from(self.0);
        for (group, names) in GROUPS {
            if place < names.len() {
                return group;
            }
            place -= names.len();
        }
        unreachable!("a permission is only made from a place in the list")
    }

    /// Every permission and scope-only name, in listing order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNT as u16).map(Self)
    }

    const fn known(name: &str) -> Self {
        let (mut group, mut place) = (0, 0);
        while group < GROUPS.len() {
            let mut index = 0;
            while index < GROUPS[group].1.len() {
                if same(GROUPS[group].1[index].as_bytes(), name.as_bytes()) {
                    return Self(place);
                }
                index += 1;
                place += 1;
            }
            group += 1;
        }
        panic!("no permission of that name")
    }
}

/// The names of all groups in a row.
static NAMES: [&str; COUNT] = {
    let (mut names, mut group, mut place) = ([""; COUNT], 0, 0);
    while group < GROUPS.len() {
        let mut index = 0;
        while index < GROUPS[group].1.len() {
            names[place] = GROUPS[group].1[index];
            index += 1;
            place += 1;
        }
        group += 1;
    }
    names
};

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    if left.len() != right.len() {
        return false;
    }
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permission({})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_recorded_one() {
        assert_eq!(COUNT, 345 + 9);
        assert_eq!(PermissionSet::all().iter().count(), COUNT);
        let names: std::collections::HashSet<_> = Permission::all().map(Permission::name).collect();
        assert_eq!(names.len(), COUNT, "no name stands twice");
        assert_eq!(Permission::API_KEYS_READ.group(), "API and Application Keys");
        assert_eq!(Permission::parse("teams_read").map(Permission::group), Some(""));
    }

    #[test]
    fn every_permission_survives_its_name() {
        for permission in Permission::all() {
            assert_eq!(Permission::parse(permission.name()), Some(permission));
            let mut set = PermissionSet::EMPTY;
            set.insert(permission);
            assert_eq!(set.iter().collect::<Vec<_>>(), [permission]);
            assert_eq!(PermissionSet::parse_list(&set.to_list()), Ok(set));
        }
    }
}
