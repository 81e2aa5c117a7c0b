//! Permissions that an org defines for its own API, beside the fixed list.
//!
//! Each has a number within its org, so that a [`PermissionSet`](crate::PermissionSet) holds it as one bit and the
//! database keeps it as `:17` in a list of scopes. A number is given anew only after every credential and role
//! that had it has lost it. Names are for people and gateways; [`OwnPermissions`] knows which number is which.

use std::collections::HashMap;
use std::fmt;

use crate::{OrgId, PermissionId, Scopes, Timestamp};

/// How many an org may have: as many as there are numbers.
pub const OWN_PERMISSIONS_MAX: usize = 256;
/// The longest name. It stands in a header of every verification of a key that has it.
pub const OWN_NAME_CHARS_MAX: usize = 64;

/// The number of an own permission within its org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnNumber(u8);

impl OwnNumber {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The number of that value, if there is one.
    pub fn new(value: i64) -> Option<Self> {
        value.try_into().ok().map(Self)
    }

    /// Reads the form in which lists of scopes keep it: `:17`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(':')?;
        let number = Self(digits.parse().ok()?);
        // One number has one form, so that a search for it finds it.
        (digits == number.0.to_string()).then_some(number)
    }
}

/// As lists of scopes keep it.
impl fmt::Display for OwnNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ":{}", self.0)
    }
}

/// The name of an own permission: `thing:verb`, each part a lower-case letter and then lower-case letters, digits,
/// `_`, `.` and `-`. The colon keeps it apart from the names of the fixed list, of which none has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OwnName(String);

/// A text that is no name of an own permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnNameError;

impl OwnName {
    /// Checks a text and keeps it.
    pub fn parse(text: &str) -> Result<Self, OwnNameError> {
        let (thing, verb) = text.split_once(':').ok_or(OwnNameError)?;
        let fits = text.len() <= OWN_NAME_CHARS_MAX && is_word(thing) && is_word(verb);
        if fits { Ok(Self(text.to_owned())) } else { Err(OwnNameError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(text: &str) -> bool {
    let is_inner =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_inner)
}

impl fmt::Display for OwnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OwnNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must be two words with a colon between, as in orders:read, each of lower-case letters, digits, _, . and \
             -, beginning with a letter; at most {OWN_NAME_CHARS_MAX} characters"
        )
    }
}

impl std::error::Error for OwnNameError {}

/// A permission that an org has defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPermission {
    /// Its id.
    pub id: PermissionId,
    /// Its org.
    pub org: OrgId,
    /// Its number within the org.
    pub number: OwnNumber,
    /// Its name, which it keeps.
    pub name: OwnName,
    /// What it is for, in the org's words; may be empty.
    pub description: String,
    /// How many live credentials name it.
    pub uses: u32,
    /// When it was defined.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
}

/// Which names an org's numbers have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnPermissions {
    numbers: HashMap<OwnName, OwnNumber>,
    names: HashMap<OwnNumber, OwnName>,
}

impl OwnPermissions {
    /// The number of a name, if the org has defined it.
    pub fn number(&self, name: &str) -> Option<OwnNumber> {
        self.numbers.get(name).copied()
    }

    /// The name of a number, if it is given.
    pub fn name(&self, number: OwnNumber) -> Option<&str> {
        self.names.get(&number).map(OwnName::as_str)
    }

    /// The names of all scopes: those of the fixed list first, each part in the order given.
    pub fn names<'a>(&'a self, scopes: &'a Scopes) -> impl Iterator<Item = &'a str> {
        let fixed = scopes.iter().map(|permission| -> &'a str { permission.name() });
        fixed.chain(scopes.own().filter_map(|number| self.name(number)))
    }
}

/// So that a text can be looked up without making a name of it.
impl std::borrow::Borrow<str> for OwnName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromIterator<(OwnName, OwnNumber)> for OwnPermissions {
    fn from_iter<I: IntoIterator<Item = (OwnName, OwnNumber)>>(pairs: I) -> Self {
        let numbers: HashMap<_, _> = pairs.into_iter().collect();
        let names = numbers.iter().map(|(name, number)| (*number, name.clone())).collect();
        Self { numbers, names }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permission;

    #[test]
    fn a_name_is_two_words_and_never_one_of_the_fixed_list() {
        for text in ["orders:read", "a:b", "billing.v2:write-all", "x_1:y2"] {
            assert_eq!(OwnName::parse(text).map(|name| name.to_string()), Ok(text.to_owned()));
        }
        let long = format!("{}:b", "a".repeat(OWN_NAME_CHARS_MAX - 1));
        for text in [
            "",
            "orders",
            ":read",
            "orders:",
            "Orders:read",
            "a:b:c",
            "1a:b",
            "a:1",
            "a b:c",
            "ä:b",
            "a:b,",
            &long,
        ] {
            assert_eq!(OwnName::parse(text), Err(OwnNameError), "{text:?}");
        }
        assert!(OwnName::parse(&long[1..]).is_ok());
        assert!(Permission::all().all(|permission| !permission.name().contains(':')));
    }

    #[test]
    fn a_number_has_one_form() {
        for number in OwnNumber::all() {
            assert_eq!(OwnNumber::parse(&number.to_string()), Some(number));
            assert_eq!(OwnNumber::new(number.get().into()), Some(number));
        }
        for text in ["", ":", "7", ":07", ":+7", ":256", ":-1", ":7 "] {
            assert_eq!(OwnNumber::parse(text), None, "{text:?}");
        }
        assert_eq!((OwnNumber::new(-1), OwnNumber::new(256)), (None, None));
    }

    #[test]
    fn names_and_numbers_find_each_other() {
        let numbers: Vec<_> = OwnNumber::all().take(2).collect();
        let names = ["orders:read", "orders:write"].map(|name| OwnName::parse(name).unwrap());
        let table: OwnPermissions = names.into_iter().zip(numbers.iter().copied()).collect();
        assert_eq!(table.number("orders:write"), Some(numbers[1]));
        assert_eq!(table.name(numbers[0]), Some("orders:read"));
        assert_eq!((table.number("orders:delete"), table.name(OwnNumber::new(9).unwrap())), (None, None));
        let scopes = Scopes::parse_stored(["monitors_read", ":1", ":0", ":9"]).unwrap().unwrap();
        let shown: Vec<_> = table.names(&scopes).collect();
        assert_eq!(shown, ["monitors_read", "orders:write", "orders:read"]);
    }
}
