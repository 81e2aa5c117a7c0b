//! Every call is recorded: who, through which connection, what, where to, how it went, and how much it was.
//!
//! Lines are gathered in memory and written at least every second. What is written survives; a crash may lose that
//! second. Where there is no more room for lines, or they cannot be written, no call is made: a call that nobody can
//! find afterwards is not to be had. Connections may ask for more: [`strict`].

mod strict;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claviger_engine::{CallBatch, Engine};
use claviger_http::App;
use claviger_model::{Connection, ConnectionId, CredentialId, OrgId, Timestamp, UserId};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method};
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use self::strict::Begun;
use crate::by::By;
use crate::outbody::Sent;

/// How often lines are written.
const PERIOD: Duration = Duration::from_secs(1);
/// Lines that wait, some 50 MB at most: a few seconds' worth of the fastest traffic. Beyond, calls are refused.
const WAITING_MAX: usize = 200_000;
/// Lines of one row.
const BATCH_MAX: u32 = 1000;
/// Rows that are written in one commit.
const ROWS_MAX: usize = 64;
/// How much of a path is kept.
const PATH_CHARS_MAX: usize = 512;
/// How long lines are kept.
pub(crate) const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often old lines are looked for.
const FORGETTING_PERIOD: Duration = Duration::from_secs(600);

/// Gathers lines.
#[derive(Default)]
pub(crate) struct Recorder {
    waiting: Mutex<Waiting>,
    is_refusing: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    calls: usize,
    batches: HashMap<ConnectionId, Vec<CallBatch>>,
}

/// Writes lines, until it is told to stop.
pub(crate) async fn write_on(recorder: Arc<Recorder>, app: App, mut stopping: watch::Receiver<bool>) {
    let mut forgot_at: Option<Instant> = None;
    loop {
        let is_stopped = tokio::time::timeout(PERIOD, stopping.wait_for(|stop| *stop)).await.is_ok();
        recorder.flush(app.engine()).await;
        if is_stopped {
            return;
        }
        if forgot_at.is_none_or(|at| at.elapsed() >= FORGETTING_PERIOD) {
            match app.engine().forget_calls(app.engine().clock().now() - RETENTION).await {
                // There is more: at the next look.
                Ok(false) => {}
                Ok(true) => forgot_at = Some(Instant::now()),
                Err(error) => {
                    forgot_at = Some(Instant::now());
                    let error = claviger_model::chain(&error);
                    tracing::warn!(error, "old calls could not be erased");
                }
            }
        }
    }
}

impl Recorder {
    /// Whether there is room for another line.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_refusing.load(Relaxed)
    }

    /// `begun` is what the line takes the place of.
    fn note(&self, org: OrgId, connection: ConnectionId, at: Timestamp, line: &str, begun: Option<Begun>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.calls += 1;
        if waiting.calls >= WAITING_MAX {
            self.is_refusing.store(true, Relaxed);
        }
        let batches = waiting.batches.entry(connection).or_default();
        let is_other = |last: &CallBatch| last.calls >= BATCH_MAX || !last.id.is_nil();
        if begun.is_some() || batches.last().is_none_or(is_other) {
            let lines = String::with_capacity(if begun.is_some() { line.len() + 1 } else { 512 });
            batches.push(CallBatch {
                id: begun.map_or(Uuid::nil(), |begun| begun.row),
                org,
                connection,
                begun_at: begun.map(|begun| begun.at),
                first_at: at,
                last_at: at,
                calls: 0,
                lines,
            });
        }
        if let Some(batch) = batches.last_mut() {
            batch.calls += 1;
            batch.last_at = batch.last_at.max(at);
            batch.lines.push_str(line);
            batch.lines.push('\n');
        }
    }

    /// Writes what waits. What cannot be written waits on, and no call is made meanwhile.
    pub(crate) async fn flush(&self, engine: &Engine) {
        let taken = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let mut rows: Vec<_> = taken.batches.into_values().flatten().collect();
        for row in rows.iter_mut().filter(|row| row.id.is_nil()) {
            row.id = engine.new_batch_id();
        }
        while !rows.is_empty() {
            let now = rows.len().saturating_sub(ROWS_MAX);
            if let Err(error) = engine.record_calls(&rows[now..]).await {
                let error = claviger_model::chain(&error);
                tracing::error!(error, "calls cannot be recorded: none is made until they can");
                self.is_refusing.store(true, Relaxed);
                return self.take_back(rows);
            }
            rows.truncate(now);
        }
        self.is_refusing.store(false, Relaxed);
    }

    fn take_back(&self, rows: Vec<CallBatch>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            waiting.calls += row.calls as usize;
            // Before those that came meanwhile, so that no line is added to what may be written already.
            waiting.batches.entry(row.connection).or_default().insert(0, row);
        }
    }
}

