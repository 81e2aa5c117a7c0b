//! Reading JSON by member, noting every fault with its place and going on.

use std::str::FromStr;

use claviger_model::{Name, Timestamp};
use serde_json::{Map, Value};

use super::fault::Faults;

/// From this likeness on (0 to 1), an unknown member is taken for a misspelt one.
const NEAR_MIN: f64 = 0.8;

/// An object of the file.
pub(super) struct Object<'a> {
    /// Its place.
    pub(super) at: String,
    members: Option<&'a Map<String, Value>>,
    faults: &'a Faults,
}

impl<'a> Object<'a> {
    /// Takes a value for an object with no members but the known ones.
    pub(super) fn read(value: &'a Value, at: String, known: &[&str], faults: &'a Faults) -> Self {
        let members = value.as_object();
        match members {
            None => faults.add(&at, "must be an object"),
            Some(members) => {
                for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
                    faults.add(member_at(&at, name), unknown(name, known));
                }
            }
        }
        Self { at, members, faults }
    }

    /// The place of a member.
    pub(super) fn at(&self, member: &str) -> String {
        member_at(&self.at, member)
    }

    /// Notes a fault of a member.
    pub(super) fn fault(&self, member: &str, reason: impl Into<String>) {
        self.faults.add(self.at(member), reason);
    }

    /// A member as it stands; null is the same as no member.
    pub(super) fn value(&self, member: &str) -> Option<&'a Value> {
        self.members?.get(member).filter(|value| !value.is_null())
    }

    /// Whether it is an object that has this member.
    pub(super) fn has(&self, member: &str) -> bool {
        self.value(member).is_some()
    }

    /// Notes a fault where a member is missing.
    pub(super) fn require(&self, member: &str) {
        if self.members.is_some() && !self.has(member) {
            self.fault(member, "is missing");
        }
    }

    pub(super) fn text(&self, member: &str) -> Option<&'a str> {
        let value = self.value(member)?;
        let text = value.as_str();
        if text.is_none() {
            self.fault(member, "must be a string");
        }
        text
    }

    pub(super) fn flag(&self, member: &str) -> Option<bool> {
        let value = self.value(member)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fault(member, "must be true or false");
        }
        flag
    }

    pub(super) fn number(&self, member: &str, max: u32) -> Option<u32> {
        let value = self.value(member)?;
        let number = value.as_u64().and_then(|number| number.try_into().ok()).filter(|number| *number <= max);
        if number.is_none() {
            self.fault(member, format!("must be a number from 0 to {max}"));
        }
        number
    }

    /// A text that has a type of its own.
    pub(super) fn parsed<T: FromStr>(&self, member: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        match self.text(member)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(member, format!("is not valid: {error}"));
                None
            }
        }
    }

    pub(super) fn name(&self, member: &str) -> Option<String> {
        match Name::parse(self.text(member)?) {
            Ok(name) => Some(name.to_string()),
            Err(error) => {
                self.fault(member, error.to_string());
                None
            }
        }
    }

    pub(super) fn moment(&self, member: &str) -> Option<Timestamp> {
        let moment = Timestamp::parse_rfc3339(self.text(member)?);
        if moment.is_none() {
            self.fault(member, "must be a moment as in 2027-01-31T12:00:00Z");
        }
        moment
    }

    /// The values of a list with their places; none where there is no list.
    pub(super) fn list(&self, member: &str) -> Vec<(String, &'a Value)> {
        let Some(value) = self.value(member) else { return Vec::new() };
        let Some(values) = value.as_array() else {
            self.fault(member, "must be a list");
            return Vec::new();
        };
        let at = self.at(member);
        values.iter().enumerate().map(|(place, value)| (format!("{at}/{place}"), value)).collect()
    }

    /// The texts of a list with their places.
    pub(super) fn texts(&self, member: &str) -> Vec<(String, &'a str)> {
        let text = |(at, value): (String, &'a Value)| match value.as_str() {
            Some(text) => Some((at, text)),
            None => {
                self.faults.add(at, "must be a string");
                None
            }
        };
        self.list(member).into_iter().filter_map(text).collect()
    }
}

fn member_at(at: &str, member: &str) -> String {
    // Names that are no members may be anything; what is shown of them is bounded.
    let member: String = member.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("{at}/{}", member.replace('~', "~0").replace('/', "~1"))
}

fn unknown(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|known| (strsim::jaro_winkler(name, known), *known));
    match near.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((likeness, near)) if likeness >= NEAR_MIN => {
            format!("is not a member here; did you mean `{near}`?")
        }
        _ => format!("is not a member here; there are {}", known.join(", ")),
    }
}
