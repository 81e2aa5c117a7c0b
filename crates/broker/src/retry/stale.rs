//! A call that went out over a connection that was kept, and ended just then.
//!
//! Third parties close connections that are idle for too long, and one that does so at the moment at which the next call
//! goes out has not seen it. Nobody else can tell that from a third party that took the call, and then broke down: so the
//! call is made once more, over a new connection, only where that does no harm, and only at once.

use claviger_engine::UsableConnection;
use http::Response;
use hyper::body::Incoming;

use super::Retries;
use crate::broker::Broker;
use crate::draft::Draft;
use crate::link::Link;
use crate::mint::Minted;
use crate::right::Right;
use crate::send::{Over, Unanswered, Way};

impl Retries {
    /// Takes an attempt for this: one of those that were asked for, or else the one that any call has, unless it says that
    /// it is to be made once.
    fn take_another_link(&mut self) -> bool {
        if self.left == 0 && (self.is_once || self.made > 0) {
            return false;
        }
        (self.left, self.made) = (self.left.saturating_sub(1), self.made + 1);
        true
    }
}

impl Broker {
    /// Sends what was drafted; see the module's documentation for when twice.
    pub(crate) async fn send(
        &self,
        draft: &mut Draft,
        minted: Option<&Minted>,
        usable: &UsableConnection,
        way: &Way<'_>,
        right: &mut Right,
        retries: &mut Retries,
    ) -> Result<(Response<Incoming>, Link), Unanswered> {
        let mut over = Over::AnyLink;
        loop {
            let engine = self.app.engine();
            let request = draft.write(minted, usable, engine.catalog(), engine.clock())?;
            match way.send(request, right, over).await {
                Err(Unanswered::Stale)
                    if over == Over::AnyLink && draft.is_idempotent() && retries.take_another_link() =>
                {
                    Box::pin(right.check_unsent(usable)).await?;
                    over = Over::NewLink;
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_of_the_attempts_that_were_asked_for_or_the_only_other_one() {
        let retries = |left, made, is_once| Retries { left, made, is_once, ..Retries::default() };
        for (before, expected) in [
            (retries(0, 0, false), Some((0, 2))),
            (retries(0, 1, false), None),
            (retries(0, 0, true), None),
            (retries(1, 0, false), Some((0, 2))),
            (retries(3, 0, false), Some((2, 2))),
            (retries(1, 2, false), Some((0, 4))),
        ] {
            let mut retries = before;
            let taken = retries.take_another_link().then(|| (retries.left, retries.attempts()));
            assert_eq!(taken, expected);
        }
    }
}
