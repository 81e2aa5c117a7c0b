//! What goes into the log.

use tracing_subscriber::filter::{LevelFilter, Targets};

use super::{LogFormat, SettingsError};

/// What is logged where nothing is said.
const LOG: &str = "info";

/// The log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Its form.
    pub format: LogFormat,
    /// What goes into it.
    pub filter: Targets,
}

impl Log {
    pub(super) fn check(format: Option<LogFormat>, filter: Option<&str>) -> Result<Self, SettingsError> {
        Ok(Self { format: format.unwrap_or_default(), filter: parse(filter.unwrap_or(LOG))? })
    }
}

/// A level, or `target=level` for some targets, parted by commas. The filter's own parser would take a misspelt
/// level for a target, and then log nothing else.
fn parse(text: &str) -> Result<Targets, SettingsError> {
    let mut filter = Targets::new();
    for part in text.split(',').map(str::trim) {
        let (target, level) =
            part.rsplit_once('=').map_or((None, part), |(target, level)| (Some(target), level));
        let refused = || SettingsError::Log { part: part.to_owned() };
        if level.is_empty() || target.is_some_and(str::is_empty) {
            return Err(refused());
        }
        let level: LevelFilter = level.parse().map_err(|_| refused())?;
        filter = match target {
            Some(target) => filter.with_target(target, level),
            None => filter.with_default(level),
        };
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use crate::settings::testing::{check, refused};

    #[test]
    fn a_log_filter_is_made_of_levels() {
        for text in ["info", "WARN", "off", "warn,claviger_store=debug", "claviger=trace"] {
            assert!(check(|typed| typed.log = Some(text.into())).is_ok(), "{text}");
        }
        for text in ["inof", "", "claviger", "info,claviger=loud", "info,", "=info", "claviger="] {
            refused(|typed| typed.log = Some(text.into()), "error, warn, info, debug, trace or off");
        }
    }
}
