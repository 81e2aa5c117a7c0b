//! Faults of an import file, each by its place.

use std::cell::{Cell, RefCell};
use std::fmt;

/// Something in the file that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there, to be read after the place.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the file" } else { &self.pointer };
        write!(f, "{place}: {}", self.reason)
    }
}

/// Faults as they are found.
#[derive(Default)]
pub(super) struct Faults {
    found: RefCell<Vec<Fault>>,
    count: Cell<usize>,
}

impl Faults {
    pub(super) fn add(&self, pointer: impl Into<String>, reason: impl Into<String>) {
        self.found.borrow_mut().push(Fault { pointer: pointer.into(), reason: reason.into() });
        self.count.set(self.count.get() + 1);
    }

    /// How many there are so far: whoever reads an entry can tell whether it had any.
    pub(super) fn count(&self) -> usize {
        self.count.get()
    }

    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.found.into_inner()
    }
}
