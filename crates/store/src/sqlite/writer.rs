//! The writer thread: takes what is waiting, runs each change whole or not at all, commits all of it at once.

use std::sync::Arc;
use std::time::Instant;

use claviger_model::{Clock, EntryId, Position};
use claviger_vault::Vault;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::mpsc;

use super::{each, failure, run_step, search};
use crate::batch::{Batch, CHANGES_PER_BATCH_MAX, Job, fail};
use crate::change::{Change, Step};
use crate::ledger::{Head, SELECT_AFTER, SELECT_HEAD, move_head, read_head};
use crate::value::params;
use crate::{CommitError, Entry, Refusal, StoreError, StoreMetrics};

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<StoreMetrics>,
    /// The end of what was handed to the follower.
    pub(super) followed: Head,
}

type Changes = Vec<(Change, EntryId)>;

/// What a refused change of a batch undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Undoing {
    /// Nothing by itself: the whole batch must be undone.
    Nothing,
    /// Itself alone, by a savepoint.
    Each,
}

/// What a batch came to before it was committed.
struct Written {
    outcomes: Vec<Result<Position, Refusal>>,
    entries: Vec<Entry>,
    head: Head,
}

impl Writer {
    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>, batches: &mpsc::Sender<Batch>) {
        if let Ok(head) = self.read_head() {
            self.followed = head;
        }
        let mut waiting = Vec::with_capacity(CHANGES_PER_BATCH_MAX);
        while jobs.blocking_recv_many(&mut waiting, CHANGES_PER_BATCH_MAX) > 0 {
            let started = Instant::now();
            let (changes, replies): (Changes, Vec<_>) =
                waiting.drain(..).map(|job| ((job.change, job.entry), job.reply)).unzip();
            let written = match self.commit(&changes) {
                Ok(written) => written,
                Err(error) => {
                    self.metrics.failed();
                    tracing::error!(error = claviger_model::chain(&error), "a commit failed");
                    fail(replies, "the commit failed");
                    continue;
                }
            };
            let refused = written.outcomes.iter().filter(|outcome| outcome.is_err()).count();
            self.metrics.committed(written.outcomes.len() - refused, refused, started.elapsed());
            self.followed = written.head;
            let answers = written.outcomes.into_iter().map(|outcome| outcome.map_err(CommitError::Refused));
            let answers = replies.into_iter().zip(answers).collect();
            let batch = Batch { answers, entries: written.entries, reopens: None };
            if batches.blocking_send(batch).is_err() {
                return;
            }
        }
    }

    fn commit(&mut self, changes: &Changes) -> Result<Written, StoreError> {
        let (error, written) = match self.write_all(changes) {
            Err(error) => (error, None),
            Ok(written) => match self.connection.execute_batch("COMMIT") {
                Ok(()) => return Ok(written),
                Err(error) => (failure(error), Some(written)),
            },
        };
        if !self.connection.is_autocommit() {
            self.execute("ROLLBACK")?;
            return Err(error);
        }
        // A failed COMMIT that left no transaction open was undone, or (an error of the sync after the frames
        // were written) done: the entries tell.
        match written {
            Some(written) if self.is_recorded(changes)? => Ok(written),
            _ => Err(error),
        }
    }

    /// Whether any of these entries is in the ledger.
    fn is_recorded(&self, changes: &Changes) -> Result<bool, StoreError> {
        let mut found = false;
        for (_, id) in changes {
            let params = params![*id];
            each(&self.connection, "SELECT sequence FROM ledger WHERE id = $1", &params, |_| {
                found = true;
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Begins a transaction and runs the changes in it, leaving it open.
    ///
    /// First without savepoints: nearly all changes come out, and a savepoint makes SQLite copy every page that a
    /// change touches. If one is refused, all are undone and run again, each in a savepoint of its own, so that a
    /// batch runs twice at most.
    fn write_all(&mut self, changes: &Changes) -> Result<Written, StoreError> {
        if let Some(written) = self.write(changes, Undoing::Nothing)? {
            return Ok(written);
        }
        self.execute("ROLLBACK")?;
        let written = self.write(changes, Undoing::Each)?;
        written.ok_or_else(|| StoreError::damaged("a change that can be undone was not"))
    }

    /// The same in one way; none where a change is refused that cannot be undone by itself.
    fn write(&mut self, changes: &Changes, undoing: Undoing) -> Result<Option<Written>, StoreError> {
        let connection = &self.connection;
        // IMMEDIATE takes the write lock now, so that the head read next is the last.
        self.execute("BEGIN IMMEDIATE")?;
        let mut head = self.read_head()?;
        let before = head.position;
        let (mut outcomes, mut entries) = (Vec::with_capacity(changes.len()), self.missed(&head)?);
        for (change, id) in changes {
            if undoing == Undoing::Each {
                self.execute("SAVEPOINT change")?;
            }
            let outcome = run_all(connection, &change.steps).map_err(failure)?;
            match (&outcome, undoing) {
                (Err(_), Undoing::Nothing) => return Ok(None),
                (Err(_), Undoing::Each) => self.execute("ROLLBACK TO change")?,
                (Ok(()), _) => {
                    for entry in head.append_all(&change.entries, *id, self.clock.now(), &self.vault) {
                        run_step(connection, &entry.insert()).map_err(failure)?;
                        entries.push(entry);
                    }
                }
            }
            if undoing == Undoing::Each {
                self.execute("RELEASE change")?;
            }
            outcomes.push(outcome.map(|()| head.position));
        }
        if head.position != before {
            run_step(connection, &move_head(&head)).map_err(failure)?;
            search::index_waiting(connection)?;
        }
        Ok(Some(Written { outcomes, entries, head }))
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        let statement = self.connection.prepare_cached(sql);
        statement.and_then(|mut statement| statement.execute([])).map(drop).map_err(failure)
    }

    /// What a commit brought whose fate nobody could tell at the time: it is followed before what comes next.
    fn missed(&self, head: &Head) -> Result<Vec<Entry>, StoreError> {
        let mut missed = Vec::new();
        if head.is_beyond(&self.followed)? {
            let params = params![self.followed.position.sequence, i64::MAX];
            each(&self.connection, SELECT_AFTER, &params, |row| Ok(missed.push(Entry::read(row)?)))?;
        }
        Ok(missed)
    }

    fn read_head(&self) -> Result<Head, StoreError> {
        let mut head = None;
        each(&self.connection, SELECT_HEAD, &[], |row| Ok(head = Some(read_head(row)?)))?;
        head.ok_or_else(|| StoreError::damaged("the ledger has no head"))
    }
}

/// Runs the statements of one change up to the first that does not come out as it must.
fn run_all(connection: &Connection, steps: &[Step]) -> rusqlite::Result<Result<(), Refusal>> {
    for step in steps {
        match run_step(connection, step) {
            Ok(count) if step.rows.admits(count) => {}
            Ok(_) => return Ok(Err(step.otherwise)),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                return Ok(Err(step.otherwise));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Ok(()))
}
