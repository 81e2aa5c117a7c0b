//! Whose tokens each permission reaches.

use claviger_model::{Permission, PermissionSet};
use serde_json::json;

use super::{PATH, patch};
use crate::support::edit::Edit;
use crate::support::sample::{Made, application_key};
use crate::support::tokens::personal_access_token;
use crate::support::{Answer, Client, Keys, Setup, TestDatabase, TestServer, with_either_database};

async fn ids(client: &Client) -> Vec<String> {
    let list = client.get(PATH).await.expect(200).json();
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn rename(client: &Client, token: &Made) -> Answer {
    client.patch(&format!("{PATH}/{}", token.id), &patch(&token.id, json!({ "name": "Renamed" }))).await
}

async fn is_good(server: &TestServer, token: &Made) -> bool {
    let bearer = Keys { bearer: Some(token.secret.clone()), ..Keys::default() };
    server.client_with(bearer).get("/api/v2/validate_keys").await.status == 200
}

with_either_database! {
    async fn each_permission_has_its_reach(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let mut edit = Edit::default();
        let mut keys = Vec::new();
        for permission in [Permission::USER_APP_KEYS, Permission::ORG_APP_KEYS_READ, Permission::ORG_APP_KEYS_WRITE] {
            let key = application_key(&admin, json!(null)).await;
            let owner = edit.add_user(server.founded.org, &PermissionSet::from_iter([permission]));
            edit.give(key.id.parse().unwrap(), owner);
            keys.push(Keys { application_key: Some(key.secret), ..server.admin() });
        }
        let halted = server.halt().await;
        edit.run(&halted.database).await;
        let server = halted.start(Setup::default()).await;
        let [own, reads, writes] = [0, 1, 2].map(|n| server.client_with(keys[n].clone()));
        let admins = personal_access_token(&server.client(), json!(["monitors_read"])).await;
        let its_own = personal_access_token(&own, json!(["monitors_read"])).await;
        let admins_path = format!("{PATH}/{}", admins.id);

        assert_eq!(ids(&own).await, [its_own.id.as_str()]);
        own.get(&format!("{PATH}/{}", its_own.id)).await.expect(200);
        own.get(&admins_path).await.expect(404);
        rename(&own, &its_own).await.expect(200);
        rename(&own, &admins).await.expect(404);
        // Out of reach is as absent, and what is absent is revoked already.
        own.delete(&admins_path).await.expect(204);
        assert!(is_good(&server, &admins).await);

        assert_eq!(ids(&reads).await.len(), 2);
        reads.get(&admins_path).await.expect(200);
        rename(&reads, &admins).await.expect(403);
        reads.delete(&admins_path).await.expect(403);

        writes.get(PATH).await.expect(403);
        writes.get(&admins_path).await.expect(403);
        rename(&writes, &admins).await.expect(200);
        writes.delete(&format!("{PATH}/{}", its_own.id)).await.expect(204);
        assert!(!is_good(&server, &its_own).await);
        server.stop().await;
    }

    /// Another org's token is as one that is not there.
    async fn another_org_reaches_nothing(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let token = personal_access_token(&server.client(), json!(["monitors_read"])).await;
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        let path = format!("{PATH}/{}", token.id);
        assert!(ids(&foreign).await.is_empty());
        foreign.get(&path).await.expect(404);
        rename(&foreign, &token).await.expect(404);
        foreign.delete(&path).await.expect(204);
        assert!(is_good(&server, &token).await);
        server.stop().await;
    }
}
