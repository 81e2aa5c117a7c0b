//! Servers under measurement: started, awaited, asked to stop.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::options::Options;
use crate::process::pinned;

/// How long a server may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// How often it is asked whether it is.
const POLL: Duration = Duration::from_millis(1);

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it answered that it is ready.
    pub(crate) ready_after: Duration,
}

impl Server {
    /// The product on these cores, over a data directory, with whatever database stands beside it.
    pub(crate) fn product(
        options: &Options,
        cores: &str,
        data: &Path,
        postgres: Option<&str>,
    ) -> Result<Self> {
        let database = postgres.map(|url| ["--database".as_ref(), url.as_ref()]);
        Self::product_with(options, cores, data, database.as_ref().map_or(&[], |it| it.as_slice()))
    }

    /// The product on these cores, over a data directory, with other options.
    pub(crate) fn product_with(
        options: &Options,
        cores: &str,
        data: &Path,
        others: &[&OsStr],
    ) -> Result<Self> {
        let address = free_address()?;
        let mut command = pinned(cores, &options.server);
        command.arg("serve").arg("--data").arg(data).args(["--listen", &address.to_string()]).args(others);
        Self::listening(command, address, &data.join("log"))
    }

    /// A program that will listen at an address, and answer `/readyz` there once it is ready.
    pub(crate) fn listening(mut command: Command, address: SocketAddr, log_file: &Path) -> Result<Self> {
        let log = File::create(log_file)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("taskset: {error}"))?;
        while !is_ready(address) {
            if let Some(status) = child.try_wait()? {
                return Err(format!("a server ended with {status}; see {}", log_file.display()).into());
            }
            if started.elapsed() > READY_LIMIT {
                child.kill()?;
                return Err("a server was not ready in time".into());
            }
            std::thread::sleep(POLL);
        }
        Ok(Self { child, address, ready_after: started.elapsed() })
    }

    /// The bare server that gives an answer found in a file.
    pub(crate) fn bare(core: &str, answer: &Path) -> Result<Self> {
        let mut command = pinned(core, &std::env::current_exe()?);
        command.arg(crate::bare::COMMAND).arg(answer).stdin(Stdio::null()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("taskset: {error}"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()?, ready_after: started.elapsed() })
    }

    pub(crate) fn pid(&self) -> u32 {
        // taskset becomes the program that it starts.
        self.child.id()
    }

    /// Lets it finish, so that what it has buffered is written.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.pid().to_string();
        Command::new("sh").args(["-c", r#"kill -s TERM "$1""#, "kill", &pid]).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _already_gone = self.child.wait();
    }
}

/// An address at which nobody listens.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
