//! Private places are reached by orgs that the operator allows it, and by nobody else.

use serde_json::{Value, json};

use super::with_a_world;
use crate::support::connections::http;

with_a_world! {
    async fn an_org_reaches_the_private_places_that_it_is_allowed(scene: &Scene) {
        for (name, address) in [("git.house", "10.1.2.3"), ("other.house", "10.2.2.3"), ("meta.house", "169.254.169.254")] {
            scene.world.name(name, &[address]);
        }
        let mut paths = Vec::new();
        for base in ["https://git.house", "http://git.house", "https://other.house", "http://other.house", "https://meta.house"] {
            paths.push((base, format!("/broker/{}/x", scene.connection(&http(base, "canary-7Qx2-value")).await)));
        }
        let called = async |expected: &[&str]| {
            for ((base, path), expected) in paths.iter().zip(expected) {
                let answer = scene.admin.get(path).await;
                let code = if answer.status == 200 { "ok" } else { answer.header("claviger-error") };
                assert_eq!(code, *expected, "{base}");
            }
        };
        let none = ["address_not_public", "clear_text", "address_not_public", "clear_text", "address_metadata"];
        called(&none).await;
        assert_eq!(scene.world.dialled(), [], "nobody was called");
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        let allow = async |entries: Value| {
            let answer = scene.admin.patch(&org, &json!({ "private_reach": entries })).await.expect(200).json();
            assert_eq!(answer["private_reach"], entries);
        };
        allow(json!(["10.1.0.0/16"])).await;
        called(&["ok", "clear_text", "address_not_public", "clear_text", "address_metadata"]).await;
        allow(json!(["10.1.0.0/16", "http://git.house", "http://other.house"])).await;
        called(&["ok", "ok", "address_not_public", "address_not_public", "address_metadata"]).await;
        assert_eq!(scene.world.take_seen().len(), 3);
        // What is taken back is not used any more, open connections included.
        allow(json!([])).await;
        called(&none).await;
        assert_eq!(scene.world.take_seen().len(), 0);
        scene.server.verify_state().await;
    }

    async fn a_reach_is_of_private_places(scene: &Scene) {
        let org = format!("/claviger/v1/orgs/{}", scene.server.founded.org);
        for wrong in [
            json!(["0.0.0.0/0"]), json!(["8.8.8.8"]), json!(["169.254.169.254"]), json!(["10.0.0.0/7"]), json!(["127.0.0.1 10.0.0.1"]),
            json!(["git.house"]), json!(["http://git.house/x"]), json!("10.0.0.0/8"), json!([1]), json!([""]),
        ] {
            let answer = scene.admin.patch(&org, &json!({ "private_reach": wrong })).await.expect(400).json();
            assert_eq!(answer["errors"][0]["field"], "private_reach", "{wrong}");
        }
        assert_eq!(scene.admin.get(&org).await.expect(200).json()["private_reach"], json!([]));
    }
}
