//! The real program as a process: run, served, asked over HTTP, told to stop, killed.
//!
//! What it runs on (a data directory, a database, a certificate) is the matter of each test program's own harness.

#![allow(dead_code, unused_imports, reason = "each test program uses its part")]

mod http;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use http::{Answer, ask, ask_with, exchange};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may take to stop: less than the longest drain that a test asks for.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// Waits until something is so that the program does not tell of.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::yield_now();
    }
}

/// The program. Whoever runs the tests may have settings of their own, which it does not see.
pub(crate) fn program() -> Command {
    program_under(&[])
}

/// The same as an argument of another program.
pub(crate) fn program_under(under: &[&str]) -> Command {
    let mut words = under.iter().chain(&[env!("CARGO_BIN_EXE_claviger")]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env_clear();
    command
}

/// What a run of the program came to.
pub(crate) struct Outcome(pub(crate) Output);

impl Outcome {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self(command.output().unwrap())
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Both.
    pub(crate) fn said(&self) -> String {
        self.stdout() + &self.stderr()
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.ends(0, &[])
    }

    /// Ends with this code, and has all of these in what it says.
    #[track_caller]
    pub(crate) fn ends(self, code: i32, expected: &[&str]) -> Self {
        let said = self.said();
        assert_eq!(self.0.status.code(), Some(code), "{said}");
        for part in expected {
            assert!(said.contains(part), "{part:?} is not in: {said}");
        }
        self
    }
}

/// The program, serving. It is killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it told when it began to listen.
    pub(crate) listening: Value,
    log: Arc<Log>,
}

/// What a server has said so far.
#[derive(Default)]
struct Log {
    said: Mutex<Said>,
    has_grown: Condvar,
}

#[derive(Default)]
struct Said {
    text: String,
    /// Whether there is no more to come: the server has ended.
    is_all: bool,
}

impl Log {
    /// Somebody must go on reading, or a talkative server would wait for it.
    fn read(&self, mut from: impl BufRead) {
        let mut line = String::new();
        while from.read_line(&mut line).unwrap() > 0 {
            self.said.lock().unwrap().text += &line;
            self.has_grown.notify_all();
            line.clear();
        }
        self.said.lock().unwrap().is_all = true;
        self.has_grown.notify_all();
    }

    /// The first thing that is found in it.
    fn wait_for<T>(&self, what: &str, patience: Duration, find: impl Fn(&Said) -> Option<T>) -> T {
        let deadline = Instant::now() + patience;
        let mut said = self.said.lock().unwrap();
        loop {
            if let Some(found) = find(&said) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!said.is_all && !left.is_zero(), "it never came to this: {what}; {}", said.text);
            said = self.has_grown.wait_timeout(said, left).unwrap().0;
        }
    }
}

impl Serving {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::<Log>::default();
        std::thread::spawn({
            let log = log.clone();
            move || log.read(stderr)
        });
        let listening: Value = serde_json::from_str(&log.wait_for("it listens", PATIENCE, |said| {
            said.text.lines().find(|line| line.contains("\"listening\"")).map(str::to_owned)
        }))
        .unwrap();
        let address = listening["address"].as_str().unwrap().parse().unwrap();
        Self { child, address, listening, log }
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.log.said.lock().unwrap().text.clone()
    }

    /// Waits until it has said something.
    pub(crate) fn wait_for(&self, part: &str) {
        self.log.wait_for(part, PATIENCE, |said| said.text.contains(part).then_some(()));
    }

    /// Of the process; of the program that it runs under, if it does.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Asks it to stop as a supervisor would, and tells its log once it has.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        self.stopped()
    }

    /// Waits for a good end that was asked for, and tells its log.
    pub(crate) fn stopped(mut self) -> String {
        let status = self.end();
        assert_eq!(status.code(), Some(0), "{}", self.log());
        self.log()
    }

    /// Kills it where it stands, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.end();
    }

    fn end(&mut self) -> ExitStatus {
        self.log.wait_for("it ends", STOP_PATIENCE, |said| said.is_all.then_some(()));
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has stopped already cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