/// What is known of a call from the beginning on. Dropped, it is recorded.
pub(crate) struct Noted {
    app: App,
    recorder: Arc<Recorder>,
    line: Line,
    started: Instant,
    begun: Option<Begun>,
    is_done: bool,
}

struct Line {
    org: OrgId,
    connection: ConnectionId,
    /// None for the server itself.
    acting: Option<CredentialId>,
    user: Option<UserId>,
    method: Method,
    /// Host, port and path.
    aim: Option<(HeaderValue, PathAndQuery)>,
    status: u16,
    code: Option<&'static str>,
    sent: Arc<Sent>,
    received: u64,
    masked: u64,
}

impl Noted {
    pub(crate) fn new(
        app: App,
        recorder: Arc<Recorder>,
        by: &By,
        connection: &Connection,
        method: Method,
    ) -> Self {
        let line = Line {
            org: connection.org,
            connection: connection.id,
            acting: by.acting(),
            user: by.user(),
            method,
            aim: None,
            status: 0,
            code: None,
            sent: Arc::default(),
            received: 0,
            masked: 0,
        };
        Self { app, recorder, line, started: Instant::now(), begun: None, is_done: false }
    }

    /// Where it goes.
    pub(crate) fn aimed_at(&mut self, host: HeaderValue, path: PathAndQuery) {
        self.line.aim = Some((host, path));
    }

    /// Counts what goes out.
    pub(crate) fn sent(&self) -> Arc<Sent> {
        self.line.sent.clone()
    }

    pub(crate) fn answered(&mut self, status: u16) {
        self.line.status = status;
    }

    pub(crate) fn refused(&mut self, status: u16, code: &'static str) {
        self.line.status = status;
        self.line.code = Some(code);
    }

    pub(crate) fn received(&mut self, bytes: usize) {
        self.line.received += bytes as u64;
    }

    pub(crate) fn broke_off(&mut self, code: &'static str) {
        self.line.code = Some(code);
    }

    pub(crate) fn masked(&mut self, times: u64) {
        self.line.masked += times;
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if std::mem::replace(&mut self.is_done, true) {
            return;
        }
        let at = self.app.engine().clock().now();
        let micros = self.started.elapsed().as_micros();
        let line = self.line.written(at, Some(micros));
        self.recorder.note(self.line.org, self.line.connection, at, &line, self.begun);
    }
}

impl Line {
    /// A JSON array: when it ended, the credential or `server`, the user, method, host, path, status, why not, bytes sent, bytes
    /// received, microseconds, and how many secrets were masked. Without microseconds it has not ended, but begun.
    fn written(&self, at: Timestamp, micros: Option<u128>) -> String {
        // Twice 36 characters of ids, and as much as numbers and the rest mostly have.
        let mut line = String::with_capacity(224 + self.path().len());
        let written = self.write(&mut line, at, micros);
        debug_assert!(written.is_ok(), "writing to a string does not fail");
        line
    }

    /// As much of the path as is kept.
    fn path(&self) -> &str {
        let path = self.aim.as_ref().map_or("", |(_, path)| path.path());
        match path.len() > PATH_CHARS_MAX {
            true => path.char_indices().nth(PATH_CHARS_MAX).map_or(path, |(end, _)| &path[..end]),
            false => path,
        }
    }

    fn write(&self, line: &mut String, at: Timestamp, micros: Option<u128>) -> std::fmt::Result {
        let Self { acting, method, status, received, masked, .. } = self;
        write!(line, "[{},\"", at.micros())?;
        match acting {
            Some(credential) => write!(line, "{credential}")?,
            None => line.push_str("server"),
        }
        line.push_str("\",\"");
        self.user.map_or(Ok(()), |user| write!(line, "{user}"))?;
        // Methods, hosts and paths were read already: they have no quote and no backslash, but for quotes in paths.
        let host = self.aim.as_ref().and_then(|(host, _)| host.to_str().ok()).unwrap_or_default();
        for part in ["\",\"", method.as_str(), "\",\"", host, "\",\""] {
            line.push_str(part);
        }
        for (number, part) in self.path().split('"').enumerate() {
            line.push_str(if number > 0 { "%22" } else { "" });
            line.push_str(part);
        }
        write!(line, "\",{status},")?;
        match self.code {
            Some(code) => write!(line, "\"{code}\"")?,
            None => line.push_str("null"),
        }
        write!(line, ",{},{received},", self.sent.bytes())?;
        match micros {
            Some(micros) => write!(line, "{micros}")?,
            None => line.push_str("null"),
        }
        write!(line, ",{masked}]")
    }
}
