//! The program told to stop while a request is under way.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);
const BODY: &str = r#"{"data":{"type":"api_keys","attributes":{"name":"Slow"}}}"#;

/// A running program.
struct Program {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    address: SocketAddr,
    bootstrap: Value,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

impl Program {
    fn start(directory: &TempDir, drain_seconds: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_claviger"))
            .env_clear()
            .args(["serve", "--listen", "127.0.0.1:0", "--drain-seconds", drain_seconds, "--data"])
            .arg(data(directory))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = log.find_map(|line| line.ok().filter(|line| line.contains("\"listening\""))).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["address"].as_str().unwrap().parse().unwrap();
        let bootstrap = fs::read_to_string(data(directory).join("bootstrap.json")).unwrap();
        Self { process, log, address, bootstrap: serde_json::from_str(&bootstrap).unwrap() }
    }

    /// Reads the log up to a line with this text.
    fn wait_for(&mut self, text: &str) {
        assert!(self.log.any(|line| line.unwrap().contains(text)), "the program never said {text:?}");
    }

    fn terminate(&self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    }

    /// A request whose handler is waiting for its body: the server asked for the body, and got half of it.
    fn begin_request(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
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
    let mut program = Program::start(&directory, "30");
    let mut slow = program.begin_request();
    program.terminate();
    program.wait_for("asked to stop");
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(program.address).is_ok() {
        assert!(Instant::now() < deadline, "nobody new is let in");
        std::thread::yield_now();
    }
    slow.write_all(&BODY.as_bytes()[BODY.len() / 2..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(program.process.wait().unwrap().code(), Some(0));

    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let made: Value = serde_json::from_str(body).unwrap();
    let program = Program::start(&directory, "0");
    let mut stream = TcpStream::connect(program.address).unwrap();
    let key = made["data"]["attributes"]["key"].as_str().unwrap();
    let request =
        format!("GET /api/v1/validate HTTP/1.1\r\nhost: x\r\nconnection: close\r\ndd-api-key: {key}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(r#"{"valid":true}"#), "{answer}");
}

#[test]
fn a_request_that_does_not_end_is_cut_off_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::start(&directory, "1");
    let mut slow = program.begin_request();
    program.terminate();
    program.wait_for("cut off at the deadline");
    assert_eq!(program.process.wait().unwrap().code(), Some(0));
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert_eq!(answer, "", "it was not answered");
}
