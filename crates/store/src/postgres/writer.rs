//! The writer task: takes what is waiting, runs each change in a savepoint, commits all of it at once.
//!
//! When the connection breaks, the lock is gone with it. The writer then says so to everybody, connects anew,
//! takes the lock again, reads what has been committed in the meantime (its own commit of unknown fate
//! included), hands that to the follower, and only then is available again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_model::{Clock, EntryId, Position};
use claviger_vault::Vault;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio_postgres::Config;
use tokio_postgres::error::SqlState;

use super::{Session, failure};
use crate::batch::{Batch, CHANGES_PER_BATCH_MAX, Job, Reply, fail};
use crate::change::{Change, Step};
use crate::database::Availability;
use crate::ledger::{self, Head, move_head, read_head};
use crate::value::params;
use crate::{CommitError, Entry, Refusal, StoreError, StoreMetrics};

/// How often a batch is tried again that the database gave up before committing it (deadlock, serialisation).
const RETRIES_MAX: u32 = 3;
/// The pause before each attempt to connect again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(500);
/// How long askers wait for a commit of unknown fate to be settled before they are told that it is unknown.
const SETTLE_WAIT: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    pub(super) config: Config,
    pub(super) session: Session,
    /// The last position handed to the follower; none before the first commit.
    pub(super) followed: Option<Position>,
    pub(super) batches: mpsc::Sender<Batch>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<StoreMetrics>,
    pub(super) availability: Availability,
}

struct Written {
    outcomes: Vec<Result<Position, Refusal>>,
    entries: Vec<Entry>,
}

type Changes = Vec<(Change, EntryId)>;

