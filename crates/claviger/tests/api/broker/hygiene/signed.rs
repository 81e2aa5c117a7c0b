//! Bodies that are signed: read whole, whether their length is known or not.

use super::{Caller, check_ok, check_refused};
use crate::broker::exchanges::{answer, aws};
use crate::broker::with_a_world;
use crate::support::third_party::Reply;

with_a_world! {
    /// How long a body is need not be known for it to be signed.
    async fn a_short_body_of_unknown_length_is_signed(scene: &Scene) {
        scene.world.answer(|seen| answer(seen).unwrap_or_else(|| Reply::ok("ok")));
        let id = scene.connection(&aws()).await;
        let mut caller = Caller::through(scene, &id).await;
        let lines = "transfer-encoding: chunked\r\nclaviger-host: dynamodb.eu-central-1.amazonaws.com\r\n";
        caller.ask("POST", lines, b"9\r\n{\"a\": \"bc\r\n2\r\n\"}\r\n0\r\n\r\n").await;
        check_ok(&caller.answer().await);
        let seen = scene.world.take_seen();
        let [_, called] = &seen[..] else { panic!("{seen:?}") };
        assert_eq!(called.body, b"{\"a\": \"bc\"}");
        assert_eq!(called.header("content-length"), "11");
        assert!(called.header("authorization").contains("/eu-central-1/dynamodb/aws4_request"), "{}", called.head);
        // What is too long is so also if it comes to light late.
        let mut caller = Caller::through(scene, &id).await;
        caller.ask("POST", lines, b"").await;
        for _ in 0..17 {
            caller.send(b"10000\r\n").await;
            caller.send(&[b'a'; 65536]).await;
            caller.send(b"\r\n").await;
        }
        check_refused(&caller.answer().await, 413, "body_too_large");
        assert!(scene.world.take_seen().is_empty());
    }
}
