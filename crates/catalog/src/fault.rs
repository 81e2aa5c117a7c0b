//! What is wrong with a body: every fault with its place, none with a value.

use std::fmt;

use claviger_model::excerpt;

/// So many faults are told of one body; who has more knows enough.
pub const FAULTS_MAX: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer into the `integration` value that was given.
    pub pointer: String,
    /// What, so that it reads after the place: "is required".
    pub reason: String,
    /// What the vendor says to it, where that is recorded: one item of its list of errors.
    pub vendor: Option<&'static str>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.vendor {
            Some(vendor) => f.write_str(vendor),
            None if self.pointer.is_empty() => write!(f, "integration {}", self.reason),
            None => write!(f, "{} {}", self.pointer, self.reason),
        }
    }
}

/// All that is wrong with a body, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    faults: Vec<Fault>,
    /// Beyond [`FAULTS_MAX`].
    untold: usize,
}

impl Faults {
    /// Those that are told.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }

    /// How many more there are.
    pub fn untold(&self) -> usize {
        self.untold
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// The same, with pointers into what the `integration` value stands in, at this place.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        for fault in &mut self.faults {
            fault.pointer.insert_str(0, place);
        }
        self
    }

    /// These, and the others behind them.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        others.faults.into_iter().for_each(|fault| self.add(fault));
        self.untold += others.untold;
        self
    }

    /// Adds one that is wrong at a place.
    pub fn push(&mut self, pointer: impl Into<String>, reason: impl Into<String>) {
        self.add(Fault { pointer: pointer.into(), reason: reason.into(), vendor: None });
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        match self.faults.len() < FAULTS_MAX {
            true => self.faults.push(fault),
            false => self.untold += 1,
        }
    }

    /// What was made, unless something is wrong with it.
    pub(crate) fn or<T>(self, made: T) -> Result<T, Self> {
        if self.is_empty() { Ok(made) } else { Err(self) }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        if self.untold > 0 { write!(f, "; and {} more", self.untold) } else { Ok(()) }
    }
}

impl std::error::Error for Faults {}

/// Something unusual about a body that is accepted all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where, as a JSON pointer into the `integration` value that was given.
    pub pointer: String,
    /// What, so that it reads after the place.
    pub reason: String,
}

/// The pointer to a member. What a caller made up is cut, since it may be a secret in a wrong place.
pub(crate) fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", excerpt(name).replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_bounded() {
        let mut faults = Faults::default();
        for index in 0..FAULTS_MAX + 5 {
            faults.push(format!("/{index}"), "is wrong");
        }
        assert_eq!((faults.iter().count(), faults.untold()), (FAULTS_MAX, 5));
        assert!(faults.to_string().ends_with("; /99 is wrong; and 5 more"));
    }

    #[test]
    fn faults_of_a_part_are_told_as_those_of_the_whole() {
        let mut outer = Faults::default();
        outer.push("/data/attributes/name", "is required");
        let mut inner = Faults::default();
        inner.push("", "is required");
        inner.push("/type", "is wrong");
        let told = outer.and(inner.within("/data/attributes/integration")).to_string();
        let expected = "/data/attributes/name is required; /data/attributes/integration is required; \
                        /data/attributes/integration/type is wrong";
        assert_eq!(told, expected);
    }

    #[test]
    fn pointers_are_escaped_and_hide_what_may_be_a_secret() {
        assert_eq!(member("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(member("", "0123456789abcdef0123456789abcdef"), "/0123...");
    }
}
