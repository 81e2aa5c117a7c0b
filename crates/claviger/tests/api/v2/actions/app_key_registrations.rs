//! `/api/v2/actions/app_key_registrations`

mod directory;
mod reach;

use http::Method;
use serde_json::{Value, json};

use crate::support::actions::registration;
use crate::support::sample::{api_key, application_key, unique_name};
use crate::support::tokens::{service_account, service_account_key};
use crate::support::{
    Answer, Client, Keys, Setup, TestDatabase, TestServer, on_both_engines, with_either_database,
};

const PATH: &str = "/api/v2/actions/app_key_registrations";
const VENDOR_JSON: &str = "application/vnd.api+json";
const ABSENT: &str = r#"{"errors":[{"detail":"app key not found"}]}"#;

pub(super) async fn put(client: &Client, id: &str) -> Answer {
    client.send(Method::PUT, &registration(id), &[], None::<String>).await
}

fn body(id: &str) -> String {
    format!(r#"{{"data":{{"id":"{id}","type":"app_key_registration"}}}}"#)
}

/// The ids that are listed, each once.
async fn listed(client: &Client) -> Vec<String> {
    let list = client.get(PATH).await.expect(200).json();
    let ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(list["meta"], json!({ "total": ids.len(), "total_filtered": ids.len() }));
    ids
}

on_both_engines! {
    async fn a_key_from_its_registration_to_its_end(server: &TestServer) {
        let client = server.client();
        let id = application_key(&client, Value::Null).await.id;
        let absent = client.get(&registration(&id)).await.expect(404);
        assert_eq!((absent.text.as_str(), absent.header("content-type")), (ABSENT, VENDOR_JSON));
        assert_eq!(client.delete(&registration(&id)).await.expect(404).text, ABSENT);

        let made = put(&client, &id).await.expect(201);
        assert_eq!((made.text, made.headers["content-type"].to_str().unwrap()), (body(&id), VENDOR_JSON));
        let before = server.engine.applied();
        let again = put(&client, &id).await.expect(201);
        assert_eq!(again.text, body(&id));
        assert_eq!(again.header("claviger-position"), before.to_string(), "a registered id is no change");
        assert_eq!(server.engine.applied(), before);
        let found = client.get(&registration(&id.to_uppercase())).await.expect(200);
        assert_eq!((found.text.as_str(), found.header("content-type")), (body(&id).as_str(), VENDOR_JSON));

        let gone = client.delete(&registration(&id)).await.expect(204);
        assert_eq!((gone.text.as_str(), gone.headers.get("content-type")), ("", None));
        for method in [Method::GET, Method::DELETE] {
            let answer = client.send(method, &registration(&id), &[], None::<String>).await.expect(404);
            assert_eq!(answer.text, ABSENT);
        }
        server.verify_state().await;
    }

    /// The first key is registered from the start, by whatever the org was founded.
    async fn the_first_key_is_registered(server: &TestServer) {
        let first = server.founded.application_key_id.to_string();
        let list = server.client().get(PATH).await.expect(200);
        assert_eq!(list.header("content-type"), VENDOR_JSON);
        assert_eq!(
            list.text,
            format!(
                r#"{{"data":[{{"id":"{first}","type":"app_key_registration"}}],"meta":{{"total":1,"total_filtered":1}}}}"#
            )
        );
        let other = server.found_another("Other").await;
        let theirs = server.client_with(Keys::of(&other));
        assert_eq!(listed(&theirs).await, [other.application_key_id.to_string()]);
        assert_eq!(listed(&server.client()).await, [first]);
    }

    async fn ids_that_are_none(server: &TestServer) {
        let malformed = r#"{"errors":[{"status":"400","title":"Invalid Parameter","detail":"invalid parameter \"appKeyId\" in \"path\"; expected type \"uuid\""}]}"#;
        let before = server.engine.applied();
        for id in ["not_valid_app_key_id", "b7feea52-994e-4714-a100", "%00", "b7feea52-994e-4714-a100-1bd9eff5aee1x"] {
            for method in [Method::PUT, Method::GET, Method::DELETE] {
                let path = registration(id);
                let answer = server.client().send(method, &path, &[], None::<String>).await.expect(400);
                assert_eq!((answer.text.as_str(), answer.header("content-type")), (malformed, VENDOR_JSON));
            }
        }
        assert_eq!(server.engine.applied(), before);
    }

    /// As recorded: whatever the id is of, and whether or not anything has it. It gives nobody anything.
    async fn ids_that_no_key_has(server: &TestServer) {
        let client = server.client();
        let theirs = server.found_another("Other").await;
        let dead = application_key(&client, Value::Null).await.id;
        client.delete(&format!("/api/v2/application_keys/{dead}")).await.expect(204);
        for id in [
            "22222222-2222-2222-2222-222222222222".to_owned(),
            api_key(&client).await.id,
            theirs.application_key_id.to_string(),
            dead,
        ] {
            assert_eq!(put(&client, &id).await.expect(201).text, body(&id));
            client.get(&registration(&id)).await.expect(200);
            client.delete(&registration(&id)).await.expect(204);
            client.get(&registration(&id)).await.expect(404);
        }
        // Theirs is as it was.
        let them = server.client_with(Keys::of(&theirs));
        assert_eq!(listed(&them).await, [theirs.application_key_id.to_string()]);
        server.verify_state().await;
    }

    /// Two orgs may register the same id: neither sees or takes away the other's.
    async fn an_id_that_several_orgs_register(server: &TestServer) {
        let (ours, theirs) = (server.client(), server.client_with(Keys::of(&server.found_another("Other").await)));
        let id = unique_name();
        for client in [&ours, &theirs] {
            put(client, &id).await.expect(201);
            server.verify_state().await;
        }
        ours.delete(&registration(&id)).await.expect(204);
        ours.get(&registration(&id)).await.expect(404);
        theirs.get(&registration(&id)).await.expect(200);
        server.verify_state().await;
    }

    async fn pages(server: &TestServer) {
        let client = server.client();
        let mut ids = vec![server.founded.application_key_id.to_string()];
        for _ in 0..4 {
            server.clock.advance_micros(1_000_000);
            ids.push(unique_name());
            put(&client, ids.last().unwrap()).await.expect(201);
        }
        for (query, expected) in [
            ("", &ids[..]),
            ("?page[size]=2", &ids[..2]),
            ("?page[size]=2&page[number]=1", &ids[2..4]),
            ("?page%5Bsize%5D=2&page%5Bnumber%5D=2", &ids[4..]),
            ("?page[number]=1", &[]),
        ] {
            let list = client.get(&format!("{PATH}{query}")).await.expect(200).json();
            let shown: Vec<_> = list["data"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            assert_eq!(shown, expected.iter().collect::<Vec<_>>(), "{query}");
            assert_eq!(list["meta"], json!({ "total": 5, "total_filtered": 5 }), "{query}");
        }
        let bad = client.get(&format!("{PATH}?page[size]=101&page[number]=-1")).await.expect(400);
        assert_eq!(bad.header("content-type"), VENDOR_JSON);
        let details: Vec<_> = bad.json()["errors"].as_array().unwrap().iter().map(|e| e["detail"].clone()).collect();
        assert_eq!(details, ["page[size] must be a number from 1 to 100", "page[number] must be a number from 0 on"]);
    }

    /// However a key dies, and whoever registered it, its registration goes with it.
    async fn a_dead_key_is_registered_no_more(server: &TestServer) {
        let client = server.client();
        let first = server.founded.application_key_id.to_string();
        let deleted = application_key(&client, Value::Null).await;
        let by_secret = application_key(&client, Value::Null).await;
        let leaked = application_key(&client, Value::Null).await;
        let account = service_account(&client, json!([])).await;
        let disabled = service_account_key(&client, &account, Value::Null).await;
        let keys = [&deleted, &by_secret, &leaked, &disabled];
        for key in keys {
            put(&client, &key.id).await.expect(201);
        }
        assert_eq!(listed(&client).await.len(), 5);
        client.delete(&format!("/api/v2/current_user/application_keys/{}", deleted.id)).await.expect(204);
        client.delete(&format!("/api/v1/application_key/{}", by_secret.secret)).await.expect(200);
        client.post("/claviger/v1/leaks", &json!({ "secret": leaked.secret })).await.expect(200);
        client.delete(&format!("/api/v2/users/{account}")).await.expect(204);
        assert_eq!(listed(&client).await, [first]);
        for key in keys {
            client.get(&registration(&key.id)).await.expect(404);
        }
        server.verify_state().await;
    }
}

with_either_database! {
    /// Of an id that is registered before there is such a key, too.
    async fn they_outlive_the_server(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let id = unique_name();
        put(&server.client(), &id).await.expect(201);
        let server = server.halt().await.start(Setup::default()).await;
        assert_eq!(listed(&server.client()).await, [server.founded.application_key_id.to_string(), id]);
        server.stop().await;
    }
}
