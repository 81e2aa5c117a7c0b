//! Everything that is wrong with what was typed, told at once: who mends one setting is not told of the next one later.

use super::SettingsError;

/// What is wrong with what was typed: one thing at least.
#[derive(Debug)]
pub struct SettingsErrors(Vec<SettingsError>);

impl SettingsErrors {
    /// Each, in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &SettingsError> {
        self.0.iter()
    }
}

impl From<SettingsError> for SettingsErrors {
    fn from(error: SettingsError) -> Self {
        Self(vec![error])
    }
}

/// One on each line.
impl std::fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if place == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsErrors {}

/// What was found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<SettingsError>);

impl Faults {
    pub(super) fn add(&mut self, error: SettingsError) {
        self.0.push(error);
    }

    /// What was checked, unless that found a fault.
    pub(super) fn note<T>(&mut self, checked: Result<T, SettingsError>) -> Option<T> {
        checked.map_err(|error| self.add(error)).ok()
    }

    /// What all of it comes to; `whole` is none where a part of it is.
    pub(super) fn or<T>(self, whole: Option<T>) -> Result<T, SettingsErrors> {
        match whole {
            Some(whole) if self.0.is_empty() => Ok(whole),
            _ => Err(SettingsErrors(self.0)),
        }
    }
}
