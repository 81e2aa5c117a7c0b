//! Any order of asking, failing, refusing and waiting, against what must hold in each.

use std::sync::Arc;
use std::time::Duration;

use claviger_model::{Clock, Timestamp};
use proptest::prelude::*;

use super::{MARGIN, Scene, refused};

#[derive(Debug, Clone)]
enum Step {
    /// Asks; an exchange would bring a token of so many seconds.
    Ask(u64),
    /// Asks; an exchange would fail.
    Fail,
    /// Says of the last token that it was refused.
    Reject,
    /// So many seconds pass.
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1_u64..4000).prop_map(Step::Ask),
        Just(Step::Fail),
        Just(Step::Reject),
        prop_oneof![0_u64..5, 0_u64..4000].prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..60)
}

/// What was brought: its number, when it was brought, when it ends, and whether it was refused.
struct Brought {
    value: Arc<usize>,
    at: Timestamp,
    lasts: Duration,
    is_dropped: bool,
}

proptest! {
    #[test]
    fn no_token_is_given_out_of_its_time(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let scene = Scene::new();
    let mut last: Option<Brought> = None;
    let mut failed_at = None;
    for step in steps {
        let (now, before) = (scene.clock.now(), scene.exchanges());
        let outcome = match step {
            Step::Pass(seconds) => {
                scene.pass(Duration::from_secs(seconds));
                continue;
            }
            Step::Reject => {
                if let Some(brought) = &mut last
                    && scene.cache.reject(&"k", &brought.value)
                    && !brought.is_dropped
                {
                    brought.is_dropped = true;
                    failed_at = None;
                }
                continue;
            }
            Step::Ask(seconds) => {
                let lasts = Duration::from_secs(seconds);
                scene.ask_for("k", MARGIN, lasts).await
            }
            Step::Fail => scene.fail(refused("invalid_client")).await,
        };
        let is_exchanged = scene.exchanges() > before;
        prop_assert!(scene.exchanges() - before <= 1);
        // Nothing is given out but the newest, or the one before until half of its margin is over.
        if let Ok(value) = &outcome
            && !(is_exchanged && **value == scene.exchanges())
        {
            let brought = last.as_ref().unwrap();
            prop_assert!(Arc::ptr_eq(value, &brought.value));
            prop_assert!(now < brought.at + brought.lasts && !brought.is_dropped);
            let margin = MARGIN.min(brought.lasts / 2);
            let is_early = now < brought.at + brought.lasts - margin / 2;
            prop_assert!(is_early || !is_exchanged || matches!(step, Step::Fail));
        }
        // A token is renewed in its margin, and not before.
        let is_fresh = last.as_ref().is_some_and(|brought| {
            let renew_at = brought.at + brought.lasts - MARGIN.min(brought.lasts / 2);
            brought.at < now && now < renew_at && !brought.is_dropped
        });
        prop_assert!(!(is_fresh && is_exchanged));
        // Who has failed is left in peace for ten seconds.
        let is_pausing = failed_at.is_some_and(|at| now < at + Duration::from_secs(10));
        prop_assert!(!(is_pausing && is_exchanged));
        if let (true, Step::Ask(seconds)) = (is_exchanged, &step) {
            // There is no other at this moment, so that this is the one that was brought.
            let value = scene.ask().await;
            prop_assert_eq!(*value, before + 1);
            last = Some(Brought { value, at: now, lasts: Duration::from_secs(*seconds), is_dropped: false });
        }
        if is_exchanged {
            failed_at = matches!(step, Step::Fail).then_some(now);
        }
        if !is_exchanged && !is_pausing && !is_fresh {
            // Then there must have been something: one from this very moment, or one whose renewal failed lately.
            prop_assert!(outcome.is_ok());
        }
    }
    Ok(())
}
