//! ZIS integrations with their connections, tried out first.

use serde_json::{Value, json};

use crate::program::{Home, on_both_engines};
use crate::{ADA, ALL, ORG, acme, add};

on_both_engines! {
    fn zis_integrations_come_with_their_connections_after_a_dry_run(home: &Home) {
        const TOKEN: &str = "ddpat_abcdefghijklmnopqrstuv_abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";
        let connection = |of: &str, member: &str, value: &str, secret: &str| {
            let mut entry = json!({"integration": "mine", "type": of, "name": of, "allowed_domain": "*.example.com"});
            entry[member] = json!(value);
            entry[secret] = json!("CANARY-OF-A-CONNECTION");
            entry
        };
        let mut document = acme();
        let org = &mut document["orgs"][0];
        org["zis_integrations"] = json!([{"name": "mine", "description": "Ours"}]);
        org["zis_connections"] = json!([
            connection("api_key", "header_name", "x-key", "api_key"),
            connection("basic_auth", "username", "ada", "password"),
            connection("bearer_token", "created_at", "2021-02-03T04:05:06Z", "token"),
        ]);
        org["personal_access_tokens"] = json!([{"name": "ada's", "owner": ADA, "scopes": ["org_management"],
            "secret": TOKEN, "expires_at": "2199-01-01T00:00:00Z"}]);
        let file = home.write("zis.json", &document.to_string());
        let file = file.to_str().unwrap();
        let dry = || home.run(&["import", "--dry-run", file]);
        // Nothing is made to try it out.
        dry().fails(&["there is no data directory"]);
        assert!(!home.data().exists());
        home.run(&["init"]).succeeds();
        let (length, all) = (home.ledger_length(), ALL.trim_end().replace("2 registrations", "1 access token, 2 registrations"));
        let counts = format!("{}, 1 ZIS integration, 3 connections\n", all.strip_prefix("imported ").unwrap());
        let outcome = dry().succeeds();
        assert!(outcome.stderr().ends_with(&format!("would import {counts}")), "{}", outcome.stderr());
        assert_eq!((outcome.stdout().as_str(), home.ledger_length()), ("", length));
        let misused = home.run(&["import", "--dry-run", "--secrets-out", "x", file]);
        assert_eq!(misused.0.status.code(), Some(2), "{}", misused.stderr());

        let outcome = home.run(&["import", file]).succeeds();
        assert!(outcome.stderr().ends_with(&format!("imported {counts}")), "{}", outcome.stderr());
        let shown: Value = serde_json::from_str(&outcome.stdout()).unwrap();
        let secret = shown["secrets"].as_array().unwrap().iter().find(|it| it["kind"] == "zis_integration").unwrap();
        assert_eq!(secret["name"], "mine");
        assert!(!outcome.stdout().contains("CANARY") && !outcome.stderr().contains("CANARY"));
        // By whoever has the database: this process, and then a server, with numbers of its own.
        let server = home.serve_with(&[("CLAVIGER_ZENDESK_REQUESTS_PER_MINUTE", "2"), ("CLAVIGER_ZENDESK_CONNECTIONS_MAX", "3"),
            ("CLAVIGER_ZENDESK_BASE_DOMAIN", "claviger.example")]);
        let outcome = dry().succeeds();
        assert_eq!((outcome.stdout().as_str(), outcome.stderr().as_str()), ("", "nothing to import\n"));
        add(&mut document["orgs"][0]["zis_connections"], connection("bearer_token", "name", "fourth", "token"));
        home.write("zis.json", &document.to_string());
        for outcome in [dry(), home.run(&["import", file])] {
            outcome.fails(&["/orgs/0/zis_connections: would make 4 connections in mine; an integration may have 3"]);
        }
        home.run(&["org", "subdomain", ORG, "acme"]).succeeds();
        let authorization = format!("Bearer {TOKEN}");
        let headers = [("host", "acme.claviger.example"), ("authorization", authorization.as_str())];
        let list = || server.get("/api/services/zis/registry/integrations", &headers);
        let answers = [list(), list(), list()];
        // A minute may begin in between, once.
        assert_eq!(answers[0].0, 200, "{}", answers[0].1);
        assert!(answers[0].1.contains("\"Ours\""), "{}", answers[0].1);
        let beyond = answers.iter().chain([&list(), &list()]).filter(|(status, _)| *status == 429).count();
        assert!((1..=3).contains(&beyond), "{beyond}");
        let log = server.stop();
        assert!(!log.contains("CANARY") && !log.contains(secret["secret"].as_str().unwrap()));
        let verified = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
    }
}
