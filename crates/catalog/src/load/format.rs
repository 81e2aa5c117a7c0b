//! Formats.

use regex::Regex;

use super::raw::RawFormat;
use super::{Wrong, wrong};
use crate::format::{Check, Format};

/// The longest text that any field may have, in characters: within the largest body.
const MAX: usize = 65_536;

pub(super) fn check(name: &str, raw: RawFormat) -> Result<Format, Wrong> {
    // Half a match would let anything stand before or after it.
    if !(raw.pattern.starts_with('^') && raw.pattern.ends_with('$')) {
        return wrong("pattern", "must cover the whole text, from ^ to $");
    }
    if raw.min > raw.max || raw.max == 0 || raw.max > MAX {
        return wrong("max", format!("must be at least `min` and 1, and at most {MAX}"));
    }
    let check = match raw.check.as_deref() {
        None => None,
        Some(name) => match Check::named(name) {
            Some(check) => Some(check),
            None => return wrong("check", "there is no such code"),
        },
    };
    Ok(Format {
        name: name.to_owned(),
        pattern: pattern("pattern", &raw.pattern)?,
        min: raw.min,
        max: raw.max,
        says: raw.says,
        ignore_case: raw.ignore_case,
        check,
    })
}

pub(super) fn pattern(field: &str, text: &str) -> Result<Regex, Wrong> {
    Regex::new(text).or_else(|error| wrong(field, error.to_string().replace('\n', " ")))
}
