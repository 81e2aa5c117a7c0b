//! `/api/v2/actions/connections`

use serde_json::{Value, json};

use crate::support::connections::{ALL, body, emptied, examples, gitlab, http, made, patch};
use crate::support::{Keys, TestDatabase, TestServer, on_both_engines};

fn error(detail: &str) -> String {
    json!({ "errors": [{ "title": "Generic Error", "detail": detail }] }).to_string()
}

fn detail(answer: &Value) -> &str {
    answer["errors"][0]["detail"].as_str().unwrap()
}

/// What the server adds to AWS connections, which no two have alike.
fn without_made(mut integration: Value) -> Value {
    if let Some(credentials) = integration["credentials"].as_object_mut() {
        credentials.remove("external_id");
        credentials.remove("principal_id");
    }
    integration
}

on_both_engines! {
    async fn a_connection_of_each_type_lives_from_creation_to_deletion(server: &TestServer) {
        let admin = server.client();
        let examples = examples();
        assert_eq!(examples.len(), 25);
        for example in &examples {
            let name = example.credentials.as_str();
            let answer = admin.post(ALL, &body(name, &example.create)).await.expect(201);
            assert_eq!(answer.header("content-type"), "application/vnd.api+json", "{name}");
            assert!(answer.header("claviger-position").starts_with("1."), "{name}");
            let made = answer.json();
            assert_eq!(made["data"]["type"], "action_connection");
            let attributes = &made["data"]["attributes"];
            let shown = without_made(attributes["integration"].clone());
            assert_eq!(shown, emptied(&example.create, &example.secrets), "{name}");
            let mut members: Vec<_> = attributes.as_object().unwrap().keys().map(String::as_str).collect();
            members.sort_unstable();
            let expected = ["acting_user_can_resolve", "external_secrets_manager", "integration", "is_favorite",
                "name", "tags"];
            assert_eq!(members, expected, "{name}");
            assert_eq!(attributes["acting_user_can_resolve"], false);
            assert!(made["data"].get("relationships").is_none(), "{name}");

            let id = made["data"]["id"].as_str().unwrap();
            let path = format!("{ALL}/{id}");
            let read = admin.get(&path).await.expect(200).json();
            let user = server.founded.user.to_string();
            assert_eq!(read["data"]["relationships"],
                json!({ "created_by": { "data": { "type": "created_by", "id": user } } }));
            let attributes = &read["data"]["attributes"];
            assert_eq!(attributes["created_at"], "2026-03-04 05:06:07.123456 +0000 UTC");
            assert_eq!(attributes["last_updated"], attributes["created_at"]);
            assert_eq!((&attributes["acting_user_can_resolve"], &attributes["tags"]), (&json!(true), &json!(["env:test"])));
            assert_eq!(attributes["integration"], made["data"]["attributes"]["integration"]);

            let change = patch(json!({ "name": "New", "integration": example.update, "tags": [] }));
            let changed = admin.patch(&path, &change).await.expect(200).json();
            let attributes = &changed["data"]["attributes"];
            assert_eq!((&attributes["name"], &attributes["tags"]), (&json!("New"), &json!([])), "{name}");
            assert_eq!(attributes["acting_user_can_resolve"], false);
            let again = admin.get(&path).await.expect(200).json();
            assert_eq!(again["data"]["attributes"]["integration"], attributes["integration"], "{name}");
            let shown = &attributes["integration"];
            for (place, value) in example.update.as_object().unwrap() {
                if place != "credentials" {
                    assert_eq!(&shown[place], value, "{name} {place}");
                }
            }

            admin.delete(&path).await.expect(204);
            let gone = error("error deleting connection: rpc error: code = NotFound desc = connection not found");
            assert_eq!(admin.delete(&path).await.expect(404).text.parse::<Value>().unwrap(), gone.parse::<Value>().unwrap());
            admin.get(&path).await.expect(404);
        }
        server.verify_state().await;
    }

    async fn errors_are_the_recorded_ones(server: &TestServer) {
        let admin = server.client();
        let malformed = r#"{"errors":[{"title":"Generic Error","detail":"error connectionId not a valid UUID"}]}"#;
        let change = patch(json!({ "name": "x" }));
        for answer in [
            admin.get(&format!("{ALL}/x")).await,
            admin.patch(&format!("{ALL}/x"), &change).await,
            admin.delete(&format!("{ALL}/x")).await,
        ] {
            assert_eq!(answer.header("content-type"), "application/vnd.api+json");
            assert_eq!(answer.expect(400).text, malformed);
        }
        let path = format!("{ALL}/aaaaaaaa-1111-2222-3333-bbbbbbbbbbbb");
        let absent = |doing: &str| {
            format!(r#"{{"errors":[{{"title":"Generic Error","detail":"error {doing} connection: rpc error: code = NotFound desc = connection not found"}}]}}"#)
        };
        assert_eq!(admin.get(&path).await.expect(404).text, absent("getting"));
        assert_eq!(admin.patch(&path, &change).await.expect(404).text, absent("creating"));
        assert_eq!(admin.delete(&path).await.expect(404).text, absent("deleting"));
        // A body of a bad form is refused before its connection is looked for.
        let aws = json!({ "type": "AWS", "credentials": { "type": "AWSAssumeRole", "account_id": "1", "role": "R" } });
        let refused = admin.patch(&path, &patch(json!({ "integration": aws }))).await.expect(400).json();
        assert!(detail(&refused).contains("UpdateCustomConnectionRequest"), "{refused}");
    }

    async fn every_fault_is_named_and_nothing_is_stored(server: &TestServer) {
        let admin = server.client();
        let before = server.check_record().await.entries;
        let canary = "canary-0123456789abcdef";
        let mut wrong = gitlab(canary);
        wrong["credentials"]["surplus"] = json!(canary);
        wrong["credentials"]["api_token"] = json!(17);
        let bad = json!({ "data": { "type": "connection", "attributes": {
            "name": "", "tags": ["x", "default:y", 1], "integration": wrong, "unknown": true } } });
        let answer = admin.post(ALL, &bad).await.expect(400);
        assert!(!answer.text.contains(canary));
        let told = answer.json();
        let told = detail(&told);
        for place in ["/data/type", "/data/attributes/name", "/data/attributes/tags/0", "/data/attributes/tags/1",
            "/data/attributes/tags/2", "/data/attributes/unknown",
            "/data/attributes/integration/credentials/surplus",
            "/data/attributes/integration/credentials/api_token"] {
            assert!(told.contains(&format!("* {place} ")), "{place} in {told}");
        }
        assert!(told.contains("multiple errors: 8 errors occurred"), "{told}");
        let bad = [
            (json!({}), "/data is required"),
            (json!({ "data": [] }), "/data must be an object"),
            (json!({ "data": { "type": "action_connection" } }), "/data/attributes is required"),
            (body("x", &json!("text")), "/data/attributes/integration must be an object"),
            (body("x", &json!({ "type": "Nothing", "credentials": { "type": "GitlabAPIKey" } })), "/data/attributes/integration/type "),
            (body("x", &json!({ "type": "Gitlab", "credentials": { "type": "NotionAPIKey" } })), "NotionAPIKey is a type of Notion"),
            (body("x", &json!({ "type": "Gitlab", "credentials": { "type": "GitlabAPIKey" } })), "/credentials/api_token is required"),
        ];
        for (bad, fault) in bad {
            let answer = admin.post(ALL, &bad).await.expect(400).json();
            assert!(detail(&answer).contains(fault), "{fault} in {answer}");
        }
        assert_eq!(server.check_record().await.entries, before);
    }

    async fn bodies_may_be_large_but_not_endless(server: &TestServer) {
        let admin = server.client();
        let mut large = http("https://example.com", &"t".repeat(8192));
        large["credentials"]["body"]["content"] = json!("c".repeat(65_536));
        admin.post(ALL, &body("Large", &large)).await.expect(201);
        let mut larger = large.clone();
        larger["credentials"]["body"]["content"] = json!("c".repeat(65_537));
        larger["credentials"]["tokens"][0]["value"] = json!("t".repeat(8193));
        let answer = admin.post(ALL, &body("Larger", &larger)).await.expect(400).json();
        assert!(detail(&answer).contains("/credentials/body/content "), "{answer}");
        assert!(detail(&answer).contains("/credentials/tokens/0/value "), "{answer}");
        let mut endless = large;
        endless["credentials"]["body"]["content"] = json!("c".repeat(256 * 1024));
        admin.post(ALL, &body("Endless", &endless)).await.expect(413);
    }

    async fn secrets_go_nowhere_that_they_were_not_given_for(server: &TestServer) {
        let admin = server.client();
        let id = made(&admin, &http("https://example.com/a", "canary-of-the-token")).await;
        let path = format!("{ALL}/{id}");
        let away = |credentials: Value| patch(json!({ "integration": {
            "type": "HTTP", "base_url": "https://elsewhere.example", "credentials": credentials } }));
        let refused = admin.patch(&path, &away(json!({ "type": "HTTPTokenAuth" }))).await.expect(400).json();
        assert!(detail(&refused).contains("/data/attributes/integration/credentials/tokens must bring token1 anew"), "{refused}");
        let kept = admin.get(&path).await.expect(200).json();
        assert_eq!(kept["data"]["attributes"]["integration"]["base_url"], "https://example.com/a");
        // Who brings it anew may.
        let tokens = json!([{ "name": "token1", "type": "SECRET", "value": "another" }]);
        admin.patch(&path, &away(json!({ "type": "HTTPTokenAuth", "tokens": tokens }))).await.expect(200);
        // So may who deletes it, with what used it.
        let nothing = json!({ "type": "HTTPTokenAuth", "tokens": [{ "name": "token1", "type": "SECRET", "value": "", "deleted": true }],
            "headers": [{ "name": "X-Key", "value": "plain" }], "body": {} });
        let back = patch(json!({ "integration": { "type": "HTTP", "base_url": "https://third.example", "credentials": nothing } }));
        admin.patch(&path, &back).await.expect(200);
        server.verify_state().await;
    }

    /// To the same host too: a parameter is in its access log, and what some bodies hold is published.
    async fn a_token_is_sent_otherwise_only_by_whoever_brings_it(server: &TestServer) {
        let admin = server.client();
        let integration = http("https://example.com", "canary-of-the-token");
        let content = integration["credentials"]["body"]["content"].clone();
        let path = format!("{ALL}/{}", made(&admin, &integration).await);
        let with = |fields: &Value, token: Option<&str>| {
            let mut credentials = fields.clone();
            credentials["type"] = json!("HTTPTokenAuth");
            if let Some(token) = token {
                credentials["tokens"] = json!([{ "name": "token1", "type": "SECRET", "value": token }]);
            }
            patch(json!({ "integration": { "type": "HTTP", "credentials": credentials } }))
        };
        let read = admin.get(&path).await.expect(200).json();
        let before = server.check_record().await.entries;
        let moves = [
            (json!({ "url_parameters": [{ "name": "page", "value": "{{ token1 }}" }] }), "url_parameters/page"),
            (json!({ "headers": [{ "name": "X-Key", "value": "v={{ token1 }}" }] }), "headers/X-Key"),
            (json!({ "headers": [{ "name": "X-Key", "deleted": true }, { "name": "User-Agent", "value": "{{ token1 }}" }] }), "headers/User-Agent"),
            (json!({ "body": { "content": "{\"comment\": \"{{ token1 }}\"}", "content_type": "application/json" } }), "body"),
            (json!({ "body": { "content": content, "content_type": "text/plain" } }), "body"),
            (json!({ "headers": [{ "name": "content-type", "value": "text/plain" }] }), "body"),
        ];
        for (fields, place) in &moves {
            let refused = admin.patch(&path, &with(fields, None)).await.expect(400);
            let expected = format!(
                "/data/attributes/integration/credentials/tokens must bring token1 anew, since it would be sent otherwise: in {place}");
            assert!(detail(&refused.json()).trim_end().ends_with(&expected), "{}", refused.text);
        }
        assert_eq!(admin.get(&path).await.expect(200).json(), read, "nothing half done");
        assert_eq!(server.check_record().await.entries, before);
        // What leaves the token where it is asks for nothing: all of it again, and what names none.
        let shown = &read["data"]["attributes"]["integration"]["credentials"];
        let same = json!({ "headers": shown["headers"], "body": shown["body"], "url_parameters": [{ "name": "page", "value": "2" }] });
        admin.patch(&path, &with(&same, None)).await.expect(200);
        // Nor does naming it less; but naming it again is a move.
        let header = |name: &str| json!({ "headers": [{ "name": name, "value": "{{ token1 }}" }] });
        admin.patch(&path, &with(&json!({ "headers": [{ "name": "X-Key", "deleted": true }] }), None)).await.expect(200);
        admin.patch(&path, &with(&header("X-Key"), None)).await.expect(400);
        // Who knows the token may have it sent as they like.
        for (fields, _) in &moves {
            admin.patch(&path, &with(fields, Some("canary-brought-anew"))).await.expect(200);
        }
        server.verify_state().await;
    }

    async fn an_external_id_stays_until_a_new_one_is_asked_for(server: &TestServer) {
        let admin = server.client();
        let aws = |role: &str| json!({ "type": "AWS", "credentials": {
            "type": "AWSAssumeRole", "account_id": "123456789012", "role": role } });
        let made = admin.post(ALL, &body("AWS", &aws("One"))).await.expect(201).json();
        let credentials = |answer: &Value| answer["data"]["attributes"]["integration"]["credentials"].clone();
        let first = credentials(&made)["external_id"].clone();
        assert_eq!(first.as_str().unwrap().len(), 32);
        assert_eq!(credentials(&made)["principal_id"], "000000000000");
        let path = format!("{ALL}/{}", made["data"]["id"].as_str().unwrap());
        server.clock.advance_micros(1);
        let renamed = admin.patch(&path, &patch(json!({ "integration": aws("Two") }))).await.expect(200).json();
        assert_eq!((&credentials(&renamed)["role"], &credentials(&renamed)["external_id"]), (&json!("Two"), &first));
        assert_eq!(renamed["data"]["attributes"]["last_updated"], "2026-03-04 05:06:07.123457 +0000 UTC");
        assert_eq!(renamed["data"]["attributes"]["created_at"], "2026-03-04 05:06:07.123456 +0000 UTC");
        let mut anew = aws("Two");
        anew["credentials"]["generate_new_external_id"] = json!(true);
        let renewed = admin.patch(&path, &patch(json!({ "integration": anew }))).await.expect(200).json();
        assert_ne!(credentials(&renewed)["external_id"], first);
    }

    async fn asking_for_nothing_changes_nothing(server: &TestServer) {
        let admin = server.client();
        let path = format!("{ALL}/{}", made(&admin, &gitlab("glpat-canary-canary")).await);
        let before = admin.get(&path).await.expect(200).json();
        let entries = server.check_record().await.entries;
        server.clock.advance_micros(1);
        let mut same = admin.patch(&path, &patch(json!({}))).await.expect(200).json();
        same["data"]["attributes"]["acting_user_can_resolve"] = json!(true);
        assert_eq!(same, before);
        assert_eq!(server.check_record().await.entries, entries);
        // A type cannot change, not even to another of the same integration's.
        let other = json!({ "integration": { "type": "Notion", "credentials": { "type": "NotionAPIKey", "api_token": "x" } } });
        let refused = admin.patch(&path, &patch(other)).await.expect(400).json();
        assert!(detail(&refused).contains("cannot be changed: the connection is of the type Gitlab"), "{refused}");
    }

    async fn another_orgs_connection_is_absent(server: &TestServer) {
        let admin = server.client();
        let path = format!("{ALL}/{}", made(&admin, &gitlab("glpat-canary-canary")).await);
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        foreign.get(&path).await.expect(404);
        foreign.patch(&path, &patch(json!({ "name": "Mine" }))).await.expect(404);
        foreign.delete(&path).await.expect(404);
        assert_eq!(admin.get(&path).await.expect(200).json()["data"]["attributes"]["name"], "Made");
    }
}
