//! `/api/v2/roles`

use claviger_engine::ImportError;
use http::Method;
use serde_json::{Value, json};

use crate::support::people::{API_KEYS_READ, Member, built_in_role, id_of, role, user};
use crate::support::{Answer, Client, Keys, TestDatabase, TestServer, on_both_engines, until};

const PATH: &str = "/api/v2/roles";
const API_KEYS_WRITE: &str = "3e4d4d28-f923-11ea-adbc-e3565938c12e";
const NOBODY: &str = "00000000-dead-beef-dead-ffffffffffff";

fn named(name: &str) -> Value {
    json!({ "data": { "type": "roles", "attributes": { "name": name } } })
}

fn patch(id: &str, attributes: Value, permissions: Option<&[&str]>) -> Value {
    let mut body = json!({ "data": { "type": "roles", "id": id, "attributes": attributes } });
    if let Some(ids) = permissions {
        let ids: Vec<_> = ids.iter().map(|id| json!({ "type": "permissions", "id": id })).collect();
        body["data"]["relationships"] = json!({ "permissions": { "data": ids } });
    }
    body
}

fn permission(id: &str) -> String {
    json!({ "data": { "type": "permissions", "id": id } }).to_string()
}

fn member(id: &str) -> String {
    json!({ "data": { "type": "users", "id": id } }).to_string()
}

async fn send(client: &Client, method: Method, path: String, body: String) -> Answer {
    client.send(method, &path, &[], Some(body)).await
}

/// The names of what a role allows.
async fn allowed(client: &Client, id: &str) -> Vec<String> {
    let list = client.get(&format!("{PATH}/{id}/permissions")).await.expect(200).json();
    let name = |item: &Value| item["attributes"]["name"].as_str().unwrap().to_owned();
    list["data"].as_array().unwrap().iter().map(name).collect()
}

