//! `/claviger/v1/connections`: made, shown, changed and deleted.

pub(crate) mod calls;
mod checks;
mod dry_run;
mod events;
mod history;
mod list;
mod moving;
mod proofs;
mod terms;
mod test;

pub(super) use calls::listed;

use serde_json::{Value, json};

use super::fields;
use crate::support::native_connections::{CONNECTIONS as PATH, aws, gitlab, http, made, path_of};
use crate::support::people::Member;
use crate::support::{Keys, START, TestDatabase, TestServer, on_both_engines};

const SECRET: &str = "glpat-canary-canary-1";
/// A customer's API at AWS: a connection reaches it only by naming it.
const API: &str = "a1b2c3.execute-api.eu-west-1.amazonaws.com";

/// The terms of a connection for which none were given.
fn usual_terms() -> Value {
    json!({ "rules": [], "audit": "batched", "retries": 0, "concurrency": null, "timeout_seconds": null, "check_every_seconds": null })
}

/// A registered application key of somebody's.
async fn registered_key(server: &TestServer, member: &Member) -> String {
    let org = server.founded.org.to_string();
    let key = json!({ "name": "registered", "owner": member.id, "registered": true });
    let document = json!({ "orgs": [{ "id": org, "application_keys": [key] }] });
    let imported = server.engine.import(&document).await.unwrap();
    imported.secrets[0].secret.reveal().to_owned()
}

