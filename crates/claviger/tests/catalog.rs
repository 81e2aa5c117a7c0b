//! Integrations of the operator's own, and the server's own AWS credentials, through the real program.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::os::unix::fs::PermissionsExt;

use program::{Answer, Home, Server, on_both_engines};
use serde_json::{Value, json};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "ddapp_abcdefghijklmnopqrstuvwxyzABCDEFGH";
const PATH: &str = "/claviger/v1/connections";

/// An integration that no release knows.
const STATUSPAGE: &str = r#"
[formats.page]
pattern = '^[a-z0-9]+$'
max = 12
says = "lower-case letters and digits"

[[integration]]
type = "Statuspage"
title = "Atlassian Statuspage"
base_url = "https://{region}/v1"
hosts = ["{region}"]
docs = "https://developer.statuspage.io/"

  [[integration.credentials]]
  type = "StatuspageAPIKey"
  settings = [
    { name = "page", format = "page" },
    { name = "region", format = "host", host_suffixes = [".statuspage.io"] },
  ]
  secrets = [{ name = "api_key", format = "token", hint = '^sp-' }]
  inject = [{ header = "Authorization", value = "OAuth {api_key}" }, { query = "page", value = "{page}" }]
  probe = [{ path = "/pages", ok = [200], bad = [401] }]
"#;

fn found(home: &Home) {
    home.import(&json!({ "orgs": [{
        "name": "Acme",
        "users": [{ "email": "ada@example.com", "roles": ["Datadog Admin Role"] }],
        "api_keys": [{ "name": "a", "secret": API_KEY }],
        "application_keys": [{ "name": "b", "owner": "ada@example.com", "secret": APPLICATION_KEY, "registered": true }],
    }] }))
    .succeeds();
}

const KEYS: [(&str, &str); 2] = [("dd-api-key", API_KEY), ("dd-application-key", APPLICATION_KEY)];

fn send(server: &Server, method: &str, path: &str, body: &Value) -> Answer {
    server.send(method, path, &KEYS, body)
}

#[track_caller]
fn expect(answer: Answer, status: u16) -> Value {
    assert_eq!(answer.0, status, "{}", answer.1);
    serde_json::from_str(&answer.1).unwrap_or_default()
}

fn statuspage(page: &str, key: &str) -> Value {
    json!({ "type": "Statuspage",
        "credentials": { "type": "StatuspageAPIKey", "page": page, "region": "api", "api_key": key } })
}

on_both_engines! {
    /// No code knows it, and it is made, read, changed and deleted like any other.
    fn an_integration_comes_from_a_file(home: &Home) {
        found(home);
        let file = home.write("integrations.toml", STATUSPAGE);
        let extra = [("CLAVIGER_CATALOG_EXTRA", file.to_str().unwrap())];
        let server = home.serve_with(&extra);
        let list = expect(server.get("/claviger/v1/integrations", &KEYS), 200);
        let types = list["integrations"].as_array().unwrap();
        assert_eq!((types.len(), &types[24]["type"], &types[24]["hosts"]), (25, &json!("Statuspage"), &json!(["{region}"])));
        let fields: Vec<_> = types[24]["credentials"][0]["fields"].as_array().unwrap().iter()
            .map(|field| (field["name"].as_str().unwrap(), field["secret"].as_bool().unwrap(), field["decides_host"].as_bool().unwrap())).collect();
        assert_eq!(fields, [("page", false, false), ("region", false, true), ("api_key", true, false)]);
        assert!(server.get("/openapi.json", &[]).1.contains("StatuspageAPIKey"));

        let bad = expect(send(&server, "POST", PATH, &json!({ "name": "n", "integration": statuspage("X", "sp-1") })), 400);
        assert_eq!(bad["errors"][0]["field"], "integration/credentials/page");
        let made = expect(send(&server, "POST", PATH, &json!({ "name": "n", "integration": statuspage("x1", "sp-canary-1") })), 201);
        assert_eq!((&made["integration"], &made["allowed_hosts"]), (&statuspage("x1", ""), &json!(["api.statuspage.io"])));
        let one = format!("{PATH}/{}", made["id"].as_str().unwrap());
        let changed = expect(send(&server, "PATCH", &one, &json!({ "integration": { "type": "Statuspage",
            "credentials": { "type": "StatuspageAPIKey", "page": "x2" } } })), 200);
        assert_eq!(changed["integration"], statuspage("x2", ""));
        let datadog = format!("/api/v2/actions/connections/{}", made["id"].as_str().unwrap());
        let shown = expect(server.get(&datadog, &KEYS), 200);
        assert_eq!(shown["data"]["attributes"]["integration"], statuspage("x2", ""));

        let other = expect(send(&server, "POST", PATH, &json!({ "name": "o", "integration": statuspage("x3", "sp-canary-3") })), 201);
        expect(server.delete(&one, &KEYS), 204);
        expect(server.get(&one, &KEYS), 404);
        let log = server.stop();
        assert!(!log.contains("canary"), "{log}");

        // Without the file, what was made is still there, and can only be deleted.
        let server = home.serve();
        let list = expect(server.get(PATH, &KEYS), 200);
        assert_eq!((&list["total"], &list["connections"][0]["allowed_hosts"]), (&json!(1), &json!([])));
        let one = format!("{PATH}/{}", other["id"].as_str().unwrap());
        let shown = expect(server.get(&one, &KEYS), 200);
        assert_eq!(shown["integration"], json!({ "type": "Statuspage", "credentials": { "type": "StatuspageAPIKey" } }));
        expect(send(&server, "PATCH", &one, &json!({ "name": "x" })), 409);
        expect(send(&server, "POST", PATH, &json!({ "name": "n", "integration": statuspage("x1", "sp-1") })), 400);
        expect(server.delete(&one, &KEYS), 204);
        server.stop();
        home.run(&["ledger", "verify", "--state"]).succeeds();
    }
}

