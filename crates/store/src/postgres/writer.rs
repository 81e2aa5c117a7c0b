//! The writer task: takes what is waiting, runs each change whole or not at all, commits all of it at once.
//!
//! When the connection breaks, or falls silent, the lock is gone with it or may be. The writer then says so to
//! everybody, connects anew, takes the lock again, reads what has been committed in the meantime (its own commit of
//! unknown fate included), hands that to the follower, and only then is available again.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use claviger_model::{Clock, EntryId, Position};
use claviger_vault::Vault;
use futures_util::TryStreamExt;
use tokio::sync::mpsc;
use tokio_postgres::Statement;
use tokio_postgres::error::SqlState;

use super::server::Server;
use super::{SILENCE_MAX, Session, failure, within};
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
/// How long an idle connection is trusted before the database is asked whether it is still there.
const PULSE_PAUSE: Duration = Duration::from_secs(1);
/// How long askers wait for a commit of unknown fate to be settled before they are told that it is unknown.
const SETTLE_WAIT: Duration = Duration::from_secs(5);
/// Entries handed on at once after a loss: another server may have written any number.
const CATCH_UP_ENTRIES_MAX: u32 = 1_000;

pub(super) struct Writer {
    pub(super) server: Server,
    pub(super) session: Session,
    /// The end of what was handed to the follower.
    pub(super) followed: Head,
    pub(super) batches: mpsc::Sender<Batch>,
    pub(super) vault: Arc<Vault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<StoreMetrics>,
    pub(super) availability: Availability,
}

struct Written {
    outcomes: Vec<Result<Position, Refusal>>,
    entries: Vec<Entry>,
    head: Head,
}

type Changes = Vec<(Change, EntryId)>;

/// Says that there is nothing left to do: nobody can ask any more, or nobody follows.
struct Done;

