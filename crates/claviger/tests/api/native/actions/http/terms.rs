//! A connection's terms hold for actions as they do at the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::json;

use super::{PATH, SECRET, action, ran, refusal};
use crate::broker::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;

/// Answers so often that it is too busy, and then well.
fn busy(scene: &Scene, times: usize) {
    let left = Arc::new(AtomicUsize::new(times));
    scene.world.answer(move |_| match left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Reply::with("503 Service Unavailable", "", "later"),
        Err(_) => Reply::ok("ok"),
    });
}

async fn on_terms(scene: &Scene, terms: serde_json::Value) -> String {
    let id = scene.connection(&gitlab(SECRET)).await;
    scene
        .admin
        .patch(&format!("/claviger/v1/connections/{id}"), &json!({ "terms": terms }))
        .await
        .expect(200);
    id
}

with_a_world! {
    async fn an_action_is_made_again_as_often_as_it_asks(scene: &Scene) {
        let (plain, twice) = (on_terms(scene, json!(null)).await, on_terms(scene, json!({ "retries": 2 })).await);
        for (id, retries, failures, expected) in [
            (&plain, json!({}), 1, (503, 1)),
            (&plain, json!({ "retries": 1 }), 1, (200, 2)),
            (&twice, json!({}), 2, (200, 3)),
            (&twice, json!({ "retries": 0 }), 1, (503, 1)),
        ] {
            busy(scene, failures);
            let mut more = json!({ "path": "/x" });
            more.as_object_mut().unwrap().extend(retries.as_object().unwrap().clone());
            let told = ran(&scene.admin, id, more).await;
            assert_eq!((&told["status"], &told["attempts"]), (&json!(expected.0), &json!(expected.1)), "{retries}");
            assert_eq!(scene.world.take_seen().len(), expected.1);
        }
        for bad in [json!(4), json!(-1), json!("1"), json!(1.5)] {
            let answer = scene.admin.post(PATH, &action(&plain, json!({ "path": "/x", "retries": bad }))).await;
            assert_eq!(refusal(&answer), (400, "invalid".to_owned(), "retries".to_owned()));
        }
        // A header says nothing of it.
        busy(scene, 1);
        let headers = json!([{ "key": "Claviger-Retries", "value": "3" }]);
        assert_eq!(ran(&scene.admin, &plain, json!({ "path": "/x", "headers": headers })).await["attempts"], 1);
    }

    async fn what_no_rule_admits_does_not_go_out(scene: &Scene) {
        let id = on_terms(scene, json!({ "rules": [{ "methods": ["GET", "POST"], "path": "/api/v4/projects/42" }] })).await;
        scene.world.answer(|_| Reply::ok("ok"));
        let (get, post, delete) = (json!("GET"), json!("POST"), json!("DELETE"));
        let json_override = json!({ "_method": "DELETE" });
        for (more, code) in [
            (json!({ "method": delete, "path": "/projects/42" }), "not_in_rules"),
            (json!({ "method": get, "path": "/projects/420" }), "not_in_rules"),
            (json!({ "method": get, "url": "https://gitlab.com/api/v4/users" }), "not_in_rules"),
            (json!({ "method": post, "path": "/projects/42", "headers": [{ "key": "X-HTTP-Method-Override", "value": "DELETE" }] }), "override"),
            (json!({ "method": post, "path": "/projects/42", "query": [{ "key": "_method", "value": "delete" }] }), "override"),
            (json!({ "method": post, "path": "/projects/42", "requestBody": json_override }), "override"),
        ] {
            let answer = scene.admin.post(PATH, &action(&id, more.clone())).await;
            assert_eq!(refusal(&answer).1, code, "{more}");
            assert_eq!(scene.world.take_seen().len(), 0, "{more}");
        }
        for more in [
            json!({ "method": get, "path": "/projects/42/issues" }),
            json!({ "method": get, "url": "https://gitlab.com/api/v4/projects/42" }),
            json!({ "method": post, "path": "/projects/42", "requestBody": { "method": "DELETE" } }),
        ] {
            assert_eq!(ran(&scene.admin, &id, more).await["status"], 200);
            assert_eq!(scene.world.only().header("private-token"), SECRET);
        }
    }
}
