//! How the command reaches the running server, and what it finds where there is none.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::program::{Home, Outcome};
use crate::{ALL, acme};

/// What the control socket answers to these bytes.
fn converse(home: &Home, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(home.file("control.sock")).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_control_socket_is_private_answers_strangers_nothing_and_goes_with_its_server() {
    let home = Home::new();
    let server = home.serve();
    let mode = fs::metadata(home.file("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(converse(&home, b"GET / HTTP/1.1\r\n\r\n"), "");
    let answer = converse(&home, b"{\"command\": \"dance\"}");
    assert!(answer.contains("the server knows no command `dance`"), "{answer}");
    server.stop();
    assert!(!home.file("control.sock").exists());
}

#[test]
fn silent_connections_take_places_and_waiting_commands_get_them_back() {
    let home = Home::new();
    let server = home.serve();
    // Twice as many as there are places, saying nothing.
    let silent: Vec<_> = (0..8).map(|_| UnixStream::connect(home.file("control.sock")).unwrap()).collect();
    let file = home.write("import.json", &acme().to_string());
    let mut waiting = home.command(&["import", file.to_str().unwrap()]);
    waiting.stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    drop(silent);
    let outcome = Outcome(waiting.wait_with_output().unwrap()).succeeds();
    assert_eq!(outcome.stderr(), ALL);
    server.stop();
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced() {
    let home = Home::new();
    home.serve().kill();
    assert!(home.file("control.sock").exists());
    // Without a server, the command does the work itself and minds no socket.
    home.import(&acme()).succeeds();
    let server = home.serve();
    let outcome = home.import(&acme()).succeeds();
    assert_eq!(outcome.stderr(), "nothing to import\n");
    server.stop();
}

#[test]
fn whoever_has_the_directory_and_takes_no_commands_is_told_of() {
    let home = Home::new();
    home.run(&["init"]).succeeds();
    let lock = fs::File::open(home.file("lock")).unwrap();
    lock.try_lock().unwrap();
    home.import(&acme()).fails(&["the data directory is in use: ", "takes no commands"]);
}
