//! `claviger import`: into a running server and without one, again, with faults, and what it keeps.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod program;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use program::{Home, Outcome, on_both_engines};
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

    fn every_fault_is_told_by_its_place_and_nothing_is_imported(home: &Home) {
        home.import(&acme()).succeeds();
        let before = (home.ledger_length(), home.number("SELECT COUNT(*) FROM users"));
        let mut document = acme();
        let org = &mut document["orgs"][0];
        org["nmae"] = json!("x");
        org["connections"] = json!({});
        org["name"] = json!("Other");
        org["settings"] = json!({"one_time_read": true, "api_keys_max": -1, "limits": 1});
        org["roles"][1]["permissions"] = json!(["api_keys_read", "api_kys_read", 7]);
        add(&mut org["roles"], json!({"name": "Readers"}));
        add(&mut org["roles"], json!({"managed": "owner"}));
        org["users"][0]["title"] = json!("Duchess");
        org["users"][1]["roles"] = json!(["Writers"]);
        add(&mut org["users"], json!({"id": ADA, "email": "nobody"}));
        add(&mut org["users"], json!({"email": "gone@example.com", "kind": "robot"}));
        add(&mut org["users"], json!({"id": "33333333"}));
        org["api_keys"][0]["name"] = json!(" ");
        org["api_keys"][1]["expires_at"] = json!("soon");
        org["api_keys"][2]["secret"] = json!("hunter2");
        add(&mut org["api_keys"], json!({"name": "somebody's", "secret": API_KEY}));
        add(&mut org["api_keys"], json!({"id": API_KEY_ID, "name": "doubled"}));
        add(&mut org["api_keys"], json!({"name": "future", "created_at": "2199-01-01T00:00:00Z"}));
        org["application_keys"][1]["scopes"] = json!(["no_such_scope"]);
        add(&mut org["application_keys"], json!({"name": "nobody's", "owner": "nobody@example.com"}));
        add(&mut org["application_keys"], json!({"name": "dead", "owner": "gone@example.com"}));
        add(&mut org["application_keys"], json!({"name": "no owner"}));
        add(&mut org["application_keys"], json!("key"));
        add(&mut org["app_key_registrations"], json!("66666666-6666-4666-8666-666666666666"));
        add(&mut document["orgs"], json!({"name": "New", "existing": true}));
        add(&mut document["orgs"], json!({"users": [], "api_keys": {}}));
        add(&mut document["orgs"], json!({"name": "Empty", "api_keys": [{"name": "by nobody"}]}));
        let outcome = home.import(&document).fails(&[
            "/orgs/0/nmae: is not a member here; did you mean `name`?",
            "/orgs/0/connections: must be a list",
            "/orgs/0/name: differs from what is there",
            "/orgs/0/settings/one_time_read: differs from what is there",
            "/orgs/0/settings/api_keys_max: must be a number from 0 to 10000000",
            "/orgs/0/settings/limits: is not a member here",
            "/orgs/0/roles/1/permissions/1: is no permission",
            "/orgs/0/roles/1/permissions/2: must be a string",
            "/orgs/0/roles/2/name: is given already at /orgs/0/roles/1/name",
            "/orgs/0/roles/3/managed: must be admin, standard or read_only",
            "/orgs/0/users/0/title: differs from what is there",
            "/orgs/0/users/1/roles/0: names no role of this org",
            "/orgs/0/users/3/email: is not an e-mail address",
            "/orgs/0/users/3/id: is given already at /orgs/0/users/0/id",
            "/orgs/0/users/4/kind: must be human or service_account",
            "/orgs/0/users/4/email: is given already at /orgs/0/users/2/email",
            "/orgs/0/users/5/id: is not valid: an id is a UUID",
            "/orgs/0/users/5/email: is missing",
            "/orgs/0/api_keys/0/name: must not be blank",
            "/orgs/0/api_keys/1/expires_at: must be a moment as in",
            "/orgs/0/api_keys/2/secret: is malformed: an API key is 32 lower-case hexadecimal digits",
            "/orgs/0/api_keys/4/secret: is given already at /orgs/0/api_keys/0/secret",
            "/orgs/0/api_keys/5/id: is given already at /orgs/0/api_keys/0/id",
            "/orgs/0/api_keys/6/created_at: is in the future",
            "/orgs/0/application_keys/1/scopes/0: is no scope",
            "/orgs/0/application_keys/3/owner: names no user of this org",
            "/orgs/0/application_keys/4/owner: is disabled",
            "/orgs/0/application_keys/5/owner: is missing",
            "/orgs/0/application_keys/6: must be an object",
            "/orgs/0/app_key_registrations/1: is given already at",
            "/orgs/1: no such org exists",
            "/orgs/2/name: is missing",
            "/orgs/2/api_keys: must be a list",
            "/orgs/3/api_keys/0/created_by: is missing, and the org has no user",
        ]);
        assert!(!outcome.stderr().contains("hunter2") && !outcome.stderr().contains(API_KEY));
        assert_eq!((home.ledger_length(), home.number("SELECT COUNT(*) FROM users")), before);
        assert_eq!(home.number("SELECT COUNT(*) FROM orgs"), 1);
    }

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

    fn a_dead_secret_stays_dead_and_a_foreign_one_foreign(home: &Home) {
        let server = home.serve();
        home.import(&acme()).succeeds();
        let pair = [("dd-api-key", LASTING_KEY), ("dd-application-key", APPLICATION_KEY)];
        assert_eq!(server.delete(&format!("/api/v2/api_keys/{API_KEY_ID}"), &pair).0, 204);
        home.import(&acme()).fails(&["/orgs/0/api_keys/0/id: was revoked, and a dead key stays dead"]);
        let keys = json!([
            {"name": "revived", "secret": API_KEY},
            {"name": "stolen", "secret": LASTING_KEY},
            {"id": APPLICATION_KEY_ID, "name": "taken"},
        ]);
        let other = json!({"orgs": [{"name": "Other", "users": [{"email": "eve@example.com"}], "api_keys": keys}]});
        let length = home.ledger_length();
        home.import(&other).fails(&[
            "/orgs/0/api_keys/0/secret: was revoked, and a dead key stays dead",
            "/orgs/0/api_keys/1/secret: is the secret of another key",
            "/orgs/0/api_keys/2/id: is taken",
        ]);
        assert_eq!(home.ledger_length(), length);
        assert_eq!(server.verify(API_KEY), 401);
        server.stop();
    }

    fn limits_hold_for_what_is_there_and_what_comes(home: &Home) {
        let file = |names: &[&str]| {
            let keys: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
            let owned: Vec<_> = names.iter().map(|name| json!({"name": name, "owner": "a@b.c"})).collect();
            let settings = json!({"api_keys_max": 2, "application_keys_per_user_max": 2});
            let users = json!([{"email": "a@b.c"}]);
            json!({"orgs": [{"name": "Small", "settings": settings, "users": users, "api_keys": keys,
                "application_keys": owned}]})
        };
        let refusals = [
            "/orgs/0/api_keys: would make 3 API keys; this org may have 2",
            "/orgs/0/application_keys: would make 3 keys of a@b.c; a user may have 2",
        ];
        home.import(&file(&["one", "two", "three"])).fails(&refusals);
        home.import(&file(&["one", "two"])).succeeds();
        home.import(&file(&["one", "two", "three"])).fails(&refusals);
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

const PERSONAL_TOKEN: &str = "ddpat_0123456789ABCDEFGHIJab_0123456789abcdefghijklmnopqrstuvwxyz";
const SERVICE_TOKEN: &str = "ddsat_ABCDEFGHIJ0123456789ab_abcdefghijklmnopqrstuvwxyz0123456789";

/// Acme's people with tokens of theirs.
fn with_tokens() -> Value {
    let mut document = acme();
    let org = &mut document["orgs"][0];
    (org["api_keys"], org["application_keys"]) = (json!([]), json!([]));
    org["personal_access_tokens"] = json!([
        {"id": APPLICATION_KEY_ID, "name": "ada's", "owner": ADA, "secret": PERSONAL_TOKEN,
         "scopes": ["api_keys_read", "user_app_keys"], "expires_at": "2199-01-01T00:00:00.5Z",
         "created_at": "2021-02-03T04:05:06Z"},
    ]);
    org["service_access_tokens"] = json!([
        {"name": "bot's", "owner": "bot@example.com", "secret": SERVICE_TOKEN, "scopes": ["api_keys_read"]},
        {"name": "made", "owner": "bot@example.com", "scopes": ["monitors_read"]},
    ]);
    document
}

on_both_engines! {
    fn tokens_come_with_their_secrets_and_ends(home: &Home) {
        let outcome = home.import(&with_tokens()).succeeds();
        let all = "imported 1 org, 1 role, 3 users, 3 access tokens, 1 registration\n";
        assert!(outcome.stderr().ends_with(all), "{}", outcome.stderr());
        // Nobody is shown a token again, so that nothing of it is kept to be shown.
        assert_eq!(home.number("SELECT COUNT(*) FROM secrets WHERE sealed IS NOT NULL"), 0);
        let server = home.serve();
        let generated = made(&outcome.stdout(), "made");
        assert!(generated.starts_with("ddsat_"), "{generated}");
        for token in [PERSONAL_TOKEN, SERVICE_TOKEN, &generated] {
            let bearer = format!("Bearer {token}");
            assert_eq!(server.get("/api/v2/validate_keys", &[("authorization", &bearer)]).0, 200);
        }
        let alone = [("dd-application-key", PERSONAL_TOKEN)];
        let (status, list) = server.get("/api/v2/personal_access_tokens?filter=ada", &alone);
        assert_eq!(status, 200, "{list}");
        let list: Value = serde_json::from_str(&list).unwrap();
        assert_eq!(list["data"][0]["id"], APPLICATION_KEY_ID);
        assert_eq!(list["data"][0]["attributes"], json!({
            "created_at": "2021-02-03T04:05:06Z", "expires_at": "2199-01-01T00:00:00.5Z", "last_used_at": null,
            "name": "ada's", "public_portion": "0123456789ABCDEFGHIJab", "scopes": ["api_keys_read", "user_app_keys"],
        }));
        let length = home.ledger_length();
        let again = home.import(&with_tokens()).succeeds();
        assert_eq!(again.stderr(), "nothing to import\n");
        assert_eq!(home.ledger_length(), length);
        assert!(!server.stop().contains(&PERSONAL_TOKEN[29..]));
        home.run(&["ledger", "verify", "--state"]).succeeds();
    }

    fn every_fault_of_a_token_is_told(home: &Home) {
        home.import(&with_tokens()).succeeds();
        let length = home.ledger_length();
        let mut document = with_tokens();
        let org = &mut document["orgs"][0];
        org["settings"] = json!({"application_keys_per_user_max": 1000});
        org["personal_access_tokens"][0]["scopes"] = json!(["api_keys_read"]);
        org["personal_access_tokens"][0]["expires_at"] = json!("2198-01-01T00:00:00Z");
        let tokens = &mut org["personal_access_tokens"];
        add(tokens, json!({"name": "x", "owner": ADA}));
        add(tokens, json!({"name": "y", "owner": ADA, "scopes": [], "expires_at": "2199-01-01T00:00:00Z",
            "secret": SERVICE_TOKEN, "registered": true}));
        add(tokens, json!({"name": "z", "owner": "gone@example.com", "scopes": ["monitors_read"],
            "expires_at": "2199-01-01T00:00:00Z"}));
        let tokens = &mut org["service_access_tokens"];
        add(tokens, json!({"name": "hers", "owner": ADA, "scopes": ["nope"]}));
        add(tokens, json!({"name": "hers too", "owner": ADA, "scopes": ["monitors_read"]}));
        add(tokens, json!({"name": "again", "owner": "bot@example.com", "scopes": ["monitors_read"],
            "secret": SERVICE_TOKEN}));
        let outcome = home.import(&document).fails(&[
            "/orgs/0/personal_access_tokens/0/scopes: differs from what is there",
            "/orgs/0/personal_access_tokens/0/expires_at: differs from what is there",
            "/orgs/0/personal_access_tokens/1/scopes: is missing",
            "/orgs/0/personal_access_tokens/1/expires_at: is missing",
            "/orgs/0/personal_access_tokens/2/scopes: must have at least one scope",
            "/orgs/0/personal_access_tokens/2/secret: is malformed: a token is",
            "/orgs/0/personal_access_tokens/2/registered: is not a member here",
            "/orgs/0/personal_access_tokens/3/owner: is disabled",
            "/orgs/0/service_access_tokens/2/scopes/0: is no scope",
            "/orgs/0/service_access_tokens/3/owner: is a person, and this is a service account's token",
            "/orgs/0/service_access_tokens/4/secret: is given already at /orgs/0/service_access_tokens/0/secret",
        ]);
        assert!(!outcome.stderr().contains(SERVICE_TOKEN));
        assert_eq!(home.ledger_length(), length);
        let limited = json!({"orgs": [{"name": "Small", "settings": {"application_keys_per_user_max": 1},
            "users": [{"email": "bot@example.com", "kind": "service_account"}],
            "service_access_tokens": [
                {"name": "one", "owner": "bot@example.com", "scopes": ["monitors_read"]},
                {"name": "two", "owner": "bot@example.com", "scopes": ["monitors_read"]},
            ]}]});
        home.import(&limited).fails(&["/orgs/0/service_access_tokens: would make 2 keys of bot@example.com"]);
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

#[test]
fn what_is_no_json_is_refused_without_being_quoted() {
    let home = Home::new();
    for (text, why) in [
        ("{\"orgs\": [\"hunter2\"", "is not JSON: EOF while parsing"),
        ("{\"orgs\": [],\n \"orgs\": []}", "is not JSON: the member `orgs` stands twice at line 2"),
    ] {
        let file = home.write("import.json", text);
        let outcome = home.run(&["import", file.to_str().unwrap()]).fails(&["import.json", why]);
        assert!(!outcome.stderr().contains("hunter2"));
    }
    home.run(&["import", "absent.json"]).fails(&["absent.json cannot be read"]);
    home.import(&json!([]))
        .fails(&["the file has 1 fault, and nothing was imported:", "the file: must be an object"]);
    home.import(&json!({})).fails(&["/orgs: is missing"]);
}

/// What the control socket answers to these bytes.
fn converse(home: &Home, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(home.file("control.sock")).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_control_socket_is_private_answers_strangers_nothing_and_goes_with_its_server() {
    let home = Home::new();
    let server = home.serve();
    let mode = fs::metadata(home.file("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(converse(&home, b"GET / HTTP/1.1\r\n\r\n"), "");
    let answer = converse(&home, b"{\"command\": \"dance\"}");
    assert!(answer.contains("the server knows no command `dance`"), "{answer}");
    server.stop();
    assert!(!home.file("control.sock").exists());
}

#[test]
fn silent_connections_take_places_and_waiting_commands_get_them_back() {
    let home = Home::new();
    let server = home.serve();
    // Twice as many as there are places, saying nothing.
    let silent: Vec<_> = (0..8).map(|_| UnixStream::connect(home.file("control.sock")).unwrap()).collect();
    let file = home.write("import.json", &acme().to_string());
    let mut waiting = home.command(&["import", file.to_str().unwrap()]);
    waiting.stdout(Stdio::piped()).stderr(Stdio::piped());
    let waiting = waiting.spawn().unwrap();
    drop(silent);
    let outcome = Outcome(waiting.wait_with_output().unwrap()).succeeds();
    assert_eq!(outcome.stderr(), ALL);
    server.stop();
}

#[test]
fn a_socket_that_a_killed_server_left_is_replaced() {
    let home = Home::new();
    home.serve().kill();
    assert!(home.file("control.sock").exists());
    // Without a server, the command does the work itself and minds no socket.
    home.import(&acme()).succeeds();
    let server = home.serve();
    let outcome = home.import(&acme()).succeeds();
    assert_eq!(outcome.stderr(), "nothing to import\n");
    server.stop();
}

#[test]
fn whoever_has_the_directory_and_takes_no_commands_is_told_of() {
    let home = Home::new();
    home.run(&["init"]).succeeds();
    let lock = fs::File::open(home.file("lock")).unwrap();
    lock.try_lock().unwrap();
    home.import(&acme()).fails(&["the data directory is in use: ", "takes no commands"]);
}
