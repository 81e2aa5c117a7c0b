//! `/api/v2/current_user`

mod application_keys;

use serde_json::{Value, json};

use crate::support::people::Member;
use crate::support::{TestDatabase, TestServer, on_both_engines};

const PATH: &str = "/api/v2/current_user";

on_both_engines! {
    async fn one_sees_oneself_with_roles_permissions_and_org(server: &TestServer) {
        let answer = server.client().get(PATH).await.expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        let shown = answer.json();
        assert_eq!(shown["data"]["id"], server.founded.user.to_string());
        assert_eq!(shown["data"]["attributes"]["status"], "Active");
        let relationships = shown["data"]["relationships"].as_object().unwrap();
        assert_eq!(relationships.keys().collect::<Vec<_>>(), ["org", "roles", "team_roles"]);
        assert_eq!(relationships["team_roles"], json!({ "data": [] }));
        let mut kinds: Vec<_> =
            shown["included"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
        kinds.dedup();
        assert_eq!(kinds, ["roles", "permissions", "orgs"]);
        let org = shown["included"].as_array().unwrap().last().unwrap();
        assert_eq!(org["attributes"]["public_id"], server.founded.org.to_string());
        assert_eq!(org["attributes"]["name"], "Test");
    }

    async fn without_any_role_too(server: &TestServer) {
        let member = Member::join(server, "service_account", &[], Value::Null).await;
        let shown = server.client_with(member.keys).get(PATH).await.expect(200).json();
        assert_eq!(shown["data"]["id"], member.id);
        assert_eq!(shown["data"]["attributes"]["service_account"], true);
        assert_eq!(shown["data"]["attributes"]["handle"], member.id);
    }
}
