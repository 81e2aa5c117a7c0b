//! Connections between calls: what comes over one that nobody uses is nobody's answer.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Mutex, Notify};
use tokio::time::timeout;

use super::{Caller, PATIENCE, check_ok, head_of, say};
use crate::broker::with_a_world;
use crate::support::third_party::Line;

/// What happens to a connection between two calls.
#[derive(Debug, Clone, Copy)]
enum Between {
    Closed,
    Answered,
    AnsweredAndClosed,
}

async fn happens(line: &mut Line, between: Between) {
    if !matches!(between, Between::Closed) {
        say(line, b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison").await;
    }
    if !matches!(between, Between::Answered) {
        let _ = line.shutdown().await;
    }
}

with_a_world! {
    /// A connection of which this is known goes unused, whatever the call: not a byte of it went out.
    async fn what_comes_between_calls_is_nobodys_answer(scene: &Scene) {
        let (tell, told) = unbounded_channel();
        let (told, has_happened) = (Arc::new(Mutex::new(told)), Arc::new(Notify::new()));
        let done = has_happened.clone();
        scene.world.script(move |mut line| {
            let (told, done) = (told.clone(), done.clone());
            async move {
                while !head_of(&mut line).await.is_empty() {
                    say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nown").await;
                    let Some(between) = told.lock().await.recv().await else { return };
                    happens(&mut line, between).await;
                    done.notify_one();
                }
            }
        });
        let mut caller = Caller::new(scene).await;
        let mut made = 0;
        for between in [Between::Closed, Between::Answered, Between::AnsweredAndClosed] {
            for method in ["GET", "POST", "PATCH"] {
                caller.ask(method, "", b"").await;
                let answer = caller.answer().await;
                check_ok(&answer);
                assert_eq!(answer.1, "own", "{between:?} before a {method}");
                made += 1;
                assert_eq!(scene.world.connections(), made, "{between:?} before a {method}");
                tell.send(between).unwrap();
                timeout(PATIENCE, has_happened.notified()).await.expect("it happens");
            }
        }
    }
}