impl Writer {
    /// Works until nobody can ask or nobody follows any more, then gives the lock back.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let Err(Done) = self.work(&mut jobs).await;
        // Without the lock, nothing that this process remembers may be taken for true.
        self.availability.lose();
        self.session.unlock().await;
    }

    async fn work(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Result<Infallible, Done> {
        match self.read_head().await {
            Ok(head) => self.followed = head,
            Err(_) => self.recover(jobs, Vec::new(), &[]).await?,
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
                        return Err(Done);
                    }
                    self.serve(&mut waiting, jobs).await?;
                }
                () = gone => self.recover(jobs, Vec::new(), &[]).await?,
                () = tokio::time::sleep(PULSE_PAUSE) => {
                    if !self.session.answers().await {
                        self.recover(jobs, Vec::new(), &[]).await?;
                    }
                }
            }
        }
    }

    async fn serve(&mut self, waiting: &mut Vec<Job>, jobs: &mut mpsc::Receiver<Job>) -> Result<(), Done> {
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
                    let _ = self.ask(self.session.client.batch_execute("ROLLBACK")).await;
                }
                Err(error) => {
                    self.metrics.failed();
                    tracing::error!(error = claviger_model::chain(&error), "a commit failed");
                    let undone = self.ask(self.session.client.batch_execute("ROLLBACK")).await.is_ok();
                    if undone && !self.session.client.is_closed() {
                        fail(replies, "the commit failed");
                        return Ok(());
                    }
                    let ids: Vec<_> = changes.iter().map(|(_, id)| *id).collect();
                    return self.recover(jobs, replies, &ids).await;
                }
            }
        };
        let refused = written.outcomes.iter().filter(|outcome| outcome.is_err()).count();
        self.metrics.committed(written.outcomes.len() - refused, refused, started.elapsed());
        self.followed = written.head;
        let answers = written.outcomes.into_iter().map(|outcome| outcome.map_err(CommitError::Refused));
        let answers = replies.into_iter().zip(answers).collect();
        self.hand_on(Batch { answers, entries: written.entries, reopens: None }).await
    }

    /// Hands a batch to the follower, however long it takes. Without a follower nobody can be answered; dropping
    /// the batch tells them so.
    async fn hand_on(&self, batch: Batch) -> Result<(), Done> {
        loop {
            match tokio::time::timeout(PULSE_PAUSE, self.batches.reserve()).await {
                Ok(Ok(place)) => {
                    place.send(batch);
                    return Ok(());
                }
                Ok(Err(_)) => return Err(Done),
                // The connection is watched meanwhile as it is while idle; recovery follows once this is done.
                Err(_) if self.session.answers().await => {}
                Err(_) => {
                    self.session.hang_up();
                    self.availability.lose();
                }
            }
        }
    }

    /// Nearly all changes come out, so that a batch is sent at once, in three round trips whatever its size. If one
    /// of its changes is refused, all are undone and run again, each in a savepoint of its own.
    async fn commit(&mut self, changes: &Changes) -> Result<Written, StoreError> {
        match self.commit_at_once(changes).await? {
            Some(written) => Ok(written),
            None => {
                self.ask(self.session.client.batch_execute("ROLLBACK")).await?;
                self.commit_each(changes).await
            }
        }
    }

    /// None where a change is refused; the transaction is open then.
    async fn commit_at_once(&mut self, changes: &Changes) -> Result<Option<Written>, StoreError> {
        let mut head = self.begin().await?;
        let before = head.position;
        let (mut outcomes, mut entries) = (Vec::with_capacity(changes.len()), self.missed(&head).await?);
        let mut closing = Vec::with_capacity(changes.len());
        for (change, id) in changes {
            let appended = head.append_all(&change.entries, *id, self.clock.now(), &self.vault);
            closing.push(appended.iter().map(Entry::insert).collect::<Vec<_>>());
            entries.extend(appended);
            outcomes.push(Ok(head.position));
        }
        let moving = (head.position != before).then(|| move_head(&head));
        let steps =
            changes.iter().zip(&closing).flat_map(|((change, _), last)| change.steps.iter().chain(last));
        let steps: Vec<_> = steps.chain(&moving).collect();
        match self.run_in_order(&steps).await? {
            Ok(()) => {
                self.ask(self.session.client.batch_execute("COMMIT")).await?;
                Ok(Some(Written { outcomes, entries, head }))
            }
            Err(_) => Ok(None),
        }
    }

    async fn commit_each(&mut self, changes: &Changes) -> Result<Written, StoreError> {
        let mut head = self.begin().await?;
        let before = head.position;
        let (mut outcomes, mut entries) = (Vec::with_capacity(changes.len()), self.missed(&head).await?);
        for (change, id) in changes {
            self.ask(self.session.client.batch_execute("SAVEPOINT change")).await?;
            let outcome = self.run_in_order(&change.steps.iter().collect::<Vec<_>>()).await?;
            if outcome.is_err() {
                self.ask(self.session.client.batch_execute("ROLLBACK TO SAVEPOINT change")).await?;
            } else {
                for entry in head.append_all(&change.entries, *id, self.clock.now(), &self.vault) {
                    self.run_one(&entry.insert()).await?;
                    entries.push(entry);
                }
            }
            self.ask(self.session.client.batch_execute("RELEASE SAVEPOINT change")).await?;
            outcomes.push(outcome.map(|()| head.position));
        }
        if head.position != before {
            self.run_one(&move_head(&head)).await?;
        }
        self.ask(self.session.client.batch_execute("COMMIT")).await?;
        Ok(Written { outcomes, entries, head })
    }

    /// Begins a transaction, and reads and locks the head.
    async fn begin(&mut self) -> Result<Head, StoreError> {
        self.ask(self.session.client.batch_execute("BEGIN")).await?;
        self.read_head().await
    }

    /// Runs statements in their order, all on their way at once, up to the first that does not come out as it must.
    async fn run_in_order(&mut self, steps: &[&Step]) -> Result<Result<(), Refusal>, StoreError> {
        let mut statements = Vec::with_capacity(steps.len());
        for step in steps {
            statements.push(self.prepared(step.sql).await?);
        }
        let client = &self.session.client;
        let answers = async {
            // A statement is sent when its answer is first asked for.
            let mut sent = Vec::with_capacity(steps.len());
            for (statement, step) in statements.iter().zip(steps) {
                let mut answer = Box::pin(client.execute_raw(statement, &step.params));
                let first = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
                sent.push((first, answer));
            }
            let mut counts = Vec::with_capacity(steps.len());
            for (first, answer) in sent {
                counts.push(match first {
                    Poll::Ready(count) => count,
                    Poll::Pending => answer.await,
                });
            }
            Ok(counts)
        };
        for (step, count) in steps.iter().zip(self.ask(answers).await?) {
            match count {
                Ok(count) if step.rows.admits(count) => {}
                Ok(_) => return Ok(Err(step.otherwise)),
                Err(error) if is_constraint(&error) => return Ok(Err(step.otherwise)),
                Err(error) => return Err(failure(error)),
            }
        }
        Ok(Ok(()))
    }

    async fn run_one(&mut self, step: &Step) -> Result<(), StoreError> {
        let statement = self.prepared(step.sql).await?;
        self.ask(self.session.client.execute_raw(&statement, &step.params)).await.map(|_| ())
    }

    /// Waits for an answer of the writer's own connection.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        within(&self.session.connection, answer).await
    }

    async fn prepared(&mut self, sql: &'static str) -> Result<Statement, StoreError> {
        let connection = self.session.connection.clone();
        within(&connection, self.session.prepared(sql)).await
    }

    /// Reads the head and locks it: from here on, changes are serial.
    async fn read_head(&mut self) -> Result<Head, StoreError> {
        let statement = self.prepared(LOCK_HEAD).await?;
        read_head(&self.ask(self.session.client.query_one(&statement, &[])).await?)
    }

    /// What was written past this writer's lock, as by hand: it is followed before what comes next.
    async fn missed(&mut self, head: &Head) -> Result<Vec<Entry>, StoreError> {
        match head.is_beyond(&self.followed)? {
            true => self.entries_after(self.followed.position, i64::MAX).await,
            false => Ok(Vec::new()),
        }
    }

    async fn entries_after(&mut self, after: Position, limit: i64) -> Result<Vec<Entry>, StoreError> {
        let statement = self.prepared(ledger::SELECT_AFTER).await?;
        let rows = self.session.client.query_raw(&statement, params![after.sequence, limit]);
        let rows = self.ask(async { rows.await?.try_collect::<Vec<_>>().await }).await?;
        rows.iter().map(|row| Entry::read(row)).collect()
    }

    /// Connects again until it has the lock and the follower has what was committed meanwhile. Whoever asks in
    /// the meantime is told at once that the database is away.
    async fn recover(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        unsettled: Vec<Reply>,
        ids: &[EntryId],
    ) -> Result<(), Done> {
        self.availability.lose();
        let started = Instant::now();
        let mut unsettled = Some(unsettled);
        let mut fates = HashMap::new();
        loop {
            match meanwhile(jobs, self.catch_up(ids, &mut fates)).await?? {
                Ok(entries) => {
                    let fate = |id| match fates.get(id) {
                        Some(position) => Ok(*position),
                        None => {
                            Err(CommitError::Failed(StoreError::unavailable("the change was not committed")))
                        }
                    };
                    let replies = unsettled.take().unwrap_or_default();
                    let answers = replies.into_iter().zip(ids.iter().map(fate)).collect();
                    let reopens = Some(self.availability.regaining());
                    return self.hand_on(Batch { entries, answers, reopens }).await;
                }
                Err(error) => {
                    tracing::warn!(error = claviger_model::chain(&error), "the database is away");
                }
            }
            if started.elapsed() > SETTLE_WAIT {
                fail(unsettled.take().into_iter().flatten(), "the fate of the change is unknown");
            }
            meanwhile(jobs, tokio::time::sleep(RECONNECT_PAUSE)).await?;
        }
    }

    /// A new session with the lock; hands on what the follower lacks, but for the last of it, and notes the places
    /// of those entries that somebody waits for.
    async fn catch_up(
        &mut self,
        ids: &[EntryId],
        fates: &mut HashMap<EntryId, Position>,
    ) -> Result<Result<Vec<Entry>, StoreError>, Done> {
        if let Err(error) = self.reconnect().await {
            return Ok(Err(error));
        }
        loop {
            let limit = CATCH_UP_ENTRIES_MAX;
            let entries = match self.entries_after(self.followed.position, limit.into()).await {
                Ok(entries) => entries,
                Err(error) => return Ok(Err(error)),
            };
            if let Some(last) = entries.last() {
                self.followed = last.clone().into_head();
            }
            let awaited = entries.iter().filter(|entry| ids.contains(&entry.id));
            fates.extend(awaited.map(|entry| (entry.id, entry.position)));
            if entries.len() < limit as usize {
                return Ok(Ok(entries));
            }
            self.hand_on(Batch { entries, answers: Vec::new(), reopens: None }).await?;
        }
    }

    /// Connects, takes the lock, and makes sure that this is the database that was followed: one that has lost
    /// entries, as by failing over to a standby that lagged, may hold alive what this process knows to be dead.
    async fn reconnect(&mut self) -> Result<(), StoreError> {
        // It may be alive, and would keep the lock from its successor.
        self.session.hang_up();
        let connecting = Session::connect(&self.server);
        self.session =
            tokio::time::timeout(SILENCE_MAX, connecting).await.map_err(StoreError::unavailable)??;
        if !self.session.lock().await? {
            return Err(StoreError::InUse);
        }
        if self.followed != Head::ORIGIN {
            let Position { epoch, sequence } = self.followed.position;
            let seen = self.entries_after(Position { epoch, sequence: sequence - 1 }, 1).await?;
            if seen.into_iter().next().map(Entry::into_head).as_ref() != Some(&self.followed) {
                return Err(StoreError::damaged("the ledger has lost entries that this server has seen"));
            }
        }
        Ok(())
    }
}

/// Does something while everybody who asks is told that the database is away.
async fn meanwhile<T>(jobs: &mut mpsc::Receiver<Job>, work: impl Future<Output = T>) -> Result<T, Done> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            job = jobs.recv() => fail([job.ok_or(Done)?.reply], "the database is away"),
        }
    }
}

/// The query for the head with the lock that makes changes serial; SQLite has `BEGIN IMMEDIATE` for it.
const LOCK_HEAD: &str = "SELECT epoch, sequence, mac FROM ledger_head WHERE one = 1 FOR UPDATE";

fn is_constraint(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("23"))
}

/// Whether the database itself undid the transaction and invites another attempt.
fn is_undone_by_database(error: &StoreError) -> bool {
    let StoreError::Unavailable(source) = error else { return false };
    let code = source.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE) || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}
