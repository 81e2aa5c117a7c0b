//! What goes on by a right ends with it.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::{PATH, SECRET, action, refusal};
use crate::broker::with_a_world;
use crate::support::connections::gitlab;
use crate::support::third_party::Reply;
use crate::support::{Answer, Keys, tokens, until};

/// An answer that is never over.
const BEGUN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx";
/// A call must end within a second of its right; a busy machine may take longer to notice.
const PATIENCE: Duration = Duration::from_secs(20);

with_a_world! {
    /// Whether the third party has begun to answer or not.
    async fn an_action_ends_with_its_callers_credential_or_connection(scene: &Scene) {
        for begun in [&b""[..], BEGUN] {
            scene.world.answer(move |_| Reply::raw(&[begun]));
            for is_of_connection in [false, true] {
                let id = scene.connection(&gitlab(SECRET)).await;
                let token = tokens::personal_access_token(&scene.admin, json!(["connections_resolve"])).await;
                let client = scene.server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
                let body = action(&id, json!({ "path": "/x" }));
                let running = tokio::spawn(async move { client.post(PATH, &body).await });
                until("the call arrives", async || match scene.world.take_seen().len() {
                    0 => Err(()),
                    _ => Ok(()),
                }).await;
                let gone = match is_of_connection {
                    true => format!("/claviger/v1/connections/{id}"),
                    false => format!("/api/v2/personal_access_tokens/{}", token.id),
                };
                scene.admin.delete(&gone).await.expect(204);
                let ended: Answer = timeout(PATIENCE, running).await.expect("the call ends").unwrap();
                assert_eq!(refusal(&ended), (403, "ended".to_owned(), String::new()), "{is_of_connection}");
            }
        }
    }
}
