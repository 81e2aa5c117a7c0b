//! What goes on by a right ends with it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::hygiene::head_of;
use super::raw::{Caller, change_terms, code, on_terms};
use super::{Scene, with_a_world};
use crate::support::connections::{ALL, gitlab, http, patch};
use crate::support::native_connections::path_of;
use crate::support::restrictions::{Someone, restrict};
use crate::support::third_party::Reply;
use crate::support::tokens;

/// An answer without end, as far as it came.
pub(super) const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n";
/// An answer must end within a second of its right; a busy machine may take longer to notice.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many streams begin at once where each must read their connection.
const TOGETHER: usize = 20;

/// A call whose answer has begun, and does not end by itself.
pub(super) fn streaming(
    scene: &Scene,
    id: &str,
    token: &str,
) -> impl Future<Output = Incoming> + Send + use<> {
    let client = HyperClient::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("http://{}/broker/{id}/events", scene.server.address));
    let request =
        request.header("authorization", format!("Bearer {token}")).body(Full::<Bytes>::default()).unwrap();
    async move {
        let mut body = client.request(request).await.unwrap().into_body();
        let first = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "data: x\n\n");
        body
    }
}

/// Many of them, begun at the same time.
async fn streaming_together(scene: &Scene, id: &str, token: &str) -> Vec<Incoming> {
    let (barrier, mut beginning) = (Arc::new(Barrier::new(TOGETHER)), JoinSet::new());
    for _ in 0..TOGETHER {
        let (stream, barrier) = (streaming(scene, id, token), barrier.clone());
        beginning.spawn(async move {
            barrier.wait().await;
            stream.await
        });
    }
    beginning.join_all().await
}

/// Whether nothing comes of it, and it does not end, for longer than its right may outlive its end.
pub(super) async fn goes_on(stream: &mut Incoming) -> bool {
    timeout(Duration::from_millis(1200), stream.frame()).await.is_err()
}

/// A call that waits for its caller's body.
async fn uploading(scene: &Scene, id: &str, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(scene.server.address).await.unwrap();
    let head = format!(
        "POST /broker/{id}/x HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-length: 2\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut asked)).await.unwrap().unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n", "the body is waited for");
    stream
}

/// What it is answered once it has the body.
async fn uploaded(mut stream: TcpStream) -> String {
    stream.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer.to_lowercase()
}

/// Whether the answer breaks off in time.
pub(super) async fn breaks_off(mut body: Incoming) -> bool {
    let ended = timeout(PATIENCE, async {
        loop {
            match body.frame().await {
                Some(Ok(_)) => {}
                Some(Err(_)) => return true,
                None => return false,
            }
        }
    });
    ended.await.unwrap_or(false)
}

