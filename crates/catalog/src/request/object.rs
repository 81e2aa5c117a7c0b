//! Objects of a request, taken apart member by member.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::fault::{Faults, member};
use crate::secret::wipe;

/// An object that is taken apart. What is left when it goes away is cleared.
pub(super) struct Object {
    pub(super) at: String,
    members: Map<String, Value>,
}

impl Object {
    pub(super) fn open(value: Value, at: String, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self { at, members }),
            mut other => {
                wipe(&mut other);
                faults.push(at, "must be an object");
                None
            }
        }
    }

    pub(super) fn pointer(&self, name: &str) -> String {
        member(&self.at, name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    /// A text, if there is one.
    pub(super) fn optional(&mut self, name: &str, faults: &mut Faults) -> Option<Zeroizing<String>> {
        match self.take(name)? {
            Value::String(text) => Some(Zeroizing::new(text)),
            mut other => {
                wipe(&mut other);
                faults.push(self.pointer(name), "must be a string");
                None
            }
        }
    }

    pub(super) fn required(&mut self, name: &str, faults: &mut Faults) -> Option<Zeroizing<String>> {
        if !self.members.contains_key(name) {
            faults.push(self.pointer(name), "is required");
        }
        self.optional(name, faults)
    }

    pub(super) fn flag(&mut self, name: &str, faults: &mut Faults) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Bool(flag)) => flag,
            Some(mut other) => {
                wipe(&mut other);
                faults.push(self.pointer(name), "must be true or false");
                false
            }
        }
    }

    /// Whatever is left is surplus.
    pub(super) fn close(self, faults: &mut Faults) {
        for name in self.members.keys() {
            faults.push(self.pointer(name), "is not known here");
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        self.members.values_mut().for_each(wipe);
    }
}
