//! Before each answer to a change, the disk has what was written: shown by a trace of the server's system calls.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::process::until;
use crate::server::Home;

const CHANGES: usize = 200;
/// The fault, in builds for tests, that leaves the syncing to the operating system.
const NO_SYNC: (&str, &str) = ("CLAVIGER_FAULT_SYNCHRONOUS", "OFF");

/// The calls by which bytes reach the disk, and answers their client.
const CALLS: &str = "trace=pwrite64,fdatasync,write,writev,sendto";

/// What a trace shows.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Answers to creates.
    answers: usize,
    /// Answers that went out while the write-ahead log had bytes that no sync had covered.
    unsynced: usize,
}

/// Reads a trace in the order of what was completed.
fn read_trace(trace: &Path) -> Seen {
    let (mut seen, mut is_dirty) = (Seen { answers: 0, unsynced: 0 }, false);
    for line in fs::read_to_string(trace).unwrap().lines() {
        let is_log = line.contains("claviger.db-wal");
        if line.contains("pwrite64(") && is_log {
            is_dirty = true;
        } else if line.contains("fdatasync")
            && !line.contains("unfinished")
            && line.trim_end().ends_with("= 0")
        {
            // A resumed call does not name its file again; nothing but the log is synced between checkpoints,
            // and a checkpoint syncs the log first.
            is_dirty = false;
        } else if line.contains("HTTP/1.1 201") {
            seen.answers += 1;
            seen.unsynced += usize::from(is_dirty);
        }
    }
    seen
}

fn trace(variables: &[(&str, &str)]) -> Seen {
    let home = Home::founded();
    let trace = home.data().with_file_name("trace");
    // -D makes the server our child and the tracer somebody else's, so that it is the server whom we stop.
    let under = ["/usr/bin/strace", "-D", "-f", "-y", "-s", "64", "-e", CALLS, "-o", trace.to_str().unwrap()];
    let server = home.serve(&under, variables);
    home.lift_limits();
    let mut connection = home.connect().unwrap();
    for number in 0..CHANGES {
        let body =
            json!({ "data": { "type": "api_keys", "attributes": { "name": format!("key {number}") } } });
        assert_eq!(connection.send("POST", "/api/v2/api_keys", Some(&body)).unwrap().status, 201);
    }
    let id = server.id();
    server.stop();
    // The tracer writes the end of the traced last.
    let end = format!("{id} +++ exited");
    until("the trace has ended", || {
        let is_end = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").starts_with(&end);
        fs::read_to_string(&trace).unwrap().lines().any(is_end)
    });
    read_trace(&trace)
}

#[test]
fn every_answer_waits_for_the_disk() {
    assert_eq!(trace(&[]), Seen { answers: CHANGES, unsynced: 0 });
}

#[test]
fn the_check_fails_without_the_sync() {
    let seen = trace(&[NO_SYNC]);
    assert_eq!(seen.answers, CHANGES);
    assert!(seen.unsynced > CHANGES / 2, "{seen:?}");
}
