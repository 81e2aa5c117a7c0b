//! `claviger import`: into a running server and without one, again, with faults, and what it keeps.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

#[path = "import/control.rs"]
mod control;
#[path = "import/faults.rs"]
mod faults;
#[path = "import/tokens.rs"]
mod tokens;
#[path = "import/zis.rs"]
mod zis;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use program::{Home, on_both_engines};
use serde_json::{Value, json};

const ORG: &str = "11111111-1111-4111-8111-111111111111";
const ADMIN_ROLE: &str = "22222222-2222-4222-8222-222222222222";
const ADA: &str = "33333333-3333-4333-8333-333333333333";
const API_KEY_ID: &str = "44444444-4444-4444-8444-444444444444";
const APPLICATION_KEY_ID: &str = "55555555-5555-4555-8555-555555555555";
const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "ddapp_abcdefghijklmnopqrstuvwxyzABCDEFGH";
/// In the vendor's older form.
const OLD_APPLICATION_KEY: &str = "0123456789abcdef0123456789abcdef01234567";
const EXPIRED_KEY: &str = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee";
const LASTING_KEY: &str = "1a51a51a51a51a51a51a51a51a51a51a";

fn acme() -> Value {
    json!({"orgs": [{
        "id": ORG,
        "name": "Acme",
        "roles": [
            {"managed": "admin", "id": ADMIN_ROLE},
            {"name": "Readers", "permissions": ["api_keys_read", "user_app_keys"]},
        ],
        "users": [
            {"id": ADA, "email": "Ada@Example.com", "name": "Ada", "title": "Countess", "roles": [ADMIN_ROLE]},
            {"email": "bot@example.com", "kind": "service_account", "roles": ["Readers"]},
            {"email": "gone@example.com", "disabled": true},
        ],
        "api_keys": [
            {"id": API_KEY_ID, "name": "given", "secret": API_KEY, "created_at": "2021-02-03T04:05:06Z"},
            {"name": "expired", "secret": EXPIRED_KEY, "expires_at": "2020-01-01T00:00:00Z"},
            {"name": "lasting", "secret": LASTING_KEY, "expires_at": "2199-01-01T00:00:00Z"},
            {"name": "made", "created_by": "bot@example.com", "remote_config_read_enabled": false},
        ],
        "application_keys": [
            {"id": APPLICATION_KEY_ID, "name": "ada's", "owner": "ada@example.com", "secret": APPLICATION_KEY,
             "registered": true},
            {"name": "ada's old", "owner": ADA, "secret": OLD_APPLICATION_KEY, "scopes": ["user_app_keys"]},
            {"name": "bot's", "owner": "bot@example.com"},
        ],
        "app_key_registrations": ["66666666-6666-4666-8666-666666666666"],
    }]})
}

fn add(list: &mut Value, value: Value) {
    list.as_array_mut().unwrap().push(value);
}

/// The secrets that were made, by the name of their key.
fn made(stdout: &str, name: &str) -> String {
    let shown: Value = serde_json::from_str(stdout).unwrap();
    let secrets = shown["secrets"].as_array().unwrap();
    let secret = secrets.iter().find(|secret| secret["name"] == name).unwrap();
    secret["secret"].as_str().unwrap().to_owned()
}

const ALL: &str = "imported 1 org, 1 role, 3 users, 4 API keys, 3 application keys, 2 registrations\n";

