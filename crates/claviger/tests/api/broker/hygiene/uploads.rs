//! Who is at fault where an upload does not come to its end: each is told of its own.

use std::time::Duration;

use claviger_broker::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Caller, check_refused, head_of, say};
use crate::broker::{Scene, with_a_world};
use crate::native::connections::calls::listed;
use crate::support::connections::http;
use crate::support::{Setup, TestDatabase};

/// The code of the only call of a connection.
async fn recorded(scene: &Scene, id: &str) -> String {
    listed(&scene.admin, id, 1).await["calls"][0]["error"].as_str().unwrap_or_default().to_owned()
}

with_a_world! {
    async fn a_body_that_breaks_off_is_no_third_partys_fault(scene: &Scene) {
        scene.world.script(|mut line| async move {
            head_of(&mut line).await;
            let _ = line.read_to_end(&mut Vec::new()).await;
        });
        let mut caller = Caller::new(scene).await;
        caller.ask("POST", "transfer-encoding: chunked\r\n", b"5\r\nhello\r\nzz\r\n").await;
        check_refused(&caller.answer().await, 400, "body");
        assert_eq!(recorded(scene, caller.connection()).await, "body");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stalls_is_the_one_who_is_told() {
    let patience = Duration::from_secs(1);
    let options = Options { patience, whole_patience: patience, ..Options::default() };
    let setup = Setup { broker: options, ..Setup::default() };
    let scene = Scene::start_with(TestDatabase::sqlite(), setup).await;
    scene.world.script(|mut line| async move {
        head_of(&mut line).await;
        let _ = line.read_to_end(&mut Vec::new()).await;
    });
    // The third party waits for the caller.
    let mut caller = Caller::new(&scene).await;
    caller.ask("POST", "content-length: 10\r\n", b"hello").await;
    check_refused(&caller.answer().await, 408, "body_timeout");
    assert_eq!(recorded(&scene, caller.connection()).await, "body_timeout");
    // So does the server, where it reads a body whole.
    let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
    let mut caller = Caller::through(&scene, &id).await;
    caller.ask("POST", "content-length: 10\r\n", b"hello").await;
    check_refused(&caller.answer().await, 408, "body_timeout");
    assert_eq!(recorded(&scene, &id).await, "body_timeout");
    // The caller waits for the third party: all is sent, and nobody answers.
    let mut caller = Caller::new(&scene).await;
    caller.ask("POST", "content-length: 5\r\n", b"hello").await;
    check_refused(&caller.answer().await, 504, "upstream_timeout");
    // Or: nobody takes more of it.
    scene.world.script(|mut line| async move {
        head_of(&mut line).await;
        say(&mut line, b"").await;
        std::future::pending().await
    });
    let mut caller = Caller::new(&scene).await;
    caller.ask("POST", "content-length: 1000000000\r\n", b"").await;
    let part = vec![b'a'; 1 << 16];
    while timeout(patience / 2, caller.stream.write(&part)).await.is_ok_and(|wrote| wrote.is_ok()) {}
    assert_eq!(recorded(&scene, caller.connection()).await, "upstream_timeout");
    scene.server.stop().await;
}
