//! `/api/v2/user_invitations`

use serde_json::{Value, json};

use crate::support::people::user;
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/user_invitations";

fn invitations(users: &[&str]) -> Value {
    let one = |id: &&str| {
        json!({ "type": "user_invitations",
            "relationships": { "user": { "data": { "type": "users", "id": id } } } })
    };
    json!({ "data": users.iter().map(one).collect::<Vec<_>>() })
}

on_both_engines! {
    async fn an_invitation_holds_for_two_days(server: &TestServer) {
        let client = server.client();
        let (one, other) = (user(&client, &[]).await, user(&client, &[]).await);
        let sent = client.post(PATH, &invitations(&[&one, &other])).await.expect(201).json();
        let list = sent["data"].as_array().unwrap();
        assert_eq!(list.len(), 2);
        let id = list[0]["id"].as_str().unwrap();
        let expected = json!({ "type": "user_invitations", "id": id, "attributes": { "uuid": id,
            "login_method": null, "invite_type": "basic_invite",
            "created_at": "2026-03-04T05:06:07.123456+00:00", "expires_at": "2026-03-06T05:06:07.123456+00:00" },
            "relationships": { "user": { "data": { "type": "users", "id": one } } } });
        assert_eq!(list[0], expected);
        let read = client.get(&format!("{PATH}/{id}")).await.expect(200).json();
        assert_eq!(read, json!({ "data": expected }));
        let stranger = server.client_with(Keys::of(&server.found_another("Foreign").await));
        stranger.get(&format!("{PATH}/{id}")).await.expect(404);
        server.verify_state().await;
    }

    async fn all_are_sent_or_none(server: &TestServer) {
        let client = server.client();
        let one = user(&client, &[]).await;
        let before = server.engine.applied();
        let nobody = "00000000-dead-beef-dead-ffffffffffff";
        client.post(PATH, &invitations(&[&one, nobody])).await.expect(404);
        client.post(PATH, &invitations(&[])).await.expect(400);
        client.post(PATH, &invitations(&["me"])).await.expect(400);
        assert_eq!(server.engine.applied(), before);
        let unknown = client.get(&format!("{PATH}/{nobody}")).await.expect(404).json();
        assert!(unknown["errors"][0].is_string());
        client.get(&format!("{PATH}/nothing")).await.expect(404);
    }
}
