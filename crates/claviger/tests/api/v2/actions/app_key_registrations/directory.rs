//! What registrations are for: from the answer on that registers a key it may manage connections, as far as its owner
//! may, and from the answer on that takes that away it may not.

use std::net::IpAddr;

use claviger_engine::rights::{ConnectionsRead, ConnectionsResolve, ConnectionsWrite};
use claviger_engine::{Error, Origin, Presented, Right};
use claviger_model::testing::SeededRandom;
use claviger_model::{Random, RequestId};
use http::Method;
use serde_json::{Value, json};

use super::put;
use crate::support::actions::registration;
use crate::support::people::People;
use crate::support::sample::{Made, application_key, unique_name};
use crate::support::tokens::personal_access_token;
use crate::support::{Keys, Setup, TestDatabase, TestServer, guarded, on_both_engines, with_either_database};

/// Whether these keys have a right, as the engine says it from memory.
fn check<R: Right>(server: &TestServer, keys: &Keys) -> Result<(), Error> {
    let bytes = |key: &'_ Option<String>| key.as_ref().map(|key| key.as_bytes().to_vec());
    let (api_key, application_key, bearer) =
        (bytes(&keys.api_key), bytes(&keys.application_key), bytes(&keys.bearer));
    let presented = Presented {
        api_key: api_key.as_deref(),
        application_key: application_key.as_deref(),
        bearer: bearer.as_deref(),
    };
    let caller = server.engine.authenticate(presented, &None::<IpAddr>).expect("the credentials are good");
    let origin = Origin { address: None, request: RequestId::generate(&SeededRandom::new(1)) };
    caller.permit::<R>(origin).map(drop)
}

/// Whether these keys may manage connections; where they may not, it is for want of a registration alone.
#[track_caller]
fn manages(server: &TestServer, keys: &Keys) -> bool {
    check::<ConnectionsResolve>(server, keys).expect("to use them takes no registration");
    match (check::<ConnectionsRead>(server, keys), check::<ConnectionsWrite>(server, keys)) {
        (Ok(()), Ok(())) => true,
        (Err(Error::Unregistered), Err(Error::Unregistered)) => false,
        other => panic!("{other:?}"),
    }
}

fn beside(server: &TestServer, secret: &str) -> Keys {
    Keys { application_key: Some(secret.to_owned()), ..server.admin() }
}

/// One of so many.
fn below(random: &SeededRandom, end: usize) -> usize {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    (u64::from_le_bytes(bytes) % end as u64) as usize
}

