//! What passes between those who ask for changes, the writer, and the one who follows the ledger.

use claviger_model::{EntryId, Position};
use tokio::sync::{mpsc, oneshot};

use crate::database::Regaining;
use crate::{Change, CommitError, Entry, StoreError};

/// The most changes that share one commit. Enough to keep a disk busy; small enough that the last of them does
/// not wait noticeably for the first.
pub(crate) const CHANGES_PER_BATCH_MAX: usize = 256;
/// Changes that may wait for the writer before askers have to wait to ask: two batches beyond the one under way.
pub(crate) const WAITING_CHANGES_MAX: usize = 2 * CHANGES_PER_BATCH_MAX;
/// Committed batches that may wait to be applied before the writer waits.
pub(crate) const WAITING_BATCHES_MAX: usize = 4;

/// A change on its way to the writer.
pub(crate) struct Job {
    pub(crate) change: Change,
    /// The id that its entry will have.
    pub(crate) entry: EntryId,
    pub(crate) reply: Reply,
}

type Answer = Result<Position, CommitError>;
pub(crate) type Reply = oneshot::Sender<Answer>;

/// What one commit brought, not yet answered: whoever follows the ledger applies the entries, then lets the
/// answers go. Dropped without that, every asker learns only that the fate of the change is unknown.
#[must_use = "nobody is answered until the batch is acknowledged"]
pub struct Batch {
    pub(crate) entries: Vec<Entry>,
    pub(crate) answers: Vec<(Reply, Answer)>,
    /// Set where the database was away, and this batch holds all that was missed.
    pub(crate) reopens: Option<Regaining>,
}

impl Batch {
    /// The entries of this commit, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Answers everybody whose change was in this commit, the refused ones too.
    pub fn acknowledge(self) {
        if let Some(regaining) = self.reopens {
            regaining.take_effect();
        }
        for (reply, answer) in self.answers {
            // An asker that has gone away does not need the answer.
            let _ = reply.send(answer);
        }
    }
}

/// The batches in the order of their commits.
pub struct Feed(pub(crate) mpsc::Receiver<Batch>);

impl Feed {
    /// The next batch; none once the store is closed.
    pub async fn next(&mut self) -> Option<Batch> {
        self.0.recv().await
    }
}

/// Tells a whole batch that it failed, or that its fate is unknown.
pub(crate) fn fail(replies: impl IntoIterator<Item = Reply>, reason: &'static str) {
    for reply in replies {
        let _ = reply.send(Err(CommitError::Failed(StoreError::unavailable(reason))));
    }
}
