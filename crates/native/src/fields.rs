//! The members of a body, taken one by one, with every fault told at once.

use claviger_engine::FieldError;
use claviger_model::excerpt;
use serde_json::{Map, Value};

use crate::Error;

/// What is left of an object's members, and what was wrong with those that were taken.
pub(crate) struct Fields<'a> {
    members: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
    /// What stands before the names of members in faults.
    within: String,
    faults: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// The members of a body, which must be an object.
    pub(crate) fn of(body: &'a Value) -> Self {
        Self::within(body, String::new())
    }

    /// The same for a part of a body.
    pub(crate) fn within(value: &'a Value, within: String) -> Self {
        let mut fields = Self { members: value.as_object(), known: Vec::new(), within, faults: Vec::new() };
        if fields.members.is_none() {
            let field = fields.within.trim_end_matches('.').to_owned();
            let what = if field.is_empty() { "the body must be an object" } else { "must be an object" };
            fields.faults.push(FieldError { field, reason: what.to_owned() });
        }
        fields
    }

    /// Adds a fault of a member.
    pub(crate) fn fault(&mut self, field: &str, reason: impl Into<String>) {
        self.faults.push(FieldError { field: format!("{}{field}", self.within), reason: reason.into() });
    }

    /// A member, read by a function that says what is wrong with it.
    pub(crate) fn take<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        self.known.push(field);
        match read(self.members?.get(field)?) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fault(field, reason);
                None
            }
        }
    }

    /// The same for one that must be there.
    pub(crate) fn require<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        if self.members.is_some_and(|members| !members.contains_key(field)) {
            self.fault(field, "is required");
        }
        self.take(field, read)
    }

    /// The faults of members that were asked for.
    pub(crate) fn faults_of_known(self) -> Vec<FieldError> {
        self.faults
    }

    /// All faults so far, those of members that nobody asked for among them.
    pub(crate) fn faults(mut self) -> Vec<FieldError> {
        let members = self.members.into_iter().flat_map(Map::keys);
        let unknown: Vec<_> = members.filter(|name| !self.known.contains(&name.as_str())).collect();
        for name in unknown {
            self.fault(&excerpt(name), "is not known here");
        }
        self.faults
    }

    /// Refuses where anything was wrong.
    pub(crate) fn check(self) -> Result<(), Error> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults)) }
    }
}

/// `true` or `false`.
pub(crate) fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

/// A text.
pub(crate) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a string".to_owned())
}
