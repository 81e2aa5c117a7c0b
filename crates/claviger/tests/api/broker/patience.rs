//! How long a third party may take to begin its answer is what the connection's terms say.

use std::sync::Arc;
use std::time::Duration;

use claviger_broker::Options;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::hygiene::{head_of, say};
use super::raw::{Caller, code, on_terms};
use super::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;
use crate::support::{Setup, TestDatabase, with_either_database};

with_a_world! {
    async fn it_may_be_less_than_usual(scene: &Scene) {
        scene.world.answer(|_| Reply::raw(&[]));
        let id = on_terms(scene, &gitlab("glpat-canary-7Qx2"), json!({ "timeout_seconds": 1 })).await;
        let caller = Caller::new(scene).await;
        assert_eq!(code(&caller.get(&format!("{id}/x")).await.expect(504)), "upstream_timeout");
        let action = json!({ "connection": id, "method": "GET", "path": "/x" });
        let answer = scene.admin.post("/claviger/v1/actions/http", &action).await.expect(504);
        assert_eq!(code(&answer), "upstream_timeout");
        // Nor may the rest of what an action asks for take longer.
        scene.world.answer(|_| Reply::raw(&[b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"]));
        let answer = scene.admin.post("/claviger/v1/actions/http", &action).await.expect(504);
        assert_eq!(code(&answer), "upstream_timeout");
    }
}

with_either_database! {
    async fn it_may_be_more_than_usual(database: TestDatabase) {
        let broker = Options { patience: Duration::from_millis(300), ..Options::default() };
        let scene = Scene::start_with(database, Setup { broker, ..Setup::default() }).await;
        let may_begin = Arc::new(Semaphore::new(0));
        let begin = may_begin.clone();
        scene.world.script(move |mut line| {
            let begin = begin.clone();
            async move {
                head_of(&mut line).await;
                begin.acquire().await.unwrap().forget();
                say(&mut line, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        });
        let usual = on_terms(&scene, &gitlab("glpat-canary-7Qx2"), Value::Null).await;
        let patient = on_terms(&scene, &gitlab("glpat-canary-7Qx2"), json!({ "timeout_seconds": 600 })).await;
        let caller = Caller::new(&scene).await;
        let (usual, patient) = (format!("{usual}/x"), format!("{patient}/x"));
        let others = async {
            for _ in 0..3 {
                assert_eq!(code(&caller.get(&usual).await.expect(504)), "upstream_timeout");
            }
            may_begin.add_permits(4);
        };
        let (answer, ()) = tokio::join!(caller.get(&patient), others);
        assert_eq!(answer.expect(200).text, "ok");
        scene.server.stop().await;
    }
}
