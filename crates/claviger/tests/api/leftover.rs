//! A refusal reaches a client that is still sending its body.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{TestDatabase, TestServer};

/// Sends the head of a request, waits for nothing, then sends the body, and reads the answer to its end.
fn send_in_two_parts(server: &TestServer, request_line: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let head = format!(
        "{request_line} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // Two writes with nothing between them arrive together too often to show anything.
    std::thread::yield_now();
    for part in body.chunks(body.len().div_ceil(8)) {
        stream.write_all(part).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_and_too_much_are_told_so() {
    let server = TestServer::start(TestDatabase::sqlite()).await;
    for round in 0..50 {
        let body = vec![b' '; 4 + round * 4_096];
        for line in ["DELETE /api/v2/api_keys/x", "POST /api/v2/api_keys", "POST /verify"] {
            let answer = tokio::task::block_in_place(|| send_in_two_parts(&server, line, &body));
            let status = &answer[9..12];
            assert!(["401", "403"].contains(&status), "{line} in round {round}: {answer}");
        }
    }
    server.stop().await;
}