#[test]
fn a_wrong_entry_is_named_and_nothing_starts() {
    let home = Home::new();
    let serve = |text: &str| {
        let file = home.write("extra.toml", text);
        home.run(&["serve", "--catalog-extra", file.to_str().unwrap()])
    };
    let taken = STATUSPAGE.replace("\"Statuspage\"", "\"Notion\"");
    serve(&taken).fails(&[
        "extra.toml cannot be used",
        "Notion",
        "there is an integration of this type already",
    ]);
    let hostless = STATUSPAGE.replace("hosts = [\"{region}\"]\n", "");
    serve(&hostless).fails(&["extra.toml", "Statuspage", "hosts", "leave --catalog-extra out"]);
    serve("colour = 1").fails(&["extra.toml", "colour"]);
    home.run(&["serve", "--catalog-extra", "nowhere.toml"]).fails(&["nowhere.toml cannot be read"]);
    assert!(!home.data().exists(), "nothing was begun");
}

#[test]
fn the_servers_own_aws_account_is_what_roles_are_to_trust() {
    let home = Home::new();
    found(&home);
    let secret = "canary/canary+canary";
    let file = home.write(
        "claviger.toml",
        &format!(
            "[aws]\nregion = \"eu-west-1\"\nprincipal_id = \"210987654321\"\naccess_key_id = \"AKIDEXAMPLE\"\n\
             secret_access_key = \"{secret}\"\n"
        ),
    );
    let config = file.to_str().unwrap();
    let refused = |arguments: &[&str], expected: &[&str]| {
        let outcome = home.run(arguments);
        let said = outcome.stderr();
        assert_eq!(outcome.0.status.code(), Some(2), "{said}");
        assert!(expected.iter().all(|part| said.contains(part)) && !said.contains(secret), "{said}");
    };
    refused(&["serve", "--config", config], &["`chmod 600 "]);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let aws = json!({ "name": "n", "integration": { "type": "AWS",
        "credentials": { "type": "AWSAssumeRole", "account_id": "123456789012", "role": "deployer" } } });
    let principal = |server: &Server| {
        let made = expect(send(server, "POST", PATH, &aws), 201);
        made["integration"]["credentials"]["principal_id"].as_str().unwrap().to_owned()
    };
    let server = home.serve_with(&[("CLAVIGER_CONFIG", config)]);
    assert_eq!(principal(&server), "210987654321");
    let log = server.stop();
    assert!(!log.contains("canary"), "{log}");
    let server = home.serve();
    assert_eq!(principal(&server), "000000000000", "without, connections are made all the same");
    server.stop();
    refused(
        &["serve", "--aws-region", "eu-west-1"],
        &["--aws-principal-id", "CLAVIGER_AWS_SECRET_ACCESS_KEY"],
    );
}
