//! What cannot be imported is told by its place, all of it, and nothing is imported then.

use serde_json::json;

use crate::program::{Home, on_both_engines};
use crate::{ADA, API_KEY, API_KEY_ID, APPLICATION_KEY, APPLICATION_KEY_ID, LASTING_KEY, acme, add};

on_both_engines! {
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
