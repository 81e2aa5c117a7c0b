//! OAuth connections through the broker: by their names, with the token that is good at the moment.

use std::time::Duration;

use crate::support::oauth::Stage;
use crate::support::third_party::{Reply, ThirdParty};
use crate::support::{TestDatabase, with_either_database};

with_either_database! {
    async fn a_call_takes_the_token_that_is_good(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let stage = Stage::set_with(database, Duration::from_secs(30), |setup| setup.egress = Some(world.egress())).await;
        stage.client().await;
        stage.connect("one").await;
        let path = "/broker/zis:my_integration:one/api/tickets?page=1";
        // Where its client's tokens come from, since nobody said otherwise.
        let called = async |expected: &str| {
            stage.zis.get(path).await.expect(200);
            let seen = world.take_seen();
            let last = seen.last().unwrap();
            assert_eq!((last.name.as_str(), last.line()), ("auth.example.com", "GET /api/tickets?page=1"));
            assert_eq!(last.header("authorization"), format!("Bearer {expected}"));
            seen.len()
        };
        assert_eq!(called("canary-access-1").await, 1);
        stage.wait_seconds(3600);
        assert_eq!(called("canary-access-2").await, 1);
        // One that was taken back before its time is replaced, and the call made once more.
        world.answer(|seen| match seen.header("authorization") {
            "Bearer canary-access-2" => Reply::with("401 Unauthorized", "", "no"),
            _ => Reply::ok("ok"),
        });
        assert_eq!(called("canary-access-3").await, 2);
        assert_eq!(called("canary-access-3").await, 1);
        // What is echoed of it is masked, of the old one too.
        world.answer(|seen| Reply::ok(format!("{} canary-access-2 canary-refresh-3", seen.head)));
        let answer = stage.zis.get(path).await.expect(200);
        for token in ["canary-access-3", "canary-refresh-3"] {
            assert!(!answer.text.contains(token), "{}", answer.text);
        }
        let elsewhere = stage.zis.send(http::Method::GET, "/broker/zis:other:one/x", None).await;
        assert_eq!((elsewhere.status.as_u16(), elsewhere.header("claviger-error")), (404, "connection_not_found"));
        stage.stop().await;
    }
    /// What a third party refuses is not always the token: whoever finds a call that it answers so could have the token
    /// renewed without end.
    async fn a_refusal_that_stays_renews_a_token_once(database: TestDatabase) {
        let world = ThirdParty::start().await;
        let stage = Stage::set_with(database, Duration::from_secs(30), |setup| setup.egress = Some(world.egress())).await;
        stage.client().await;
        stage.connect("one").await;
        world.answer(|_| Reply::with("401 Unauthorized", "", "no"));
        let before = stage.provider.asked().len();
        for _ in 0..5 {
            stage.zis.get("/broker/zis:my_integration:one/api/secret").await.expect(401);
        }
        assert_eq!(stage.provider.asked().len() - before, 1);
        // Once with the first token, and each time with the second.
        assert_eq!(world.take_seen().len(), 6);
        stage.wait_seconds(61);
        stage.zis.get("/broker/zis:my_integration:one/api/secret").await.expect(401);
        assert_eq!(stage.provider.asked().len() - before, 2);
        stage.stop().await;
    }
}
