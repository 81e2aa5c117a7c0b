//! The program told to stop while a request is under way.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod process;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use process::{PATIENCE, Serving, ask, program, until};
use serde_json::Value;
use tempfile::TempDir;

const BODY: &str = r#"{"data":{"type":"api_keys","attributes":{"name":"Slow"}}}"#;

/// A running program.
struct Program {
    server: Serving,
    bootstrap: Value,
}

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

impl Program {
    fn start(directory: &TempDir, drain_seconds: &str) -> Self {
        let mut command = program();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--drain-seconds", drain_seconds, "--data"])
            .arg(data(directory));
        let server = Serving::start(command);
        let bootstrap = fs::read_to_string(data(directory).join("bootstrap.json")).unwrap();
        Self { server, bootstrap: serde_json::from_str(&bootstrap).unwrap() }
    }

    /// A request whose handler is waiting for its body: the server asked for the body, and got half of it.
    fn begin_request(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let key = |name: &str| self.bootstrap[name].as_str().unwrap().to_owned();
        let head = format!(
            "POST /api/v2/api_keys HTTP/1.1\r\nhost: x\r\ndd-api-key: {}\r\ndd-application-key: {}\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            key("api_key"),
            key("application_key"),
            BODY.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(&BODY.as_bytes()[..BODY.len() / 2]).unwrap();
        stream
    }
}

#[test]
fn a_request_under_way_is_answered_and_what_it_made_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "30");
    let mut slow = program.begin_request();
    program.server.signal("TERM");
    program.server.wait_for("asked to stop");
    until("nobody new is let in", || TcpStream::connect(program.server.address).is_err());
    slow.write_all(&BODY.as_bytes()[BODY.len() / 2..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    program.server.stopped();

    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let made: Value = serde_json::from_str(body).unwrap();
    let program = Program::start(&directory, "0");
    let key = made["data"]["attributes"]["key"].as_str().unwrap();
    let answer = ask(program.server.address, "GET", "/api/v1/validate", &[("dd-api-key", key)]).unwrap();
    assert_eq!(answer, (200, r#"{"valid":true}"#.to_owned()));
}

#[test]
fn a_request_that_does_not_end_is_cut_off_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "1");
    let mut slow = program.begin_request();
    program.server.signal("TERM");
    program.server.wait_for("cut off at the deadline");
    program.server.stopped();
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert_eq!(answer, "", "it was not answered");
}
