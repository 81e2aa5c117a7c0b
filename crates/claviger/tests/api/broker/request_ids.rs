//! An answer is found again by whoever gave it: a third party by its own id, this server by its own.

use claviger_model::RequestId;
use http::Method;

use super::with_a_world;
use crate::support::Answer;
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;

const THEIRS: &str = "their-request-7";

fn ours(answer: &Answer) -> String {
    let id = answer.header("claviger-request-id").to_owned();
    assert!(id.parse::<RequestId>().is_ok(), "{id:?}");
    id
}

with_a_world! {
    async fn both_ids_reach_the_caller(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let path = format!("/broker/{id}/x");
        // Nobody else says ours.
        let lines = format!("x-request-id: {THEIRS}\r\nclaviger-request-id: forged\r\n");
        scene.world.answer(move |_| Reply::with("404 Not Found", &lines, "no"));
        let first = scene.admin.get(&path).await.expect(404);
        let second = scene.admin.get(&path).await.expect(404);
        assert_eq!([first.header("x-request-id"), second.header("x-request-id")], [THEIRS; 2]);
        assert_ne!(ours(&first), ours(&second));
        assert_eq!(first.headers.get_all("claviger-request-id").iter().count(), 1);
        // Who says none has none.
        scene.world.answer(|_| Reply::ok("ok"));
        let answer = scene.admin.get(&path).await.expect(200);
        assert_eq!(answer.header("x-request-id"), "");
        ours(&answer);
        // A refusal is an answer of ours, which has it where all of ours do too.
        let refused = scene.admin.send(Method::GET, &path, &[("claviger-host", "evil.example")], None::<String>).await.expect(403);
        assert_eq!(refused.header("x-request-id"), ours(&refused));
    }
}
