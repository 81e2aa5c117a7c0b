//! Running commands, and servers that never outlive their task.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How long a server may take to stop when asked; then it is killed.
const STOP_SECONDS_MAX: u64 = 15;

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Run beside each server. It reads a line when the server was stopped in good order; end of file without one
/// means that this program is gone (Ctrl-C, a kill), and then it stops the server and removes its directory.
const GUARD: &str = r#"
signal=$1 pid=$2 directory=$3 tenths=$4
read -r _ && exit
kill -s "$signal" "$pid"
while [ "$tenths" -gt 0 ] && kill -0 "$pid"; do sleep 0.1; tenths=$((tenths - 1)); done
kill -s KILL "$pid"
rm -rf "$directory"
"#;

/// The signal that asks a server to finish.
#[derive(Clone, Copy)]
pub(crate) enum StopSignal {
    /// PostgreSQL's "fast shutdown": it does not wait for its clients to leave.
    Interrupt,
    /// Everybody else's polite request.
    Terminate,
}

impl StopSignal {
    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
        }
    }
}

/// A server process. Dropping it stops it; so does the end of this program, however it comes.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    guard: Child,
    stop_signal: StopSignal,
}

impl Server {
    /// Starts `command` with its output going to `log`. `directory` is removed if this program dies first.
    ///
    /// The server gets its own process group, so that Ctrl-C reaches it through the guard, in order, rather
    /// than while the tests still talk to it.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        stop_signal: StopSignal,
        directory: &Path,
        log: File,
    ) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        let guard = guard(child.id(), stop_signal, directory).inspect_err(|_| {
            let _already_gone = child.kill();
        })?;
        Ok(Self { name, child, guard, stop_signal })
    }

    /// Waits until `is_ready`; fails early when the server ends, and in any case after `limit`.
    pub(crate) fn wait_until(&mut self, limit: Duration, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !is_ready() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("{} ended before it was ready ({status})", self.name).into());
            }
            if Instant::now() > deadline {
                return Err(format!("{} was not ready after {} s", self.name, limit.as_secs()).into());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Asks the server to stop. An error when it had to be killed, or ended with anything but success.
    pub(crate) fn stop(mut self) -> Result<()> {
        match self.finish()? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("{} ended with {status}", self.name).into()),
            None => Err(format!("{} had to be killed, after {STOP_SECONDS_MAX} s", self.name).into()),
        }
    }

    /// The server's exit status, or `None` if it had to be killed.
    fn finish(&mut self) -> Result<Option<ExitStatus>> {
        if self.child.try_wait()?.is_none() {
            send(self.stop_signal, self.child.id())?;
        }
        let deadline = Instant::now() + Duration::from_secs(STOP_SECONDS_MAX);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            thread::sleep(POLL_INTERVAL);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            // The guard is left to do it.
            eprintln!("error: stopping {}: {error}", self.name);
            return;
        }
        if let Some(mut stdin) = self.guard.stdin.take() {
            let _guard_is_gone = stdin.write_all(b"stopped\n");
        }
        let _guard_is_gone = self.guard.wait();
    }
}

/// Starts the guard, in its own process group, since Ctrl-C must not reach it.
fn guard(pid: u32, stop_signal: StopSignal, directory: &Path) -> Result<Child> {
    Ok(Command::new("sh")
        .args(["-c", GUARD, "guard", stop_signal.name(), &pid.to_string()])
        .arg(directory)
        .arg((STOP_SECONDS_MAX * 10).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?)
}

/// The shell's own `kill`: std can only send SIGKILL, and the program `kill` may not be installed.
fn send(signal: StopSignal, pid: u32) -> Result<()> {
    run(Command::new("sh").args(["-c", r#"kill -s "$1" "$2""#, "kill", signal.name(), &pid.to_string()]))
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the root").to_owned()
}

/// A command that runs at the repository's root.
pub(crate) fn at_root(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// The cargo that runs this program, at the repository's root.
pub(crate) fn cargo() -> Command {
    at_root(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
}

/// Runs `command` to its end; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("{}: {error}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command)).into()) }
}

/// What `command` prints, or `None` when it cannot be run or fails. For questions to the system.
pub(crate) fn ask(command: &mut Command) -> Result<Option<String>> {
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            Ok(Some(String::from_utf8(output.stdout)?.trim().to_owned()))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", shown(command)).into()),
    }
}

/// A port of 127.0.0.1 that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The last lines of a log file, for an error message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 40;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

/// The program and its first argument: enough to recognise it, and never a credential.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args().take(1));
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn server(script: &str, directory: &Path) -> Server {
        let log = File::create(directory.join("log")).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(directory);
        Server::start("test server", &mut command, StopSignal::Terminate, directory, log).unwrap()
    }

    #[test]
    fn stopping_reports_how_the_server_ended() {
        let directory = tempfile::tempdir().unwrap();
        for (code, is_ok) in [(0, true), (3, false)] {
            let script = format!("trap 'exit {code}' TERM; touch ready; while :; do sleep 0.02; done");
            let mut server = server(&script, directory.path());
            server.wait_until(LIMIT, || directory.path().join("ready").exists()).unwrap();
            assert_eq!(server.stop().is_ok(), is_ok, "exit {code}");
            std::fs::remove_file(directory.path().join("ready")).unwrap();
        }
    }

    #[test]
    fn waiting_ends_when_the_server_ends() {
        let directory = tempfile::tempdir().unwrap();
        let error = server("exit 7", directory.path()).wait_until(LIMIT, || false).unwrap_err();
        assert!(error.to_string().contains("exit status: 7"), "{error}");
    }

    #[test]
    fn dropping_ends_the_process() {
        let directory = tempfile::tempdir().unwrap();
        let server = server("exec sleep 1000", directory.path());
        let pid = server.child.id().to_string();
        drop(server);
        let mut alive = Command::new("sh");
        assert_eq!(ask(alive.args(["-c", r#"kill -0 "$1""#, "sh", &pid])).unwrap(), None);
    }

    #[test]
    fn the_guard_cleans_up_when_this_program_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let mut server = server("exec sleep 1000", directory.path());
        drop(server.guard.stdin.take());
        assert!(!server.child.wait().unwrap().success(), "ended by the guard's signal");
        server.guard.wait().unwrap();
        assert!(!directory.path().exists());
    }
}
