//! What a text of a field must look like.

use regex::Regex;

use crate::host::BaseUrl;

/// A rule for texts.
#[derive(Debug)]
pub struct Format {
    pub(crate) name: String,
    pub(crate) pattern: Regex,
    /// In characters, both.
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) says: String,
    /// Whether two names that differ in case only are one.
    pub(crate) ignore_case: bool,
    pub(crate) check: Option<Check>,
}

/// A rule in code, beside the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Url,
}

/// Why a text does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) reason: String,
    /// Whether it is the pattern that it does not match: the vendor has a text for that.
    pub(crate) pattern: bool,
}

impl Format {
    /// What texts must be, as errors say it after "must be".
    pub fn says(&self) -> &str {
        &self.says
    }

    /// The pattern, as ECMAScript understands it too.
    pub fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// The fewest and the most characters.
    pub fn length(&self) -> (usize, usize) {
        (self.min, self.max)
    }

    pub(crate) fn accepts(&self, text: &str) -> bool {
        self.check(text).is_ok()
    }

    pub(crate) fn check(&self, text: &str) -> Result<(), Misfit> {
        let misfit = |reason, pattern| Err(Misfit { reason, pattern });
        if text.is_empty() && self.min > 0 {
            misfit("must not be empty".to_owned(), false)
        } else if text.chars().nth(self.max).is_some() {
            misfit(format!("must be {}, with at most {} characters", self.says, self.max), true)
        } else if self.min > 1 && text.chars().nth(self.min - 1).is_none() {
            misfit(format!("must be {}, with at least {} characters", self.says, self.min), true)
        } else if !self.pattern.is_match(text) || self.check.is_some_and(|check| !check.accepts(text)) {
            misfit(format!("must be {}", self.says), true)
        } else {
            Ok(())
        }
    }
}

impl Check {
    pub(crate) fn named(name: &str) -> Option<Self> {
        (name == "url").then_some(Self::Url)
    }

    fn accepts(self, text: &str) -> bool {
        match self {
            Self::Url => BaseUrl::parse(text).is_ok(),
        }
    }
}
