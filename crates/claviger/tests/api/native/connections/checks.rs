//! The server tests connections by itself, where their terms say so.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use claviger_broker::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

use super::calls::listed;
use super::{PATH, made};
use crate::broker::Scene;
use crate::support::connections::{gitlab, http};
use crate::support::restrictions::restrict;
use crate::support::third_party::{Reply, ThirdParty};
use crate::support::{Client, Keys, Setup, TestDatabase, until, with_either_database};

const SECRET: &str = "glpat-canary-7Qx2";
const SECOND: i64 = 1_000_000;

/// A server that looks often, since the tests' clock moves by itself.
fn setup() -> Setup {
    let broker = Options { check_period: Duration::from_millis(10), ..Options::default() };
    Setup { broker, ..Setup::default() }
}

/// A connection that is to be tested every five minutes, the shortest time there is.
async fn watched(client: &Client, name: &str, integration: &Value) -> String {
    let more = json!({ "terms": { "check_every_seconds": 300 } });
    made(client, name, integration, more).await["id"].as_str().unwrap().to_owned()
}

async fn shown(client: &Client, id: &str) -> Value {
    client.get(&format!("{PATH}/{id}")).await.expect(200).json()
}

/// Waits until a connection's health is as it should become, and gives when that was said.
async fn becomes(client: &Client, id: &str, status: &str, reason: &str) -> Value {
    until(&format!("{status}, {reason}"), async || {
        let health = shown(client, id).await["health"].clone();
        let is_so = (&health["status"], &health["reason"]) == (&json!(status), &json!(reason));
        if is_so { Ok(health["at"].clone()) } else { Err(health) }
    })
    .await
}

/// Waits until the server has looked once more: one that nobody tested yet is tested then.
async fn looked(scene: &Scene) {
    let id = watched(&scene.admin, "looked", &http("https://a.example", "canary-canary")).await;
    becomes(&scene.admin, &id, "unknown", "no_probe").await;
    scene.admin.delete(&format!("{PATH}/{id}")).await.expect(204);
}

