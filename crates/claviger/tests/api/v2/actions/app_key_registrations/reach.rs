//! Whose keys one may register, and that nobody gives by it what they may not do themselves.

use serde_json::{Value, json};

use super::{ABSENT, PATH, put};
use crate::support::actions::registration;
use crate::support::people::{Member, role};
use crate::support::sample::{Made, application_key, unique_name};
use crate::support::tokens::{service_account, service_account_key};
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

// By the vendor's ids.
const USER_APP_KEYS: &str = "46a301da-ec5c-11ea-aa9f-73bedeab67ee";
const ORG_APP_KEYS_READ: &str = "46a301db-ec5c-11ea-aa9f-2fe72193d60e";
const SERVICE_ACCOUNT_WRITE: &str = "a42e94b2-1476-11eb-bd08-efda28c04248";
const USER_ACCESS_MANAGE: &str = "9de604d8-e707-11ea-aa2d-93f1a783b3a3";
const CONNECTIONS_WRITE: &str = "f6e917a7-8502-11ec-bf20-da7ad0900002";

const FORBIDDEN: &str =
    r#"{"errors":[{"status":"403","title":"Forbidden","detail":"Failed permission authorization checks"}]}"#;

/// Somebody who may exactly this.
async fn member(server: &TestServer, permissions: &[&str]) -> Client {
    let role = role(&server.client(), permissions).await;
    let member = Member::join(server, "human", &[&role], Value::Null).await;
    server.client_with(member.keys)
}

/// The admin's client, narrowed to these scopes.
async fn narrowed(server: &TestServer, scopes: Value) -> (Made, Client) {
    let key = application_key(&server.client(), scopes).await;
    let keys = Keys { application_key: Some(key.secret.clone()), ..server.admin() };
    (key, server.client_with(keys))
}

async fn account_that_may(server: &TestServer, permissions: &[&str]) -> String {
    let role = role(&server.client(), permissions).await;
    service_account(&server.client(), json!([{ "type": "roles", "id": role }])).await
}

on_both_engines! {
    async fn as_one_with_own_keys(server: &TestServer) {
        let admin = server.client();
        let member = member(server, &[USER_APP_KEYS]).await;
        let own = application_key(&member, Value::Null).await.id;
        put(&member, &own).await.expect(201);
        put(&member, &own).await.expect(201);
        // Somebody else's key, a machine's, nobody's, and what is registered without being a key: all alike.
        let account = service_account(&admin, json!([])).await;
        let machines = service_account_key(&admin, &account, Value::Null).await.id;
        let (others, nobodys, unused) = (application_key(&admin, Value::Null).await.id, unique_name(), unique_name());
        put(&admin, &others).await.expect(201);
        put(&admin, &unused).await.expect(201);
        let before = server.engine.applied();
        for id in [&others, &machines, &nobodys, &unused] {
            assert_eq!(put(&member, id).await.expect(404).text, ABSENT);
            assert_eq!(member.delete(&registration(id)).await.expect(404).text, ABSENT);
        }
        assert_eq!(server.engine.applied(), before);
        // To see them takes the permission to see everybody's keys.
        for path in [PATH.to_owned(), registration(&own)] {
            assert_eq!(member.get(&path).await.expect(403).text, FORBIDDEN);
        }
        member.delete(&registration(&own)).await.expect(204);
        member.delete(&registration(&own)).await.expect(404);
    }

    async fn as_one_who_manages_machines(server: &TestServer) {
        let admin = server.client();
        let manager = member(server, &[SERVICE_ACCOUNT_WRITE]).await;
        let account = service_account(&admin, json!([])).await;
        let machines = service_account_key(&admin, &account, Value::Null).await.id;
        put(&manager, &machines).await.expect(201);
        admin.get(&registration(&machines)).await.expect(200);
        manager.delete(&registration(&machines)).await.expect(204);
        for id in [application_key(&admin, Value::Null).await.id, unique_name()] {
            assert_eq!(put(&manager, &id).await.expect(404).text, ABSENT);
        }
    }

    async fn as_one_who_manages_access(server: &TestServer) {
        let manager = member(server, &[USER_ACCESS_MANAGE]).await;
        let admins = application_key(&server.client(), Value::Null).await.id;
        for id in [admins, unique_name()] {
            put(&manager, &id).await.expect(201);
            manager.delete(&registration(&id)).await.expect(204);
        }
        manager.get(PATH).await.expect(403);
        // A narrowed key of theirs registers no id of which nobody can say what it will be.
        let (_, narrow) = narrowed(server, json!(["user_access_manage"])).await;
        assert_eq!(put(&narrow, &unique_name()).await.expect(404).text, ABSENT);
    }

    async fn as_one_who_sees_everybodys_keys(server: &TestServer) {
        let reader = member(server, &[ORG_APP_KEYS_READ]).await;
        let id = server.founded.application_key_id.to_string();
        reader.get(PATH).await.expect(200);
        reader.get(&registration(&id)).await.expect(200);
        for answer in [put(&reader, &id).await, reader.delete(&registration(&id)).await] {
            assert_eq!(answer.expect(403).text, FORBIDDEN);
        }
    }

    /// Whoever manages machines, but no connections, does not let a mighty machine's key manage them.
    async fn nobody_gives_machines_what_they_lack(server: &TestServer) {
        let admin = server.client();
        let manager = member(server, &[SERVICE_ACCOUNT_WRITE]).await;
        let peer = member(server, &[SERVICE_ACCOUNT_WRITE, CONNECTIONS_WRITE]).await;
        let mighty = account_that_may(server, &[CONNECTIONS_WRITE]).await;
        let key = service_account_key(&admin, &mighty, Value::Null).await.id;
        let narrow = service_account_key(&admin, &mighty, json!(["monitors_read"])).await.id;
        let before = server.engine.applied();
        assert_eq!(put(&manager, &key).await.expect(403).text, FORBIDDEN);
        assert_eq!(server.engine.applied(), before);
        // What manages no connections may be registered by anybody whom it is in reach of.
        put(&manager, &narrow).await.expect(201);
        put(&peer, &key).await.expect(201);
        // Taking away is never refused.
        manager.delete(&registration(&key)).await.expect(204);
    }

    /// A narrowed key registers none, its owner's others included, that could manage connections which it may not.
    async fn a_narrowed_key_gives_no_more_than_it_has(server: &TestServer) {
        let admin = server.client();
        let unnarrowed = application_key(&admin, Value::Null).await.id;
        for scopes in [json!(["user_app_keys"]), json!(["user_access_manage"]), json!(["user_access_manage", "connections_read"])] {
            let (itself, client) = narrowed(server, scopes).await;
            assert_eq!(put(&client, &unnarrowed).await.expect(403).text, FORBIDDEN);
            put(&client, &itself.id).await.expect(201);
        }
        let scopes = json!(["user_app_keys", "connections_read", "connection_write"]);
        let (_, client) = narrowed(server, scopes).await;
        put(&client, &unnarrowed).await.expect(201);
    }
}
