//! Knowing when everything has ended that connections run beside themselves.

use hyper::rt::Executor;
use tokio::sync::watch;

/// Runs what HTTP/2 runs beside its connection, its requests: each holds a receiver, so that the sender's channel is closed
/// once none is left. They end by themselves with their connection.
#[derive(Debug, Clone)]
pub(super) struct Counted(watch::Receiver<()>);

impl Counted {
    pub(super) fn new(held: &watch::Receiver<()>) -> Self {
        Self(held.clone())
    }
}

impl<F> Executor<F> for Counted
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, future: F) {
        let held = self.0.clone();
        tokio::spawn(async move {
            future.await;
            drop(held);
        });
    }
}
