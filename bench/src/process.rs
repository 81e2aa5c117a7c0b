//! What the system tells of a process, and on which core it runs.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;

/// The core of servers, where they are pinned.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the load generator, where the server is pinned.
pub(crate) const LOAD_CORE: &str = "1";
/// Not pinned.
pub(crate) const ANY_CORE: &str = "0-1";

/// A command that runs on one core from its beginning.
pub(crate) fn pinned(core: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// From now on, the calling thread runs on these cores only.
pub(crate) fn pin_this_thread(cores: &str) -> Result<()> {
    let link = std::fs::read_link("/proc/thread-self")?;
    let thread = link.file_name().ok_or("/proc/thread-self names no thread")?;
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "--pid", cores]).arg(thread).stdout(Stdio::null());
    let status = command.status().map_err(|error| format!("taskset: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("taskset: {status}").into()) }
}

/// From now on, this process and what it starts may have so many files open.
pub(crate) fn allow_open_files(count: usize) -> Result<()> {
    let pid = std::process::id().to_string();
    let mut command = Command::new("prlimit");
    let status = command.args(["--pid", &pid, &format!("--nofile={count}:")]).status();
    let status = status.map_err(|error| format!("prlimit: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("prlimit: {status}").into()) }
}

/// The time that all threads of a process have had on a core, user and system together. Unlike requests in a
/// second, it does not depend on what else the machine does.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let mut nanos = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end while we look.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanos += text.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Resident memory that no file stands behind, in MB of a million bytes.
pub(crate) fn anonymous_megabytes(pid: u32) -> Result<f64> {
    megabytes(pid, "RssAnon:")
}

/// All resident memory, the program's own file included, in MB of a million bytes.
pub(crate) fn resident_megabytes(pid: u32) -> Result<f64> {
    megabytes(pid, "VmRSS:")
}

fn megabytes(pid: u32, name: &str) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0 / 1e6)
}
