//! `?dry_run=true`: what a change would do is told, and nothing is changed.

use thiserror::Error;

/// The parameter's name.
pub const DRY_RUN: &str = "dry_run";

/// The parameter is neither `true` nor `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be true or false")]
pub struct DryRunError;

/// Whether a request's query asks for a dry run. Of several, one that does is enough.
///
/// # Errors
///
/// For any other value, also for none: who meant a dry run and wrote it otherwise must not have the change made.
pub fn is_dry_run(query: Option<&str>) -> Result<bool, DryRunError> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut is_dry = false;
    for (_, value) in pairs.filter(|(name, _)| name == DRY_RUN) {
        match &*value {
            "true" => is_dry = true,
            "false" => {}
            _ => return Err(DryRunError),
        }
    }
    Ok(is_dry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_itself_asks_for_a_dry_run() {
        for (query, expected) in [
            (None, Ok(false)),
            (Some(""), Ok(false)),
            (Some("x=true"), Ok(false)),
            (Some("dry_run=false"), Ok(false)),
            (Some("dry_run=true"), Ok(true)),
            (Some("x=1&dry%5Frun=tru%65"), Ok(true)),
            (Some("dry_run=true&dry_run=false"), Ok(true)),
            (Some("dry_run"), Err(DryRunError)),
            (Some("dry_run=1"), Err(DryRunError)),
            (Some("dry_run=true&dry_run=TRUE"), Err(DryRunError)),
        ] {
            assert_eq!(is_dry_run(query), expected, "{query:?}");
        }
    }
}
