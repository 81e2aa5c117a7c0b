//! Calls that failed for a moment are made again, where the connection or the call asks for it.
//!
//! Only where once more can do no harm: the method is idempotent (RFC 9110, 9.2.2), or not a byte of the request went out;
//! and only where the body can be sent again. Which answers mean "later", and how third parties say when, stands in the
//! catalog.

mod pause;
mod stale;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use claviger_catalog::{Catalog, Retry};
use claviger_engine::{UsableConnection, UsableSettings};
use claviger_model::{RETRIES_MAX, Random, Terms, Timestamp};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use hyper::body::Incoming;
use pause::Pause;
use tokio::time::Instant;

use crate::broker::Broker;
use crate::draft::Draft;
use crate::link::Link;
use crate::mint::Minted;
use crate::refusal::Refusal;
use crate::right::Right;
use crate::send::{Unanswered, Way};

/// How often a call asks to be made again, at most; its word counts, not the connection's.
pub(crate) const RETRIES: HeaderName = HeaderName::from_static("claviger-retries");
/// How often a call was made, where that was more than once.
pub(crate) const ATTEMPTS: HeaderName = HeaderName::from_static("claviger-attempts");

/// No attempt begins later than so long after the first: whoever has more time has it for waiting itself.
pub(crate) const WAITING_MAX: Duration = Duration::from_secs(10);
/// The pause before the first repetition, of which half is by chance; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// How often a call may still be made again.
#[derive(Default)]
pub(crate) struct Retries {
    left: u8,
    made: u8,
    /// Whether it was made once more with another token: that is an attempt, and none of those that were asked for.
    has_another_token: bool,
    /// Whether the call itself says that it is to be made once.
    is_once: bool,
    /// When the first attempt began.
    began: Option<Instant>,
}

/// What an attempt came to, where another may help.
enum Failed<'a> {
    /// Not a byte went out.
    Unsent,
    /// The third party ended the connection without an answer.
    Broken,
    /// It answered.
    Answered(StatusCode, &'a HeaderMap),
}

impl Retries {
    /// Those that a call asks for, or else its connection.
    ///
    /// # Errors
    /// [`Refusal::RetriesInvalid`].
    pub(crate) fn of(headers: &HeaderMap, terms: &Terms) -> Result<Self, Refusal> {
        let mut named = headers.get_all(RETRIES).into_iter();
        let left = match (named.next().map(|value| value.as_bytes()), named.next()) {
            (None, _) => terms.retries,
            (Some([digit @ b'0'..=b'9']), None) if digit - b'0' <= RETRIES_MAX => digit - b'0',
            _ => return Err(Refusal::RetriesInvalid),
        };
        let is_once = left == 0 && headers.contains_key(RETRIES);
        Ok(Self { left, is_once, ..Self::default() })
    }

    /// Whether there may be any: the body is to be kept then.
    pub(crate) fn may_come(&self) -> bool {
        self.left > 0
    }

    /// How often the call was made by now.
    pub(crate) fn attempts(&self) -> u8 {
        self.made + 1 + u8::from(self.has_another_token)
    }

    /// Notes that it is made once more, since its token was refused.
    pub(crate) fn note_another_token(&mut self) {
        self.has_another_token = true;
    }

    /// The pause before the next attempt; none where there is none.
    fn pause(&self, elapsed: Duration, wished: Option<Duration>, random: &dyn Random) -> Option<Duration> {
        let full = PAUSE * (1 << self.made.min(RETRIES_MAX));
        let mut chance = [0];
        random.fill(&mut chance);
        let pause = full / 2 + full / 2 * u32::from(chance[0]) / u32::from(u8::MAX);
        let pause = pause.max(wished.unwrap_or_default());
        (elapsed.checked_add(pause)? <= WAITING_MAX).then_some(pause)
    }
}

impl Broker {
    /// Sends what was drafted, and again where that may help. The last answer is handed back as it is.
    pub(crate) async fn send_again(
        &self,
        draft: &mut Draft,
        minted: Option<&Minted>,
        usable: &Arc<UsableConnection>,
        way: &Way<'_>,
        right: &mut Right,
        retries: &mut Retries,
    ) -> Result<(Response<Incoming>, Link), Refusal> {
        if retries.left == 0 {
            return Ok(self.send(draft, minted, usable, way, right, retries).await?);
        }
        let began = *retries.began.get_or_insert_with(Instant::now);
        loop {
            let outcome = self.send(draft, minted, usable, way, right, retries).await;
            let left = Some(&*retries).filter(|retries| retries.left > 0);
            let pause = left.and_then(|left| self.pause_after(&outcome, draft, usable, left, began));
            let Some(pause) = pause else { return Ok(outcome?) };
            // With it goes the connection that it came over.
            drop(outcome);
            Box::pin(self.wait(pause, usable, right)).await?;
            (retries.left, retries.made) = (retries.left - 1, retries.made + 1);
        }
    }

