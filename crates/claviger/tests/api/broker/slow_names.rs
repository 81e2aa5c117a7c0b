//! Name servers of one org's that do not answer hold up nobody else.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::task::JoinSet;

use super::Scene;
use super::exchanges::{self, azure};
use crate::support::connections::{self, gitlab};
use crate::support::third_party::{Reply, SLOW, ThirdParty};
use crate::support::zis::Zis;
use crate::support::{Answer, Client, Keys, Setup, TestDatabase, tokens, until, with_either_database};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many calls are made.
const CALLS: usize = 1_000;
/// So many of them are under way at once: a few more than there is room for.
const UNDER_WAY: usize = 300;
/// So many names are looked up for one org at once, and so many wait for that.
const OF_ORG_AT_ONCE: usize = 8;
const OF_ORG_WAITING: usize = 256;
/// So many of the calls are therefore held.
const HELD: usize = OF_ORG_AT_ONCE + OF_ORG_WAITING;

/// What is answered while others are held.
async fn soon<T>(answer: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, answer).await.expect("it waits for somebody else's name servers")
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.header("claviger-error").to_owned())
}

/// A call through a connection, at a host.
async fn call_at(client: &Client, id: &str, host: &str) -> (u16, String) {
    let path = format!("/broker/{id}/x");
    told(&soon(client.send(Method::GET, &path, &[("claviger-host", host)], None::<String>)).await)
}

with_either_database! {
    async fn a_thousand_calls_to_silent_names_hold_up_no_other_org(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let egress = world.patient_egress(4 * PATIENCE);
        let scene = Scene::start_in(database, world, egress, Setup::default()).await;
        scene.world.answer(|seen| exchanges::answer(seen).unwrap_or_else(|| Reply::ok("ok")));
        // Whoever may write a connection of names that they choose chooses their name servers.
        let admin = Zis::admin(&scene.server).await;
        let client = admin.integration("names").await;
        let writer = Zis::bearer(&scene.server, &admin.token(client, &["read", "write"]).await.1);
        let made = json!({ "name": "wild", "allowed_domain": format!("*{SLOW}"), "token": "canary-7Qx2-value" });
        writer.post("/api/services/zis/integrations/names/connections/bearer_token", &made).await.expect(201);
        let own_azure = scene.connection(&azure()).await;
        let other = scene.server.client_with(Keys::of(&scene.server.found_another("Other").await));
        let (gitlab, azure) =
            (connections::made(&other, &gitlab("glpat-canary-7Qx2")).await, connections::made(&other, &azure()).await);

        let call = |number: usize| {
            let caller = scene.admin.clone();
            async move {
                let host = format!("h{number}{SLOW}");
                let headers = [("claviger-host", host.as_str())];
                told(&caller.send(Method::GET, "/broker/zis:names:wild/x", &headers, None::<String>).await)
            }
        };
        let mut calls = JoinSet::new();
        // The connection is read once, by the first.
        calls.spawn(call(0));
        until("the first name is looked up", async || match scene.world.slow_names().held() {
            0 => Err("nobody looks"),
            _ => Ok(()),
        })
        .await;
        (1..UNDER_WAY).for_each(|number| drop(calls.spawn(call(number))));
        // All that the org has no room for is refused, in words of its own.
        let (mut next, mut left) = (UNDER_WAY, CALLS - HELD);
        while left > 0 {
            let (status, code) = soon(calls.join_next()).await.unwrap().unwrap();
            match (status, code.as_str()) {
                (429, "lookup_busy") => left -= 1,
                // So many tokens are not made at once, by which a ZIS connection's calls prove whose they are.
                (503, "unavailable") => {}
                other => panic!("{other:?}"),
            }
            while calls.len() < HELD + left.min(UNDER_WAY - HELD) {
                calls.spawn(call(next));
                next += 1;
            }
        }
        // Its exchanges have the same room.
        assert_eq!(call_at(&scene.admin, &own_azure, "management.azure.com").await, (502, "exchange_busy".to_owned()));

        // Another org's calls, exchanges and changes go on, and its own changes.
        for caller in [&other, &scene.admin] {
            let token = soon(tokens::personal_access_token(caller, json!(["connections_resolve"]))).await;
            let of_token = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
            let path = format!("/broker/{gitlab}/x");
            let expected = if std::ptr::eq(caller, &other) { 200 } else { 404 };
            soon(of_token.get(&path)).await.expect(expected);
            soon(caller.delete(&format!("/api/v2/personal_access_tokens/{}", token.id))).await.expect(204);
            soon(of_token.get(&path)).await.expect(401);
        }
        assert_eq!(call_at(&other, &azure, "management.azure.com").await, (200, String::new()));
        assert_eq!(scene.world.slow_names().held(), OF_ORG_AT_ONCE);

        // Once the name servers answer, what waited is called.
        scene.world.slow_names().let_go();
        while let Some(done) = soon(calls.join_next()).await {
            assert_eq!(done.unwrap(), (200, String::new()));
        }
        scene.server.stop().await;
    }
}
