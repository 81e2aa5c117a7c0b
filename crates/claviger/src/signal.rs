//! Being asked to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Takes SIGTERM and SIGINT from here on; what it returns is done at the first of them.
///
/// # Errors
/// When the system does not let a program take its signals.
pub fn shutdown() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "asked to stop"),
            _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "asked to stop"),
        }
    })
}
