//! `claviger org`: with a running server and without one.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use program::{Home, on_both_engines};
use serde_json::Value;

fn made(home: &Home, name: &str) -> Value {
    let outcome = home.run(&["org", "create", name, "--admin", "ada@example.com"]).succeeds();
    serde_json::from_str(&outcome.stdout()).unwrap()
}

on_both_engines! {
    fn a_running_server_knows_at_once_what_was_done(home: &Home) {
        let server = home.serve();
        let org = made(home, "Acme");
        let (id, secret) = (org["org"]["id"].as_str().unwrap(), org["api_key"]["secret"].as_str().unwrap());
        assert_eq!(org["admin"]["email"], "ada@example.com");
        assert_eq!(server.verify(secret), 200);
        let line = home.run(&["org", "disable", id]).succeeds().stdout();
        assert!(line.starts_with(id) && line.contains("disabled") && line.ends_with("Acme\n"), "{line}");
        assert_eq!(server.verify(secret), 401);
        home.run(&["org", "rename", id, "Emca"]).succeeds();
        home.run(&["org", "enable", id]).succeeds();
        assert_eq!(server.verify(secret), 200);
        let list = home.run(&["org", "list"]).succeeds().stdout();
        assert_eq!(list.lines().count(), 2, "{list}");
        assert!(list.ends_with("enabled   Emca\n"), "{list}");
        assert!(!list.contains(secret));
        let log = server.stop();
        assert!(!log.contains(secret) && !log.contains(org["application_key"]["secret"].as_str().unwrap()));
        let verified = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
    }

    fn without_a_server_the_command_does_it(home: &Home) {
        home.serve().stop();
        let org = made(home, "Acme");
        let list: Value = serde_json::from_str(&home.run(&["org", "list", "--json"]).succeeds().stdout()).unwrap();
        assert_eq!(list["orgs"].as_array().unwrap().len(), 2);
        assert_eq!(list["orgs"][1], org["org"]);
        let founding = list["orgs"][0]["id"].as_str().unwrap();
        home.run(&["org", "disable", founding]).fails(&["founding org cannot be disabled"]);
        home.run(&["org", "rename", "nobody", "x"]).fails(&["claviger org list"]);
        home.run(&["org", "create", " ", "--admin", "a@b.c"]).fails(&["must not be blank"]);
        home.run(&["org", "create", "x", "--admin", "me"]).fails(&["is not an e-mail address"]);
    }

    fn an_org_has_a_subdomain_or_none(home: &Home) {
        let server = home.serve_with(&[("CLAVIGER_ZENDESK_BASE_DOMAIN", "claviger.example")]);
        let org = made(home, "Acme");
        let id = org["org"]["id"].as_str().unwrap();
        assert_eq!(org["org"]["subdomain"], Value::Null);
        let subdomain = |arguments: &[&str]| home.run(&[&["org", "subdomain", id], arguments].concat()).succeeds().stdout();
        // Whether an org is known by a host is told before any credential is looked at.
        let status = |host: &str| server.get("/api/services/zis/registry/integrations", &[("host", host)]).0;
        assert_eq!((subdomain(&[]).as_str(), status("acme.claviger.example")), ("-\n", 404));
        let length = home.ledger_length();
        assert_eq!(subdomain(&["acme"]), "acme\n");
        assert_eq!(home.ledger_length(), length + 1);
        assert_eq!((subdomain(&[]).as_str(), status("acme.claviger.example")), ("acme\n", 401));
        assert_eq!(home.ledger_length(), length + 1, "to show it changes nothing");
        let list = home.run(&["org", "list"]).succeeds().stdout();
        assert!(list.ends_with("enabled   acme  Acme\n"), "{list}");
        home.run(&["org", "subdomain", id, "Acme.Example"]).fails(&["a subdomain must be", "lower-case letters"]);
        home.run(&["org", "subdomain", id, "zis"]).fails(&["and not zis"]);
        assert_eq!(home.run(&["org", "subdomain", id, "x", "--none"]).0.status.code(), Some(2));
        let other = made(home, "Other");
        home.run(&["org", "subdomain", other["org"]["id"].as_str().unwrap(), "acme"]).fails(&["already exists"]);
        assert_eq!(subdomain(&["--none"]), "-\n");
        assert_eq!(status("acme.claviger.example"), 404);
        server.stop();
        // Without a server, too.
        assert_eq!(subdomain(&["later"]), "later\n");
        let verified = home.run(&["ledger", "verify", "--state"]).succeeds().stdout();
        assert!(!verified.contains("WRONG"), "{verified}");
    }
}
