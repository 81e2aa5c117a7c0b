//! Who may do what with one connection, beside the permissions that they need for it anyway.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::{OrgId, RoleId, UserId};

/// How close one may come to a connection. Each holds those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// May see it.
    Viewer,
    /// May use it.
    Resolver,
    /// May change and delete it, and say who else may.
    Editor,
}

impl Relation {
    /// All, from the furthest.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Resolver, Self::Editor];

    /// The name, as restriction policies give it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Resolver => "resolver",
            Self::Editor => "editor",
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whom a relation is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Everybody in the org.
    Org(OrgId),
    /// Everybody who has the role.
    Role(RoleId),
    /// One user or service account.
    User(UserId),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Org(id) => write!(f, "org:{id}"),
            Self::Role(id) => write!(f, "role:{id}"),
            Self::User(id) => write!(f, "user:{id}"),
        }
    }
}

/// A text that is no restriction, relation or principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseRestrictionError;

impl fmt::Display for ParseRestrictionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is no restriction")
    }
}

impl std::error::Error for ParseRestrictionError {}

impl FromStr for Relation {
    type Err = ParseRestrictionError;

    fn from_str(text: &str) -> Result<Self, ParseRestrictionError> {
        Self::ALL.into_iter().find(|relation| relation.as_str() == text).ok_or(ParseRestrictionError)
    }
}

impl FromStr for Principal {
    type Err = ParseRestrictionError;

    fn from_str(text: &str) -> Result<Self, ParseRestrictionError> {
        let (kind, id) = text.split_once(':').ok_or(ParseRestrictionError)?;
        match kind {
            "org" => id.parse().map(Self::Org),
            "role" => id.parse().map(Self::Role),
            "user" => id.parse().map(Self::User),
            _ => return Err(ParseRestrictionError),
        }
        .map_err(|_| ParseRestrictionError)
    }
}

/// Which relations are given to whom. Whoever is given none may do nothing, whatever their permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restriction(BTreeSet<(Relation, Principal)>);

impl Restriction {
    /// Whether nothing is given to anybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many relations are given, each to one principal.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// What was given, the furthest relation first.
    pub fn iter(&self) -> impl Iterator<Item = (Relation, Principal)> {
        self.0.iter().copied()
    }

    /// How close somebody of an org, with these roles, may come.
    pub fn relation_of(
        &self,
        org: OrgId,
        user: UserId,
        has_role: impl Fn(RoleId) -> bool,
    ) -> Option<Relation> {
        let is_meant = |principal: Principal| match principal {
            Principal::Org(id) => id == org,
            Principal::Role(id) => has_role(id),
            Principal::User(id) => id == user,
        };
        // The closest stands last.
        self.0.iter().rev().find(|(_, principal)| is_meant(*principal)).map(|(relation, _)| *relation)
    }
}

impl FromIterator<(Relation, Principal)> for Restriction {
    fn from_iter<I: IntoIterator<Item = (Relation, Principal)>>(given: I) -> Self {
        Self(given.into_iter().collect())
    }
}

/// As it is kept: `relation:principal`, in order, parted by spaces.
impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (relation, principal)) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{relation}:{principal}")?;
        }
        Ok(())
    }
}

impl FromStr for Restriction {
    type Err = ParseRestrictionError;

    fn from_str(text: &str) -> Result<Self, ParseRestrictionError> {
        let one = |text: &str| {
            let (relation, principal) = text.split_once(':').ok_or(ParseRestrictionError)?;
            Ok((relation.parse()?, principal.parse()?))
        };
        text.split_ascii_whitespace().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SeededRandom;

    #[test]
    fn the_closest_relation_counts_and_strangers_have_none() {
        let random = SeededRandom::new(7);
        let (org, other) = (OrgId::generate(&random), OrgId::generate(&random));
        let (role, user) = (RoleId::generate(&random), UserId::generate(&random));
        let given = [
            (Relation::Viewer, Principal::Org(org)),
            (Relation::Editor, Principal::Role(role)),
            (Relation::Resolver, Principal::User(user)),
        ];
        let restriction: Restriction = given.into_iter().collect();
        let stranger = UserId::generate(&random);
        assert_eq!(restriction.relation_of(org, user, |id| id == role), Some(Relation::Editor));
        assert_eq!(restriction.relation_of(org, user, |_| false), Some(Relation::Resolver));
        assert_eq!(restriction.relation_of(org, stranger, |_| false), Some(Relation::Viewer));
        assert_eq!(restriction.relation_of(other, stranger, |_| false), None);
        assert_eq!(Restriction::default().relation_of(org, user, |_| true), None);
    }

    #[test]
    fn a_restriction_is_read_as_it_was_written() {
        let random = SeededRandom::new(8);
        let given = [
            (Relation::Editor, Principal::User(UserId::generate(&random))),
            (Relation::Viewer, Principal::Org(OrgId::generate(&random))),
        ];
        let restriction: Restriction = given.into_iter().collect();
        assert_eq!(restriction.to_string().parse(), Ok(restriction));
        assert_eq!("".parse(), Ok(Restriction::default()));
        for text in
            ["viewer", "viewer:org", "owner:org:67e55044-10b1-426f-9247-bb680e5fe0c8", "viewer:team:x"]
        {
            assert_eq!(text.parse::<Restriction>(), Err(ParseRestrictionError), "{text}");
        }
    }
}