on_both_engines! {
    async fn a_connection_lives_from_create_to_delete(server: &TestServer) {
        let admin = server.client();
        let more = json!({ "tags": ["env:test", "team:a", "env:test"], "expires_at": "2026-04-01T00:00:00Z" });
        let shown = made(&admin, "CI", &gitlab(SECRET), more).await;
        let expected = json!({
            "id": shown["id"], "dialect": "datadog", "name": "CI", "type": "Gitlab",
            "credential_type": "GitlabAPIKey", "tags": ["env:test", "team:a"], "hosts": [],
            "allowed_hosts": ["gitlab.com"], "secrets": ["api_token"], "restricted": false, "resolvable": true,
            "expires_at": "2026-04-01T00:00:00Z", "expired": false,
            "created_at": START, "created_by": shown["created_by"],
            "modified_at": START, "modified_by": shown["created_by"],
            "last_used_at": null, "health": null, "integration": gitlab(""), "terms": usual_terms(), "warnings": [],
        });
        assert_eq!(shown, expected);

        let path = path_of(&shown);
        let mut read = expected.clone();
        read.as_object_mut().unwrap().remove("warnings");
        assert_eq!(admin.get(&path).await.expect(200).json(), read);
        let mut listed = read.clone();
        listed.as_object_mut().unwrap().retain(|name, _| name != "integration" && name != "terms");
        assert_eq!(admin.get(PATH).await.expect(200).json(), json!({ "connections": [listed], "total": 1 }));

        server.clock.advance_micros(1_000_000);
        let patch = json!({ "name": "CI 2", "tags": [], "expires_at": null, "integration": gitlab("glpat-other-other-2") });
        let answer = admin.patch(&path, &patch).await.expect(200);
        assert!(answer.header("claviger-position").starts_with("1."));
        let changed = answer.json();
        assert_eq!((&changed["name"], &changed["tags"], &changed["expires_at"]), (&json!("CI 2"), &json!([]), &Value::Null));
        assert_eq!(changed["modified_at"], "2026-03-04T05:06:08.123456Z");

        admin.delete(&path).await.expect(204);
        for answer in [
            admin.get(&path).await,
            admin.patch(&path, &patch).await,
            admin.delete(&path).await,
            admin.get(&format!("{PATH}/nothing")).await,
        ] {
            assert_eq!(answer.expect(404).text, r#"{"errors":[{"code":"not_found","detail":"Connection not found"}]}"#);
        }
        server.verify_state().await;
    }

    /// The server's time alone decides, without a change.
    async fn an_end_comes_by_itself(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "n", &gitlab(SECRET), json!({ "expires_at": "2026-03-04T05:06:08Z" })).await);
        assert_eq!(admin.get(&path).await.expect(200).json()["expired"], false);
        server.clock.advance_micros(1_000_000);
        assert_eq!(admin.get(&path).await.expect(200).json()["expired"], true);
        let named = fields(&admin.patch(&path, &json!({ "expires_at": "2026-03-04T05:06:08.1Z" })).await.expect(400));
        assert_eq!(named, ["expires_at"]);
        // Other changes leave what has ended as it is.
        assert_eq!(admin.patch(&path, &json!({ "name": "x" })).await.expect(200).json()["expired"], true);
        let later = json!({ "expires_at": "2027-01-01T00:00:00Z" });
        assert_eq!(admin.patch(&path, &later).await.expect(200).json()["expired"], false);
        server.verify_state().await;
    }

    async fn everything_that_is_wrong_is_named(server: &TestServer) {
        let admin = server.client();
        let long_host = format!("{}.example", "x".repeat(64));
        let body = json!({
            "name": " ",
            "integration": { "type": "Gitlab", "credentials": { "type": "GitlabAPIKey", "api_token": "", "x": SECRET } },
            "tags": ["env", "default:x", "a:b"], "hosts": ["127.1", long_host, 1],
            "expires_at": "tomorrow", "surplus": 1,
        });
        let expected = [
            "expires_at", "hosts/0", "hosts/1", "hosts/2", "integration/credentials/api_token",
            "integration/credentials/x", "name", "surplus", "tags/0", "tags/1",
        ];
        let answer = admin.post(PATH, &body).await.expect(400);
        assert_eq!(fields(&answer), expected);
        assert!(!answer.text.contains(SECRET), "{}", answer.text);
        let path = path_of(&made(&admin, "n", &gitlab(SECRET), Value::Null).await);
        let expected = [&expected[..6], &expected[6..]].concat();
        let answer = admin.patch(&path, &body).await.expect(400);
        assert_eq!(fields(&answer), expected);

        // What only shows once the rest fits.
        let past = json!({ "name": "n", "integration": gitlab(SECRET), "hosts": ["evil.example"], "expires_at": "2026-01-01T00:00:00Z" });
        assert_eq!(fields(&admin.post(PATH, &past).await.expect(400)), ["expires_at", "hosts/0"]);
        for (body, field) in [
            (json!([]), ""),
            (json!({ "name": "n" }), "integration"),
            (json!({ "integration": gitlab(SECRET) }), "name"),
            (json!({ "name": "n", "integration": gitlab(SECRET), "tags": "a:b" }), "tags"),
            (json!({ "name": "n", "integration": gitlab(SECRET), "hosts": null }), "hosts"),
            (json!({ "name": "n", "integration": null }), "integration"),
        ] {
            assert_eq!(fields(&admin.post(PATH, &body).await.expect(400)), [field], "{body}");
        }
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 1);
    }

    /// Another type, and a host that changes without its secret, are refused; with it, both may change.
    async fn an_editor_cannot_aim_a_secret_elsewhere(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "n", &http("https://a.example", "canary-1"), Value::Null).await);
        let elsewhere = |integration| json!({ "integration": integration });
        let bare = json!({ "type": "HTTP", "base_url": "https://evil.example", "credentials": { "type": "HTTPTokenAuth" } });
        let answer = admin.patch(&path, &elsewhere(bare)).await.expect(400);
        assert_eq!(fields(&answer), ["integration/credentials/tokens"]);
        assert_eq!(fields(&admin.patch(&path, &elsewhere(gitlab(SECRET))).await.expect(400)), ["integration/type"]);
        assert_eq!(admin.get(&path).await.expect(200).json()["allowed_hosts"], json!(["https://a.example"]));
        let anew = admin.patch(&path, &elsewhere(http("https://b.example", "canary-2"))).await.expect(200).json();
        assert_eq!(anew["allowed_hosts"], json!(["https://b.example"]));
        server.verify_state().await;
    }

    /// A host that stays is not enough: each token that a change would have sent otherwise is named.
    async fn an_editor_cannot_have_a_token_sent_otherwise(server: &TestServer) {
        let admin = server.client();
        let mut integration = http("https://a.example", "canary-1");
        let second = json!({ "name": "token2", "type": "SECRET", "value": "canary-2" });
        integration["credentials"]["tokens"].as_array_mut().unwrap().push(second);
        let path = path_of(&made(&admin, "n", &integration, Value::Null).await);
        let read = admin.get(&path).await.expect(200).json();
        let parameters = json!([{ "name": "one", "value": "{{ token1 }}" }, { "name": "both", "value": "{{ token2 }}{{ token1 }}" }]);
        let change = |tokens: Value| json!({ "name": "moved", "integration": { "type": "HTTP", "credentials": {
            "type": "HTTPTokenAuth", "url_parameters": parameters, "tokens": tokens } } });
        let token = |name: &str| json!({ "name": name, "type": "SECRET", "value": "canary-3" });

        for (tokens, missing) in [
            (json!([]), &["token1 anew, since it would be sent otherwise: in url_parameters/one, url_parameters/both",
                "token2 anew, since it would be sent otherwise: in url_parameters/both"][..]),
            (json!([token("token1")]), &["token2 anew, since it would be sent otherwise: in url_parameters/both"]),
        ] {
            let answer = admin.patch(&path, &change(tokens)).await.expect(400);
            assert_eq!(fields(&answer), vec!["integration/credentials/tokens"; missing.len()]);
            assert!(missing.iter().all(|text| answer.text.contains(text)), "{}", answer.text);
        }
        assert_eq!(admin.get(&path).await.expect(200).json(), read);
        let moved = admin.patch(&path, &change(json!([token("token1"), token("token2")]))).await.expect(200).json();
        assert_eq!(moved["integration"]["credentials"]["url_parameters"], parameters);
        server.verify_state().await;
    }

    async fn a_customers_api_at_aws_is_named_by_its_host(server: &TestServer) {
        let admin = server.client();
        let shown = made(&admin, "n", &aws(), json!({ "hosts": [API, API] })).await;
        assert_eq!((&shown["hosts"], &shown["secrets"]), (&json!([API]), &json!([])));
        let path = path_of(&shown);
        for host in ["evil.example", "i-1.compute.amazonaws.com"] {
            assert_eq!(fields(&admin.patch(&path, &json!({ "hosts": [host] })).await.expect(400)), ["hosts/0"]);
        }
        let many: Vec<_> = (0..21).map(|number| format!("a{number}.execute-api.eu-west-1.amazonaws.com")).collect();
        assert_eq!(fields(&admin.patch(&path, &json!({ "hosts": many })).await.expect(400)), ["hosts"]);
        // Nor is what comes after the twentieth passed over, where those before are the same.
        let repeated = [vec![API; 20], vec!["not a host"]].concat();
        assert_eq!(fields(&admin.patch(&path, &json!({ "hosts": repeated })).await.expect(400)), ["hosts"]);
        assert_eq!(admin.patch(&path, &json!({ "hosts": [] })).await.expect(200).json()["hosts"], json!([]));
        server.verify_state().await;
    }

    async fn a_body_of_256_kib_is_taken_and_a_larger_one_is_not(server: &TestServer) {
        let admin = server.client();
        let mut integration = http("https://a.example", &"x".repeat(8192));
        integration["credentials"]["body"] = json!({ "content": "y".repeat(65_536), "content_type": "text/plain" });
        let text = json!({ "name": "n", "integration": integration }).to_string();
        let padded = |length: usize| format!("{}{text}", " ".repeat(length - text.len()));
        let send = async |body: String| admin.send(http::Method::POST, PATH, &[], Some(body)).await;
        send(padded(256 * 1024)).await.expect(201);
        send(padded(256 * 1024 + 1)).await.expect(413);
        assert_eq!(admin.get(PATH).await.expect(200).json()["total"], 1);
    }

    async fn another_org_reaches_none(server: &TestServer) {
        let path = path_of(&made(&server.client(), "n", &gitlab(SECRET), Value::Null).await);
        let other = server.client_with(Keys::of(&server.found_another("Other").await));
        other.get(&path).await.expect(404);
        other.patch(&path, &json!({ "name": "x" })).await.expect(404);
        other.delete(&path).await.expect(404);
        assert_eq!(other.get(PATH).await.expect(200).json(), json!({ "connections": [], "total": 0 }));
    }

    async fn an_unregistered_key_manages_none(server: &TestServer) {
        let admin = server.client();
        let path = path_of(&made(&admin, "n", &gitlab(SECRET), Value::Null).await);
        let key = crate::support::sample::application_key(&admin, Value::Null).await.secret;
        let unregistered = server.client_with(Keys { application_key: Some(key), ..server.admin() });
        let new = json!({ "name": "n", "integration": gitlab(SECRET) });
        for answer in [
            unregistered.get(PATH).await,
            unregistered.get(&path).await,
            unregistered.post(PATH, &new).await,
            unregistered.post(&format!("{PATH}?dry_run=true"), &new).await,
            unregistered.patch(&path, &json!({ "name": "x" })).await,
            unregistered.delete(&path).await,
        ] {
            assert_eq!(answer.expect(403).json()["errors"][0]["code"], "unregistered");
        }
    }
}
