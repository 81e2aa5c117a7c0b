//! `/api/v2/users`

use serde_json::{Value, json};

use crate::support::people::{Member, built_in_role, id_of, role, user};
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/users";

fn new(email: &str, name: Value) -> Value {
    json!({ "data": { "type": "users", "attributes": { "email": email, "name": name } } })
}

fn patch(id: &str, attributes: Value) -> Value {
    json!({ "data": { "type": "users", "id": id, "attributes": attributes } })
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let list = client.get(&format!("{PATH}?{query}")).await.expect(200).json();
    let email = |item: &Value| item["attributes"]["email"].as_str().unwrap().to_owned();
    list["data"].as_array().unwrap().iter().map(email).collect()
}

on_both_engines! {
    async fn a_user_lives_from_invitation_to_disabling(server: &TestServer) {
        let client = server.client();
        let answer = client.post(PATH, &new("Ada@Example.com", json!(null))).await.expect(201);
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.header("claviger-position").starts_with("1."));
        let made = answer.json();
        let id = id_of(&made);
        let expected = json!({ "data": { "type": "users", "id": id, "attributes": {
            "name": null, "handle": "ada@example.com", "created_at": "2026-03-04T05:06:07.123456+00:00",
            "modified_at": "2026-03-04T05:06:07.123456+00:00", "email": "ada@example.com",
            "icon": "https://secure.gravatar.com/avatar/3e3417d7ef77d5932a6734b916515ed5?s=48&d=retro",
            "title": null, "verified": false, "service_account": false, "disabled": false,
            "allowed_login_methods": [], "status": "Pending", "uuid": id, "mfa_enabled": false,
            "last_login_time": null },
            "relationships": { "roles": { "data": [] },
                "org": { "data": { "type": "orgs", "id": server.founded.org.to_string() } } } } });
        assert_eq!(made, expected);
        let path = format!("{PATH}/{id}");
        assert_eq!(client.get(&path).await.expect(200).json(), expected);

        server.clock.advance_micros(1_000_000);
        let renamed = client.patch(&path, &patch(&id, json!({ "name": "Ada", "title": "Countess" }))).await;
        let renamed = renamed.expect(200).json();
        assert_eq!(renamed["data"]["attributes"]["name"], "Ada");
        assert_eq!(renamed["data"]["attributes"]["title"], "Countess");
        assert_eq!(renamed["data"]["attributes"]["email"], "ada@example.com");
        assert_eq!(renamed["data"]["attributes"]["modified_at"], "2026-03-04T05:06:08.123456+00:00");
        let same = client.patch(&path, &patch(&id, json!({ "name": "Ada" }))).await.expect(200).json();
        assert_eq!(same, renamed, "nothing changed, the time of change included");

        client.delete(&path).await.expect(204);
        let gone = format!(r#"{{"errors": ["{id} not found"]}}"#);
        assert_eq!(client.delete(&path).await.expect(404).text, gone);
        let disabled = client.get(&path).await.expect(200).json();
        assert_eq!(disabled["data"]["attributes"]["disabled"], true);
        assert_eq!(disabled["data"]["attributes"]["status"], "Disabled");
        let enabled = client.patch(&path, &patch(&id, json!({ "disabled": false }))).await.expect(200).json();
        assert_eq!(enabled["data"]["attributes"]["status"], "Pending");
        server.verify_state().await;
    }

    async fn an_address_is_one_persons(server: &TestServer) {
        let client = server.client();
        let id = id_of(&client.post(PATH, &new("ada@example.com", json!("Ada"))).await.expect(201).json());
        let taken = r#"{"errors": ["User ada@example.com already exists"]}"#;
        assert_eq!(client.post(PATH, &new("ADA@example.com", json!("x"))).await.expect(409).text, taken);
        client.delete(&format!("{PATH}/{id}")).await.expect(204);
        assert_eq!(client.post(PATH, &new("ada@example.com", json!("x"))).await.expect(409).text, taken);
        let other = user(&client, &[]).await;
        let rename = patch(&other, json!({ "email": "ada@example.com" }));
        assert_eq!(client.patch(&format!("{PATH}/{other}"), &rename).await.expect(409).text, taken);
        // Another org has people of its own.
        let stranger = server.client_with(Keys::of(&server.found_another("Foreign").await));
        stranger.post(PATH, &new("ada@example.com", json!("Ada"))).await.expect(201);
    }

    async fn what_is_not_there_is_told_as_recorded(server: &TestServer) {
        let client = server.client();
        let nobody = "00000000-dead-beef-dead-ffffffffffff";
        let path = format!("{PATH}/{nobody}");
        assert_eq!(client.get(&path).await.expect(404).text, r#"{"errors":["user not found"]}"#);
        let update = patch(nobody, json!({ "name": "updated", "disabled": true }));
        let absent = r#"{"errors": ["00000000-dead-beef-dead-ffffffffffff not found"]}"#;
        assert_eq!(client.patch(&path, &update).await.expect(404).text, absent);
        let id = user(&client, &[]).await;
        let mismatch = patch("00000000-mismatch-body-id-ffffffffffff", json!({ "name": "updated" }));
        let answer = client.patch(&format!("{PATH}/{id}"), &mismatch).await.expect(422);
        assert_eq!(answer.text, r#"{"errors": ["UUID's in the URL and request body do not match"]}"#);
        client.get(&format!("{PATH}/{nobody}/permissions")).await.expect(404);
        client.get(&format!("{PATH}/nobody/orgs")).await.expect(404);
    }

    async fn every_fault_of_a_body_is_named(server: &TestServer) {
        let client = server.client();
        let body = json!({ "data": { "type": "users",
            "attributes": { "email": "ada", "name": "a\nb", "title": "x".repeat(256) },
            "relationships": { "roles": { "data": [{ "type": "roles", "id": "admin" }] } } } });
        let answer = client.post(PATH, &body).await.expect(400).json();
        assert_eq!(answer["errors"], json!([
            "'email' is not an e-mail address",
            "'name' must not contain control characters",
            "'title' must have at most 255 characters",
            "'roles' must be roles of this org",
        ]));
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        let foreign_role = role(&foreign, &[]).await;
        let body = json!({ "data": { "type": "users", "attributes": { "email": "ada@example.com" },
            "relationships": { "roles": { "data": [{ "type": "roles", "id": foreign_role }] } } } });
        client.post(PATH, &body).await.expect(400);
        assert_eq!(names(&client, "").await.len(), 1, "nobody was made");
    }

    async fn lists_page_sort_filter_and_count(server: &TestServer) {
        let client = server.client();
        let reader = role(&client, &[]).await;
        for (email, name) in [("z@example.com", json!("Ada")), ("b@example.com", json!(null)), ("100%@x.org", json!("_carl"))] {
            server.clock.advance_micros(1_000_000);
            client.post(PATH, &new(email, name)).await.expect(201);
        }
        let disabled = user(&client, &[&reader]).await;
        client.delete(&format!("{PATH}/{disabled}")).await.expect(204);
        let account = Member::join(server, "service_account", &[&reader], Value::Null).await;

        assert_eq!(names(&client, "filter=example.com&filter[status]=Pending").await, ["z@example.com", "b@example.com"]);
        assert_eq!(names(&client, "filter[status]=Pending").await, ["z@example.com", "b@example.com", "100%@x.org"]);
        assert_eq!(names(&client, "filter[status]=Pending&sort=-name").await, ["100%@x.org", "b@example.com", "z@example.com"]);
        assert_eq!(names(&client, "filter[status]=Pending&sort=name&sort_dir=desc").await[0], "100%@x.org");
        assert_eq!(names(&client, "sort=-modified_at&filter[status]=Pending&page[size]=1").await, ["100%@x.org"]);
        assert_eq!(names(&client, "filter=CARL").await, ["100%@x.org"]);
        assert_eq!(names(&client, "filter=100%25").await, ["100%@x.org"]);
        assert_eq!(names(&client, "filter=_arl").await.len(), 0, "an underscore stands for itself");
        let page = client.get(&format!("{PATH}?filter[status]=Pending,Disabled&page[size]=2&page[number]=1")).await;
        let page = page.expect(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), 2);
        assert_eq!(page["meta"], json!({ "page": {
            "total_filtered_count": 4, "total_count": 6, "max_page_size": 1000 } }));
        let all = client.get(&format!("{PATH}?filter[status]=Active,Disabled")).await.expect(200).json();
        let ids: Vec<_> = all["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert!(ids.contains(&disabled.as_str()) && ids.contains(&account.id.as_str()), "{ids:?}");
        let included = all["included"].as_array().unwrap();
        assert_eq!(included.len(), 2, "two roles, each once");
        assert!(included.iter().all(|role| role["type"] == "roles"));
        for query in ["page[size]=1001", "page[number]=-1", "sort=email", "sort_dir=up", "filter[status]=Gone"] {
            client.get(&format!("{PATH}?{query}")).await.expect(400);
        }
    }

    async fn roles_and_what_they_allow_are_included(server: &TestServer) {
        let client = server.client();
        let admin = built_in_role(&client, "Datadog Read Only Role").await;
        let id = user(&client, &[&admin, &admin]).await;
        let shown = client.get(&format!("{PATH}/{id}")).await.expect(200).json();
        assert_eq!(shown["data"]["relationships"]["roles"]["data"], json!([{ "type": "roles", "id": admin }]));
        let included = shown["included"].as_array().unwrap();
        let is_of = |kind: &'static str| move |item: &&Value| item["type"] == kind;
        assert_eq!(included.iter().filter(is_of("roles")).count(), 1);
        let held = client.get(&format!("{PATH}/{id}/permissions")).await.expect(200).json();
        let held = held["data"].as_array().unwrap().len();
        assert_eq!(included.iter().filter(is_of("permissions")).count(), held);
        assert!(held > 100, "{held}");
        let nobody = user(&client, &[]).await;
        let none = client.get(&format!("{PATH}/{nobody}/permissions")).await.expect(200).text;
        assert_eq!(none, r#"{"data":[]}"#);
        let orgs = client.get(&format!("{PATH}/{id}/orgs")).await.expect(200).json();
        assert_eq!(orgs["data"]["id"], id);
        assert_eq!(orgs["included"][0]["attributes"]["name"], "Test");
    }

    /// All that a user had dies with the disabling, in one change, and nothing of it comes back; what is the org's
    /// stays, though the user made it.
    async fn disabling_kills_what_acts_for_the_user_for_good(server: &TestServer) {
        let client = server.client();
        for kind in ["human", "service_account"] {
            let member = Member::join(server, kind, &["Datadog Admin Role"], Value::Null).await;
            let own = server.client_with(member.keys.clone());
            let mut dying = vec![member.keys.clone()];
            for name in ["One", "Two"] {
                let body = json!({ "data": { "type": "application_keys", "attributes": { "name": name } } });
                let made = own.post("/api/v2/current_user/application_keys", &body).await.expect(201).json();
                let key = made["data"]["attributes"]["key"].as_str().unwrap().to_owned();
                dying.push(Keys { application_key: Some(key), ..server.admin() });
            }
            let body = json!({ "data": { "type": "api_keys", "attributes": { "name": "Of the org" } } });
            let api_key = own.post("/api/v2/api_keys", &body).await.expect(201).json();
            let staying = Keys {
                api_key: Some(api_key["data"]["attributes"]["key"].as_str().unwrap().to_owned()),
                ..Keys::default()
            };
            let before = server.engine.applied().sequence;
            client.delete(&format!("{PATH}/{}", member.id)).await.expect(204);
            assert_eq!(server.engine.applied().sequence, before + 1, "one entry");
            for keys in &dying {
                server.client_with(keys.clone()).get("/api/v2/validate_keys").await.expect(401);
            }
            server.client_with(staying.clone()).get("/api/v1/validate").await.expect(200);
            server.verify_state().await;

            let enable = patch(&member.id, json!({ "disabled": false }));
            client.patch(&format!("{PATH}/{}", member.id), &enable).await.expect(200);
            for keys in &dying {
                server.client_with(keys.clone()).get("/api/v2/validate_keys").await.expect(401);
            }
            server.client_with(staying).get("/api/v1/validate").await.expect(200);
            let list = client.get(&format!("/api/v2/application_keys?filter[owned_by]={}", member.id)).await;
            assert_eq!(list.expect(200).json()["meta"]["page"]["total_filtered_count"], 0);
            server.verify_state().await;
        }
        // PATCH does the same as DELETE, together with whatever else it says.
        let member = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let disable = patch(&member.id, json!({ "name": "updated", "disabled": true }));
        let answer = client.patch(&format!("{PATH}/{}", member.id), &disable).await.expect(200).json();
        assert_eq!(answer["data"]["attributes"]["name"], "updated");
        assert_eq!(answer["data"]["attributes"]["disabled"], true);
        server.client_with(member.keys).get("/api/v2/validate_keys").await.expect(401);
        server.verify_state().await;
    }

    async fn the_last_admin_stays(server: &TestServer) {
        let client = server.client();
        let path = format!("{PATH}/{}", server.founded.user);
        let sentence = r#"{"errors":["The org must keep at least one enabled user who has the Datadog Admin Role"]}"#;
        assert_eq!(client.delete(&path).await.expect(400).text, sentence);
        let disable = patch(&server.founded.user.to_string(), json!({ "disabled": true }));
        assert_eq!(client.patch(&path, &disable).await.expect(400).text, sentence);
        // One who is disabled does not count.
        let other = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        client.delete(&format!("{PATH}/{}", other.id)).await.expect(204);
        assert_eq!(client.delete(&path).await.expect(400).text, sentence);
        // One who is enabled does, and then the first may go, and takes its keys along.
        let heir = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        client.delete(&path).await.expect(204);
        client.get(PATH).await.expect(401);
        server.client_with(heir.keys).get(PATH).await.expect(200);
        server.verify_state().await;
    }

    async fn who_manages_service_accounts_reaches_no_people(server: &TestServer) {
        const SERVICE_ACCOUNT_WRITE: &str = "a42e94b2-1476-11eb-bd08-efda28c04248";
        let admin = server.client();
        let keeper = role(&admin, &[SERVICE_ACCOUNT_WRITE]).await;
        let keeper = Member::join(server, "human", &[&keeper], Value::Null).await;
        let client = server.client_with(keeper.keys);
        let person = user(&admin, &[]).await;
        client.delete(&format!("{PATH}/{person}")).await.expect(404);
        client.patch(&format!("{PATH}/{person}"), &patch(&person, json!({ "name": "x" }))).await.expect(404);
        let account = Member::join(server, "service_account", &[], Value::Null).await;
        client.patch(&format!("{PATH}/{}", account.id), &patch(&account.id, json!({ "name": "x" }))).await.expect(200);
        client.delete(&format!("{PATH}/{}", account.id)).await.expect(204);
    }

    /// Whoever brings in people without managing them hands on no more than they may themselves; so does whoever is
    /// narrowed.
    async fn nobody_hands_on_more_than_they_may(server: &TestServer) {
        const USER_ACCESS_INVITE: &str = "9ac1d8cc-e707-11ea-aa2d-73d37e989a9d";
        let admin = server.client();
        let admin_role = built_in_role(&admin, "Datadog Admin Role").await;
        let inviting = role(&admin, &[USER_ACCESS_INVITE]).await;
        let with_role = |role: &str| {
            let mut body = new(&format!("{}@example.com", crate::support::sample::unique_name()), json!(null));
            body["data"]["relationships"] = json!({ "roles": { "data": [{ "type": "roles", "id": role }] } });
            body
        };
        let host = Member::join(server, "human", &[&inviting], Value::Null).await;
        let narrowed = Member::join(server, "human", &["Datadog Admin Role"], json!(["user_access_manage"])).await;
        for keys in [host.keys, narrowed.keys] {
            let client = server.client_with(keys);
            client.post(PATH, &with_role(&admin_role)).await.expect(403);
        }
        let host = Member::join(server, "human", &[&inviting], Value::Null).await;
        server.client_with(host.keys).post(PATH, &with_role(&inviting)).await.expect(201);
        admin.post(PATH, &with_role(&admin_role)).await.expect(201);
    }
}
