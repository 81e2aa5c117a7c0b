//! Permissions, sets of them, and scopes.
//!
//! A credential's effective rights are its owner's permissions ∩ its scopes; no scopes means the owner's.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};
use std::sync::LazyLock;

use crate::OwnNumber;
use crate::own_permission::OWN_PERMISSIONS_MAX;
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

/// The words of the fixed list's bits; those of an org's own permissions follow.
const FIXED_WORDS: usize = COUNT.div_ceil(64);
const WORDS: usize = FIXED_WORDS + OWN_PERMISSIONS_MAX / 64;

/// A set of permissions, one bit each: of the fixed list by place, of an org's own by number.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PermissionSet([u64; WORDS]);

impl PermissionSet {
    /// No permission.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Every permission that an org may have defined, and none of the fixed list.
    pub const ALL_OWN: Self = {
        let (mut words, mut word) = ([0; WORDS], FIXED_WORDS);
        while word < WORDS {
            words[word] = u64::MAX;
            word += 1;
        }
        Self(words)
    };

    /// Every permission of the fixed list, scope-only names included.
    pub fn all() -> Self {
        Permission::all().collect()
    }

    /// Whether an own permission is in the set.
    pub const fn contains_own(&self, number: OwnNumber) -> bool {
        self.0[FIXED_WORDS + number.get() as usize / 64] & (1 << (number.get() % 64)) != 0
    }

    /// Adds an own permission.
    pub const fn insert_own(&mut self, number: OwnNumber) {
        self.0[FIXED_WORDS + number.get() as usize / 64] |= 1 << (number.get() % 64);
    }

    /// The own permissions in the set, by number.
    pub fn own(&self) -> impl Iterator<Item = OwnNumber> {
        OwnNumber::all().filter(|number| self.contains_own(*number))
    }

    /// The set with these own permissions in place of those that it has.
    pub fn with_own(self, own: impl IntoIterator<Item = OwnNumber>) -> Self {
        let mut set = self;
        set.0[FIXED_WORDS..].fill(0);
        own.into_iter().for_each(|number| set.insert_own(number));
        set
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

    /// The permissions of the fixed list in the set, in listing order.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        Permission::all().filter(|permission| self.contains(*permission))
    }

    /// Reads what [`to_list`](Self::to_list) gives, as the database keeps a role's permissions; unknown names are an
    /// error.
    pub fn parse_list(text: &str) -> Result<Self, ScopeError> {
        let scopes = Scopes::parse_stored(text.split_ascii_whitespace())?;
        Ok(scopes.map_or(Self::EMPTY, |scopes| *scopes.set()))
    }

    /// The names in listing order, then the numbers of own permissions as in `:17`, parted by spaces.
    pub fn to_list(&self) -> String {
        let held =
            NAMES.into_iter().zip(Permission::all()).filter(|(_, permission)| self.contains(*permission));
        let own = self.own().map(|number| number.to_string().into());
        held.map(|(name, _)| Cow::from(name)).chain(own).collect::<Vec<_>>().join(" ")
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
        f.debug_set().entries(self.iter().map(Permission::name)).entries(self.own()).finish()
    }
}

