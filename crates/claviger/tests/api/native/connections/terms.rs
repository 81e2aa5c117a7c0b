//! `terms` of `/claviger/v1/connections`: said, shown, changed, kept, moved.

use serde_json::{Value, json};

use super::moving::faults;
use super::{PATH, SECRET, usual_terms};
use crate::native::fields;
use crate::support::native_connections::{gitlab, made, path_of};
use crate::support::zis::Zis;
use crate::support::{TestDatabase, TestServer, on_both_engines};

fn narrow() -> Value {
    json!({
        "rules": [
            { "methods": ["GET", "POST"], "host": "gitlab.com", "path": "/api/v4/projects" },
            { "methods": [], "host": null, "path": "/api/v4/users/" },
        ],
        "audit": "strict",
        "retries": 2,
        "concurrency": 16,
        "timeout_seconds": 300,
        "check_every_seconds": 3600,
    })
}

on_both_engines! {
    async fn they_are_said_shown_changed_and_taken_back(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &gitlab(SECRET), json!({ "terms": narrow() })).await;
        assert_eq!(shown["terms"], narrow());
        let path = path_of(&shown);
        assert_eq!(admin.get(&path).await.expect(200).json()["terms"], narrow());

        // What is left out is as usual; methods come in one order, and once.
        let patch = json!({ "terms": { "rules": [{ "methods": ["PUT", "GET", "PUT"], "path": "/" }] } });
        let changed = admin.patch(&path, &patch).await.expect(200).json()["terms"].clone();
        let mut expected = usual_terms();
        expected["rules"] = json!([{ "methods": ["GET", "PUT"], "host": null, "path": "/" }]);
        assert_eq!(changed, expected);
        // Another change leaves them alone.
        admin.patch(&path, &json!({ "name": "m" })).await.expect(200);
        assert_eq!(admin.get(&path).await.expect(200).json()["terms"], expected);
        let history = admin.get(&format!("{path}/history")).await.expect(200).json();
        assert_eq!(history["entries"][1]["changed"], json!(["terms"]));

        assert_eq!(admin.patch(&path, &json!({ "terms": null })).await.expect(200).json()["terms"], usual_terms());
        server.verify_state().await;
    }

    /// Whoever edits them behind the server's back, to use a connection for more, is found.
    async fn they_stand_in_the_record(server: &TestServer) {
        let admin = server.client();
        made(&admin, "n", &gitlab(SECRET), json!({ "terms": narrow() })).await;
        server.verify_state().await;
        server.database().execute("UPDATE connections SET terms = ''").await;
        let report = server.check_record().await;
        assert!(!report.is_clean(), "{:?}", report.findings);
    }

    async fn every_fault_of_theirs_is_told(server: &TestServer) {
        let admin = server.client();
        let terms = json!({
            "rules": [
                { "methods": ["GET", "get"], "path": "/a/../b", "host": "a b" },
                { "methods": "GET", "path": "/" },
                { "methods": [] },
                { "path": "/", "glob": true },
                "/",
            ],
            "audit": "loud", "retries": 4, "concurrency": 0, "timeout_seconds": 601,
            "check_every_seconds": 299, "more": 1,
        });
        let mut expected = vec![
            "terms/audit", "terms/check_every_seconds", "terms/concurrency", "terms/more", "terms/retries",
            "terms/rules/0/host", "terms/rules/0/methods/1", "terms/rules/0/path", "terms/rules/1/methods",
            "terms/rules/2/path", "terms/rules/3/glob", "terms/rules/4", "terms/timeout_seconds",
        ];
        let create = json!({ "name": "n", "integration": gitlab(SECRET), "terms": terms });
        let mut told = fields(&admin.post(PATH, &create).await.expect(400));
        told.sort();
        assert_eq!(told, expected);
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 0);

        let path = path_of(&made(&admin, "n", &gitlab(SECRET), Value::Null).await);
        let mut told = fields(&admin.patch(&path, &json!({ "terms": terms })).await.expect(400));
        told.sort();
        assert_eq!(told, expected);
        let many = vec![json!({ "path": "/" }); 51];
        expected = vec!["terms/rules"];
        assert_eq!(fields(&admin.patch(&path, &json!({ "terms": { "rules": many } })).await.expect(400)), expected);
        assert_eq!(fields(&admin.patch(&path, &json!({ "terms": [] })).await.expect(400)), ["terms"]);
        assert_eq!(admin.get(&path).await.expect(200).json()["terms"], usual_terms());
    }

    /// The Zendesk dialect has no word for them: they are said here, and nothing else is.
    async fn a_zis_connection_has_them_too(server: &TestServer) {
        let admin = server.client();
        let zis = Zis::admin(server).await;
        let client = zis.integration("acme").await;
        let holder = Zis::bearer(server, &zis.token(client, &["read", "write"]).await.1);
        let body = json!({ "name": "mine", "allowed_domain": "api.example.com", "token": "canary-canary" });
        holder.post("/api/services/zis/integrations/acme/connections/bearer_token", &body).await.expect(201);
        let list = admin.get(&format!("{PATH}?dialect=zendesk")).await.expect(200).json();
        let path = path_of(&list["connections"][0]);
        let mut shown = admin.patch(&path, &json!({ "terms": narrow() })).await.expect(200).json();
        assert_eq!(shown["terms"], narrow());
        shown.as_object_mut().unwrap().remove("warnings");
        assert_eq!(admin.get(&path).await.expect(200).json(), shown);
        for other in [json!({ "name": "x" }), json!({ "name": "x", "terms": {} })] {
            admin.patch(&path, &other).await.expect(409);
        }
        assert_eq!(admin.get(&path).await.expect(200).json(), shown);
        server.verify_state().await;
    }

    async fn they_move_with_their_connection(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "one", &gitlab(SECRET), json!({ "terms": narrow() })).await);
        let plain = path_of(&made(&admin, "two", &gitlab(SECRET), Value::Null).await);
        let mut export = admin.get(&format!("{PATH}/export")).await.expect(200).json();
        let connections = export["orgs"][0]["connections"].as_array_mut().unwrap();
        connections.sort_by_key(|one| one["name"].to_string());
        assert_eq!((&connections[0]["terms"], connections[1].get("terms")), (&narrow(), None));
        for one in connections {
            one["integration"]["credentials"]["api_token"] = json!(SECRET);
        }
        for path in [&path, &plain] {
            admin.delete(path).await.expect(204);
        }
        server.engine.import(&export).await.unwrap();
        assert_eq!(admin.get(&path).await.expect(200).json()["terms"], narrow());
        assert_eq!(admin.get(&plain).await.expect(200).json()["terms"], usual_terms());
        server.verify_state().await;

        export["orgs"][0]["connections"][0]["terms"]["rules"][0]["path"] = json!("nowhere");
        let told = faults(server, &export).await;
        assert_eq!(told[0].0, "/orgs/0/connections/0/terms/rules/0/path");
    }
}
