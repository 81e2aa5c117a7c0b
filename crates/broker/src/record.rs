//! Every call is recorded: who, through which connection, what, where to, how it went, and how much it was.
//!
//! Lines are gathered in memory and written at least every second. What is written survives; a crash may lose that
//! second. Where there is no more room for lines, or they cannot be written, no call is made: a call that nobody can
//! find afterwards is not to be had. Connections may ask for more: [`strict`].

mod strict;
mod waiting;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_engine::Engine;
use claviger_http::App;
use claviger_model::{Connection, ConnectionId, CredentialId, OrgId, Timestamp, UserId};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method};
use tokio::sync::watch;
use tokio::time::Instant;

use self::strict::Begun;
use self::waiting::Waiting;
use crate::by::By;
use crate::door::METHOD_BYTES_MAX;
use crate::outbody::Sent;

/// How often lines are written.
const PERIOD: Duration = Duration::from_secs(1);
/// Rows that are written in one commit.
const ROWS_MAX: usize = 64;
/// How much of a path is kept.
const PATH_CHARS_MAX: usize = 512;
/// How long lines are kept.
pub(crate) const RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often old lines are looked for.
const FORGETTING_PERIOD: Duration = Duration::from_secs(600);
/// How often some are erased between two times of writing, where there are many: 10,000 rows a second, which is more than
/// are written. Each time is a change by itself, so that others come in between.
const FORGETTING_ROUNDS: usize = 50;
/// And no longer than this, where that takes time: lines wait to be written.
const FORGETTING_PATIENCE: Duration = Duration::from_millis(500);

/// Gathers lines.
#[derive(Default)]
pub(crate) struct Recorder {
    waiting: Mutex<Waiting>,
    is_refusing: AtomicBool,
    is_cutting_off: AtomicBool,
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
            match forget(app.engine()).await {
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

/// Erases what is old, as far as there is time. Tells whether that was all of it.
async fn forget(engine: &Engine) -> Result<bool, claviger_engine::Error> {
    let began = Instant::now();
    for _ in 0..FORGETTING_ROUNDS {
        if engine.forget_calls(engine.clock().now() - RETENTION).await? {
            return Ok(true);
        }
        if began.elapsed() >= FORGETTING_PATIENCE {
            break;
        }
    }
    Ok(false)
}

impl Recorder {
    /// Whether there is room for another line.
    pub(crate) fn has_room(&self) -> bool {
        !self.is_refusing.load(Relaxed)
    }

    /// What ends from now on before its end is ended by the server's own stop.
    pub(crate) fn cut_off(&self) {
        self.is_cutting_off.store(true, Relaxed);
    }

    /// `begun` is what the line takes the place of.
    fn note(&self, org: OrgId, connection: ConnectionId, at: Timestamp, line: &str, begun: Option<Begun>) {
        let mut waiting = self.waiting();
        waiting.add(org, connection, at, line, begun);
        if waiting.is_full() {
            self.is_refusing.store(true, Relaxed);
        }
    }

    /// Writes what waits. What cannot be written waits on, and no call is made meanwhile.
    pub(crate) async fn flush(&self, engine: &Engine) {
        let mut rows = self.waiting().take();
        for row in rows.iter_mut().filter(|row| row.id.is_nil()) {
            row.id = engine.new_batch_id();
        }
        while !rows.is_empty() {
            let now = rows.len().saturating_sub(ROWS_MAX);
            if let Err(error) = engine.record_calls(&rows[now..]).await {
                let error = claviger_model::chain(&error);
                tracing::error!(error, "calls cannot be recorded: none is made until they can");
                self.is_refusing.store(true, Relaxed);
                return self.waiting().take_back(rows);
            }
            self.waiting().written(rows.drain(now..));
        }
        // Looked at and said under one lock, as by whoever adds.
        let waiting = self.waiting();
        self.is_refusing.store(waiting.is_full(), Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a call from the beginning on. Dropped, it is recorded.
pub(crate) struct Noted {
    app: App,
    recorder: Arc<Recorder>,
    line: Line,
    started: Instant,
    begun: Option<Begun>,
    is_whole: bool,
    /// Whether the third party's answer is passed on, or was.
    is_handed_back: bool,
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
        let (started, begun) = (Instant::now(), None);
        let (is_whole, is_handed_back, is_done) = (false, false, false);
        Self { app, recorder, line, started, begun, is_whole, is_handed_back, is_done }
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

    /// The same, where the answer is passed on: what becomes of it counts.
    pub(crate) fn handed_back(&mut self, status: u16) {
        self.is_handed_back = true;
        self.answered(status);
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

    /// The third party said all.
    pub(crate) fn finished(&mut self) {
        self.is_whole = true;
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
        if !self.is_whole && self.line.code.is_none() && self.recorder.is_cutting_off.load(Relaxed) {
            self.line.code = Some("stopped");
        }
        // What is refused is counted where that is told.
        if self.is_handed_back {
            match self.line.code {
                None => self.app.metrics().count_forwarded(),
                Some(code) => self.app.metrics().count_brokered(code),
            }
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
        // A longer one is refused before; it would be kept in each line.
        let method = method.as_str().get(..METHOD_BYTES_MAX).unwrap_or(method.as_str());
        for part in ["\",\"", method, "\",\"", host, "\",\""] {
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
