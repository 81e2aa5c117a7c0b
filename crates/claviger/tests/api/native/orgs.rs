//! `/claviger/v1/orgs`

use serde_json::{Value, json};

use crate::support::people::Member;
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/claviger/v1/orgs";

fn keys_of(made: &Value) -> Keys {
    let secret = |name: &str| Some(made[name]["secret"].as_str().unwrap().to_owned());
    Keys { api_key: secret("api_key"), application_key: secret("application_key"), bearer: None }
}

on_both_engines! {
    async fn an_org_begins_with_an_admin_and_keys(server: &TestServer) {
        let client = server.client();
        let body = json!({ "name": "Acme", "admin_email": "Ada@Example.com" });
        let answer = client.post(PATH, &body).await.expect(201);
        assert!(answer.header("claviger-position").starts_with("1."));
        let made = answer.json();
        assert_eq!(made["org"]["name"], "Acme");
        assert_eq!(made["org"]["disabled"], false);
        assert_eq!(made["admin"]["email"], "ada@example.com");
        let theirs = server.client_with(keys_of(&made));
        let me = theirs.get("/api/v2/current_user").await.expect(200).json();
        assert_eq!(me["data"]["id"], made["admin"]["id"]);
        assert_eq!(me["data"]["relationships"]["org"]["data"]["id"], made["org"]["id"]);
        let keys = theirs.get("/api/v2/api_keys").await.expect(200).json();
        assert_eq!(keys["data"][0]["id"], made["api_key"]["id"]);
        let own = theirs.get("/api/v2/current_user/application_keys").await.expect(200).json();
        assert_eq!(own["data"][0]["id"], made["application_key"]["id"]);
        assert_eq!(theirs.get("/api/v2/roles").await.expect(200).json()["meta"]["page"]["total_count"], 3);
        // Whoever names nobody runs it.
        let made = client.post(PATH, &json!({ "name": "Mine" })).await.expect(201).json();
        assert_eq!(made["admin"]["email"], "admin@example.com");
        server.verify_state().await;
    }

    async fn orgs_are_listed_page_by_page_and_renamed(server: &TestServer) {
        let client = server.client();
        let mut ids = vec![server.founded.org.to_string()];
        for name in ["One", "Two"] {
            let made = client.post(PATH, &json!({ "name": name })).await.expect(201).json();
            ids.push(made["org"]["id"].as_str().unwrap().to_owned());
        }
        let first = client.get(&format!("{PATH}?limit=2")).await.expect(200).json();
        let rest = client.get(&format!("{PATH}?limit=2&after={}", first["next"])).await.expect(200).json();
        let listed: Vec<_> = [&first, &rest]
            .iter()
            .flat_map(|page| page["orgs"].as_array().unwrap())
            .map(|org| org["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(listed, ids);
        assert_eq!(rest["next"], Value::Null);
        for query in ["limit=0", "limit=1001", "after=-1", "after=x"] {
            client.get(&format!("{PATH}?{query}")).await.expect(400);
        }
        server.clock.advance_micros(1_000_000);
        let path = format!("{PATH}/{}", ids[1]);
        let renamed = client.patch(&path, &json!({ "name": "Eins" })).await.expect(200).json();
        assert_eq!(renamed["name"], "Eins");
        assert_eq!(client.get(&path).await.expect(200).json(), renamed);
        assert_eq!(client.patch(&path, &json!({})).await.expect(200).json(), renamed);
        server.verify_state().await;
    }

    async fn a_disabled_orgs_credentials_stop_at_once_until_it_is_enabled(server: &TestServer) {
        let client = server.client();
        let made = client.post(PATH, &json!({ "name": "Acme" })).await.expect(201).json();
        let (theirs, path) =
            (server.client_with(keys_of(&made)), format!("{PATH}/{}", made["org"]["id"].as_str().unwrap()));
        theirs.get("/api/v2/api_keys").await.expect(200);
        let disabled = client.patch(&path, &json!({ "disabled": true })).await.expect(200).json();
        assert_eq!(disabled["disabled"], true);
        theirs.get("/api/v2/api_keys").await.expect(403);
        theirs.get("/api/v1/validate").await.expect(403);
        theirs.get("/verify").await.expect(401);
        server.verify_state().await;
        client.patch(&path, &json!({ "disabled": false })).await.expect(200);
        theirs.get("/api/v2/api_keys").await.expect(200);
        server.verify_state().await;
    }

    async fn a_subdomain_is_one_orgs_alone(server: &TestServer) {
        let client = server.client();
        let mut paths = Vec::new();
        for name in ["One", "Two"] {
            let made = client.post(PATH, &json!({ "name": name })).await.expect(201).json();
            assert_eq!(made["org"]["subdomain"], Value::Null);
            paths.push(format!("{PATH}/{}", made["org"]["id"].as_str().unwrap()));
        }
        let given = client.patch(&paths[0], &json!({ "subdomain": "acme" })).await.expect(200).json();
        assert_eq!(given["subdomain"], "acme");
        let refused = client.patch(&paths[1], &json!({ "name": "Zwei", "subdomain": "acme" })).await.expect(409);
        assert_eq!(refused.json()["errors"][0]["code"], "conflict");
        assert_eq!(client.get(&paths[1]).await.expect(200).json()["name"], "Two");
        for bad in [json!("Acme"), json!("a.b"), json!(""), json!("zis"), json!(1)] {
            let refused = client.patch(&paths[1], &json!({ "subdomain": bad })).await.expect(400).json();
            assert_eq!(refused["errors"][0]["field"], "subdomain");
        }
        server.verify_state().await;
        // Given up, it is anybody's.
        client.patch(&paths[0], &json!({ "subdomain": null })).await.expect(200);
        client.patch(&paths[1], &json!({ "subdomain": "acme" })).await.expect(200);
        assert_eq!(client.get(&paths[0]).await.expect(200).json()["subdomain"], Value::Null);
        server.verify_state().await;
    }

    async fn the_founding_org_stays(server: &TestServer) {
        let client = server.client();
        let path = format!("{PATH}/{}", server.founded.org);
        let refused = client.patch(&path, &json!({ "disabled": true, "name": "x" })).await.expect(409).json();
        assert_eq!(refused["errors"][0]["code"], "protected");
        assert_eq!(client.get(&path).await.expect(200).json()["name"], "Test");
    }

    async fn only_the_founding_orgs_managers_deal_with_orgs(server: &TestServer) {
        let made = server.client().post(PATH, &json!({ "name": "Acme" })).await.expect(201).json();
        let theirs = server.client_with(keys_of(&made));
        let before = server.engine.applied();
        theirs.get(PATH).await.expect(403);
        theirs.post(PATH, &json!({ "name": "Another" })).await.expect(403);
        theirs.post("/api/v1/org", &json!({ "name": "Another" })).await.expect(403);
        for id in [made["org"]["id"].as_str().unwrap(), &server.founded.org.to_string(), "nobody"] {
            theirs.get(&format!("{PATH}/{id}")).await.expect(404);
            theirs.patch(&format!("{PATH}/{id}"), &json!({ "disabled": true })).await.expect(404);
        }
        assert_eq!(server.engine.applied(), before);
    }

    /// The keys of a new org may do everything in it: whoever is narrowed does not get them.
    async fn a_narrowed_credential_makes_no_org(server: &TestServer) {
        let narrowed = Member::join(server, "human", &["Datadog Admin Role"], json!(["org_management"])).await;
        let client = server.client_with(narrowed.keys);
        client.get(PATH).await.expect(200);
        client.post(PATH, &json!({ "name": "Another" })).await.expect(403);
        client.post("/api/v1/org", &json!({ "name": "Another" })).await.expect(403);
    }

    async fn every_fault_of_a_body_is_named(server: &TestServer) {
        let body = json!({ "admin_email": "ada", "color": "red" });
        let refused = server.client().post(PATH, &body).await.expect(400).json();
        let fields: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
        assert_eq!(fields, ["admin_email", "name", "color"]);
    }
}
