//! Permissions, sets of them, and scopes.
//!
//! A credential's effective rights are its owner's permissions ∩ its scopes; no scopes means the owner's.

use std::collections::HashMap;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};
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
    /// The permission of that name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        // Looked up and not searched for: verification parses names too.
        static PLACES: LazyLock<HashMap<&str, u16>> =
            LazyLock::new(|| NAMES.iter().copied().zip(0..).collect());
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

const WORDS: usize = COUNT.div_ceil(64);

/// A set of permissions: one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// No permission.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Every permission, scope-only names included.
    pub fn all() -> Self {
        Permission::all().collect()
    }

    /// Whether the permission is in the set.
    pub const fn contains(&self, permission: Permission) -> bool {
        self.0[permission.0 as usize / 64] & (1 << (permission.0 % 64)) != 0
    }

    /// Whether every permission of `other` is in this set.
    pub fn contains_all(&self, other: &Self) -> bool {
        *self & *other == *other
    }

    /// The permissions of this set that are not in another.
    pub fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// Takes a permission away.
    pub const fn remove(&mut self, permission: Permission) {
        self.0[permission.0 as usize / 64] &= !(1 << (permission.0 % 64));
    }

    /// Adds a permission.
    pub const fn insert(&mut self, permission: Permission) {
        self.0[permission.0 as usize / 64] |= 1 << (permission.0 % 64);
    }

    /// The permissions in the set, in listing order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(|permission| self.contains(*permission))
    }

    /// Reads names parted by spaces, as the database keeps a role's permissions; unknown names are an error.
    pub fn parse_list(text: &str) -> Result<Self, ScopeError> {
        Scopes::parse(text.split_ascii_whitespace()).map(|scopes| scopes.map_or(Self::EMPTY, |s| *s.set()))
    }

    /// The names in listing order, parted by spaces.
    pub fn to_list(&self) -> String {
        let held =
            NAMES.into_iter().zip(Permission::all()).filter(|(_, permission)| self.contains(*permission));
        held.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        let mut set = Self::EMPTY;
        permissions.into_iter().for_each(|permission| set.insert(permission));
        set
    }
}

impl BitAnd for PermissionSet {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }
}

impl BitOr for PermissionSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }
}

impl BitOrAssign for PermissionSet {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Permission::name)).finish()
    }
}

/// The scopes of a credential: at least one, each once, in the order given. No scopes at all is `None` of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    order: Vec<Permission>,
    set: PermissionSet,
}

/// Names that are no scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeError {
    /// The unknown names, in the order given.
    pub unknown: Vec<String>,
}

impl fmt::Display for ScopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown: Vec<_> = self.unknown.iter().map(|name| crate::excerpt(name)).collect();
        write!(f, "Invalid scopes: {}", unknown.join(", "))
    }
}

impl std::error::Error for ScopeError {}

impl Scopes {
    /// Reads scope names; doubled ones count once. An empty list is no scopes.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, ScopeError> {
        let (mut order, mut set, mut unknown) = (Vec::new(), PermissionSet::EMPTY, Vec::new());
        for name in names {
            match Permission::parse(name) {
                None => unknown.push(name.to_owned()),
                Some(permission) if set.contains(permission) => {}
                Some(permission) => {
                    set.insert(permission);
                    order.push(permission);
                }
            }
        }
        match (unknown.is_empty(), order.is_empty()) {
            (false, _) => Err(ScopeError { unknown }),
            (true, true) => Ok(None),
            (true, false) => Ok(Some(Self { order, set })),
        }
    }

    /// The scopes in the order given.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        self.order.iter().copied()
    }

    /// The scopes as a set.
    pub fn set(&self) -> &PermissionSet {
        &self.set
    }

    /// The names in the order given, parted by spaces: the database's form.
    pub fn to_list(&self) -> String {
        self.iter().map(Permission::name).collect::<Vec<_>>().join(" ")
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

    #[test]
    fn scopes_keep_their_order_and_count_once() {
        let scopes = Scopes::parse(["monitors_read", "dashboards_read", "monitors_read"]).unwrap().unwrap();
        assert_eq!(scopes.to_list(), "monitors_read dashboards_read");
        assert_eq!(Scopes::parse([]), Ok(None));
    }

    #[test]
    fn every_unknown_scope_is_named() {
        let error = Scopes::parse(["dashboards_read", "invalid", "nope"]).unwrap_err();
        assert_eq!(error.to_string(), "Invalid scopes: invalid, nope");
    }
}