on_both_engines! {
    fn a_running_server_knows_at_once_what_was_imported(home: &Home) {
        let server = home.serve();
        assert_eq!(server.verify(API_KEY), 401);
        let outcome = home.import(&acme()).succeeds();
        assert_eq!(outcome.stderr(), ALL);
        assert_eq!(server.verify(API_KEY), 200);
        let pair = [("dd-api-key", API_KEY), ("dd-application-key", APPLICATION_KEY)];
        let (status, body) = server.get(&format!("/api/v2/api_keys/{API_KEY_ID}"), &pair);
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["data"]["id"], API_KEY_ID);
        assert_eq!(body["data"]["attributes"]["name"], "given");
        assert_eq!(body["data"]["attributes"]["key"], API_KEY);
        assert_eq!(body["data"]["attributes"]["created_at"], "2021-02-03T04:05:06.000000+00:00");
        assert_eq!(body["data"]["relationships"]["created_by"]["data"]["id"], ADA);
        for secret in [made(&outcome.stdout(), "made"), made(&outcome.stdout(), "bot's")] {
            assert_eq!(server.verify(&secret), 200);
        }
        let log = server.stop();
        for secret in [API_KEY, APPLICATION_KEY, &made(&outcome.stdout(), "made")] {
            assert!(!log.contains(secret));
        }
    }

    fn without_a_server_the_next_one_knows_it_and_makes_no_org_of_its_own(home: &Home) {
        let outcome = home.import(&acme()).succeeds();
        assert!(outcome.stderr().ends_with(ALL), "{}", outcome.stderr());
        let server = home.serve();
        assert!(!home.file("bootstrap.json").exists());
        assert_eq!(server.verify(API_KEY), 200);
        assert_eq!(server.verify(OLD_APPLICATION_KEY), 200);
        assert_eq!(server.verify(&made(&outcome.stdout(), "bot's")), 200);
        server.stop();
    }

    fn a_second_time_changes_nothing_and_says_so(home: &Home) {
        let server = home.serve();
        home.import(&acme()).succeeds();
        let length = home.ledger_length();
        let outcome = home.import(&acme()).succeeds();
        assert_eq!((outcome.stdout().as_str(), outcome.stderr().as_str()), ("", "nothing to import\n"));
        assert_eq!(home.ledger_length(), length);
        server.stop();
        let outcome = home.import(&acme()).succeeds();
        assert_eq!(outcome.stdout(), "");
        assert!(outcome.stderr().ends_with("nothing to import\n"));
        assert_eq!(home.ledger_length(), length);
    }

    fn expiry_scopes_and_disabled_users_are_respected(home: &Home) {
        home.import(&acme()).succeeds();
        let server = home.serve();
        let (status, body) = server.get("/verify", &[("x-api-key", EXPIRED_KEY)]);
        assert_eq!(status, 401);
        assert!(body.contains("expired"), "{body}");
        assert_eq!(server.verify(LASTING_KEY), 200);
        let (narrow, wide) = (OLD_APPLICATION_KEY, APPLICATION_KEY);
        for (key, status) in [(narrow, 403), (wide, 200)] {
            let pair = [("dd-api-key", API_KEY), ("dd-application-key", key)];
            assert_eq!(server.get("/api/v2/api_keys", &pair).0, status);
        }
        assert_eq!(home.number("SELECT COUNT(*) FROM users WHERE disabled_at IS NOT NULL"), 1);
        server.stop();
    }

    fn several_orgs_are_one_change_with_an_entry_each(home: &Home) {
        let orgs = |count: usize| -> Vec<Value> {
            let key = |n: usize| json!({"name": "key", "secret": format!("{n:032x}")});
            let users = json!([{"email": "ada@example.com"}]);
            (0..count).map(|n| json!({"name": format!("Org {n}"), "users": users, "api_keys": [key(n)]})).collect()
        };
        let server = home.serve();
        let before = home.ledger_length();
        let mut faulty = orgs(3);
        faulty[2]["api_keys"][0]["secret"] = json!(format!("{:032x}", 0));
        home.import(&json!({"orgs": faulty})).fails(&["/orgs/2/api_keys/0/secret: is given already at"]);
        assert_eq!(home.ledger_length(), before);
        home.import(&json!({"orgs": orgs(3)})).succeeds();
        assert_eq!(home.ledger_length(), before + 3);
        for n in 0..3 {
            assert_eq!(server.verify(&format!("{n:032x}")), 200);
        }
        // More of an org that is there, by its name; the other two are found unchanged.
        let mut more = orgs(3);
        more[1]["existing"] = json!(true);
        add(&mut more[1]["api_keys"], json!({"name": "second", "secret": format!("{:032x}", 7)}));
        home.import(&json!({"orgs": more})).succeeds();
        assert_eq!(home.ledger_length(), before + 4);
        assert_eq!(server.verify(&format!("{:032x}", 7)), 200);
        server.stop();
    }

    fn an_org_that_shows_keys_once_keeps_no_sealed_application_key(home: &Home) {
        let users = json!([{"email": "a@b.c"}]);
        let keys = json!([{"name": "key", "owner": "a@b.c"}]);
        let org = json!({"name": "Once", "settings": {"one_time_read": true}, "users": users,
            "application_keys": keys});
        home.import(&json!({"orgs": [org]})).succeeds();
        assert_eq!(home.number("SELECT COUNT(*) FROM secrets"), 1);
        assert_eq!(home.number("SELECT COUNT(*) FROM secrets WHERE sealed IS NOT NULL"), 0);
    }
}

#[test]
fn secrets_go_into_a_new_private_file_if_asked() {
    let home = Home::new();
    let file = home.write("import.json", &acme().to_string());
    let arguments = ["import", file.to_str().unwrap(), "--secrets-out", "secrets.json"];
    let outcome = home.run(&arguments).succeeds();
    assert_eq!(outcome.stdout(), "");
    let path = home.data().parent().unwrap().join("secrets.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secrets = fs::read_to_string(&path).unwrap();
    assert!(made(&secrets, "bot's").starts_with("ddapp_"));
    home.run(&arguments).fails(&["secrets.json is there already"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), secrets);
}

#[test]
fn a_place_for_secrets_that_cannot_be_written_stops_the_import() {
    let home = Home::new();
    let file = home.write("import.json", &acme().to_string());
    home.run(&["import", file.to_str().unwrap(), "--secrets-out", "absent/secrets.json"])
        .fails(&["absent/secrets.json cannot be written"]);
    assert!(!home.data().exists());
}
