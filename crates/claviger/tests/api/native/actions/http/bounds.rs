//! What actions hold in memory is counted like what the door holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use ::http::Request;
use bytes::Bytes;
use claviger_broker::Options;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{PATH, SECRET, action, refusal};
use crate::broker::{Scene, with_a_world};
use crate::native::connections::listed;
use crate::support::connections::{gitlab, made};
use crate::support::third_party::{Line, Reply};
use crate::support::tokens::personal_access_token;
use crate::support::{Client, Keys, Setup, TestDatabase, with_either_database};

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_secs(20);
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Third parties that answer what is below `/slow` when they are let, one call for each permit, and all else at once.
struct Slow {
    arrived: Arc<AtomicUsize>,
    let_go: Arc<Semaphore>,
}

impl Slow {
    fn new(scene: &Scene) -> Self {
        let (arrived, let_go) = (Arc::<AtomicUsize>::default(), Arc::new(Semaphore::new(0)));
        let slow = Self { arrived: arrived.clone(), let_go: let_go.clone() };
        scene.world.script(move |line| serve(line, arrived.clone(), let_go.clone()));
        slow
    }

    /// Waits until so many calls have come.
    async fn until_arrived(&self, count: usize) {
        let waited = timeout(PATIENCE, async {
            while self.arrived.load(SeqCst) < count {
                tokio::task::yield_now().await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{} of {count} arrived", self.arrived.load(SeqCst)));
    }
}

async fn serve(mut line: Line, arrived: Arc<AtomicUsize>, let_go: Arc<Semaphore>) {
    let mut read = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if !matches!(line.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        };
        let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
        let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
        let end = end + length.unwrap_or(0);
        while read.len() < end {
            if !matches!(line.read_buf(&mut read).await, Ok(1..)) {
                return;
            }
        }
        read.drain(..end);
        if head.contains("/slow") {
            arrived.fetch_add(1, SeqCst);
            let_go.acquire().await.unwrap().forget();
        }
        if line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await.is_err() {
            return;
        }
        let _ = line.flush().await;
    }
}

with_a_world! {
    /// As many as of the door's callers.
    async fn bodies_of_actions_are_held_like_all_others(scene: &Scene) {
        const HELD: usize = 64;
        let slow = Slow::new(scene);
        let id = scene.connection(&gitlab(SECRET)).await;
        let body = |path: &str, length| {
            action(&id, json!({ "method": "POST", "path": path, "requestBody": "a".repeat(length) }))
        };
        let mut running = JoinSet::new();
        for _ in 0..=HELD {
            let (client, body) = (scene.server.client(), body("/slow", 20_000));
            running.spawn(async move { client.post(PATH, &body).await });
        }
        slow.until_arrived(HELD).await;
        // Small ones need no room, and take longer than the last one would have taken to arrive.
        for _ in 0..10 {
            scene.admin.post(PATH, &body("/quick", 10)).await.expect(200);
        }
        assert_eq!(slow.arrived.load(SeqCst), HELD, "there is room for one more");
        slow.let_go.add_permits(1);
        slow.until_arrived(HELD + 1).await;
        slow.let_go.add_permits(HELD);
        while let Some(answer) = running.join_next().await {
            answer.unwrap().expect(200);
        }
    }

    /// As they are refused at the door.
    async fn refusals_say_what_they_say_at_the_door(scene: &Scene) {
        let slow = Slow::new(scene);
        let id = scene.connection(&gitlab(SECRET)).await;
        let terms = json!({ "terms": { "concurrency": 1 } });
        scene.admin.patch(&format!("/claviger/v1/connections/{id}"), &terms).await.expect(200);
        let (client, body) = (scene.server.client(), action(&id, json!({ "path": "/slow" })));
        let running = tokio::spawn({
            let body = body.clone();
            async move { client.post(PATH, &body).await }
        });
        slow.until_arrived(1).await;
        let busy = scene.admin.post(PATH, &body).await;
        assert_eq!(refusal(&busy), (429, "connection_busy".to_owned(), String::new()));
        assert_eq!(busy.header("retry-after"), "1");
        slow.let_go.add_permits(1);
        running.await.unwrap().expect(200);
        let nobody = scene.server.client_with(Keys::default());
        let refused = nobody.post(PATH, &body).await;
        assert_eq!(refusal(&refused), (401, "missing".to_owned(), String::new()));
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
}

/// A server that holds so many bytes for an org, and in all.
async fn scene_with(database: TestDatabase, org: usize, all: usize, patience: Duration) -> Scene {
    let options =
        Options { held_bytes_per_org_max: org, held_bytes_max: all, patience, ..Options::default() };
    Scene::start_with(database, Setup { broker: options, ..Setup::default() }).await
}

with_either_database! {
    /// And told before they are sent.
    async fn bodies_that_find_no_memory_are_refused(database: TestDatabase) {
        let scene = scene_with(database, 256 * KIB, 384 * KIB, PATIENCE).await;
        let slow = Slow::new(&scene);
        let mut orgs = vec![scene.server.client()];
        for name in ["Two", "Three"] {
            orgs.push(scene.server.client_with(Keys::of(&scene.server.found_another(name).await)));
        }
        let mut large = Vec::new();
        for client in &orgs {
            let id = made(client, &gitlab(SECRET)).await;
            let body = |path: &str, length| action(&id, json!({ "method": "POST", "path": path, "requestBody": "a".repeat(length) }));
            large.push((client, body("/slow", 100 * KIB), body("/slow", 10)));
        }
        let run = |at: usize| {
            let (client, body) = (large[at].0.clone(), large[at].1.clone());
            tokio::spawn(async move { client.post(PATH, &body).await })
        };
        // Twice its length while it is read, and once from then on.
        let first = run(0);
        slow.until_arrived(1).await;
        let mut stream = TcpStream::connect(scene.server.address).await.unwrap();
        let token = scene.token().await;
        let head = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n", 100 * KIB);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut told = vec![0; 12];
        timeout(PATIENCE, stream.read_exact(&mut told)).await.unwrap().unwrap();
        assert_eq!(told, b"HTTP/1.1 429");
        let busy = large[0].0.post(PATH, &large[0].1).await;
        assert_eq!(refusal(&busy), (429, "org_busy".to_owned(), String::new()));
        assert_eq!(busy.header("retry-after"), "1");
        let second = run(1);
        slow.until_arrived(2).await;
        let busy = large[2].0.post(PATH, &large[2].1).await;
        assert_eq!(refusal(&busy), (503, "server_busy".to_owned(), String::new()));
        assert_eq!(busy.header("retry-after"), "1");
        slow.let_go.add_permits(6);
        // Small ones need none of it.
        large[2].0.post(PATH, &large[2].2).await.expect(200);
        for running in [first, second] {
            running.await.unwrap().expect(200);
        }
        // There is memory again.
        for at in [2, 0] {
            run(at).await.unwrap().expect(200);
        }
        assert_eq!(slow.arrived.load(SeqCst), 5);
        scene.server.stop().await;
    }

    /// They are held until whoever asked has taken them.
    async fn answers_that_find_no_memory_wait(database: TestDatabase) {
        let scene = scene_with(database, MIB, 2 * MIB, PATIENCE).await;
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|seen| match seen.line().ends_with("/large") {
            true => Reply::ok("\u{1}".repeat(600_000)),
            false => Reply::ok("ok"),
        });
        let (large, small) = (action(&id, json!({ "path": "/large" })), action(&id, json!({ "path": "/small" })));
        let untaken = untaken(&scene, &large).await;
        let token = personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
        let ended = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        let run = |client: &Client| {
            let (client, body) = (client.clone(), large.clone());
            tokio::spawn(async move { client.post(PATH, &body).await })
        };
        let running = [run(&scene.admin), run(&ended)];
        let arrived = timeout(PATIENCE, async {
            let mut arrived = 0;
            while arrived < 3 {
                arrived += scene.world.take_seen().len();
                tokio::task::yield_now().await;
            }
        });
        arrived.await.expect("all are called");
        for _ in 0..10 {
            scene.admin.post(PATH, &small).await.expect(200);
        }
        assert!(running.iter().all(|running| !running.is_finished()), "there is memory for one more");
        scene.admin.delete(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(204);
        let [running, ended] = running;
        let ended = timeout(PATIENCE, ended).await.expect("it ends with its right").unwrap();
        assert_eq!(refusal(&ended), (403, "ended".to_owned(), String::new()));
        drop(untaken);
        let answer = timeout(PATIENCE, running).await.expect("it is its turn").unwrap().expect(200);
        assert_eq!(answer.json()["body"], "\u{1}".repeat(600_000));
        scene.server.stop().await;
    }

    /// As long as an answer may take.
    async fn answers_wait_for_memory_so_long_and_no_longer(database: TestDatabase) {
        let scene = scene_with(database, MIB, 2 * MIB, Duration::from_secs(1)).await;
        let id = scene.connection(&gitlab(SECRET)).await;
        scene.world.answer(|_| Reply::ok("x".repeat(600_000)));
        let large = action(&id, json!({ "path": "/large" }));
        let untaken = untaken(&scene, &large).await;
        let busy = scene.admin.post(PATH, &large).await;
        assert_eq!(refusal(&busy), (429, "org_busy".to_owned(), String::new()));
        drop(untaken);
        let lines = listed(&scene.admin, &id, 2).await;
        let errors: Vec<_> = lines["calls"].as_array().unwrap().iter().map(|call| &call["error"]).collect();
        assert!(errors.contains(&&json!("org_busy")) && errors.contains(&&json!(null)), "{errors:?}");
        scene.server.stop().await;
    }
}

/// An answer of which nothing but its head is taken.
async fn untaken(scene: &Scene, body: &Value) -> Incoming {
    let mut builder = HyperClient::builder(TokioExecutor::new());
    let client = builder.http2_only(true).http2_initial_stream_window_size(1024).build_http();
    let request = Request::post(format!("http://{}{PATH}", scene.server.address));
    let request = request.header("authorization", format!("Bearer {}", scene.token().await));
    let answer = client.request(request.body(Full::<Bytes>::from(body.to_string())).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.into_body()
}
