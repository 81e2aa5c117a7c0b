//! Being asked to stop, or to look at files again.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

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

/// Takes SIGHUP from here on; each one arrives at the receiver, several at once as one.
///
/// # Errors
/// When the system does not let a program take its signals.
pub fn reload() -> io::Result<mpsc::Receiver<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let (wake, woken) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!(signal = "SIGHUP", "asked to look at the TLS certificate again");
            if let Err(mpsc::error::TrySendError::Closed(())) = wake.try_send(()) {
                return;
            }
        }
    });
    Ok(woken)
}
