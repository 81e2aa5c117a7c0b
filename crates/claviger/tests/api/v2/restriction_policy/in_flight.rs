//! Revoked is revoked, for restrictions: a change that was under way when its caller was shut out, and would come to
//! pass after whoever did that was answered, does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use claviger_model::Position;
use serde_json::json;

use crate::support::connections::{ALL, gitlab, made, patch};
use crate::support::restrictions::{Someone, path, policy, restrict};
use crate::support::{Answer, TestDatabase, TestServer, on_both_engines, until};

/// How often somebody is shut out.
const ROUNDS: usize = 40;
/// How many change the connection meanwhile, each on a connection of its own.
const WRITERS: usize = 4;

fn position(answer: &Answer) -> Position {
    answer.header("claviger-position").parse().unwrap()
}

on_both_engines! {
    async fn no_change_by_whoever_was_shut_out_comes_to_pass(server: &TestServer) {
        let admin = server.client();
        let someone = Arc::new(Someone::join(server).await);
        let id = made(&admin, &gitlab("glpat-sample-sample")).await;
        let user = format!("user:{}", server.founded.user);
        let (mut changed, mut overlapped) = (0, 0);
        for round in 0..ROUNDS {
            restrict(&admin, &id, &[("editor", user.clone()), ("editor", format!("user:{}", someone.user))]).await;
            let is_shut_out = Arc::new(AtomicBool::new(false));
            let done = Arc::new(AtomicU64::new(0));
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (someone, is_shut_out, done) = (someone.clone(), is_shut_out.clone(), done.clone());
                    let (at, policy_at) = (format!("{ALL}/{id}"), path(&id));
                    let editors = [("editor", format!("user:{}", someone.user)), ("editor", user.clone())];
                    let viewer = [("viewer", format!("role:{}", someone.role))];
                    // Always another one than is there.
                    let policies = [policy(&id, &[&editors[..], &viewer].concat()), policy(&id, &editors)];
                    tokio::spawn(async move {
                        let mut positions = Vec::new();
                        let mut was_overlapped = false;
                        for number in 0_usize.. {
                            let began_before = !is_shut_out.load(SeqCst);
                            // One of them sets the policy itself, so that shutting out is a matter of who is first.
                            let answer = match writer {
                                0 => someone.client.post(&policy_at, &policies[positions.len() % 2]).await,
                                _ => {
                                    let name = format!("{round}-{writer}-{number}");
                                    someone.client.patch(&at, &patch(json!({ "name": name }))).await
                                }
                            };
                            done.fetch_add(1, SeqCst);
                            match answer.status.as_u16() {
                                200 => positions.push((began_before, position(&answer))),
                                // Others were first, again and again.
                                503 => {}
                                403 => {
                                    was_overlapped = began_before;
                                    break;
                                }
                                status => panic!("{status}: {}", answer.text),
                            }
                        }
                        (positions, was_overlapped)
                    })
                })
                .collect();
            until("changes are under way", async || match done.load(SeqCst) {
                done if done >= WRITERS as u64 => Ok(()),
                done => Err(done),
            }).await;
            let shut = policy(&id, &[("editor", user.clone())]);
            let shut_out = loop {
                let answer = admin.post(&path(&id), &shut).await;
                match answer.status.as_u16() {
                    200 => break position(&answer),
                    503 => {}
                    status => panic!("{status}: {}", answer.text),
                }
            };
            is_shut_out.store(true, SeqCst);
            for writer in writers {
                let (positions, was_overlapped) = writer.await.unwrap();
                changed += positions.len();
                overlapped += usize::from(was_overlapped);
                for (began_before, at) in positions {
                    assert!(began_before, "round {round}: a request that began afterwards was let in");
                    assert!(at < shut_out, "round {round}: {at} came to pass after {shut_out}");
                }
            }
        }
        println!("{changed} changes before being shut out, {overlapped} refused that had begun before");
        assert!(changed >= ROUNDS && overlapped > 0, "{changed}, {overlapped}");
        server.verify_state().await;
    }
}
