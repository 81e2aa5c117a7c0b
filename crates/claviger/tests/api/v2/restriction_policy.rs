//! `/api/v2/restriction_policy`

mod distance;
mod in_flight;

use http::Method;
use serde_json::{Value, json};

use crate::support::connections::{ALL, gitlab, made, patch};
use crate::support::people::{self, Member};
use crate::support::restrictions::{Someone, everybody, keyholder, path, policy, restrict, with_bindings};
use crate::support::sample::unique_name;
use crate::support::{Client, Keys, TestDatabase, TestServer, on_both_engines};

async fn connection(admin: &Client) -> String {
    made(admin, &gitlab("glpat-sample-sample")).await
}

fn errors(texts: &[&str]) -> Value {
    json!({ "errors": texts })
}

/// The bindings of a connection's policy, as one sees them.
async fn bindings(client: &Client, connection: &str) -> Value {
    client.get(&path(connection)).await.expect(200).json()["data"]["attributes"]["bindings"].clone()
}

on_both_engines! {
    async fn a_policy_lives_from_set_to_deleted(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let role = people::role(&admin, &[]).await;
        let (org, user) = (everybody(server), format!("user:{}", server.founded.user));

        let none = admin.get(&path(&id)).await.expect(200);
        assert_eq!(none.header("content-type"), "application/json");
        let text = format!(
            r#"{{"data":{{"type":"restriction_policy","id":"connection:{id}","attributes":{{"bindings":[]}}}}}}"#
        );
        assert_eq!(none.text, text);

        // In another order, with doubles, and with the colon escaped as clients do.
        let given = json!([
            { "relation": "viewer", "principals": [org, org] },
            { "relation": "editor", "principals": [user] },
            { "relation": "viewer", "principals": [format!("role:{}", role.to_uppercase())] },
            { "relation": "resolver", "principals": [user] },
        ]);
        let escaped = format!("/api/v2/restriction_policy/connection%3A{id}");
        let set = admin.post(&escaped, &with_bindings(&id, given.clone())).await.expect(200);
        assert_eq!(set.header("content-type"), "application/json");
        assert!(set.header("claviger-position").starts_with("1."));
        let text = format!(
            r#"{{"data":{{"type":"restriction_policy","id":"connection:{id}","attributes":{{"bindings":["#
        ) + &format!(r#"{{"relation":"editor","principals":["{user}"]}},"#)
            + &format!(r#"{{"relation":"resolver","principals":["{user}"]}},"#)
            + &format!(r#"{{"relation":"viewer","principals":["{org}","role:{role}"]}}]}}}}}}"#);
        assert_eq!(set.text, text);
        assert_eq!(admin.get(&escaped).await.expect(200).text, text);

        // What is so already is no change.
        let before = server.engine.applied();
        assert_eq!(admin.post(&path(&id), &with_bindings(&id, given)).await.expect(200).text, text);
        assert_eq!(server.engine.applied(), before);

        // All of it is replaced.
        admin.post(&path(&id), &policy(&id, &[("editor", org.clone())])).await.expect(200);
        assert_eq!(bindings(&admin, &id).await, json!([{ "relation": "editor", "principals": [org] }]));
        server.verify_state().await;

        // Setting none is what showing none says.
        admin.post(&path(&id), &with_bindings(&id, json!([]))).await.expect(200);
        assert_eq!(bindings(&admin, &id).await, json!([]));
        restrict(&admin, &id, &[("viewer", org)]).await;
        let gone = admin.delete(&path(&id)).await.expect(204);
        assert_eq!((gone.text.as_str(), gone.header("claviger-position").is_empty()), ("", false));
        assert_eq!(bindings(&admin, &id).await, json!([]));
        let before = server.engine.applied();
        admin.delete(&path(&id)).await.expect(204);
        assert_eq!(server.engine.applied(), before);
        server.verify_state().await;

        admin.delete(&format!("{ALL}/{id}")).await.expect(204);
        for method in [Method::GET, Method::POST, Method::DELETE] {
            let body = (method == Method::POST).then(|| with_bindings(&id, json!([])).to_string());
            let answer = admin.send(method, &path(&id), &[], body).await.expect(404);
            assert_eq!(answer.json(), errors(&["Connection not found"]));
        }
    }

    async fn only_connections_can_be_restricted(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let unsupported = "Restriction policies are not supported for the 'dashboard' resource type";
        for (resource, status, text) in [
            ("malformed", 400, "Invalid resource: 'malformed' is not in a valid format"),
            (":", 400, "Invalid resource: ':' is not in a valid format"),
            ("connection:", 400, "Invalid resource: 'connection:' is not in a valid format"),
            ("dashboard:abc-def-ghi", 400, unsupported),
            ("Connection:abc", 400, "Restriction policies are not supported for the 'Connection' resource type"),
            ("connection:abc", 404, "Connection not found"),
            ("connection:67e55044-10b1-426f-9247-bb680e5fe0c8", 404, "Connection not found"),
        ] {
            let path = format!("/api/v2/restriction_policy/{resource}");
            for method in [Method::GET, Method::POST, Method::DELETE] {
                // The path is looked at first, as recorded.
                let mut body = with_bindings(&id, json!([]));
                body["data"]["id"] = json!(if status == 404 { resource } else { "other" });
                let body = (method == Method::POST).then(|| body.to_string());
                let answer = admin.send(method.clone(), &path, &[], body).await.expect(status);
                assert_eq!(answer.json(), errors(&[text]), "{method} {resource}");
                assert_eq!(answer.header("content-type"), "application/json");
            }
        }
    }

    async fn a_bad_policy_is_refused_with_every_fault(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let user = format!("user:{}", server.founded.user);
        restrict(&admin, &id, &[("editor", user.clone())]).await;
        let other = server.found_another("Other").await;
        let gone = people::role(&admin, &[]).await;
        admin.delete(&format!("/api/v2/roles/{gone}")).await.expect(204);
        let nobody = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let (org, before) = (other.org, server.engine.applied());
        let one = |relation: &str, principal: &str| json!([{ "relation": relation, "principals": [principal] }]);
        let missing = |what: &str, id: &str| format!("'{what}:{id}' does not exist in the organization");
        let many: Vec<_> = (0..101).map(|_| user.clone()).collect();
        for (bindings, texts) in [
            (one("owner", &user), vec!["'owner' is not one of ['viewer', 'resolver', 'editor']".to_owned()]),
            (one("Editor", &user), vec!["'Editor' is not one of ['viewer', 'resolver', 'editor']".to_owned()]),
            (
                json!([
                    { "relation": "editor", "principals": [user, "team:x", "user:x", "x", ""] },
                    { "relation": "viewer", "principals": [] },
                ]),
                vec![
                    "Invalid principal: 'team:x' is a team, and there are none; use 'role', 'user' or 'org'".to_owned(),
                    "Invalid principal: the id of 'user:x' is not in a valid format".to_owned(),
                    "Invalid principal: 'x' is not 'role:', 'user:' or 'org:' and an id".to_owned(),
                    "Invalid principal: '' is not 'role:', 'user:' or 'org:' and an id".to_owned(),
                    "The 'viewer' binding has no principals".to_owned(),
                ],
            ),
            (
                json!([
                    { "relation": "editor", "principals": [user, format!("user:{nobody}"), format!("org:{org}")] },
                    { "relation": "viewer", "principals": [
                        format!("role:{gone}"), format!("role:{nobody}"), format!("user:{}", other.user),
                        format!("user:{nobody}"),
                    ] },
                ]),
                {
                    let cross = "is another organization: cross-org principals are not supported";
                    let mut roles = [gone.as_str(), nobody];
                    roles.sort_unstable();
                    let foreign = other.user.to_string();
                    let mut users = [foreign.as_str(), nobody];
                    users.sort_unstable();
                    let mut texts = vec![format!("'org:{org}' {cross}")];
                    texts.extend(roles.map(|id| missing("role", id)));
                    texts.extend(users.map(|id| missing("user", id)));
                    texts
                },
            ),
            (
                json!([{ "relation": "editor", "principals": many }]),
                vec!["'bindings' must name at most 100 principals in all".to_owned()],
            ),
        ] {
            let answer = admin.post(&path(&id), &with_bindings(&id, bindings.clone())).await.expect(400);
            assert_eq!(answer.json(), json!({ "errors": texts }), "{bindings}");
        }
        let elsewhere = connection(&admin).await;
        let before_else = server.engine.applied();
        let answer = admin.post(&path(&id), &with_bindings(&elsewhere, json!([]))).await.expect(400);
        let mismatch = "The id in the request body does not match the resource id in the URL";
        assert_eq!(answer.json(), errors(&[mismatch]));
        let bad_flag = format!("{}?allow_self_lockout=maybe", path(&id));
        let answer = admin.post(&bad_flag, &with_bindings(&id, json!([]))).await.expect(400);
        assert_eq!(answer.json(), errors(&["allow_self_lockout must be true or false"]));
        assert_eq!(bindings(&admin, &id).await, one("editor", &user));
        assert!(before < before_else && server.engine.applied() == before_else, "nothing was changed");
        let most: Vec<_> = (0..100).map(|_| user.clone()).collect();
        let body = with_bindings(&id, json!([{ "relation": "editor", "principals": most }]));
        admin.post(&path(&id), &body).await.expect(200);
    }

    async fn seeing_a_policy_and_setting_it_take_what_the_connection_takes(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let open = with_bindings(&id, json!([]));
        let forbidden = errors(&["Forbidden", "Failed permission authorization checks"]);
        // A key that is not registered manages no connections, whatever its owner may do; one that is, does.
        let (_, unregistered) = keyholder(server, false).await;
        let told = errors(&["Forbidden", "the application key is not registered"]);
        assert_eq!(unregistered.get(&path(&id)).await.expect(403).json(), told);
        assert_eq!(unregistered.post(&path(&id), &open).await.expect(403).json(), told);
        assert_eq!(unregistered.delete(&path(&id)).await.expect(403).json(), told);
        let (user, registered) = keyholder(server, true).await;
        registered.get(&path(&id)).await.expect(200);
        registered.post(&path(&id), &policy(&id, &[("editor", format!("user:{user}"))])).await.expect(200);
        registered.delete(&path(&id)).await.expect(204);
        // A narrowed credential is bound by the policy, though it names the permission to manage everybody's access.
        let narrowed = crate::support::tokens::personal_access_token(&admin, json!(["user_access_manage"])).await;
        let narrowed = server.client_with(Keys { bearer: Some(narrowed.secret), ..Keys::default() });
        assert_eq!(narrowed.get(&path(&id)).await.expect(403).json(), forbidden);
        assert_eq!(narrowed.post(&path(&id), &open).await.expect(403).json(), forbidden);
        assert_eq!(narrowed.delete(&path(&id)).await.expect(403).json(), forbidden);
        // Another org's admin knows of none.
        let foreign = server.client_with(Keys::of(&server.found_another("Foreign").await));
        foreign.get(&path(&id)).await.expect(404);
        foreign.post(&path(&id), &open).await.expect(404);
        foreign.delete(&path(&id)).await.expect(404);
    }

    async fn nobody_takes_away_access_of_their_own(server: &TestServer) {
        let admin = server.client();
        let someone = Someone::join(server).await;
        let mine = format!("user:{}", someone.user);
        let protected = errors(&["This would take away access of your own"]);
        let lockout = |id: &str| format!("{}?allow_self_lockout=true", path(id));
        let id = connection(&admin).await;
        for relation in ["viewer", "resolver"] {
            let less = policy(&id, &[(relation, mine.clone()), ("editor", format!("user:{}", server.founded.user))]);
            assert_eq!(someone.client.post(&path(&id), &less).await.expect(400).json(), protected);
            // It is for those who can come back.
            assert_eq!(someone.client.post(&lockout(&id), &less).await.expect(400).json(), protected);
        }
        // By a role of theirs, or as one of the org, they stay.
        for principal in [format!("role:{}", someone.role), everybody(server), mine] {
            someone.client.post(&path(&id), &policy(&id, &[("editor", principal)])).await.expect(200);
        }
        // The same holds for whoever manages everybody's access, but for the flag.
        let without = policy(&id, &[("editor", format!("role:{}", someone.role))]);
        let open = connection(&admin).await;
        let without_open = policy(&open, &[("editor", format!("role:{}", someone.role))]);
        assert_eq!(admin.post(&path(&open), &without_open).await.expect(400).json(), protected);
        let refused = format!("{}?allow_self_lockout=false", path(&open));
        assert_eq!(admin.post(&refused, &without_open).await.expect(400).json(), protected);
        admin.post(&lockout(&open), &without_open).await.expect(200);
        // Whoever has no access has none to lose.
        admin.post(&path(&id), &without).await.expect(200);
    }

    async fn a_connection_whose_editors_are_gone_is_not_lost(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let someone = Someone::join(server).await;
        restrict(&admin, &id, &[("editor", format!("user:{}", someone.user))]).await;
        admin.get(&format!("{ALL}/{id}")).await.expect(403);
        admin.delete(&format!("/api/v2/users/{}", someone.user)).await.expect(204);
        someone.client.get(&path(&id)).await.expect(401);
        // A key without scopes, registered or not, of whoever manages everybody's access.
        let manager = Member::join(server, "human", &["Datadog Admin Role"], Value::Null).await;
        let manager_client = server.client_with(manager.keys);
        manager_client.get(&format!("{ALL}/{id}")).await.expect(403);
        let expected = json!([{ "relation": "editor", "principals": [format!("user:{}", someone.user)] }]);
        assert_eq!(bindings(&manager_client, &id).await, expected);
        let user = format!("user:{}", server.founded.user);
        manager_client.post(&path(&id), &policy(&id, &[("editor", user)])).await.expect(200);
        let change = patch(json!({ "name": "Found again" }));
        admin.patch(&format!("{ALL}/{id}"), &change).await.expect(200);
        server.verify_state().await;
    }

    async fn removed_roles_and_disabled_users_give_nothing_and_disturb_nobody(server: &TestServer) {
        let admin = server.client();
        let id = connection(&admin).await;
        let (first, second) = (Someone::join(server).await, Someone::join(server).await);
        let given = [
            ("editor", format!("role:{}", first.role)),
            ("editor", format!("user:{}", second.user)),
            ("viewer", format!("user:{}", server.founded.user)),
        ];
        restrict(&admin, &id, &given).await;
        let at = format!("{ALL}/{id}");
        for one in [&first, &second] {
            one.client.get(&at).await.expect(200);
        }
        admin.delete(&format!("/api/v2/roles/{}", first.role)).await.expect(204);
        admin.delete(&format!("/api/v2/users/{}", second.user)).await.expect(204);
        first.client.get(&at).await.expect(403);
        first.client.delete(&path(&id)).await.expect(403);
        second.client.get(&at).await.expect(401);
        admin.get(&at).await.expect(200);
        let shown = bindings(&admin, &id).await;
        assert_eq!(shown[0]["principals"].as_array().unwrap().len(), 2, "{shown}");
        server.verify_state().await;
        // A role of the same name is another role.
        let again = json!({ "data": { "type": "roles", "attributes": { "name": unique_name() } } });
        admin.post("/api/v2/roles", &again).await.expect(200);
        first.client.get(&at).await.expect(403);
        // Enabled again, the user is who it was, by keys made since; a disabled one may be named meanwhile.
        restrict(&admin, &id, &[("editor", format!("user:{}", second.user))]).await;
        let enable = json!({ "data": { "type": "users", "id": second.user, "attributes": { "disabled": false } } });
        admin.patch(&format!("/api/v2/users/{}", second.user), &enable).await.expect(200);
        second.client.get(&at).await.expect(401);
    }
}
