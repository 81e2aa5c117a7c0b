//! The pause before another attempt.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::right::PERIOD;

/// A pause in steps, between which it can be asked whether the call may still go on.
pub(super) struct Pause {
    end: Instant,
}

impl Pause {
    pub(super) fn begin(length: Duration) -> Self {
        Self { end: Instant::now() + length }
    }

    /// Waits for a period, or to the end. Tells whether that has come.
    pub(super) async fn step(&self) -> bool {
        sleep_until(self.end.min(Instant::now() + PERIOD)).await;
        Instant::now() >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time passes by itself here, whenever nobody has anything to do.
    #[tokio::test(start_paused = true)]
    async fn it_is_as_long_as_it_should_be_and_never_long_without_a_look() {
        for (length, steps) in [(0, &[0][..]), (300, &[300]), (500, &[500]), (1200, &[500, 1000, 1200])] {
            let (began, pause) = (Instant::now(), Pause::begin(Duration::from_millis(length)));
            for step in steps {
                let is_over = pause.step().await;
                assert_eq!(
                    (began.elapsed().as_millis(), is_over),
                    (*step, Some(step) == steps.last()),
                    "{length}"
                );
            }
        }
    }
}
