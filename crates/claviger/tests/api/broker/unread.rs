//! A caller who takes no more of an answer holds nothing by a right that ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::hygiene::{head_of, say};
use super::raw::{Caller, code, on_terms};
use super::{Scene, with_a_world};
use crate::native::connections::calls::listed;
use crate::support::connections::gitlab;
use crate::support::tokens;

/// A busy machine may take longer to notice what is due within a second.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer that is begun, of which nothing more is taken than the library does by itself.
async fn unread(scene: &Scene, id: &str, token: &str, is_http2: bool) -> Incoming {
    let mut builder = HyperClient::builder(TokioExecutor::new());
    builder.http2_only(is_http2).http2_initial_stream_window_size(1);
    let request = Request::get(format!("http://{}/broker/{id}/flood", scene.server.address));
    let request = request.header("authorization", format!("Bearer {token}"));
    let answer = builder.build_http().request(request.body(Full::<Bytes>::default()).unwrap());
    timeout(PATIENCE, answer).await.expect("an answer").unwrap().into_body()
}

with_a_world! {
    async fn what_nobody_reads_ends_with_its_right(scene: &Scene) {
        // An answer without end, as fast as it is taken; once it is closed, that is counted.
        let closed = Arc::new(Semaphore::new(0));
        let ended = closed.clone();
        scene.world.script(move |mut line| {
            let ended = ended.clone();
            async move {
                if !head_of(&mut line).await.starts_with("GET /api/v4/flood") {
                    return say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
                say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").await;
                while line.write_all(&[b'a'; 1 << 16]).await.is_ok() {}
                ended.add_permits(1);
            }
        });
        let id = on_terms(scene, &gitlab("glpat-canary-7Qx2"), json!({ "concurrency": 1 })).await;
        let (caller, target) = (Caller::new(scene).await, format!("{id}/x"));
        for (number, is_http2) in [(1, false), (2, true)] {
            let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
            let held = unread(scene, &id, &token.secret, is_http2).await;
            assert_eq!(code(&caller.get(&target).await), "connection_busy");
            assert_eq!(closed.available_permits(), 0);
            scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
            let end = timeout(PATIENCE, closed.acquire()).await.expect("the third party's connection ends");
            end.unwrap().forget();
            // Its seat is free, and its line written, while the caller holds on.
            assert_eq!(code(&caller.get(&target).await), "ok");
            let list = listed(&scene.admin, &id, 3 * number).await;
            let ends: Vec<_> = list["calls"].as_array().unwrap().iter().map(|call| &call["error"]).collect();
            assert_eq!(ends.iter().filter(|error| **error == "ended").count(), number, "{list}");
            drop(held);
        }
    }
}
