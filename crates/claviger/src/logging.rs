//! The log: events to standard error, readable where somebody watches and JSON where a program collects them.

use std::io::{self, IsTerminal};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, fmt};

use crate::settings::{Log, LogFormat};

/// Sends the log where it belongs, from here on. Only the first call in a process counts.
pub fn start(log: &Log) {
    let is_watched = io::stderr().is_terminal();
    let is_human = match log.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => is_watched,
    };
    let registry = Registry::default().with(log.filter.clone());
    let layer = fmt::layer().with_writer(io::stderr);
    // The only way to fail is that a log was started before.
    let _ = if is_human {
        tracing::subscriber::set_global_default(registry.with(layer.with_ansi(is_watched)))
    } else {
        tracing::subscriber::set_global_default(registry.with(layer.json().flatten_event(true)))
    };
}
