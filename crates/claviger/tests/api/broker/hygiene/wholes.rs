//! Bodies that are read whole: no more of them at a time than a connection's share of memory.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{Caller, check_ok};
use crate::broker::with_a_world;
use crate::support::connections::http;

/// How many are held at a time.
const HELD: usize = 64;

with_a_world! {
    async fn no_more_bodies_are_held_than_there_is_room_for(scene: &Scene) {
        let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
        let token = scene.token().await;
        let head = format!("/broker/{id}/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n");
        let large = format!("{{\"a\": \"{}\"}}", "a".repeat(100_000));
        let lines = format!("expect: 100-continue\r\ncontent-length: {}\r\n", large.len());
        let mut callers = Vec::new();
        for _ in 0..=HELD {
            let stream = TcpStream::connect(scene.server.address).await.unwrap();
            callers.push(Caller { stream, read: Vec::new(), head: head.clone() });
        }
        let (last, callers) = callers.split_last_mut().unwrap();
        for caller in &mut *callers {
            caller.ask("POST", &lines, b"").await;
            assert!(caller.head().await.starts_with("http/1.1 100 "), "its body is wanted");
        }
        last.ask("POST", &lines, b"").await;
        // A small one needs no room, and takes longer than the last one's would have taken to be wanted.
        for _ in 0..10 {
            let stream = TcpStream::connect(scene.server.address).await.unwrap();
            let mut small = Caller { stream, read: Vec::new(), head: head.clone() };
            small.ask("POST", "content-length: 2\r\n", b"{}").await;
            check_ok(&small.answer().await);
        }
        assert!(last.stream.try_read(&mut [0; 1]).is_err(), "there is room for one more");
        callers[0].stream.write_all(large.as_bytes()).await.unwrap();
        check_ok(&callers[0].answer().await);
        assert!(last.head().await.starts_with("http/1.1 100 "), "its body is wanted now");
        last.stream.write_all(large.as_bytes()).await.unwrap();
        check_ok(&last.answer().await);
        assert_eq!(scene.world.take_seen().len(), 12);
    }
}
