//! Access tokens of people and of service accounts.

use serde_json::{Value, json};

use crate::program::{Home, on_both_engines};
use crate::{ADA, APPLICATION_KEY_ID, acme, add, made};

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