fn metric(scene: &Scene, result: &str) -> u64 {
    let name = format!("claviger_broker_checks_total{{result=\"{result}\"}} ");
    let page = scene.server.metrics();
    page.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

with_either_database! {
    async fn what_is_due_is_tested_and_nothing_else(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        let unwatched = scene.connection(&gitlab(SECRET)).await;
        let id = watched(&scene.admin, "n", &gitlab(SECRET)).await;
        let position = scene.server.engine.applied();
        // Nobody tested it yet.
        let first = becomes(&scene.admin, &id, "ok", "accepted").await;
        let seen = scene.world.only();
        assert_eq!((seen.line(), seen.header("private-token")), ("GET /api/v4/personal_access_tokens/self", SECRET));
        assert_eq!((shown(&scene.admin, &unwatched).await["health"].clone(), metric(&scene, "ok")), (Value::Null, 1));
        // Not before its time.
        scene.server.clock.advance_micros(299 * SECOND);
        looked(&scene).await;
        assert_eq!((scene.world.take_seen().len(), shown(&scene.admin, &id).await["health"]["at"].clone()), (0, first));
        // At most a tenth later than said.
        scene.world.answer(|_| Reply::with("401 Unauthorized", "", "{}"));
        scene.server.clock.advance_micros(31 * SECOND);
        becomes(&scene.admin, &id, "bad", "refused").await;
        looked(&scene).await;
        assert_eq!((scene.world.take_seen().len(), metric(&scene, "bad")), (1, 1));
        // Somebody's own test puts it off too.
        scene.server.clock.advance_micros(200 * SECOND);
        scene.world.answer(|_| Reply::ok("{}"));
        let said = scene.admin.post(&format!("{PATH}/{id}/test"), &Value::Null).await.expect(200).json();
        assert_eq!(said["result"], "ok");
        scene.server.clock.advance_micros(200 * SECOND);
        looked(&scene).await;
        assert_eq!((scene.world.take_seen().len(), metric(&scene, "ok")), (1, 1));

        // They are in the record as the server's, and uses of nobody.
        let list = listed(&scene.admin, &id, 3).await;
        let by: Vec<_> = list["calls"].as_array().unwrap().iter().map(|call| (call["credential"] == "server", call["user"].is_null(), call["status"].clone())).collect();
        assert_eq!(by.iter().filter(|by| **by == (true, true, json!(200))).count(), 1);
        assert_eq!(by.iter().filter(|by| **by == (true, true, json!(401))).count(), 1);
        assert_eq!(by.iter().filter(|by| !by.0 && !by.1).count(), 1);
        // Only what was made and deleted meanwhile is in the ledger.
        assert_eq!(scene.server.engine.applied().sequence, position.sequence + 2 * 3);
        // Taken back, nothing comes any more.
        scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "terms": null })).await.expect(200);
        scene.server.clock.advance_micros(1000 * SECOND);
        looked(&scene).await;
        assert_eq!(scene.world.take_seen().len(), 0);
        scene.server.verify_state().await;
        scene.server.stop().await;
    }

    async fn a_check_alone_is_no_use(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        let id = watched(&scene.admin, "n", &gitlab(SECRET)).await;
        becomes(&scene.admin, &id, "ok", "accepted").await;
        // What is noted is written when the server ends, if not before.
        let Scene { server, world, .. } = scene;
        let server = server.halt().await.start(Setup { egress: Some(world.egress()), ..setup() }).await;
        assert_eq!(shown(&server.client(), &id).await["last_used_at"], Value::Null);
        server.stop().await;
    }

    /// What has a new secret is tested at once, and not when the old one's time would have come.
    async fn a_change_of_secrets_is_tested_soon(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        scene.world.answer(|seen| match seen.header("private-token") {
            SECRET => Reply::with("401 Unauthorized", "", "{}"),
            _ => Reply::ok("{}"),
        });
        let id = watched(&scene.admin, "n", &gitlab(SECRET)).await;
        becomes(&scene.admin, &id, "bad", "refused").await;
        scene.admin.patch(&format!("{PATH}/{id}"), &json!({ "integration": gitlab("glpat-canary-another") })).await.expect(200);
        becomes(&scene.admin, &id, "ok", "accepted").await;
        scene.server.stop().await;
    }

    /// A restriction is about people, and lets the server in; addresses, ends and orgs that are disabled do not.
    async fn a_check_goes_nowhere_that_it_should_not(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        scene.world.name("gitlab.com", &["169.254.169.254"]);
        let id = watched(&scene.admin, "n", &gitlab(SECRET)).await;
        becomes(&scene.admin, &id, "unknown", "address_metadata").await;
        let me = shown(&scene.admin, &id).await["created_by"].as_str().unwrap().to_owned();
        restrict(&scene.admin, &id, &[("editor", format!("user:{me}"))]).await;

        let ended = watched(&scene.admin, "ended", &gitlab(SECRET)).await;
        becomes(&scene.admin, &ended, "unknown", "address_metadata").await;
        scene.admin.patch(&format!("{PATH}/{ended}"), &json!({ "expires_at": "2026-03-04T05:06:08Z" })).await.expect(200);
        let at = shown(&scene.admin, &ended).await["health"]["at"].clone();

        let other = scene.server.found_another("Other").await;
        let theirs = scene.server.client_with(Keys::of(&other));
        let disabled = watched(&theirs, "n", &gitlab(SECRET)).await;
        becomes(&theirs, &disabled, "unknown", "address_metadata").await;
        let org = format!("/claviger/v1/orgs/{}", other.org);
        scene.admin.patch(&org, &json!({ "disabled": true })).await.expect(200);

        scene.world.name("gitlab.com", &["93.184.216.34"]);
        scene.server.clock.advance_micros(400 * SECOND);
        becomes(&scene.admin, &id, "ok", "accepted").await;
        looked(&scene).await;
        assert_eq!(scene.world.take_seen().len(), 1);
        assert_eq!(shown(&scene.admin, &ended).await["health"]["at"], at);
        // Back again, it is due.
        scene.admin.patch(&org, &json!({ "disabled": false })).await.expect(200);
        becomes(&theirs, &disabled, "ok", "accepted").await;
        scene.admin.patch(&format!("{PATH}/{ended}"), &json!({ "expires_at": null })).await.expect(200);
        becomes(&scene.admin, &ended, "ok", "accepted").await;
        scene.server.stop().await;
    }

    /// A few at a time, and all of them.
    async fn no_more_than_a_few_are_under_way(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        scene.world.answer(|_| Reply::with("200 OK", "connection: close\r\n", "{}").closing());
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(watched(&scene.admin, &format!("n{number}"), &gitlab(SECRET)).await);
        }
        for id in &ids {
            becomes(&scene.admin, id, "ok", "accepted").await;
        }
        // How many are waited for, and how many were at most.
        let waiting = Arc::new(Mutex::new((0, 0)));
        let (counted, answers) = (waiting.clone(), Arc::new(Semaphore::new(0)));
        let turns = answers.clone();
        scene.world.script(move |mut line| {
            let (counted, turns) = (counted.clone(), turns.clone());
            async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if line.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                {
                    let mut counted = counted.lock().unwrap();
                    counted.0 += 1;
                    counted.1 = counted.1.max(counted.0);
                }
                turns.acquire().await.unwrap().forget();
                counted.lock().unwrap().0 -= 1;
                let _ = line.write_all(b"HTTP/1.1 401 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        // All are due in one look.
        scene.server.clock.advance_micros(400 * SECOND);
        for done in 0..12 {
            let wanted = (12 - done).min(4);
            until(&format!("{wanted} are under way"), async || match *waiting.lock().unwrap() {
                (now, _) if now >= wanted => Ok(()),
                (now, most) => Err((now, most)),
            }).await;
            answers.add_permits(1);
        }
        for id in &ids {
            becomes(&scene.admin, id, "bad", "refused").await;
        }
        assert_eq!((waiting.lock().unwrap().1, metric(&scene, "bad")), (4, 12));
        scene.server.stop().await;
    }

    /// Whoever's third parties do not answer keeps nobody else from their turn, and has no more than a half of the places.
    async fn another_orgs_turn_comes_all_the_same(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        let hanging = Arc::new(Mutex::new(0));
        let counted = hanging.clone();
        scene.world.script(move |mut line| {
            let counted = counted.clone();
            async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    if line.read_buf(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                if head.windows(12).any(|part| part == b"slow.example") {
                    *counted.lock().unwrap() += 1;
                    return std::future::pending().await;
                }
                let _ = line.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        let terms = json!({ "terms": { "check_every_seconds": 300, "probe": { "path": "/me" } } });
        for number in 0..12 {
            let slow = http("https://slow.example", "canary-canary");
            made(&scene.admin, &format!("n{number}"), &slow, terms.clone()).await;
        }
        until("four are asked at once", async || match *hanging.lock().unwrap() {
            4.. => Ok(()),
            fewer => Err(fewer),
        })
        .await;
        let theirs = scene.server.client_with(Keys::of(&scene.server.found_another("Other").await));
        let id = made(&theirs, "n", &http("https://quick.example", "canary-canary"), terms).await["id"].as_str().unwrap().to_owned();
        becomes(&theirs, &id, "ok", "accepted").await;
        // It did not wait until the others' were through.
        assert!(*hanging.lock().unwrap() < 12);
        scene.server.stop().await;
    }

    /// A third party that does not answer does not keep the server from ending; what was begun is done by the next one.
    async fn the_servers_end_gives_up_what_is_under_way(database: TestDatabase) {
        let scene = Scene::start_with(database, setup()).await;
        scene.world.script(|mut line| async move {
            let mut read = Vec::new();
            while line.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
        });
        let id = watched(&scene.admin, "n", &gitlab(SECRET)).await;
        until("it is under way", async || (scene.world.connections() > 0).then_some(()).ok_or("nobody came")).await;
        let halted = scene.server.halt().await;
        let world = ThirdParty::start().await;
        let server = halted.start(Setup { egress: Some(world.egress()), ..setup() }).await;
        // Waited for until its own patience was at an end, it would be known as not answered, and not be due yet.
        becomes(&server.client(), &id, "ok", "accepted").await;
        // It was begun, and did not end well: that is in the record too.
        let list = listed(&server.client(), &id, 2).await;
        assert!(list["calls"].as_array().unwrap().iter().all(|call| call["credential"] == "server"), "{list}");
        server.stop().await;
    }
}
