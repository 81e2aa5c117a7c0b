//! Bodies stream: each part goes on when it is there, and no more is held than that.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Caller, PATIENCE, check_ok, head_of, say};
use claviger_broker::Options;

use crate::broker::{Scene, with_a_world};
use crate::support::third_party::Reply;
use crate::support::{Setup, TestDatabase};

/// More than all buffers on the way together may hold.
const HELD_MAX: usize = 24 << 20;

with_a_world! {
    async fn the_first_part_arrives_before_the_last_is_sent(scene: &Scene) {
        let arrived = Arc::new(Notify::new());
        let (told, told_back) = (arrived.clone(), Arc::new(Notify::new()));
        let go_on = told_back.clone();
        scene.world.script(move |mut line| {
            let (arrived, go_on) = (told.clone(), told_back.clone());
            async move {
                head_of(&mut line).await;
                let mut first = [0; 5];
                line.read_exact(&mut first).await.unwrap();
                arrived.notify_one();
                let mut rest = [0; 5];
                line.read_exact(&mut rest).await.unwrap();
                assert_eq!((&first, &rest), (b"first", b"-last"));
                say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfirst").await;
                go_on.notified().await;
                say(&mut line, b"-last").await;
                head_of(&mut line).await;
            }
        });
        let mut caller = Caller::new(scene).await;
        caller.ask("POST", "content-length: 10\r\n", b"first").await;
        timeout(PATIENCE, arrived.notified()).await.expect("the first part arrives");
        caller.send(b"-last").await;
        check_ok(&(caller.head().await, String::new()));
        // The end of it may be held back: a secret's beginning, as it could be written.
        let mut got = caller.until(|read| read.len() >= 3).await;
        go_on.notify_one();
        let left = 10 - got.len();
        got.extend(caller.until(|read| read.len() >= left).await);
        assert_eq!(got, b"first-last");
    }

    async fn large_bodies_arrive_whole(scene: &Scene) {
        let large: Vec<u8> = (0..4 << 20).map(|number: u32| (number % 251) as u8).collect();
        scene.world.answer(|seen| Reply::with("200 OK", "", &seen.body));
        let mut caller = Caller::new(scene).await;
        let lines = format!("content-length: {}\r\n", large.len());
        caller.ask("POST", &lines, &large).await;
        check_ok(&(caller.head().await, String::new()));
        let length = large.len();
        assert!(caller.until(|read| read.len() >= length).await == large);
        assert!(scene.world.only().body == large);
    }

    async fn an_early_answer_arrives_and_holds_nobody_up(scene: &Scene) {
        scene.world.script(|mut line| async move {
            loop {
                let head = head_of(&mut line).await;
                if head.is_empty() {
                    return;
                }
                say(&mut line, b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig").await;
            }
        });
        let mut caller = Caller::new(scene).await;
        let mut other = caller.again(scene).await;
        caller.ask("POST", "content-length: 100000\r\n", b"the beginning").await;
        let answer = caller.answer().await;
        assert!(answer.0.starts_with("http/1.1 413 ") && answer.1 == "big", "{answer:?}");
        // The first still may send the rest; the second does not wait for it.
        other.ask("GET", "", b"").await;
        let answer = other.answer().await;
        assert!(answer.0.starts_with("http/1.1 413 "), "{answer:?}");
        assert_eq!(scene.world.connections(), 2);
    }

    async fn an_upload_goes_on_though_nobody_reads_its_answer(scene: &Scene) {
        const LENGTH: usize = 8 << 20;
        scene.world.script(|mut line| async move {
            head_of(&mut line).await;
            say(&mut line, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            let (mut from, mut to) = tokio::io::split(line);
            // More and more, until all of the upload is there: nothing else ends it.
            let (chunk, mut upload) = (["8000\r\n", &"a".repeat(0x8000), "\r\n"].concat(), vec![0; LENGTH]);
            let answering = async { while to.write_all(chunk.as_bytes()).await.is_ok() {} };
            tokio::select! {
                read = from.read_exact(&mut upload) => drop(read.unwrap()),
                () = answering => panic!("the answer broke off"),
            }
            // The chunk that it was at may be half there.
            drop((from, to));
        });
        let mut caller = Caller::new(scene).await;
        caller.ask("POST", &format!("content-length: {LENGTH}\r\n"), b"").await;
        let all = vec![b'u'; LENGTH];
        timeout(PATIENCE, caller.stream.write_all(&all)).await.expect("the upload goes on").unwrap();
        check_ok(&(caller.head().await, String::new()));
        timeout(PATIENCE, caller.rest()).await.expect("the third party got all of it");
    }

    async fn who_goes_away_takes_the_call_along(scene: &Scene) {
        let (begun, ended) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (at_begin, at_end) = (begun.clone(), ended.clone());
        let read = Arc::new(Mutex::new(Vec::new()));
        let into = read.clone();
        scene.world.script(move |mut line| {
            let (begun, ended, into) = (at_begin.clone(), at_end.clone(), into.clone());
            async move {
                head_of(&mut line).await;
                begun.notify_one();
                let mut body = Vec::new();
                let _ = line.read_to_end(&mut body).await;
                *into.lock().unwrap() = body;
                ended.notify_one();
            }
        });
        let caller = Caller::new(scene).await;
        for (lines, body) in [
            ("content-length: 1000\r\n", "the beginning"),
            ("transfer-encoding: chunked\r\n", "5\r\nhello\r\n"),
            ("transfer-encoding: chunked\r\n", "5\r\nhello\r\nzz\r\n"),
        ] {
            let mut caller = caller.again(scene).await;
            caller.ask("POST", lines, body.as_bytes()).await;
            timeout(PATIENCE, begun.notified()).await.expect("the call begins");
            drop(caller);
            timeout(PATIENCE, ended.notified()).await.expect("the third party's connection ends");
            let read = String::from_utf8(std::mem::take(&mut *read.lock().unwrap())).unwrap();
            assert!(!read.ends_with("0\r\n\r\n") && read.len() < 1000, "{read:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_held_than_buffers_do() {
    // Whoever leaves while nothing moves is noticed by that.
    let options = Options { patience: Duration::from_secs(2), ..Options::default() };
    let setup = Setup { broker: options, ..Setup::default() };
    let scene = Scene::start_with(TestDatabase::sqlite(), setup).await;
    // Neither reads.
    scene.world.script(|mut line| async move {
        head_of(&mut line).await;
        std::future::pending().await
    });
    let mut caller = Caller::new(&scene).await;
    caller.ask("POST", "content-length: 1000000000\r\n", b"").await;
    let (part, mut sent) = (vec![b'a'; 1 << 16], 0);
    while let Ok(wrote) = timeout(Duration::from_secs(1), caller.stream.write(&part)).await {
        sent += wrote.unwrap();
        assert!(sent < HELD_MAX, "{sent} bytes were taken that nobody reads");
    }
    println!("{sent} bytes were taken of an upload");
    drop(caller.stream);
    scene.server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_held_of_an_answer() {
    let scene = Scene::start(TestDatabase::sqlite()).await;
    let written = Arc::new(Mutex::new(0));
    let count = written.clone();
    scene.world.script(move |mut line| {
        let count = count.clone();
        async move {
            head_of(&mut line).await;
            say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
            let part = vec![b'a'; 1 << 16];
            while let Ok(Ok(wrote)) = timeout(Duration::from_secs(1), line.write(&part)).await {
                *count.lock().unwrap() += wrote;
                if *count.lock().unwrap() > HELD_MAX {
                    return;
                }
            }
        }
    });
    let mut other = Caller::new(&scene).await;
    other.ask("GET", "", b"").await;
    let gone = async {
        while tokio::time::timeout(Duration::from_secs(1), other.stream.readable()).await.is_err() {}
    };
    timeout(PATIENCE, gone).await.expect("the answer begins");
    let mut before = usize::MAX;
    loop {
        let now = *written.lock().unwrap();
        assert!(now < HELD_MAX, "{now} bytes were taken that nobody reads");
        if now == before {
            break;
        }
        before = now;
        let _ = timeout(Duration::from_millis(700), std::future::pending::<()>()).await;
    }
    println!("{before} bytes were taken of a download");
    drop(other.stream);
    scene.server.stop().await;
}
