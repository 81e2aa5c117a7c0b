//! Export and import: everything but the secrets goes out, and comes in again as it was.

use claviger_engine::ImportError;
use serde_json::{Value, json};

use super::{API, PATH, SECRET, registered_key};
use crate::support::native_connections::{aws, gitlab, http, imported, made, path_of};
use crate::support::people::{Member, role};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

/// The faults of an import, each with its place.
pub(super) async fn faults(server: &TestServer, document: &Value) -> Vec<(String, String)> {
    match server.engine.import(document).await {
        Err(ImportError::Faults(faults)) => {
            let mut faults: Vec<_> = faults.into_iter().map(|fault| (fault.pointer, fault.reason)).collect();
            faults.sort();
            faults
        }
        other => panic!("{other:?}"),
    }
}

/// The connections of an export, which are put in the order of their names.
fn by_name(export: &mut Value) -> Vec<Value> {
    let connections = export["orgs"][0]["connections"].as_array_mut().unwrap();
    connections.sort_by_key(|one| one["name"].as_str().unwrap().to_owned());
    connections.clone()
}

fn names_in(connections: &[Value]) -> Vec<&str> {
    connections.iter().map(|one| one["name"].as_str().unwrap()).collect()
}

/// The document of an org's connections.
fn document(server: &TestServer, connections: Value) -> Value {
    json!({ "orgs": [{ "id": server.founded.org.to_string(), "connections": connections }] })
}