    /// Waits, as long as the call may go on.
    async fn wait(
        &self,
        pause: Duration,
        usable: &UsableConnection,
        right: &mut Right,
    ) -> Result<(), Refusal> {
        let pause = Pause::begin(pause);
        loop {
            let is_over = pause.step().await;
            right.check_unsent(usable).await?;
            if is_over {
                return Ok(());
            }
        }
    }

    fn pause_after(
        &self,
        outcome: &Result<(Response<Incoming>, Link), Unanswered>,
        draft: &Draft,
        usable: &UsableConnection,
        retries: &Retries,
        began: Instant,
    ) -> Option<Duration> {
        let failed = match outcome {
            Ok((answer, _)) => Failed::Answered(answer.status(), answer.headers()),
            Err(Unanswered::Unsent(_)) => Failed::Unsent,
            Err(Unanswered::Stale | Unanswered::Broken) => Failed::Broken,
            Err(Unanswered::Refused(_)) => return None,
        };
        let may_be_repeated = match failed {
            Failed::Unsent => draft.is_repeatable(),
            Failed::Broken | Failed::Answered(..) => draft.is_idempotent(),
        };
        if !may_be_repeated {
            return None;
        }
        let engine = self.app.engine();
        let wished = match failed {
            Failed::Unsent | Failed::Broken => None,
            Failed::Answered(status, headers) => {
                let words = words(engine.catalog(), usable);
                wished(words, status, headers, engine.clock().now())?
            }
        };
        retries.pause(began.elapsed(), wished, engine.random())
    }
}

/// What the catalog says of a connection's third party; none where it says nothing.
fn words<'a>(catalog: &'a Catalog, usable: &'a UsableConnection) -> Option<&'a Retry> {
    match &usable.settings {
        UsableSettings::Catalogued(settings) => {
            catalog.connection(settings).ok().map(|entry| entry.integration().retry())
        }
        UsableSettings::Zis(..) => None,
    }
}

/// Whether an answer means "later", and how much later, if it says so.
fn wished(
    words: Option<&Retry>,
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Option<Option<Duration>> {
    match words {
        Some(words) => {
            let wait = || waits::longest_or_first(words, status, headers, now);
            words.statuses.contains(&status.as_u16()).then(wait)
        }
        None => matches!(status.as_u16(), 429 | 502 | 503 | 504).then(|| waits::usual(headers, now)),
    }
}

#[cfg(test)]
mod tests {
    use claviger_model::testing::SeededRandom;

    use super::*;

    fn of(values: &[&str], terms: &str) -> Result<u8, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRIES, value.parse().unwrap());
        }
        Retries::of(&headers, &terms.parse().unwrap()).map(|retries| retries.left)
    }

    #[test]
    fn the_calls_word_counts_before_the_connections() {
        assert_eq!([of(&[], ""), of(&[], "retries=2")], [Ok(0), Ok(2)]);
        assert_eq!([of(&["3"], "retries=1"), of(&["0"], "retries=1")], [Ok(3), Ok(0)]);
        for bad in [&["4"][..], &["-1"], &["x"], &[""], &["01"], &["1", "1"], &["1,1"]] {
            assert_eq!(of(bad, "retries=2"), Err(Refusal::RetriesInvalid), "{bad:?}");
        }
    }

    #[test]
    fn pauses_grow_are_spread_and_end() {
        let random = SeededRandom::new(7);
        let retries = |made| Retries { left: 3, made, ..Retries::default() };
        let mut seen = std::collections::BTreeSet::new();
        for made in 0..3 {
            let full = PAUSE * (1 << made);
            for _ in 0..100 {
                let pause = retries(made).pause(Duration::ZERO, None, &random).unwrap();
                assert!((full / 2..=full).contains(&pause), "{pause:?}");
                seen.insert(pause);
            }
        }
        assert!(seen.len() > 100);
        let seconds = Duration::from_secs;
        let pause = |elapsed, wished| retries(0).pause(elapsed, wished, &random);
        assert_eq!(pause(seconds(0), Some(seconds(10))), Some(seconds(10)));
        assert_eq!(pause(seconds(4), Some(seconds(6))), Some(seconds(6)));
        assert_eq!(pause(seconds(5), Some(seconds(6))), None);
        assert_eq!(pause(seconds(10), None), None);
        assert_eq!(pause(seconds(0), Some(Duration::MAX)), None);
        assert!(pause(seconds(0), Some(Duration::ZERO)).unwrap() >= PAUSE / 2);
    }
}
