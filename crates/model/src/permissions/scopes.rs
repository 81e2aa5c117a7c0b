//! Scopes: what a credential is narrowed to.

use std::borrow::Cow;
use std::fmt;

use super::{Permission, PermissionSet};
use crate::OwnNumber;

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