impl Writer {
    /// Works until nobody can ask any more.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        match self.read_head().await {
            Ok(head) => self.followed = Some(head.position),
            Err(_) => self.recover(&mut jobs, Vec::new(), &[]).await,
        }
        let mut waiting = Vec::with_capacity(CHANGES_PER_BATCH_MAX);
        loop {
            let mut gone = self.session.gone.clone();
            let gone = async {
                // An error means that the watcher itself is gone, and the connection with it.
                let _ = gone.wait_for(|gone| *gone).await;
            };
            tokio::select! {
                count = jobs.recv_many(&mut waiting, CHANGES_PER_BATCH_MAX) => {
                    if count == 0 {
                        return self.session.unlock().await;
                    }
                    self.serve(&mut waiting, &mut jobs).await;
                }
                () = gone => self.recover(&mut jobs, Vec::new(), &[]).await,
            }
        }
    }

    async fn serve(&mut self, waiting: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>) {
        let started = Instant::now();
        let (changes, replies): (Changes, Vec<Reply>) =
            waiting.drain(..).map(|job| ((job.change, job.entry), job.reply)).unzip();
        let mut attempt = 0;
        let written = loop {
            match self.commit(&changes).await {
                Ok(written) => break written,
                Err(error) if attempt < RETRIES_MAX && is_undone_by_database(&error) => {
                    attempt += 1;
                    self.metrics.retried();
                    let _ = self.session.client.batch_execute("ROLLBACK").await;
                }
                Err(error) => {
                    self.metrics.failed();
                    tracing::error!(error = &error as &dyn std::error::Error, "a commit failed");
                    let undone = self.session.client.batch_execute("ROLLBACK").await.is_ok();
                    if undone && !self.session.client.is_closed() {
                        return fail(replies, "the commit failed");
                    }
                    let ids: Vec<_> = changes.iter().map(|(_, id)| *id).collect();
                    return self.recover(jobs, replies, &ids).await;
                }
            }
        };
        let refused = written.outcomes.iter().filter(|outcome| outcome.is_err()).count();
        self.metrics.committed(written.outcomes.len() - refused, refused, started.elapsed());
        if let Some(last) = written.entries.last() {
            self.followed = Some(last.position);
        }
        let answers = written.outcomes.into_iter().map(|outcome| outcome.map_err(CommitError::Refused));
        let answers = replies.into_iter().zip(answers).collect();
        let batch = Batch { answers, entries: written.entries, reopens: None };
        // Without a follower nobody can be answered; dropping the batch tells them so.
        let _ = self.batches.send(batch).await;
    }

    async fn commit(&mut self, changes: &Changes) -> Result<Written, tokio_postgres::Error> {
        self.session.client.batch_execute("BEGIN").await?;
        let mut head = self.read_head().await?;
        let before = head.position;
        let (mut outcomes, mut entries) = (Vec::with_capacity(changes.len()), Vec::new());
        for (change, id) in changes {
            let outcome = self.run_all(&change.steps).await?;
            let mut closing = vec![];
            if outcome.is_err() {
                self.session.client.batch_execute("ROLLBACK TO SAVEPOINT change").await?;
            } else if let Some(draft) = &change.entry {
                let entry = head.append(draft.clone(), *id, self.clock.now(), &self.vault);
                closing.push(entry.insert());
                entries.push(entry);
            }
            self.run_pipelined(&closing).await?;
            self.session.client.batch_execute("RELEASE SAVEPOINT change").await?;
            outcomes.push(outcome.map(|()| head.position));
        }
        if head.position != before {
            self.run_pipelined(&[move_head(&head)]).await?;
        }
        self.session.client.batch_execute("COMMIT").await?;
        Ok(Written { outcomes, entries })
    }

    /// Runs the statements of one change after a savepoint, all on their way at once.
    async fn run_all(&mut self, steps: &[Step]) -> Result<Result<(), Refusal>, tokio_postgres::Error> {
        let mut statements = Vec::with_capacity(steps.len());
        for step in steps {
            statements.push(self.session.prepared(step.sql).await?);
        }
        let client = &self.session.client;
        let savepoint = client.batch_execute("SAVEPOINT change");
        let runs =
            statements.iter().zip(steps).map(|(statement, step)| client.execute_raw(statement, &step.params));
        // `join` polls the savepoint first, `join_all` the statements in their order: that is how they are sent.
        let (begun, counts) = futures_util::future::join(savepoint, join_all(runs)).await;
        begun?;
        for (step, count) in steps.iter().zip(counts) {
            match count {
                Ok(count) if step.rows.admits(count) => {}
                Ok(_) => return Ok(Err(step.otherwise)),
                Err(error) if is_constraint(&error) => return Ok(Err(step.otherwise)),
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(()))
    }

    async fn run_pipelined(&mut self, steps: &[Step]) -> Result<(), tokio_postgres::Error> {
        for step in steps {
            let statement = self.session.prepared(step.sql).await?;
            self.session.client.execute_raw(&statement, &step.params).await?;
        }
        Ok(())
    }

    /// Reads the head and locks it: from here on, changes are serial.
    async fn read_head(&mut self) -> Result<Head, tokio_postgres::Error> {
        let statement = self.session.prepared(LOCK_HEAD).await?;
        let row = self.session.client.query_one(&statement, &[]).await?;
        Ok(read_head(&row).unwrap_or(Head::ORIGIN))
    }

    /// Connects again until it has the lock and the follower has what was committed meanwhile. Whoever asks in
    /// the meantime is told at once that the database is away.
    async fn recover(&mut self, jobs: &mut mpsc::Receiver<Job>, unsettled: Vec<Reply>, ids: &[EntryId]) {
        self.availability.set(false);
        let started = Instant::now();
        let mut unsettled = Some(unsettled);
        loop {
            match self.catch_up(ids).await {
                Ok((entries, fates)) => {
                    let replies = unsettled.take().unwrap_or_default();
                    let answers = replies.into_iter().zip(fates).collect();
                    let reopens = Some(self.availability.clone());
                    let _ = self.batches.send(Batch { entries, answers, reopens }).await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the database is away");
                }
            }
            if started.elapsed() > SETTLE_WAIT {
                fail(unsettled.take().into_iter().flatten(), "the fate of the change is unknown");
            }
            let pause = tokio::time::sleep(RECONNECT_PAUSE);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    job = jobs.recv() => match job {
                        Some(job) => fail([job.reply], "the database is away"),
                        None => return,
                    },
                }
            }
        }
    }

    /// A new session with the lock, everything after what the follower has, and what became of some changes.
    async fn catch_up(&mut self, ids: &[EntryId]) -> Result<CaughtUp, StoreError> {
        let session = Session::connect(&self.config).await?;
        if !session.lock().await? {
            return Err(StoreError::InUse);
        }
        self.session = session;
        let after = self.followed.map_or(0, |position| position.sequence);
        let rows = self
            .session
            .client
            .query_raw(ledger::SELECT_AFTER, params![after, i64::MAX])
            .await
            .map_err(failure)?;
        let mut rows = std::pin::pin!(rows);
        let mut entries = Vec::new();
        while let Some(row) = futures_util::TryStreamExt::try_next(&mut rows).await.map_err(failure)? {
            entries.push(Entry::read(&row)?);
        }
        if let Some(last) = entries.last() {
            self.followed = Some(last.position);
        }
        let fate = |id: &EntryId| match entries.iter().find(|entry| entry.id == *id) {
            Some(entry) => Ok(entry.position),
            None => Err(CommitError::Failed(StoreError::unavailable("the change was not committed"))),
        };
        let fates = ids.iter().map(fate).collect();
        Ok((entries, fates))
    }
}

type CaughtUp = (Vec<Entry>, Vec<Result<Position, CommitError>>);

/// The query for the head with the lock that makes changes serial; SQLite has `BEGIN IMMEDIATE` for it.
const LOCK_HEAD: &str = "SELECT epoch, sequence, mac FROM ledger_head WHERE one = 1 FOR UPDATE";

fn is_constraint(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("23"))
}

/// Whether the database itself undid the transaction and invites another attempt.
fn is_undone_by_database(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE) || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}
