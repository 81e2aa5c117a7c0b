//! Who is not let through is in the record of the connection that was meant.

use serde_json::{Value, json};

use super::with_a_world;
use crate::native::connections::calls::listed;
use crate::support::connections::gitlab;
use crate::support::restrictions::{Someone, restrict};

fn told(call: &Value) -> [Value; 6] {
    ["user", "method", "host", "path", "status", "error"].map(|it| call[it].clone())
}

with_a_world! {
    async fn a_restrictions_refusals_are_recorded(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let outsider = Someone::join(&scene.server).await;
        let me = scene.server.founded.user.to_string();
        restrict(&scene.admin, &id, &[("editor", format!("user:{me}"))]).await;
        let refused = outsider.client.get(&format!("/broker/{id}/projects/7?q=1")).await.expect(403);
        assert_eq!(refused.header("claviger-error"), "restricted");
        listed(&scene.admin, &id, 1).await;
        scene.server.clock.advance_micros(1_000_000);
        let action = json!({ "connection": id, "method": "DELETE", "path": "/projects/7" });
        let refused = outsider.client.post("/claviger/v1/actions/http", &action).await.expect(403);
        assert_eq!(refused.header("claviger-error"), "restricted");
        assert!(scene.world.take_seen().is_empty());
        let list = listed(&scene.admin, &id, 2).await;
        let calls: Vec<_> = list["calls"].as_array().unwrap().iter().map(told).collect();
        let line = |method: &str| {
            [json!(outsider.user), json!(method), Value::Null, Value::Null, json!(403), json!("restricted")]
        };
        assert_eq!(calls, [line("DELETE"), line("GET")]);
    }

    async fn what_is_wrong_with_a_path_is_recorded(scene: &Scene) {
        let id = scene.connection(&gitlab("glpat-canary-7Qx2")).await;
        let refused = scene.admin.get(&format!("/broker/{id}/a%2fb\"%22")).await.expect(400);
        assert_eq!(refused.header("claviger-error"), "path_encoded_slash");
        let list = listed(&scene.admin, &id, 1).await;
        assert_eq!(told(&list["calls"][0])[2..], [Value::Null, Value::Null, json!(400), json!("path_encoded_slash")]);
        // Whoever may not know of the connection, or of none, is told of the path alone.
        let stranger = "/broker/01890000-0000-7000-8000-000000000000/a%2fb";
        assert_eq!(scene.admin.get(stranger).await.expect(400).header("claviger-error"), "path_encoded_slash");
    }
}
