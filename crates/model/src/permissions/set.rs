//! Sets of permissions.

use std::borrow::Cow;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

use super::{COUNT, NAMES, Permission, ScopeError, Scopes};
use crate::OwnNumber;
use crate::own_permission::OWN_PERMISSIONS_MAX;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
