//! Waiting for what comes about in the background.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks: without a pause, whoever waits would take the machine from whoever is waited for.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until there is what is waited for, and gives it. Where patience ends before, what was seen instead is told.
pub(crate) async fn until<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let mut seen = None;
    let looking = async {
        loop {
            match look().await {
                Ok(found) => return found,
                Err(instead) => seen = Some(instead),
            }
            sleep(PAUSE).await;
        }
    };
    let found = timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| panic!("it never came to this: {what}; instead: {seen:?}"))
}
