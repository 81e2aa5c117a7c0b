//! Who has no requests left is told so as everywhere, and what third parties say of theirs is left alone.

use claviger_http::{Bucket, Limits, Rate};
use http::Method;
use serde_json::json;

use super::{Scene, with_a_world};
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;
use crate::support::{Answer, Keys, Setup, TestDatabase};

const SECRET: &str = "glpat-canary-7Qx2";

fn limit_headers(answer: &Answer) -> [&str; 5] {
    ["x-ratelimit-limit", "x-ratelimit-period", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]
        .map(|name| answer.header(name))
}

with_a_world! {
    async fn a_credential_at_its_limit_is_told_when_to_come_again(scene: &Scene) {
        let id = scene.connection(&gitlab(SECRET)).await;
        let limit = json!({ "requests": 1, "period_seconds": 60 });
        let made = scene.admin.post("/claviger/v1/api_keys", &json!({ "name": "Limited", "request_limit": limit })).await.expect(201);
        let api_key = Some(made.json()["secret"].as_str().unwrap().to_owned());
        let client = scene.server.client_with(Keys { api_key, ..scene.server.admin() });
        let path = format!("/broker/{id}/x");
        assert_eq!(limit_headers(&client.get(&path).await.expect(200)), [""; 5]);
        let refused = client.get(&path).await.expect(429);
        assert_eq!(refused.header("claviger-error"), "rate_limited");
        // The clock stands at seven seconds past the minute.
        assert_eq!(limit_headers(&refused), ["1", "60", "0", "53", "53"]);
        assert_eq!(scene.world.take_seen().len(), 1);
        scene.server.clock.advance_micros(53_000_000);
        client.get(&path).await.expect(200);
    }
}

/// A client library reads there what its service says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_orgs_limit_does_not_speak_over_a_third_partys() {
    let limits = Limits::of([(Bucket::BROKER, Rate { limit: 2, period_seconds: 60 })]);
    let scene = Scene::start_with(TestDatabase::sqlite(), Setup { limits, ..Setup::default() }).await;
    let id = scene.connection(&gitlab(SECRET)).await;
    let theirs = "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4999\r\nratelimit-reset: 17\r\n";
    scene.world.answer(move |_| Reply::with("200 OK", theirs, "ok"));
    let path = format!("/broker/{id}/x");
    let answer = scene.admin.get(&path).await.expect(200);
    assert_eq!(limit_headers(&answer), ["5000", "", "4999", "", ""]);
    assert_eq!(answer.header("ratelimit-reset"), "17");
    // A refusal is ours, and so is its standing.
    let refused =
        scene.admin.send(Method::GET, &path, &[("claviger-host", "evil.example")], None::<String>).await;
    assert_eq!(limit_headers(&refused.expect(403))[..3], ["2", "60", "0"]);
    let refused = scene.admin.get(&path).await.expect(429);
    assert_eq!(limit_headers(&refused), ["2", "60", "0", "53", "53"]);
    scene.server.stop().await;
}
