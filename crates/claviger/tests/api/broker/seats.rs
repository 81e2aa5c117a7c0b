//! How many calls of a connection there may be at once is what its terms say, now.

use serde_json::{Value, json};

use super::ends::{BEGUN, streaming};
use super::raw::{Caller, change_terms, code, on_terms};
use super::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::native_connections::path_of;
use crate::support::third_party::Reply;
use crate::support::until;

/// Answers that end at once, but for streams.
fn answer(scene: &Scene) {
    scene.world.answer(|seen| match seen.line().ends_with("/events") {
        true => Reply::raw(&[BEGUN]),
        false => Reply::ok("ok"),
    });
}

/// A busy connection's seats are free once the server has noticed that a stream's caller is gone.
async fn until_free(caller: &Caller, target: &str) {
    until("a seat is free", async || match code(&caller.get(target).await) {
        "ok" => Ok(()),
        refusal => Err(refusal.to_owned()),
    })
    .await;
}

with_a_world! {
    async fn a_call_too_many_is_refused(scene: &Scene) {
        answer(scene);
        let id = on_terms(scene, &gitlab("glpat-canary-7Qx2"), json!({ "concurrency": 2 })).await;
        let other = on_terms(scene, &gitlab("glpat-canary-7Qx2"), Value::Null).await;
        let caller = Caller::new(scene).await;
        let (target, token) = (format!("{id}/x"), scene.token().await);
        let one = streaming(scene, &id, &token).await;
        assert_eq!(code(&caller.get(&target).await), "ok");
        let two = streaming(scene, &id, &token).await;
        scene.world.take_seen();
        let busy = caller.get(&target).await.expect(429);
        assert_eq!((code(&busy), busy.header("retry-after")), ("connection_busy", "1"));
        assert!(scene.world.take_seen().is_empty());
        // Another connection has seats of its own.
        assert_eq!(code(&caller.get(&format!("{other}/x")).await), "ok");
        drop(one);
        until_free(&caller, &target).await;
        drop(two);
    }

    /// Who sits already is counted by whatever comes to hold meanwhile.
    async fn a_change_of_the_limit_takes_effect(scene: &Scene) {
        answer(scene);
        let id = on_terms(scene, &gitlab("glpat-canary-7Qx2"), json!({ "concurrency": 1 })).await;
        let caller = Caller::new(scene).await;
        let (target, token) = (format!("{id}/x"), scene.token().await);
        let one = streaming(scene, &id, &token).await;
        assert_eq!(code(&caller.get(&target).await), "connection_busy");
        // A change of something else frees no seat.
        scene.admin.patch(&path_of(&json!({ "id": id })), &json!({ "name": "Renamed" })).await.expect(200);
        assert_eq!(code(&caller.get(&target).await), "connection_busy");
        change_terms(scene, &id, json!({ "concurrency": 2 })).await;
        assert_eq!(code(&caller.get(&target).await), "ok");
        let two = streaming(scene, &id, &token).await;
        assert_eq!(code(&caller.get(&target).await), "connection_busy");
        change_terms(scene, &id, Value::Null).await;
        assert_eq!(code(&caller.get(&target).await), "ok");
        change_terms(scene, &id, json!({ "concurrency": 1 })).await;
        assert_eq!(code(&caller.get(&target).await), "connection_busy");
        drop((one, two));
        until_free(&caller, &target).await;
    }
}
