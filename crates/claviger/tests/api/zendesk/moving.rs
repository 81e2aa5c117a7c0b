//! ZIS integrations and connections out and in again: an export has everything but their secrets, an import brings all
//! of a file or nothing.

use claviger_engine::{ImportError, Imported};
use serde_json::{Value, json};

use crate::support::people::{Member, role};
use crate::support::zis::{TOKENS, Zis};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines, tokens};

const EXPORT: &str = "/claviger/v1/connections/export";
const TYPES: [(&str, &str); 3] =
    [("api_key", "api_key"), ("basic_auth", "password"), ("bearer_token", "token")];

fn path(of: &str) -> String {
    format!("/api/services/zis/integrations/moved/connections/{of}")
}

fn secret(of: &str) -> String {
    format!("canary-canary-of-{of}")
}

/// An entry of a type, with all that it takes.
fn entry(of: &str, name: &str) -> Value {
    let mut entry =
        json!({ "integration": "moved", "type": of, "name": name, "allowed_domain": "*.example.com" });
    let (_, member) = TYPES.into_iter().find(|(it, _)| *it == of).unwrap();
    entry[member] = json!(secret(of));
    match of {
        "api_key" => entry["header_name"] = json!("X-Api-Key"),
        "basic_auth" => entry["username"] = json!("ada"),
        _ => {}
    }
    entry
}

fn entries() -> Value {
    TYPES.into_iter().map(|(of, _)| entry(of, &format!("by_{of}"))).collect()
}

/// The document of an org's integrations and connections.
fn document(server: &TestServer, integrations: Value, connections: Value) -> Value {
    json!({ "orgs": [{ "id": server.founded.org.to_string(), "zis_integrations": integrations,
        "zis_connections": connections }] })
}

/// The faults of an import and of its dry run, which must be the same.
async fn faults(server: &TestServer, document: &Value) -> Vec<(String, String)> {
    let told = |result: Result<Imported, ImportError>| match result {
        Err(ImportError::Faults(faults)) => {
            let mut faults: Vec<_> = faults.into_iter().map(|fault| (fault.pointer, fault.reason)).collect();
            faults.sort();
            faults
        }
        other => panic!("{other:?}"),
    };
    let before = server.engine.applied();
    let faults = told(server.engine.import(document).await);
    assert_eq!(told(server.engine.try_import(document).await), faults);
    assert_eq!(server.engine.applied(), before, "nothing half done");
    faults
}

/// Brings a document in, after a dry run that changes nothing and counts the same.
async fn imported(server: &TestServer, document: &Value) -> Imported {
    let before = server.engine.applied();
    let tried = server.engine.try_import(document).await.unwrap();
    assert_eq!((tried.position, tried.secrets.len(), server.engine.applied()), (None, 0, before));
    let brought = server.engine.import(document).await.unwrap();
    let counts = |it: &Imported| (it.orgs, it.users, it.zis_integrations, it.connections);
    assert_eq!(counts(&tried), counts(&brought));
    brought
}

async fn holder(server: &TestServer) -> Zis {
    let admin = Zis::admin(server).await;
    // One that is there is described, and its client is the same.
    let list = admin.get("/api/services/zis/registry/integrations").await.expect(200).json();
    let mut all = list["integrations"].as_array().unwrap().iter();
    let client =
        all.find(|it| it["name"] == "moved").unwrap()["zendesk_oauth_client"]["id"].as_i64().unwrap();
    Zis::bearer(server, &admin.token(client, &["read", "write"]).await.1)
}

fn sorted(export: &Value) -> Vec<Value> {
    let mut all = export["orgs"][0]["zis_connections"].as_array().unwrap().clone();
    all.sort_by_key(|one| one["name"].as_str().unwrap().to_owned());
    all
}