on_both_engines! {
    async fn the_first_key_manages_connections_and_others_do_not(server: &TestServer) {
        let client = server.client();
        assert!(manages(server, &server.admin()));
        let key = application_key(&client, Value::Null).await;
        assert!(!manages(server, &beside(server, &key.secret)));
        put(&client, &key.id).await.expect(201);
        assert!(manages(server, &beside(server, &key.secret)));
        client.delete(&registration(&key.id)).await.expect(204);
        assert!(!manages(server, &beside(server, &key.secret)));
    }

    /// A token cannot be registered: it names the scope, as the vendor's reference calls it or as it is listed.
    async fn a_token_names_the_scope(server: &TestServer) {
        let client = server.client();
        let token = personal_access_token(&client, json!(["connection_write", "monitors_read"])).await;
        let shown = client.get(&format!("/api/v2/personal_access_tokens/{}", token.id)).await.expect(200).json();
        assert_eq!(shown["data"]["attributes"]["scopes"], json!(["connections_write", "monitors_read"]));
        let keys = Keys { bearer: Some(token.secret), ..Keys::default() };
        // Gateways may ask for it by either name.
        let gateway = server.client_with(keys.clone());
        for name in ["connection_write", "connections_write"] {
            gateway.get(&format!("/verify?permission={name}")).await.expect(200);
            gateway.send(Method::GET, "/verify", &[("claviger-require", name)], None::<String>).await.expect(200);
        }
        gateway.get("/verify?permission=connection_read").await.expect(403);
        assert!(check::<ConnectionsWrite>(server, &keys).is_ok());
        assert!(matches!(check::<ConnectionsRead>(server, &keys), Err(Error::Refused(_))));
        put(&client, &token.id).await.expect(201);
        assert!(matches!(check::<ConnectionsRead>(server, &keys), Err(Error::Refused(_))));
    }

    /// A registration of an id is good for the org's key of that id as soon as there is one, and for no other org's.
    async fn a_registration_waits_for_its_key(server: &TestServer) {
        let (client, other) = (server.client(), server.found_another("Other").await);
        let theirs = Keys::of(&other);
        server.client_with(theirs.clone()).delete(&registration(&other.application_key_id.to_string())).await.expect(204);
        put(&client, &other.application_key_id.to_string()).await.expect(201);
        assert!(!manages(server, &theirs), "another org registered it");

        let id = unique_name();
        put(&client, &id).await.expect(201);
        let document = json!({ "orgs": [{ "id": server.founded.org.to_string(), "application_keys": [
            { "id": id, "name": "Late", "owner": server.founded.user.to_string() }] }] });
        let imported = server.engine.import(&document).await.unwrap();
        assert!(manages(server, &beside(server, imported.secrets[0].secret.reveal())));
    }

    /// Each secret of a key is as good as the other, and none outlives the registration.
    async fn both_secrets_of_a_rotated_key(server: &TestServer) {
        let client = server.client();
        let key = application_key(&client, Value::Null).await;
        put(&client, &key.id).await.expect(201);
        let path = format!("/claviger/v1/application_keys/{}", key.id);
        let newer = guarded::rotate(&client, &path, 3600).await;
        let both = [key.secret.as_str(), newer.secret.as_str()].map(|secret| beside(server, secret));
        assert!(both.iter().all(|keys| manages(server, keys)));
        client.delete(&registration(&key.id)).await.expect(204);
        assert!(both.iter().all(|keys| !manages(server, keys)));
    }
}

with_either_database! {
    /// Whatever is registered and taken away, in whatever order and beside whatever else changes: the next request is
    /// judged by it, and so is one after a start.
    async fn what_is_answered_holds_for_the_next_request(database: TestDatabase) {
        let mut server = TestServer::start(database).await;
        let random = SeededRandom::new(17);
        let mut keys: Vec<(Made, bool)> = Vec::new();
        for _ in 0..5 {
            keys.push((application_key(&server.client(), Value::Null).await, false));
        }
        for round in 0..3 {
            let (client, people) = (server.client(), People::of(&server));
            for step in 0..60 {
                let number = below(&random, keys.len());
                let (key, is_registered) = &mut keys[number];
                match below(&random, 6) {
                    0 | 1 => {
                        put(&client, &key.id).await.expect(201);
                        *is_registered = true;
                    }
                    2 | 3 => {
                        let status = if *is_registered { 204 } else { 404 };
                        client.delete(&registration(&key.id)).await.expect(status);
                        *is_registered = false;
                    }
                    4 => {
                        let name = json!({ "name": format!("Step {step}") });
                        let body = json!({ "data": { "type": "application_keys", "id": key.id, "attributes": name } });
                        client.patch(&format!("/api/v2/application_keys/{}", key.id), &body).await.expect(200);
                    }
                    _ => drop(people.join("human", &[], Value::Null).await),
                }
                for (key, is_registered) in &keys {
                    let found = manages(&server, &beside(&server, &key.secret));
                    assert_eq!(found, *is_registered, "round {round}, step {step}, {}", key.id);
                }
            }
            server.verify_state().await;
            // They hold the engine, and so the database.
            drop(people);
            server = server.halt().await.start(Setup::default()).await;
        }
        for (key, is_registered) in &keys {
            assert_eq!(manages(&server, &beside(&server, &key.secret)), *is_registered);
        }
        server.stop().await;
    }
}