on_both_engines! {
    async fn a_role_lives_from_create_to_removal(server: &TestServer) {
        let client = server.client();
        let answer = client.post(PATH, &named("Readers")).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/vnd.api+json");
        let made = answer.json();
        let id = id_of(&made);
        let attributes = json!({ "name": "Readers", "managed": false, "created_at": "2026-03-04T05:06:07.123456Z",
            "modified_at": "2026-03-04T05:06:07.123456Z" });
        assert_eq!(made["data"]["attributes"], attributes);
        assert_eq!(allowed(&client, &id).await.len(), 10, "the restricted ones");

        let path = format!("{PATH}/{id}");
        let read = client.get(&path).await.expect(200).json();
        assert_eq!(read["data"]["attributes"]["user_count"], 0);
        assert_eq!(read["data"]["attributes"]["created_by_handle"], "admin@example.com");
        assert_eq!(read["data"]["attributes"]["modified_by_handle"], "admin@example.com");
        assert_eq!(read["data"]["relationships"], made["data"]["relationships"]);

        server.clock.advance_micros(1_000_000);
        let renamed = client.patch(&path, &patch(&id, json!({ "name": "Lectors" }), None)).await.expect(200).json();
        assert_eq!(renamed["data"]["attributes"]["name"], "Lectors");
        assert_eq!(renamed["data"]["attributes"]["modified_at"], "2026-03-04T05:06:08.123456Z");
        assert_eq!(renamed["data"]["relationships"], made["data"]["relationships"], "it allows what it did");

        client.delete(&path).await.expect(204);
        let gone = r#"{"errors":[{"title":"Generic Error","detail":"could not find the uuid."}]}"#;
        assert_eq!(client.get(&path).await.expect(404).text, gone);
        assert_eq!(client.delete(&path).await.expect(404).text, format!(r#"{{"errors":["{id} not found"]}}"#));
        // Its id is nobody's any more, not even an import's.
        let document = json!({ "orgs": [{ "id": server.founded.org.to_string(),
            "roles": [{ "id": id, "name": "Lectors" }] }] });
        let Err(ImportError::Faults(faults)) = server.engine.import(&document).await else {
            panic!("it must be refused")
        };
        assert_eq!(faults[0].to_string(), "/orgs/0/roles/0/id: is taken: a role of this id was removed");
        // The name is free again.
        client.post(PATH, &named("Lectors")).await.expect(200);
        server.verify_state().await;
    }

    async fn permissions_are_replaced_with_the_defaults_unless_these_are_declined(server: &TestServer) {
        let client = server.client();
        let id = id_of(&client.post(PATH, &named("Writers")).await.expect(200).json());
        let path = format!("{PATH}/{id}");
        client.patch(&path, &patch(&id, json!({}), Some(&[API_KEYS_READ]))).await.expect(200);
        let names = allowed(&client, &id).await;
        assert_eq!(names.len(), 11);
        assert!(names.contains(&"api_keys_read".to_owned()));
        let declined = json!({ "default_permissions_opt_out": true });
        client.patch(&path, &patch(&id, declined, Some(&[API_KEYS_WRITE]))).await.expect(200);
        assert_eq!(allowed(&client, &id).await, ["api_keys_write"]);
        let bare = role(&client, &[]).await;
        assert!(allowed(&client, &bare).await.is_empty());
        server.verify_state().await;
    }

    async fn one_permission_is_granted_and_revoked(server: &TestServer) {
        let client = server.client();
        let id = role(&client, &[]).await;
        let path = || format!("{PATH}/{id}/permissions");
        for _ in 0..2 {
            let list = send(&client, Method::POST, path(), permission(API_KEYS_READ)).await.expect(200);
            assert_eq!(list.header("content-type"), "application/vnd.api+json");
            assert_eq!(list.json()["data"][0]["id"], API_KEYS_READ);
        }
        for _ in 0..2 {
            let list = send(&client, Method::DELETE, path(), permission(API_KEYS_READ)).await.expect(200);
            assert_eq!(list.text, r#"{"data":[]}"#);
        }
        let unknown = permission("11111111-dead-beef-dead-ffffffffffff");
        let refused = send(&client, Method::DELETE, path(), unknown).await.expect(400);
        assert_eq!(refused.text, r#"{"errors":["Invalid input "]}"#);
        let absent = send(&client, Method::DELETE, format!("{PATH}/{NOBODY}/permissions"), permission(API_KEYS_READ));
        assert_eq!(absent.await.expect(404).text, format!(r#"{{"errors":["{NOBODY} not found"]}}"#));
        server.verify_state().await;
    }

    async fn what_does_not_fit_is_told_as_recorded(server: &TestServer) {
        let client = server.client();
        let id = id_of(&client.post(PATH, &named("Taken")).await.expect(200).json());
        let path = format!("{PATH}/{id}");
        let mismatch = client.patch(&path, &patch(NOBODY, json!({ "name": "x" }), None)).await.expect(422);
        let sentence = "The id attribute in the request body does not match the role_id in the URL";
        assert_eq!(mismatch.text, format!(r#"{{"errors":["{sentence}"]}}"#));
        let unknown = patch(&id, json!({}), Some(&["11111111-dead-beef-dead-ffffffffffff"]));
        assert_eq!(client.patch(&path, &unknown).await.expect(400).text, r#"{"errors":["Invalid input "]}"#);
        let absent = client.patch(&format!("{PATH}/{NOBODY}"), &patch(NOBODY, json!({ "name": "x" }), None)).await;
        assert_eq!(absent.expect(404).text, format!(r#"{{"errors":["{NOBODY} not found"]}}"#));
        let clone = format!("{path}/clone");
        let taken = r#"{"errors": ["A role with the same name already exists"]}"#;
        for (path, body) in [(clone.as_str(), named("Taken")), (PATH, named("Taken"))] {
            assert_eq!(client.post(path, &body).await.expect(409).text, taken);
        }
        let blank = client.post(&clone, &named("  ")).await.expect(400);
        assert_eq!(blank.text, r#"{"errors": ["Role names cannot be only whitespace"]}"#);
        client.post(&format!("{PATH}/{NOBODY}/clone"), &named("x")).await.expect(404);
        let inherited = json!({ "data": { "type": "roles",
            "attributes": { "name": "x", "receives_permissions_from": [id] } } });
        client.post(PATH, &inherited).await.expect(400);
    }

    async fn a_clone_allows_what_its_original_does(server: &TestServer) {
        let client = server.client();
        let original = role(&client, &[API_KEYS_READ, API_KEYS_WRITE]).await;
        let clone = client.post(&format!("{PATH}/{original}/clone"), &named("Clone")).await.expect(200).json();
        assert_eq!(allowed(&client, &id_of(&clone)).await, ["api_keys_read", "api_keys_write"]);
        let admin = built_in_role(&client, "Datadog Admin Role").await;
        let clone = client.post(&format!("{PATH}/{admin}/clone"), &named("Deputy")).await.expect(200).json();
        assert_eq!(clone["data"]["attributes"]["managed"], false);
        assert_eq!(allowed(&client, &id_of(&clone)).await, allowed(&client, &admin).await);
        server.verify_state().await;
    }

    async fn built_in_roles_stay_as_they_are(server: &TestServer) {
        let client = server.client();
        for name in ["Datadog Admin Role", "Datadog Standard Role", "Datadog Read Only Role"] {
            let id = built_in_role(&client, name).await;
            let path = format!("{PATH}/{id}");
            assert_eq!(client.get(&path).await.expect(200).json()["data"]["attributes"]["managed"], true);
            let refused = r#"{"errors":["Managed roles cannot be changed or deleted"]}"#;
            assert_eq!(client.delete(&path).await.expect(400).text, refused);
            assert_eq!(client.patch(&path, &patch(&id, json!({ "name": "x" }), None)).await.expect(400).text, refused);
            for method in [Method::POST, Method::DELETE] {
                let answer = send(&client, method, format!("{path}/permissions"), permission(API_KEYS_READ)).await;
                assert_eq!(answer.expect(400).text, refused);
            }
        }
    }

    async fn users_are_given_roles_and_lose_them(server: &TestServer) {
        let client = server.client();
        let (id, one, other) = (role(&client, &[]).await, user(&client, &[]).await, user(&client, &[]).await);
        let path = || format!("{PATH}/{id}/users");
        let first = send(&client, Method::POST, path(), member(&one)).await.expect(200);
        assert_eq!(first.header("content-type"), "application/vnd.api+json");
        let first = first.json();
        assert_eq!(first["meta"], json!({ "page": { "total_count": 1 } }));
        assert_eq!(first["data"][0]["relationships"]["roles"]["data"], json!([{ "type": "roles", "id": id }]));
        assert!(first["data"][0]["attributes"]["icon"].as_str().unwrap().ends_with("?d=retro&s=48"));
        for _ in 0..2 {
            let both = send(&client, Method::POST, path(), member(&other)).await.expect(200).json();
            assert_eq!(both["meta"]["page"]["total_count"], 2);
        }
        let list = client.get(&format!("{}?page[size]=1&page[number]=1", path())).await.expect(200).json();
        assert_eq!((list["data"].as_array().unwrap().len(), &list["meta"]["page"]["total_count"]), (1, &json!(2)));
        assert_eq!(client.get(&format!("{PATH}/{id}")).await.expect(200).json()["data"]["attributes"]["user_count"], 2);
        for _ in 0..2 {
            let rest = send(&client, Method::DELETE, path(), member(&one)).await.expect(200).json();
            assert_eq!(rest["meta"]["page"]["total_count"], 1);
            assert_eq!(rest["data"][0]["id"], other);
        }
        for path in [path(), format!("{PATH}/{NOBODY}/users")] {
            let absent = send(&client, Method::POST, path, member(NOBODY)).await.expect(404);
            assert_eq!(absent.text, format!(r#"{{"errors":["{NOBODY} not found"]}}"#));
        }
        client.get(&format!("{PATH}/{NOBODY}/users")).await.expect(404);
        server.verify_state().await;
    }

    async fn a_change_of_a_role_takes_effect_on_the_next_request(server: &TestServer) {
        let admin = server.client();
        let id = role(&admin, &[API_KEYS_READ]).await;
        let holder = Member::join(server, "human", &[&id], Value::Null).await;
        let client = server.client_with(holder.keys);
        client.get("/api/v2/api_keys").await.expect(200);
        send(&admin, Method::DELETE, format!("{PATH}/{id}/permissions"), permission(API_KEYS_READ)).await.expect(200);
        client.get("/api/v2/api_keys").await.expect(403);
        send(&admin, Method::POST, format!("{PATH}/{id}/permissions"), permission(API_KEYS_READ)).await.expect(200);
        client.get("/api/v2/api_keys").await.expect(200);
        send(&admin, Method::DELETE, format!("{PATH}/{id}/users"), member(&holder.id)).await.expect(200);
        client.get("/api/v2/api_keys").await.expect(403);
        send(&admin, Method::POST, format!("{PATH}/{id}/users"), member(&holder.id)).await.expect(200);
        client.get("/api/v2/api_keys").await.expect(200);
        admin.delete(&format!("{PATH}/{id}")).await.expect(204);
        client.get("/api/v2/api_keys").await.expect(403);
        let shown = admin.get(&format!("/api/v2/users/{}", holder.id)).await.expect(200).json();
        assert_eq!(shown["data"]["relationships"]["roles"]["data"], json!([]));
        server.verify_state().await;
        // What the user is given afterwards does not bring the removed role back.
        let other = role(&admin, &[]).await;
        send(&admin, Method::POST, format!("{PATH}/{other}/users"), member(&holder.id)).await.expect(200);
        client.get("/api/v2/api_keys").await.expect(403);
        server.verify_state().await;
    }

    async fn what_a_removed_role_leaves_is_swept_up(server: &TestServer) {
        let client = server.client();
        let id = role(&client, &[]).await;
        user(&client, &[&id]).await;
        let held = format!("SELECT COUNT(*) FROM user_roles WHERE role_id = '{id}'");
        assert_eq!(server.database().scalar(&held).await, "1");
        client.delete(&format!("{PATH}/{id}")).await.expect(204);
        until("it is swept up", async || match server.database().scalar(&held).await.as_str() {
            "0" => Ok(()),
            left => Err(left.to_owned()),
        }).await;
        server.verify_state().await;
    }

    async fn the_last_admin_keeps_the_role(server: &TestServer) {
        let client = server.client();
        let id = built_in_role(&client, "Datadog Admin Role").await;
        let (path, first) = (format!("{PATH}/{id}/users"), server.founded.user.to_string());
        let refused = send(&client, Method::DELETE, path.clone(), member(&first)).await.expect(400).text;
        assert!(refused.contains("must keep at least one enabled user"), "{refused}");
        let heir = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        send(&client, Method::DELETE, path, member(&first)).await.expect(200);
        client.get("/api/v2/users").await.expect(403);
        server.client_with(heir.keys).get("/api/v2/users").await.expect(200);
        server.verify_state().await;
    }

    /// A narrowed credential of an admin cannot make up through roles for what it was not given.
    async fn a_narrowed_credential_hands_on_only_what_it_has(server: &TestServer) {
        let admin = server.client();
        let scopes = json!(["user_access_manage", "api_keys_read"]);
        let narrowed = Member::join(server, "human", &["Datadog Admin Role"], scopes).await;
        let client = server.client_with(narrowed.keys);
        let (held, beyond) = (role(&admin, &[API_KEYS_READ]).await, role(&admin, &[API_KEYS_WRITE]).await);
        let before = server.engine.applied();
        let admin_role = built_in_role(&admin, "Datadog Admin Role").await;
        for (method, path, body) in [
            (Method::POST, format!("{PATH}/{held}/permissions"), permission(API_KEYS_WRITE)),
            (Method::PATCH, format!("{PATH}/{held}"), patch(&held, json!({}), Some(&[API_KEYS_WRITE])).to_string()),
            (Method::POST, format!("{PATH}/{beyond}/users"), member(&narrowed.id)),
            (Method::POST, format!("{PATH}/{admin_role}/clone"), named("Copy").to_string()),
            (Method::POST, PATH.to_owned(), {
                let mut body = named("Made");
                body["data"]["relationships"] = json!({ "permissions": { "data": [
                    { "type": "permissions", "id": API_KEYS_WRITE }] } });
                body.to_string()
            }),
        ] {
            send(&client, method, path, body).await.expect(403);
        }
        assert_eq!(server.engine.applied(), before, "nothing was done");
        send(&client, Method::POST, format!("{PATH}/{held}/users"), member(&narrowed.id)).await.expect(200);
        // Taking away is always within.
        send(&client, Method::DELETE, format!("{PATH}/{beyond}/permissions"), permission(API_KEYS_WRITE)).await.expect(200);
        client.post(PATH, &named("With the defaults")).await.expect(200);
    }

    async fn lists_page_sort_filter_and_count(server: &TestServer) {
        let client = server.client();
        let mut ids = Vec::new();
        for name in ["zebra", "[alpha]", "beta 100%"] {
            server.clock.advance_micros(1_000_000);
            ids.push(id_of(&client.post(PATH, &named(name)).await.expect(200).json()));
        }
        user(&client, &[&ids[1]]).await;
        let names = async |query: &str| -> Vec<String> {
            let list = client.get(&format!("{PATH}?{query}")).await.expect(200).json();
            let name = |item: &Value| item["attributes"]["name"].as_str().unwrap().to_owned();
            list["data"].as_array().unwrap().iter().map(name).collect()
        };
        let built_in = ["Datadog Admin Role", "Datadog Read Only Role", "Datadog Standard Role"];
        assert_eq!(names("").await, [&["[alpha]", "beta 100%"], &built_in[..], &["zebra"]].concat());
        assert_eq!(names("sort=-modified_at&page[size]=1").await, ["beta 100%"]);
        let by_count = names("sort=-user_count&page[size]=2").await;
        assert!(by_count.contains(&"[alpha]".to_owned()) && by_count.contains(&built_in[0].to_owned()), "{by_count:?}");
        assert_eq!(names("filter=100%25").await, ["beta 100%"]);
        assert_eq!(names(&format!("filter[id]={},{}", ids[0], ids[2])).await, ["beta 100%", "zebra"]);
        client.delete(&format!("{PATH}/{}", ids[0])).await.expect(204);
        let list = client.get(&format!("{PATH}?filter=ALPHA")).await.expect(200).json();
        assert_eq!(list["meta"], json!({ "page": { "total_filtered_count": 1, "total_count": 5 } }));
        assert_eq!(list["data"][0]["attributes"]["user_count"], 1);
        let stranger = server.client_with(Keys::of(&server.found_another("Foreign").await));
        let foreign = stranger.get(PATH).await.expect(200).json();
        assert_eq!(foreign["meta"]["page"]["total_count"], 3);
        for query in ["page[size]=101", "sort=age", "filter[id]=x"] {
            client.get(&format!("{PATH}?{query}")).await.expect(400);
        }
    }
}