with_a_world! {
    async fn a_stream_ends_with_its_callers_credential(scene: &Scene) {
        scene.world.answer(|_| Reply::raw(&[BEGUN]));
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let (stream, other) = (streaming(scene, &id, &token.secret).await, scene.token().await);
        let control = streaming(scene, &id, &other).await;
        scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
        let revoked = Instant::now();
        assert!(breaks_off(stream).await);
        println!("a stream ended {:?} after its token", revoked.elapsed());
        // Another's goes on meanwhile.
        let mut control = control;
        assert!(timeout(Duration::from_millis(600), control.frame()).await.is_err());
    }

    /// A body that is read whole can take a while, and nothing has gone out until then.
    async fn nothing_begins_by_a_right_that_ended(scene: &Scene) {
        let id = scene.connection(&http("https://hooks.example.com/base", "canary-7Qx2-value")).await;
        for is_revoked in [false, true] {
            let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
            let stream = uploading(scene, &id, &token.secret).await;
            if is_revoked {
                scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
            }
            let answer = uploaded(stream).await;
            let (status, calls) = if is_revoked { ("403 ", 0) } else { ("200 ", 1) };
            assert!(answer.starts_with(&format!("http/1.1 {status}")), "{answer}");
            assert_eq!(scene.world.take_seen().len(), calls);
        }
    }

    async fn a_stream_ends_with_its_connection(scene: &Scene) {
        scene.world.answer(|_| Reply::raw(&[BEGUN]));
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let token = scene.token().await;
        let stream = streaming(scene, &id, &token).await;
        // A change that leaves the right as it is does not end it.
        let attributes = json!({ "name": "Renamed" });
        scene.admin.patch(&format!("{ALL}/{id}"), &patch(attributes)).await.expect(200);
        let mut stream = stream;
        assert!(goes_on(&mut stream).await);
        scene.admin.delete(&format!("{ALL}/{id}")).await.expect(204);
        assert!(breaks_off(stream).await);
        let gone = scene.admin.get(&format!("/broker/{id}/x")).await.expect(404);
        assert_eq!(gone.header("claviger-error"), "connection_not_found");
    }

    /// Whoever reads a connection at the same time as others learns like them what becomes of it.
    async fn streams_that_read_their_connection_together_end_together(scene: &Scene) {
        scene.world.answer(|_| Reply::raw(&[BEGUN]));
        let (token, someone) = (scene.token().await, Someone::join(&scene.server).await);
        for end in ["deleted", "restricted", "ruled"] {
            for is_changed_before in [false, true] {
                // It was read by nobody yet.
                let id = on_terms(scene, &gitlab("glpat-canary-7Qx2"), Value::Null).await;
                let mut streams = streaming_together(scene, &id, &token).await;
                if is_changed_before {
                    // All of them read it again.
                    scene.admin.patch(&path_of(&json!({ "id": id })), &json!({ "name": "Renamed" })).await.expect(200);
                    assert!(goes_on(&mut streams[0]).await);
                }
                match end {
                    "deleted" => drop(scene.admin.delete(&path_of(&json!({ "id": id }))).await.expect(204)),
                    "restricted" => drop(restrict(&scene.admin, &id, &[("editor", format!("user:{}", someone.user))]).await),
                    _ => change_terms(scene, &id, json!({ "rules": [{ "methods": ["POST"], "host": null, "path": "/" }] })).await,
                }
                let mut ending = JoinSet::new();
                for stream in streams {
                    ending.spawn(breaks_off(stream));
                }
                let ended = ending.join_all().await.into_iter().filter(|ended| *ended).count();
                assert_eq!(ended, TOGETHER, "{end}, changed before: {is_changed_before}");
            }
        }
    }

    /// It was none of the caller's doing, and there is no harm in another try.
    async fn what_was_not_sent_for_a_change_may_be_tried_again(scene: &Scene) {
        let token = scene.token().await;
        for (change, status, calls) in [
            (json!({ "name": "Another" }), "200 ", 1),
            (json!({ "integration": http("https://hooks.example.com/base", "canary-another") }), "503 ", 0),
            (json!({ "terms": { "audit": "strict" } }), "503 ", 0),
        ] {
            let id = on_terms(scene, &http("https://hooks.example.com/base", "canary-7Qx2-value"), Value::Null).await;
            let stream = uploading(scene, &id, &token).await;
            scene.admin.patch(&path_of(&json!({ "id": id })), &change).await.expect(200);
            let answer = uploaded(stream).await;
            assert!(answer.starts_with(&format!("http/1.1 {status}")), "{change}: {answer}");
            assert_eq!(scene.world.take_seen().len(), calls, "{change}");
            let told = ["claviger-error: changed\r\n", "retry-after: 1\r\n"].map(|line| answer.contains(line));
            assert_eq!(told, [calls == 0; 2], "{answer}");
        }
    }

    async fn what_cannot_be_known_is_told_as_no_end(scene: &Scene) {
        let called = Arc::new(Notify::new());
        let tell = called.clone();
        scene.world.script(move |mut line| {
            let tell = tell.clone();
            async move {
                head_of(&mut line).await;
                tell.notify_one();
                std::future::pending().await
            }
        });
        let hooks = on_terms(scene, &http("https://hooks.example.com/base", "canary-7Qx2-value"), Value::Null).await;
        let other = on_terms(scene, &gitlab("glpat-canary-7Qx2"), Value::Null).await;
        let (token, caller) = (scene.token().await, Caller::new(scene).await);
        let upload = uploading(scene, &hooks, &token).await;
        let target = format!("{other}/x");
        let losing_sight = async {
            timeout(PATIENCE, called.notified()).await.unwrap();
            for id in [&hooks, &other] {
                scene.admin.patch(&path_of(&json!({ "id": id })), &json!({ "name": "Renamed" })).await.expect(200);
            }
            scene.server.database().execute("ALTER TABLE connections RENAME TO elsewhere").await;
            uploaded(upload).await
        };
        let (waited, unsent) = tokio::join!(caller.get(&target), losing_sight);
        scene.server.database().execute("ALTER TABLE elsewhere RENAME TO connections").await;
        assert!(unsent.starts_with("http/1.1 503 ") && unsent.contains("claviger-error: unavailable\r\n"), "{unsent}");
        assert!(unsent.contains("retry-after: 1\r\n"), "{unsent}");
        // This one is at the third party already: nobody is asked to try it again.
        assert_eq!((waited.status.as_u16(), code(&waited), waited.header("retry-after")), (503, "right_unknown", ""));
    }
}
