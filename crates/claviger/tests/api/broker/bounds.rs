//! What callers can make the server hold is bounded, whatever they send.

use std::time::{Duration, Instant};

use bytes::Bytes;
use claviger_broker::Options;
use claviger_engine::CallBatch;
use claviger_model::Timestamp;
use http::{Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ends::{BEGUN, breaks_off, streaming};
use super::{Scene, with_a_world};
use crate::support::connections::{gitlab, made};
use crate::support::third_party::Reply;
use crate::support::tokens::personal_access_token;
use crate::support::{Answer, Client, Keys, START, Setup, TestDatabase, with_either_database};

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_secs(12);

/// What is listed of a connection's calls.
async fn lines(scene: &Scene, id: &str) -> Vec<Value> {
    let list = scene.admin.get(&format!("/claviger/v1/connections/{id}/calls")).await.expect(200).json();
    list["calls"].as_array().unwrap().clone()
}

with_a_world! {
    /// It would be kept with each call that is recorded.
    async fn a_method_has_a_length(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let token = scene.token().await;
        let uri = format!("http://{}/broker/{id}/x", scene.server.address);
        for is_http2 in [false, true] {
            let client = HyperClient::builder(TokioExecutor::new()).http2_only(is_http2).build_http();
            let call = async |method: &str| {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let request = Request::builder().method(method).uri(&uri);
                let request = request.header("authorization", format!("Bearer {token}"));
                let answer = client.request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
                assert_eq!(answer.version() == Version::HTTP_2, is_http2);
                let code = answer.headers().get("claviger-error").map(|code| code.to_str().unwrap().to_owned());
                let status = answer.status();
                answer.into_body().collect().await.unwrap();
                (status, code)
            };
            let refused = (StatusCode::METHOD_NOT_ALLOWED, Some("method_not_allowed".to_owned()));
            for length in [33, 1_000, 60_000] {
                assert_eq!(call(&"M".repeat(length)).await, refused, "{length}");
            }
            assert_eq!(call("TRACE").await, refused);
            assert!(scene.world.take_seen().is_empty());
            // WebDAV's, and what somebody may think of.
            for method in ["UPDATEREDIRECTREF", &"M".repeat(32)] {
                assert_eq!(call(method).await, (StatusCode::OK, None), "{method}");
            }
            assert_eq!(scene.world.take_seen().len(), 2);
        }
        let deadline = Instant::now() + PATIENCE;
        while lines(scene, &id).await.len() < 4 {
            assert!(Instant::now() < deadline);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let lines = lines(scene, &id).await;
        let of = |length| lines.iter().filter(|line| line["method"].as_str().unwrap().len() == length).count();
        assert_eq!((lines.len(), of(17), of(32)), (4, 2, 2), "{lines:?}");
    }

    /// And not as a call that went well.
    async fn what_breaks_off_is_counted_as_that(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let token = scene.token().await;
        scene.world.answer(|_| Reply::raw(&[BEGUN]).closing());
        assert!(breaks_off(streaming(scene, &id, &token).await).await);
        scene.world.answer(|_| Reply::ok("ok"));
        scene.admin.get(&format!("/broker/{id}/x")).await.expect(200);
        let deadline = Instant::now() + PATIENCE;
        let expected = [r#"{outcome="upstream_broken"} 1"#, r#"{outcome="forwarded"} 1"#];
        let is_there = |page: &str| expected.iter().all(|it| page.contains(&format!("claviger_broker_calls_total{it}\n")));
        while !is_there(&scene.server.metrics()) {
            assert!(Instant::now() < deadline, "{}", scene.server.metrics());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A call that may have to wait until the server has noticed that somebody is gone.
async fn until_ok(client: &Client, path: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !client.get(path).await.status.is_success() {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

with_either_database! {
    /// Third parties that never answer take from an org what it has, and from nobody else.
    async fn an_orgs_calls_leave_room_for_others(database: TestDatabase) {
        let broker = Options { calls_per_org_max: 2, calls_max: 3, ..Options::default() };
        let scene = Scene::start_with(database, Setup { broker, ..Setup::default() }).await;
        scene.world.answer(|seen| match seen.line().ends_with("/events") {
            true => Reply::raw(&[BEGUN]),
            false => Reply::ok("ok"),
        });
        let integration = gitlab("glpat-canary-7Qx2");
        let (one, two) = (scene.connection(&integration).await, scene.connection(&integration).await);
        let (path, token) = (|id: &str| format!("/broker/{id}/x"), scene.token().await);
        let other = scene.server.client_with(Keys::of(&scene.server.found_another("Other").await));
        let theirs = made(&other, &integration).await;
        let their_token = personal_access_token(&other, json!(["connections_resolve"])).await.secret;
        let refusal = |answer: &Answer| {
            let header = |name| answer.header(name).to_owned();
            (answer.status.as_u16(), header("claviger-error"), header("retry-after"))
        };
        let told = |status, code: &str| (status, code.to_owned(), "1".to_owned());
        let ours = [streaming(&scene, &one, &token).await, streaming(&scene, &two, &token).await];
        scene.world.take_seen();
        for id in [&one, &two] {
            assert_eq!(refusal(&scene.admin.get(&path(id)).await), told(429, "org_busy"));
            let action = json!({ "connection": id, "method": "GET", "path": "/x" });
            let answer = scene.admin.post("/claviger/v1/actions/http", &action).await;
            assert_eq!(refusal(&answer), told(429, "org_busy"));
        }
        assert!(scene.world.take_seen().is_empty());
        other.get(&path(&theirs)).await.expect(200);
        let stream = streaming(&scene, &theirs, &their_token).await;
        assert_eq!(refusal(&other.get(&path(&theirs)).await), told(503, "server_busy"));
        drop(ours);
        until_ok(&other, &path(&theirs)).await;
        until_ok(&scene.admin, &path(&one)).await;
        drop(stream);
        scene.server.stop().await;
    }

    /// A connection can write a row a second, and one that records strictly as many as it makes calls.
    async fn what_is_old_is_erased_faster_than_it_can_become(database: TestDatabase) {
        const ROWS: u128 = 4_000;
        let scene = Scene::start(database).await;
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let Scene { server, world, .. } = scene;
        let last_at = Timestamp::parse_rfc3339(START).unwrap() - Duration::from_secs(31 * 24 * 3600);
        let org = server.founded.org;
        let row = |number| CallBatch {
            id: Uuid::from_u128(number),
            org,
            connection: id.parse().unwrap(),
            begun_at: None,
            first_at: last_at,
            last_at,
            calls: 1,
            lines: format!("[{},\"server\",\"\",\"GET\",\"gitlab.com\",\"/x\",200,null,0,0,1,0]\n", last_at.micros()),
        };
        let rows: Vec<_> = (0..ROWS).map(row).collect();
        for rows in rows.chunks(200) {
            server.engine.record_calls(rows).await.unwrap();
        }
        // A server looks for what is old as soon as it runs.
        let server = server.halt().await.start(Setup::default()).await;
        let scene = Scene { admin: server.client(), server, world };
        let deadline = Instant::now() + PATIENCE;
        while !lines(&scene, &id).await.is_empty() {
            assert!(Instant::now() < deadline, "some are there still");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        scene.server.stop().await;
    }
}
