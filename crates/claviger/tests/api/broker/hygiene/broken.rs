//! What is broken is told as such, and never as a shorter answer.

use std::time::Duration;

use claviger_broker::Options;

use super::{Caller, check_ok, check_refused, head_of, say};
use crate::broker::{Scene, with_a_world};
use crate::support::third_party::Reply;
use crate::support::{Setup, TestDatabase};

with_a_world! {
    async fn what_is_no_answer_is_refused(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        for garbage in [
            "\r\n\r\n\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/9.9 200 OK\r\n\r\n",
            "HTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}", "<html>no head</html>",
        ] {
            scene.world.answer(move |_| Reply::raw(&[garbage.as_bytes()]).closing());
            caller.ask("GET", "", b"").await;
            check_refused(&caller.answer().await, 502, "upstream_broken");
        }
        for (head, code) in [
            ("200 OK\r\ncontent-encoding: gzip", "upstream_encoded"),
            ("200 OK\r\ncontent-encoding: identity\r\ncontent-encoding: br", "upstream_encoded"),
            ("200 OK\r\ncontent-encoding: identity, zstd", "upstream_encoded"),
            ("101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket", "upstream_broken"),
        ] {
            scene.world.answer(move |_| Reply::with(head, "", "hello"));
            caller.ask("GET", "", b"").await;
            check_refused(&caller.answer().await, 502, code);
        }
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]));
        caller.ask("GET", "", b"").await;
        check_refused(&caller.answer().await, 502, "upstream_encoded");
        scene.world.answer(|_| Reply::ok("ok"));
        caller.ask("GET", "", b"").await;
        check_ok(&caller.answer().await);
    }

    async fn an_answer_that_breaks_off_is_broken(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        scene.world.script(|mut line| async move { drop(head_of(&mut line).await) });
        for method in ["GET", "POST"] {
            caller.ask(method, "", b"").await;
            check_refused(&caller.answer().await, 502, "upstream_broken");
        }
        // Each of these is cut without a word: neither its length, nor its chunks, nor the end of TLS say that it is over.
        for cut in [
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhello",
            "HTTP/1.1 200 OK\r\n\r\nhello",
            // And these say what is no chunk, whose end nobody knows.
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\r\nhello",
        ] {
            scene.world.script(move |mut line| async move {
                head_of(&mut line).await;
                say(&mut line, cut.as_bytes()).await;
            });
            let mut caller = caller.again(scene).await;
            caller.ask("GET", "", b"").await;
            // Its head arrives all the same: the third party did answer.
            let read = String::from_utf8(caller.rest().await).unwrap().to_lowercase();
            let (head, rest) = read.split_once("\r\n\r\n").unwrap_or_default();
            assert!(head.starts_with("http/1.1 200 "), "{cut}: {read:?}");
            let is_short = match head.contains("content-length: 100") {
                true => rest.len() < 100,
                false => head.contains("transfer-encoding: chunked") && !rest.ends_with("0\r\n\r\n"),
            };
            assert!(is_short, "{cut}: {head}{rest}");
        }
    }

    async fn an_answer_that_nobody_asked_for_is_given_to_nobody(scene: &Scene) {
        let mut caller = Caller::new(scene).await;
        let two: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";
        scene.world.answer(move |seen| if seen.line().contains("/first") { Reply::raw(&[two]) } else { Reply::ok("own") });
        let plain = caller.head.clone();
        for _ in 0..10 {
            caller.head = plain.replace("/x HTTP", "/first HTTP");
            caller.ask("GET", "", b"").await;
            assert_eq!(caller.answer().await.1, "ok");
            caller.head.clone_from(&plain);
            caller.ask("GET", "", b"").await;
            assert_eq!(caller.answer().await.1, "own");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_answer_is_waited_for_no_longer_than_told() {
    let options = Options { patience: Duration::from_secs(1), ..Options::default() };
    let setup = Setup { broker: options, ..Setup::default() };
    let scene = Scene::start_with(TestDatabase::sqlite(), setup).await;
    let mut caller = Caller::new(&scene).await;
    scene.world.script(|mut line| async move {
        head_of(&mut line).await;
        std::future::pending().await
    });
    caller.ask("GET", "", b"").await;
    check_refused(&caller.answer().await, 504, "upstream_timeout");
    // Whose upload goes on is waited for, three times as long here.
    scene.world.script(|mut line| async move {
        let head = head_of(&mut line).await;
        assert!(head.contains("content-length: 12"), "{head}");
        let mut body = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut line, &mut body).await.unwrap();
        say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    });
    caller.ask("PUT", "content-length: 12\r\n", b"").await;
    let mut beat = tokio::time::interval(Duration::from_millis(250));
    for _ in 0..12 {
        beat.tick().await;
        caller.send(b"a").await;
    }
    check_ok(&caller.answer().await);
    scene.server.stop().await;
}
