//! Which accounts there are to whoever asks, and what may be handed to them.

use claviger_model::{Permission, PermissionSet};
use serde_json::{Value, json};

use super::{PATH, account, reference};
use crate::support::edit::Edit;
use crate::support::people::{API_KEYS_READ, built_in_role, role};
use crate::support::sample::application_key;
use crate::support::tokens::{service_access_token, service_account, service_account_key};
use crate::support::{Keys, Setup, TestDatabase, TestServer, on_both_engines, with_either_database};

const FAMILIES: [&str; 2] = ["application_keys", "access_tokens"];

fn new(family: &str, scopes: Value) -> Value {
    let kind = if family == "access_tokens" { "service_access_tokens" } else { family };
    json!({ "data": { "type": kind, "attributes": { "name": "x", "scopes": scopes } } })
}

on_both_engines! {
    async fn what_is_no_account_of_the_org_is_not_there(server: &TestServer) {
        let client = server.client();
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        let theirs = service_account(&foreign, json!([])).await;
        let person = server.founded.user.to_string();
        for id in [theirs, person, server.founded.org.to_string(), "invalidId".to_owned()] {
            for family in FAMILIES {
                let all = format!("{PATH}/{id}/{family}");
                let one = format!("{all}/{}", server.founded.application_key_id);
                let kind = if family == "access_tokens" { "service_access_tokens" } else { family };
                let patch = json!({ "data": { "type": kind, "id": server.founded.application_key_id.to_string(),
                    "attributes": { "name": "x" } } });
                for answer in [
                    client.get(&all).await,
                    client.post(&all, &new(family, json!(["monitors_read"]))).await,
                    client.get(&one).await,
                    client.patch(&one, &patch).await,
                    client.delete(&one).await,
                ] {
                    assert_eq!(answer.expect(404).text, r#"{"errors":["Service account not found"]}"#);
                }
            }
        }
        client.get("/api/v2/validate_keys").await.expect(200);
    }

    /// A narrowed caller makes nothing that may do more than itself, whatever the account may.
    async fn a_narrowed_caller_hands_on_no_more_than_it_has(server: &TestServer) {
        let client = server.client();
        let id = service_account(&client, json!([])).await;
        let narrow = application_key(&client, json!(["service_account_write", "monitors_read"])).await;
        let narrow = server.client_with(Keys { application_key: Some(narrow.secret), ..server.admin() });
        for family in FAMILIES {
            let all = format!("{PATH}/{id}/{family}");
            narrow.post(&all, &new(family, json!(["monitors_read", "dashboards_read"]))).await.expect(403);
            narrow.post(&all, &new(family, json!(["monitors_read"]))).await.expect(201);
        }
        narrow.post(&format!("{PATH}/{id}/application_keys"), &new("application_keys", Value::Null)).await.expect(403);
        let token = service_access_token(&client, &id, json!(["monitors_read"])).await;
        let wider = json!({ "data": { "type": "service_access_tokens", "id": token.id,
            "attributes": { "scopes": ["dashboards_read"] } } });
        narrow.patch(&format!("{PATH}/{id}/access_tokens/{}", token.id), &wider).await.expect(403);
        let admin = built_in_role(&client, "Datadog Admin Role").await;
        let attributes = json!({ "email": "x@example.com", "service_account": true });
        narrow.post(PATH, &account(attributes, json!([reference(&admin)]))).await.expect(403);
    }
}

with_either_database! {
    /// Whoever manages service accounts and not everybody's access gets at no right through an account that they do
    /// not have themselves.
    async fn a_mighty_account_lends_its_rights_to_nobody(database: TestDatabase) {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let mighty = service_account(&admin, json!([reference(&built_in_role(&admin, "Datadog Admin Role").await)])).await;
        let reader = service_account(&admin, json!([reference(&role(&admin, &[API_KEYS_READ]).await)])).await;
        let key = service_account_key(&admin, &mighty, json!(["monitors_read"])).await;
        let token = service_access_token(&admin, &mighty, json!(["monitors_read"])).await;
        let its = application_key(&admin, Value::Null).await;
        let mut edit = Edit::default();
        let rights = [Permission::SERVICE_ACCOUNT_WRITE, Permission::API_KEYS_READ, Permission::ORG_APP_KEYS_WRITE];
        let manager = edit.add_user(server.founded.org, &PermissionSet::from_iter(rights));
        edit.give(its.id.parse().unwrap(), manager);
        let halted = server.halt().await;
        edit.run(&halted.database).await;
        let server = halted.start(Setup::default()).await;
        let manager = server.client_with(Keys { application_key: Some(its.secret), ..server.admin() });
        for family in FAMILIES {
            let all = |id: &str| format!("{PATH}/{id}/{family}");
            manager.post(&all(&mighty), &new(family, json!(["api_keys_write"]))).await.expect(403);
            manager.post(&all(&mighty), &new(family, json!(["api_keys_read"]))).await.expect(201);
            // Scopes are no rights: what the account may not, its key may not.
            manager.post(&all(&reader), &new(family, json!(["api_keys_write"]))).await.expect(201);
        }
        let all = format!("{PATH}/{mighty}/application_keys");
        manager.post(&all, &new("application_keys", Value::Null)).await.expect(403);
        let widening = [
            (format!("{PATH}/{mighty}/application_keys/{}", key.id), "application_keys", &key.id),
            (format!("/api/v2/application_keys/{}", key.id), "application_keys", &key.id),
            (format!("{PATH}/{mighty}/access_tokens/{}", token.id), "service_access_tokens", &token.id),
            (format!("/api/v2/personal_access_tokens/{}", token.id), "personal_access_tokens", &token.id),
        ];
        for (path, kind, id) in widening {
            let scopes = |scopes: Value| json!({ "data": { "type": kind, "id": id, "attributes": { "scopes": scopes } } });
            manager.patch(&path, &scopes(json!(["monitors_read", "api_keys_write"]))).await.expect(403);
            // What it has already is not added.
            manager.patch(&path, &scopes(json!(["monitors_read", "api_keys_read"]))).await.expect(200);
            manager.patch(&path, &scopes(json!(["monitors_read"]))).await.expect(200);
        }
        let attributes = json!({ "email": "x@example.com", "service_account": true });
        let admins = json!([reference(&built_in_role(&server.client(), "Datadog Admin Role").await)]);
        manager.post(PATH, &account(attributes, admins)).await.expect(403);
        server.stop().await;
    }
}