/// The scopes of a credential: at least one, each once, in the order given, those of the fixed list apart from the
/// org's own. No scopes at all is `None` of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    order: Vec<Permission>,
    own: Vec<OwnNumber>,
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
    /// Reads scope names of the fixed list; doubled ones count once. An empty list is no scopes.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, ScopeError> {
        let (mut scopes, mut unknown) = (Self::NONE, Vec::new());
        for name in names {
            match Permission::parse(name) {
                None => unknown.push(name.to_owned()),
                Some(permission) => scopes.push(permission),
            }
        }
        scopes.some_unless(unknown)
    }

    /// Reads what [`to_list`](Self::to_list) gives, in which an org's own permissions are numbers, as in `:17`.
    pub fn parse_stored<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<Option<Self>, ScopeError> {
        let (mut scopes, mut unknown) = (Self::NONE, Vec::new());
        for item in items {
            match (Permission::parse(item), OwnNumber::parse(item)) {
                (Some(permission), _) => scopes.push(permission),
                (None, Some(number)) => scopes.push_own(number),
                (None, None) => unknown.push(item.to_owned()),
            }
        }
        scopes.some_unless(unknown)
    }

    /// These own permissions and nothing else; none of them is no scopes.
    pub fn of_own(numbers: impl IntoIterator<Item = OwnNumber>) -> Option<Self> {
        let mut scopes = Self::NONE;
        numbers.into_iter().for_each(|number| scopes.push_own(number));
        scopes.some()
    }

    /// What `fixed` has of the fixed list together with the own permissions that `own` has: each dialect changes
    /// its part and leaves the other.
    pub fn join(fixed: Option<&Self>, own: Option<&Self>) -> Option<Self> {
        let mut scopes = Self::NONE;
        fixed.into_iter().flat_map(Self::iter).for_each(|permission| scopes.push(permission));
        own.into_iter().flat_map(Self::own).for_each(|number| scopes.push_own(number));
        scopes.some()
    }

    const NONE: Self = Self { order: Vec::new(), own: Vec::new(), set: PermissionSet::EMPTY };

    fn push(&mut self, permission: Permission) {
        if !self.set.contains(permission) {
            self.set.insert(permission);
            self.order.push(permission);
        }
    }

    fn push_own(&mut self, number: OwnNumber) {
        if !self.set.contains_own(number) {
            self.set.insert_own(number);
            self.own.push(number);
        }
    }

    fn some(self) -> Option<Self> {
        (self.set != PermissionSet::EMPTY).then_some(self)
    }

    fn some_unless(self, unknown: Vec<String>) -> Result<Option<Self>, ScopeError> {
        if unknown.is_empty() { Ok(self.some()) } else { Err(ScopeError { unknown }) }
    }

    /// The scopes of the fixed list in the order given.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        self.order.iter().copied()
    }

    /// The org's own permissions in the order given.
    pub fn own(&self) -> impl ExactSizeIterator<Item = OwnNumber> {
        self.own.iter().copied()
    }

    /// The scopes as a set.
    pub fn set(&self) -> &PermissionSet {
        &self.set
    }

    /// The names in the order given, then the numbers of own permissions as in `:17`, parted by spaces: the
    /// database's form.
    pub fn to_list(&self) -> String {
        let own = self.own().map(|number| number.to_string().into());
        self.iter().map(|permission| Cow::from(permission.name())).chain(own).collect::<Vec<_>>().join(" ")
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
    fn the_reference_s_other_name_is_understood_and_not_shown() {
        let scopes = Scopes::parse(["connection_write", "connections_write"]).unwrap().unwrap();
        assert_eq!(scopes.to_list(), "connections_write");
        assert_eq!(Permission::parse("connection_read"), None);
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

    #[test]
    fn own_permissions_are_bits_like_the_others() {
        for number in OwnNumber::all() {
            let mut set = PermissionSet::EMPTY;
            set.insert_own(number);
            assert_eq!((set.own().collect::<Vec<_>>(), set.iter().count()), (vec![number], 0));
            assert_eq!(PermissionSet::parse_list(&set.to_list()), Ok(set));
            assert!(
                PermissionSet::ALL_OWN.contains_own(number) && !PermissionSet::all().contains_own(number)
            );
            assert!(PermissionSet::ALL_OWN.contains_all(&set) && !PermissionSet::all().contains_all(&set));
            assert_eq!((set | PermissionSet::all()).with_own([]), PermissionSet::all());
        }
        assert_eq!(PermissionSet::ALL_OWN.iter().count(), 0);
    }

    #[test]
    fn own_scopes_are_kept_as_numbers_and_are_no_names() {
        let scopes = Scopes::parse_stored(["monitors_read", ":17", ":3", ":17"]).unwrap().unwrap();
        assert_eq!(scopes.to_list(), "monitors_read :17 :3");
        assert_eq!(scopes.iter().collect::<Vec<_>>(), [Permission::parse("monitors_read").unwrap()]);
        assert!(Scopes::parse([":17"]).is_err() && Scopes::parse(["orders:read"]).is_err());
        assert!(Scopes::parse_stored(["orders:read"]).is_err());
        let fixed = Scopes::parse(["dashboards_read"]).unwrap();
        let joined = |fixed, own| Scopes::join(fixed, own).map(|scopes| scopes.to_list());
        assert_eq!(joined(fixed.as_ref(), Some(&scopes)).unwrap(), "dashboards_read :17 :3");
        assert_eq!(joined(None, Some(&scopes)).unwrap(), ":17 :3");
        assert_eq!(joined(Some(&scopes), None).unwrap(), "monitors_read");
        assert_eq!((joined(None, fixed.as_ref()), Scopes::of_own([])), (None, None));
    }
}