on_both_engines! {
    async fn what_is_imported_is_there_as_if_it_had_been_made(server: &TestServer) {
        let (before, made_at) = (server.engine.applied(), "2021-02-03T04:05:06Z");
        let mut connections = entries();
        connections[1]["created_at"] = json!(made_at);
        let integrations = json!([{ "name": "moved", "description": "Moved", "created_at": made_at }, { "name": "empty" }]);
        let file = document(server, integrations, connections);
        let brought = imported(server, &file).await;
        assert_eq!((brought.zis_integrations, brought.connections), (2, 3));
        // All of it in one position: that of its last entry.
        assert_eq!(brought.position, Some(server.engine.applied()));
        assert_eq!(server.engine.applied().sequence, before.sequence + 1 + 2 + 3);
        let told: Vec<_> = brought.secrets.iter().map(|it| (it.kind, it.name.as_str(), it.secret.reveal().len())).collect();
        let length = told[0].2;
        assert!(length >= 32);
        assert_eq!(told, [("zis_integration", "moved", length), ("zis_integration", "empty", length)]);
        server.verify_state().await;

        let zis = holder(server).await;
        let shown = zis.get(&format!("{}/by_basic_auth", path("basic_auth"))).await.expect(200).json();
        assert_eq!(shown["basic_auth"], json!({ "allowed_domain": "*.example.com", "created_at": made_at, "name": "by_basic_auth",
            "password": "*****", "updated_at": made_at, "username": "ada" }));
        let all = zis.get(&path("all")).await.expect(200).json();
        assert_eq!(TYPES.map(|(of, _)| all[of].as_array().unwrap().len()), [1, 1, 1]);
        // They are changed, restricted and deleted as any others, and their names are taken.
        let again = json!({ "name": "by_api_key", "allowed_domain": "a.example", "token": "x" });
        zis.post(&path("bearer_token"), &again).await.expect(409);
        let patch = json!({ "api_key": "ANOTHER" });
        zis.send(http::Method::PATCH, &format!("{}/by_api_key", path("api_key")), Some(patch)).await.expect(204);
        let list = server.client().get("/claviger/v1/connections?dialect=zendesk").await.expect(200).json();
        assert_eq!(list["total_filtered"].as_u64().or(list["total"].as_u64()), Some(3));
        for one in list["connections"].as_array().unwrap() {
            let history = format!("/claviger/v1/connections/{}/history", one["id"].as_str().unwrap());
            let first = server.client().get(&history).await.expect(200).text;
            assert!(first.contains("connection.imported") && !first.contains("canary"), "{first}");
        }
        server.verify_state().await;

        // Again is harmless, but what was changed meanwhile differs.
        let found = faults(server, &file).await;
        assert_eq!(found, [("/orgs/0/zis_connections/0/api_key".to_owned(), "differs from what is there".to_owned())]);
        let mut same = file.clone();
        same["orgs"][0]["zis_connections"][0]["api_key"] = json!("ANOTHER");
        let position = server.engine.applied();
        assert!(server.engine.import(&same).await.unwrap().position.is_none());
        // Said in another way, a domain is the same.
        same["orgs"][0]["zis_connections"][1]["allowed_domain"] = json!("*.EXAMPLE.com.");
        assert!(server.engine.import(&same).await.unwrap().position.is_none());
        assert_eq!(server.engine.applied(), position);
    }

    async fn what_is_exported_comes_in_again_as_it_was(server: &TestServer) {
        let readers = role(&server.client(), &[]).await;
        let mut connections = entries();
        let mine = server.founded.user.to_string();
        let restriction = json!({ "viewer": [format!("role:{readers}")], "editor": [format!("user:{mine}")] });
        connections[2]["restriction"] = restriction.clone();
        imported(server, &document(server, json!([{ "name": "moved", "description": "Moved" }]), connections)).await;
        let answer = server.client().get(EXPORT).await.expect(200);
        assert!(!answer.text.contains("canary"), "{}", answer.text);
        let export = answer.json();
        let all = sorted(&export);
        assert_eq!(all.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(), ["by_api_key", "by_basic_auth", "by_bearer_token"]);
        assert_eq!((&all[2]["restriction"], &all[0]["api_key"], &all[0]["header_name"]), (&restriction, &json!(""), &json!("X-Api-Key")));
        assert_eq!(export["orgs"][0]["connections"], json!([]));
        assert_eq!(export["orgs"][0]["zis_integrations"], json!([{ "name": "moved", "description": "Moved" }]));
        // As it is, it brings nothing.
        assert!(server.engine.import(&export).await.unwrap().position.is_none());

        let zis = holder(server).await;
        for (of, _) in TYPES {
            zis.delete(&format!("{}/by_{of}", path(of))).await.expect(204);
        }
        server.client().delete("/claviger/v1/zis_integrations/moved").await.expect(204);
        // Deleted, all want their secrets.
        let mut missing: Vec<_> = TYPES.into_iter().map(|(of, member)| {
            let list = export["orgs"][0]["zis_connections"].as_array().unwrap();
            let place = list.iter().position(|one| one["type"] == of).unwrap();
            (format!("/orgs/0/zis_connections/{place}/{member}"), "must be filled in: an export leaves secrets out".to_owned())
        }).collect();
        missing.sort();
        assert_eq!(faults(server, &export).await, missing);
        let mut filled = export.clone();
        for one in filled["orgs"][0]["zis_connections"].as_array_mut().unwrap() {
            let of = one["type"].as_str().unwrap().to_owned();
            let (_, member) = TYPES.into_iter().find(|(it, _)| *it == of).unwrap();
            one[member] = json!(secret(&of));
        }
        let brought = imported(server, &filled).await;
        assert_eq!((brought.zis_integrations, brought.connections, brought.secrets.len()), (1, 3, 1));
        let after = server.client().get(EXPORT).await.expect(200).json();
        assert_eq!(sorted(&after), all);
        assert_eq!(after["orgs"][0]["zis_integrations"], export["orgs"][0]["zis_integrations"]);
        server.verify_state().await;
    }

    /// More than are read at once, beside others, and only what may be seen.
    async fn an_export_is_whole_and_holds_nothing_hidden(server: &TestServer) {
        let mut many: Vec<_> = (0..40).map(|number| entry("bearer_token", &format!("name_{number}"))).collect();
        many[7]["restriction"] = json!({ "editor": [format!("user:{}", server.founded.user)] });
        imported(server, &document(server, json!([{ "name": "moved", "description": "Moved" }]), json!(many))).await;
        let export = server.client().get(EXPORT).await.expect(200).json();
        assert_eq!(sorted(&export).len(), 40);
        assert!(server.engine.import(&export).await.unwrap().position.is_none());
        // Without the right to manage integrations, what they are for is not told.
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let scopes = json!(["connections_read"]);
        let token = tokens::personal_access_token(&server.client_with(member.keys), scopes).await;
        let narrow = server.client_with(Keys { bearer: Some(token.secret), ..Keys::default() });
        let export = narrow.get(EXPORT).await.expect(200).json();
        assert_eq!(sorted(&export).len(), 39);
        assert_eq!(export["orgs"][0]["zis_integrations"], json!([{ "name": "moved" }]));
        assert!(server.engine.import(&export).await.unwrap().position.is_none());
    }

    async fn every_fault_and_every_conflict_has_its_place(server: &TestServer) {
        let integrations = json!([{ "name": "moved", "description": "Moved" }]);
        imported(server, &document(server, integrations, entries())).await;
        let gitlab = json!({ "name": "CI", "integration": { "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": "glpat-0123456789" } } });
        let other = json!({ "orgs": [{ "id": server.founded.org.to_string(), "connections": [gitlab] }] });
        server.engine.import(&other).await.unwrap();
        let all = server.client().get("/claviger/v1/connections").await.expect(200).json();
        let catalogued = all["connections"].as_array().unwrap().iter().find(|it| it["name"] == "CI").unwrap()["id"].clone();
        let there = all["connections"].as_array().unwrap().iter().find(|it| it["name"] == "by_bearer_token").unwrap()["id"].clone();
        let foreign = server.found_another("Foreign").await;
        let nobody = "00000000-0000-4000-8000-000000000000";

        let with = |of: &str, name: &str, changes: Value| {
            let mut entry = entry(of, name);
            entry.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            entry
        };
        let integrations = json!([
            { "name": "moved", "description": "Other", "created_by": nobody },
            { "name": "Bad Name", "colour": 1 },
            { "name": "twice", "created_at": "2199-01-01T00:00:00Z" },
            { "name": "twice" },
            { "description": "x".repeat(2000) },
        ]);
        let connections = json!([
            with("api_key", "by_api_key", json!({ "header_name": "x-other", "allowed_domain": "evil.example" })),
            with("bearer_token", "by_basic_auth", json!({})),
            with("api_key", "new", json!({ "name": "a", "allowed_domain": "*.com", "header_name": "Host", "api_key": "a\r\nb" })),
            with("basic_auth", "new_2", json!({ "username": "a:b", "password": 7, "restriction": { "viewer": [format!("user:{nobody}")] } })),
            with("bearer_token", "new_3", json!({ "integration": "nowhere", "header_name": "x", "hosts": [] })),
            with("bearer_token", "new_4", json!({ "type": "oauth" })),
            with("bearer_token", "new_5", json!({ "id": catalogued })),
            with("bearer_token", "by_api_key", json!({})),
            with("bearer_token", "by_bearer_token", json!({ "id": nobody })),
            with("bearer_token", "renamed", json!({ "id": there, "integration": "twice" })),
            { "type": "api_key" },
            with("api_key", "zendesk", json!({ "created_by": "nobody@example.com" })),
        ]);
        let file = document(server, integrations, connections);
        let told = faults(server, &file).await;
        let differs = "differs from what is there";
        let expected = [
            ("zis_connections/0/allowed_domain", differs),
            ("zis_connections/0/header_name", differs),
            ("zis_connections/1/type", differs),
            ("zis_connections/10/allowed_domain", "is missing"),
            ("zis_connections/10/api_key", "is missing"),
            ("zis_connections/10/header_name", "is missing"),
            ("zis_connections/10/integration", "is missing"),
            ("zis_connections/10/name", "is missing"),
            ("zis_connections/11/created_by", "names no user of this org"),
            ("zis_connections/11/name", "must not be zendesk, which is reserved"),
            ("zis_connections/2/allowed_domain", "must not be a wildcard over a public suffix, below which names belong to different owners"),
            ("zis_connections/2/api_key", "must not contain control characters or anything beyond ASCII"),
            ("zis_connections/2/header_name", "must not be a header that "),
            ("zis_connections/2/name", "must be 3 to 64 letters, digits, - and _"),
            ("zis_connections/3/password", "must be a string"),
            ("zis_connections/3/restriction/viewer", "names user:00000000-0000-4000-8000-000000000000, which is not of this org"),
            ("zis_connections/3/username", "must not contain a colon or control characters"),
            ("zis_connections/4/header_name", "is not a member here"),
            ("zis_connections/4/hosts", "is not a member here"),
            ("zis_connections/4/integration", "names no integration of this org: add nowhere to zis_integrations"),
            ("zis_connections/5/type", "must be api_key, basic_auth or bearer_token"),
            ("zis_connections/6/id", "is taken: a connection of another kind has it"),
            ("zis_connections/7/name", "is given already at /orgs/0/zis_connections/0/name"),
            ("zis_connections/8/name", "is taken: another connection of the integration has it"),
            ("zis_connections/9/allowed_domain", ""),
            ("zis_integrations/0/created_by", "names no user of this org"),
            ("zis_integrations/0/description", differs),
            ("zis_integrations/1/colour", "is not a member here"),
            ("zis_integrations/1/name", "is not valid: must be 1 to 64 lower-case letters, digits, - and _"),
            ("zis_integrations/2/created_at", "is in the future"),
            ("zis_integrations/3/name", "is given already at /orgs/0/zis_integrations/2/name"),
            ("zis_integrations/4/description", "must have at most"),
            ("zis_integrations/4/name", "is missing"),
        ];
        let expected: Vec<_> = expected.into_iter().filter(|(place, _)| !place.starts_with("zis_connections/9/")).chain([
            ("zis_connections/9/integration", differs),
            ("zis_connections/9/name", differs),
        ]).collect();
        let mut expected: Vec<_> = expected.into_iter().map(|(place, reason)| (format!("/orgs/0/{place}"), reason)).collect();
        expected.sort();
        let places = |list: Vec<&String>| list.into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(places(told.iter().map(|(place, _)| place).collect()), places(expected.iter().map(|(place, _)| place).collect()));
        for ((place, reason), (_, expected)) in told.iter().zip(&expected) {
            assert!(reason.starts_with(expected), "{place}: {reason}");
            assert!(!reason.contains("canary"), "{place}: {reason}");
        }

        // An id is taken whichever org has it.
        let mut taken = document(server, json!([{ "name": "moved" }]), json!([with("bearer_token", "mine", json!({ "id": there }))]));
        taken["orgs"][0]["id"] = json!(foreign.org.to_string());
        let found = faults(server, &taken).await;
        assert_eq!(found, [("/orgs/0/zis_connections/0/id".to_owned(), "is taken: another org has a connection of this id".to_owned())]);

        // A connection of the catalog is none of an integration's, whatever either is called.
        let gitlab = |member: &str, value: &Value| {
            let mut entry = json!({ "name": "Other", "integration": { "type": "Gitlab", "credentials": { "type": "GitlabAPIKey",
                "api_token": "glpat-9876543210" } } });
            entry[member] = value.clone();
            json!({ "orgs": [{ "id": server.founded.org.to_string(), "connections": [entry] }] })
        };
        let found = faults(server, &gitlab("id", &there)).await;
        assert_eq!(found, [("/orgs/0/connections/0/id".to_owned(), "is taken: a connection of another kind has it".to_owned())]);
        assert_eq!(imported(server, &gitlab("name", &json!("by_bearer_token"))).await.connections, 1);

        // Connections of OAuth do not come in, and no more do their clients.
        let oauth = json!({ "integration": "moved", "type": "oauth", "name": "by_oauth", "allowed_domain": "a.example.com",
            "oauth_client_uuid": nobody, "permission_scope": "read", "access_token": secret("access"), "refresh_token": secret("refresh") });
        let mut file = document(server, json!([{ "name": "moved" }]), json!([oauth]));
        file["orgs"][0]["zis_oauth_clients"] = json!([{ "name": "mine", "client_secret": secret("a client") }]);
        let stranger = "is not a member here";
        let expected = [
            ("zis_connections/0/access_token", stranger),
            ("zis_connections/0/oauth_client_uuid", stranger),
            ("zis_connections/0/permission_scope", stranger),
            ("zis_connections/0/refresh_token", stranger),
            ("zis_connections/0/type", "must be api_key, basic_auth or bearer_token"),
            ("zis_oauth_clients", stranger),
        ];
        let told = faults(server, &file).await;
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((place, reason), (at, begins)) in told.iter().zip(expected) {
            assert!(*place == format!("/orgs/0/{at}") && reason.starts_with(begins), "{place}: {reason}");
            assert!(!reason.contains("canary"), "{place}: {reason}");
        }
        server.verify_state().await;
    }

    async fn a_new_org_comes_with_its_integrations_and_has_its_own(server: &TestServer) {
        let file = json!({ "orgs": [{ "name": "New", "users": [{ "email": "ada@example.com", "roles": ["Datadog Admin Role"] }],
            "zis_integrations": [{ "name": "moved" }], "zis_connections": entries() }] });
        let brought = imported(server, &file).await;
        assert_eq!((brought.orgs, brought.users, brought.zis_integrations, brought.connections), (1, 1, 1, 3));
        server.verify_state().await;
        // The same names are free in the first org.
        imported(server, &document(server, json!([{ "name": "moved" }]), entries())).await;
        assert_eq!(sorted(&server.client().get(EXPORT).await.expect(200).json()).len(), 3);
        Zis::admin(server).await.get(TOKENS).await.expect(200);
        // Nobody made it, and there is nobody who could have.
        let nobody = json!({ "orgs": [{ "name": "Nobody", "zis_integrations": [{ "name": "moved" }], "zis_connections": [entry("api_key", "one")] }] });
        let reason = "is missing, and the org has no user who could have made it".to_owned();
        let places = ["zis_connections/0", "zis_integrations/0"].map(|place| (format!("/orgs/0/{place}/created_by"), reason.clone()));
        assert_eq!(faults(server, &nobody).await, places);
        server.verify_state().await;
    }
}