on_both_engines! {
    async fn what_is_exported_comes_in_again_as_it_was(server: &TestServer) {
        let admin = server.client();
        let readers = role(&admin, &[]).await;
        let first = made(&admin, "one", &gitlab(SECRET), json!({ "tags": ["a:b"], "expires_at": "2026-04-01T00:00:00Z" })).await;
        made(&admin, "two", &http("https://a.example", "canary-2"), Value::Null).await;
        let third = made(&admin, "three", &aws(), json!({ "hosts": [API] })).await;
        let given = json!({ "viewer": [format!("role:{readers}")], "editor": [format!("user:{}", first["created_by"].as_str().unwrap())] });
        imported(server, json!({ "name": "four", "integration": gitlab("glpat-canary-canary-4"), "restriction": given })).await;

        let answer = admin.get(&format!("{PATH}/export")).await.expect(200);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
        let mut export = answer.json();
        let connections = by_name(&mut export);
        assert_eq!(names_in(&connections), ["four", "one", "three", "two"]);
        assert_eq!(connections[2]["integration"], third["integration"]);
        assert_eq!((&connections[2]["hosts"], &connections[0]["restriction"]), (&json!([API]), &given));

        // As it is, it brings nothing: all of it is there.
        let before = server.engine.applied();
        assert!(server.engine.import(&export).await.unwrap().position.is_none());
        // Deleted, all but what has no secret wants its secrets.
        for one in &connections {
            admin.delete(&path_of(one)).await.expect(204);
        }
        let missing = ["0/integration/credentials/api_token", "1/integration/credentials/api_token", "3/integration/credentials/tokens/0/value"];
        let missing = missing.map(|place| (format!("/orgs/0/connections/{place}"), "must be filled in: an export leaves secrets out".to_owned()));
        assert_eq!(faults(server, &export).await, missing);
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 0, "nothing half done");

        let secrets = ["glpat-canary-canary-4", SECRET, "canary-2"];
        for ((place, _), secret) in missing.into_iter().zip(secrets) {
            *export.pointer_mut(&place).unwrap() = json!(secret);
        }
        let brought = server.engine.import(&export).await.unwrap();
        assert_eq!((brought.connections, brought.secrets.len()), (4, 0));
        assert!(brought.position.unwrap() > before);
        assert_eq!(by_name(&mut admin.get(&format!("{PATH}/export")).await.expect(200).json()), connections);
        let shown = admin.get(&path_of(&third)).await.expect(200).json();
        assert_eq!(shown["integration"], third["integration"], "the ExternalId is the same");
        server.verify_state().await;

        // Twice changes nothing, whether with secrets or without.
        let position = server.engine.applied();
        assert!(server.engine.import(&export).await.unwrap().position.is_none());
        assert_eq!(server.engine.applied(), position);
    }

    async fn what_differs_is_a_fault(server: &TestServer) {
        let admin = server.client();
        made(&admin, "one", &gitlab(SECRET), Value::Null).await;
        let mut export = admin.get(&format!("{PATH}/export")).await.expect(200).json();
        let one = &mut export["orgs"][0]["connections"][0];
        one["integration"]["credentials"]["api_token"] = json!("glpat-other-other-2");
        let at = |place: &str| format!("/orgs/0/connections/0/{place}");
        let differs = |places: &[&str]| places.iter().map(|place| (at(place), "differs from what is there".to_owned())).collect::<Vec<_>>();
        assert_eq!(faults(server, &export).await, differs(&["integration/credentials/api_token"]));
        let one = &mut export["orgs"][0]["connections"][0];
        one["name"] = json!("two");
        one["tags"] = json!(["x:y"]);
        one["expires_at"] = json!("2030-01-01T00:00:00Z");
        one["created_at"] = json!("2020-01-01T00:00:00Z");
        one["restriction"] = json!({ "viewer": [format!("org:{}", server.founded.org)] });
        one["integration"]["type"] = json!("Notion");
        let expected = ["created_at", "expires_at", "integration/type", "name", "restriction", "tags"];
        assert_eq!(faults(server, &export).await, differs(&expected));
    }

    /// An import changes no connection that is there, whether or not the file brings its token.
    async fn no_token_is_sent_otherwise_by_an_import(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "one", &http("https://a.example", "canary-1"), Value::Null).await);
        let mut export = admin.get(&format!("{PATH}/export")).await.expect(200).json();
        let credentials = &mut export["orgs"][0]["connections"][0]["integration"]["credentials"];
        credentials["headers"] = json!([{ "name": "X-Other", "value": "{{ token1 }}" }]);
        let at = "/orgs/0/connections/0/integration/credentials/headers".to_owned();
        let differs = [(at, "differs from what is there".to_owned())];
        assert_eq!(faults(server, &export).await, differs);
        export["orgs"][0]["connections"][0]["integration"]["credentials"]["tokens"][0]["value"] = json!("canary-1");
        assert_eq!(faults(server, &export).await, differs);
        let kept = admin.get(&path).await.expect(200).json();
        assert_eq!(kept["integration"]["credentials"]["headers"][0]["name"], "X-Key");
    }

    async fn every_fault_has_its_place(server: &TestServer) {
        let nobody = "00000000-0000-4000-8000-000000000000";
        let twice = nobody;
        let connections = json!([
            { "name": "n", "integration": { "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "x": 1 } },
              "hosts": ["127.1"], "tags": ["default:x"], "restriction": { "owner": [], "viewer": ["team:x", format!("user:{nobody}")] },
              "created_by": "nobody@example.com", "created_at": "2030-01-01T00:00:00Z", "expires_at": "soon", "colour": 1 },
            { "id": "x" },
            { "id": twice, "name": "n", "integration": gitlab(SECRET), "hosts": ["evil.example"] },
            { "id": twice, "name": "n", "integration": gitlab(SECRET) },
            { "name": "same", "integration": gitlab(SECRET) },
            { "name": "same", "integration": gitlab(SECRET) },
            3,
            { "name": "open", "integration": gitlab(SECRET), "restriction": { "editor": [] } },
        ]);
        let places: Vec<_> = faults(server, &document(server, connections)).await.into_iter().map(|(place, _)| place).collect();
        let expected = [
            "0/colour", "0/created_at", "0/created_by", "0/expires_at", "0/hosts/0", "0/integration/credentials/api_token",
            "0/integration/credentials/x", "0/restriction/owner", "0/restriction/viewer", "0/restriction/viewer/0", "0/tags/0",
            "1/id", "1/integration", "1/name", "2/hosts/0", "3/id", "5/name", "6", "7/restriction",
        ];
        assert_eq!(places, expected.map(|place| format!("/orgs/0/connections/{place}")));
        assert_eq!(server.client().get(PATH).await.expect(200).json()["total"], 0);
    }

    async fn an_id_is_taken_whichever_org_has_it(server: &TestServer) {
        let admin = server.client();
        let id = made(&admin, "n", &gitlab(SECRET), Value::Null).await["id"].clone();
        let other = server.found_another("Other").await;
        let document = json!({ "orgs": [{ "id": other.org.to_string(),
            "connections": [{ "id": id, "name": "n", "integration": gitlab(SECRET) }] }] });
        let found = faults(server, &document).await;
        assert_eq!(found, [("/orgs/0/connections/0/id".to_owned(), "is taken: another org has a connection of this id".to_owned())]);
    }

    async fn a_restriction_keeps_connections_out_of_lists_and_exports(server: &TestServer) {
        let admin = server.client();
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let id = format!("user:{}", member.id);
        let key = registered_key(server, &member).await;
        let member = server.client_with(Keys { application_key: Some(key), ..server.admin() });
        let me = made(&admin, "free", &gitlab(SECRET), Value::Null).await["created_by"].as_str().unwrap().to_owned();
        let given = json!({ "viewer": [id], "editor": [format!("user:{me}")] });
        let seen = imported(server, json!({ "name": "seen", "integration": gitlab(SECRET), "restriction": given })).await;
        let given = json!({ "editor": [format!("user:{me}")] });
        imported(server, json!({ "name": "hidden", "integration": gitlab(SECRET), "restriction": given })).await;

        let list = member.get(PATH).await.expect(200).json();
        assert_eq!(list["total"], 2);
        let told = |at: usize| (list["connections"][at]["name"].clone(), list["connections"][at]["restricted"].clone(), list["connections"][at]["resolvable"].clone());
        assert_eq!([told(0), told(1)], [(json!("free"), json!(false), json!(true)), (json!("seen"), json!(true), json!(false))]);
        let export = member.get(&format!("{PATH}/export")).await.expect(200).json();
        assert_eq!(export["orgs"][0]["connections"].as_array().unwrap().len(), 2);
        let path = path_of(&seen);
        member.get(&path).await.expect(200);
        for answer in [
            member.patch(&path, &json!({ "name": "x" })).await,
            member.patch(&format!("{path}?dry_run=true"), &json!({ "name": "x" })).await,
            member.delete(&path).await,
        ] {
            assert_eq!(answer.expect(403).json()["errors"][0]["code"], "restricted");
        }
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 3);
    }

    /// More than are read at once.
    async fn an_export_is_whole_however_long(server: &TestServer) {
        let admin = server.client();
        let many: Vec<_> = (0..41).map(|number| json!({ "name": format!("n{number}"), "integration": aws() })).collect();
        assert_eq!(server.engine.import(&document(server, json!(many))).await.unwrap().connections, 41);
        let export = admin.get(&format!("{PATH}/export")).await.expect(200).json();
        let mut names: Vec<_> = export["orgs"][0]["connections"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 41);
        assert!(server.engine.import(&export).await.unwrap().position.is_none());
    }
}
