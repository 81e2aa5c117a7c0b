//! How many connections an integration may have, where the operator says so.

use claviger_engine::ImportError;
use http::Method;
use serde_json::{Value, json};

use crate::support::zis::Zis;
use crate::support::{Setup, TestDatabase, TestServer, with_either_database};

const MAX: u32 = 3;

fn path(integration: &str) -> String {
    format!("/api/services/zis/integrations/{integration}/connections/bearer_token")
}

fn body(name: &str) -> Value {
    json!({ "name": name, "allowed_domain": "api.example.com", "token": "MY_SECRET" })
}

async fn holder(server: &TestServer, admin: &Zis, integration: &str) -> Zis {
    let client = admin.integration(integration).await;
    Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1)
}

with_either_database! {
    async fn an_integration_has_as_many_as_it_may_and_no_more(database: TestDatabase) {
        let setup = || Setup { zis_connections_max: Some(MAX), ..Setup::default() };
        let server = TestServer::start_with(database, setup()).await;
        let admin = Zis::admin(&server).await;
        let (zis, other) = (holder(&server, &admin, "one").await, holder(&server, &admin, "other").await);
        for number in 0..MAX {
            zis.post(&path("one"), &body(&format!("name_{number}"))).await.expect(201);
        }
        let before = server.engine.applied();
        let refused = zis.post(&path("one"), &body("name_3")).await.expect(400).json();
        let title = "at most 3 of Connection of an integration are allowed";
        assert_eq!(refused, json!({ "errors": [{ "code": "BadRequest", "title": title }] }));
        // Whoever makes it again is told that it is there.
        zis.post(&path("one"), &body("name_0")).await.expect(409);
        assert_eq!(server.engine.applied(), before);
        // Others count for themselves.
        other.post(&path("other"), &body("name_0")).await.expect(201);
        // What is there is changed as before, and leaves its place when it goes: to one of those who want it.
        let one = format!("{}/name_0", path("one"));
        zis.send(Method::PATCH, &one, Some(json!({ "token": "ANOTHER" }))).await.expect(204);
        zis.delete(&one).await.expect(204);
        let mut creates = tokio::task::JoinSet::new();
        for number in 10..26 {
            let zis = zis.clone();
            creates.spawn(async move { zis.post(&path("one"), &body(&format!("name_{number}"))).await.status });
        }
        let answers = creates.join_all().await;
        let with = |status| answers.iter().filter(|answer| answer.as_u16() == status).count();
        assert_eq!((with(201), with(400)), (1, 15));
        // By an import no more either, however many it brings at once.
        let entry = |name: &str| {
            let mut entry = body(name);
            entry["integration"] = json!("other");
            entry["type"] = json!("bearer_token");
            entry
        };
        let document = |names: &[&str]| {
            let entries: Vec<_> = names.iter().map(|name| entry(name)).collect();
            json!({ "orgs": [{ "id": server.founded.org.to_string(), "zis_connections": entries }] })
        };
        match server.engine.import(&document(&["name_1", "name_2", "name_3"])).await {
            Err(ImportError::Faults(faults)) => {
                let told: Vec<_> = faults.iter().map(|fault| (fault.pointer.as_str(), fault.reason.as_str())).collect();
                let reason = "would make 4 connections in other; an integration may have 3";
                assert_eq!(told, [("/orgs/0/zis_connections", reason)]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(server.engine.import(&document(&["name_1", "name_2"])).await.unwrap().connections, 2);
        server.verify_state().await;

        // With a lower number, what is there stays; without one, there is room.
        let lower = Setup { zis_connections_max: Some(1), ..Setup::default() };
        let server = server.halt().await.start(lower).await;
        let zis = zis.to(&server);
        zis.get(&path("one").replace("bearer_token", "all")).await.expect(200);
        zis.post(&path("one"), &body("name_30")).await.expect(400);
        let server = server.halt().await.start(Setup::default()).await;
        zis.to(&server).post(&path("one"), &body("name_30")).await.expect(201);
        server.verify_state().await;
        server.stop().await;
    }
}
