//! Good credentials, and everything that can be wrong with credentials.

use std::collections::HashMap;

use claviger_http::RouteInfo;
use claviger_model::{CredentialId, Permission, PermissionSet};
use serde_json::{Value, json};

use super::case::Case;
use super::refusal::permissions;
use crate::support::edit::Edit;
use crate::support::people::{self, Member};
use crate::support::sample::{self, Made};
use crate::support::{Client, Keys, Setup, TestDatabase, TestServer, actions, tokens};

/// Good keys and everything that can be wrong with keys.
pub(super) struct World {
    pub(super) server: TestServer,
    cases: HashMap<Case, Keys>,
    /// By the permissions of a route: an owner who lacks them, scopes of a key that lack them, and of a token.
    lacking: HashMap<Vec<Permission>, [Keys; 3]>,
    /// A token alone that may do everything.
    pub(super) token: Keys,
    /// An owner who has one permission and no other.
    pub(super) only: HashMap<Permission, Keys>,
}

fn id(made: &Made) -> CredentialId {
    made.id.parse().unwrap()
}

/// Those who were allowed everything until something was done about them through the API: the role taken away, the
/// role removed, a person disabled, a service account disabled, a person disabled and enabled again.
async fn people_gone(server: &TestServer, admin: &Client) -> [Keys; 5] {
    const ADMIN: &str = "Datadog Admin Role";
    let role = people::built_in_role(admin, ADMIN).await;
    let clone = json!({ "data": { "type": "roles", "attributes": { "name": "Everything" } } });
    let copy = admin.post(&format!("/api/v2/roles/{role}/clone"), &clone).await.expect(200).json();
    let copy = people::id_of(&copy);
    let mut members = Vec::new();
    for (kind, role) in [
        ("human", role.as_str()),
        ("human", &copy),
        ("human", ADMIN),
        ("service_account", ADMIN),
        ("human", ADMIN),
    ] {
        members.push(Member::join(server, kind, &[role], Value::Null).await);
    }
    for member in &members {
        server.client_with(member.keys.clone()).get("/api/v2/api_keys").await.expect(200);
    }
    let user = json!({ "data": { "type": "users", "id": members[0].id } }).to_string();
    let path = format!("/api/v2/roles/{role}/users");
    admin.send(http::Method::DELETE, &path, &[], Some(user)).await.expect(200);
    admin.delete(&format!("/api/v2/roles/{copy}")).await.expect(204);
    for member in &members[2..] {
        admin.delete(&format!("/api/v2/users/{}", member.id)).await.expect(204);
    }
    let enable =
        json!({ "data": { "type": "users", "id": members[4].id, "attributes": { "disabled": false } } });
    admin.patch(&format!("/api/v2/users/{}", members[4].id), &enable).await.expect(200);
    server.verify_state().await;
    let keys: Vec<_> = members.into_iter().map(|member| member.keys).collect();
    keys.try_into().ok().unwrap()
}

/// The key beside a good API key.
fn beside(server: &TestServer, made: &Made) -> Keys {
    Keys { application_key: Some(made.secret.clone()), ..server.admin() }
}

/// The token beside good keys.
fn with_token(server: &TestServer, made: &Made) -> Keys {
    Keys { bearer: Some(made.secret.clone()), ..server.admin() }
}

/// Those who lack what a route asks for, by its permissions; and those who have one permission and no other.
async fn by_permissions(
    server: &TestServer,
    admin: &Client,
    edit: &mut Edit,
) -> (HashMap<Vec<Permission>, [Keys; 3]>, HashMap<Permission, Keys>) {
    let (mut lacking, mut only) = (HashMap::new(), HashMap::new());
    for route in &server.routes {
        let permissions = permissions(route);
        if permissions.is_empty() || lacking.contains_key(&permissions) {
            continue;
        }
        let rest: PermissionSet = Permission::all().filter(|one| !permissions.contains(one)).collect();
        let by_role = sample::application_key(admin, Value::Null).await;
        let owner = edit.add_user(server.founded.org, &rest);
        edit.give(id(&by_role), owner);
        let names: Vec<_> = rest.iter().map(|permission| permission.name()).collect();
        let by_scope = sample::application_key(admin, json!(names)).await;
        let by_tokens_scope = tokens::personal_access_token(admin, json!(names)).await;
        for one in &permissions {
            let key = sample::application_key(admin, Value::Null).await;
            let owner = edit.add_user(server.founded.org, &[*one].into_iter().collect());
            edit.give(id(&key), owner);
            actions::register(admin, &key.id).await;
            only.insert(*one, beside(server, &key));
        }
        let keys =
            [beside(server, &by_role), beside(server, &by_scope), with_token(server, &by_tokens_scope)];
        lacking.insert(permissions, keys);
    }
    (lacking, only)
}

impl World {
    pub(super) async fn build(database: TestDatabase) -> Self {
        let server = TestServer::start(database).await;
        let admin = server.client();
        let (api_key, application_key) =
            (server.admin().api_key.unwrap(), server.admin().application_key.unwrap());
        let instead = |made: &Made| Keys { api_key: Some(made.secret.clone()), ..server.admin() };
        let mut edit = Edit::default();

        let [revoked_api_key, expired_api_key] =
            [sample::api_key(&admin).await, sample::api_key(&admin).await];
        admin.delete(&format!("/api/v2/api_keys/{}", revoked_api_key.id)).await.expect(204);
        edit.expire(id(&expired_api_key));
        let mut keys = Vec::new();
        for _ in 0..3 {
            keys.push(sample::application_key(&admin, Value::Null).await);
        }
        let [revoked, expired, disabled] = keys.try_into().ok().unwrap();
        admin.delete(&format!("/api/v2/application_keys/{}", revoked.id)).await.expect(204);
        edit.expire(id(&expired));
        let disabled_owner = edit.add_user(server.founded.org, &PermissionSet::all());
        edit.give(id(&disabled), disabled_owner);
        edit.disable_user(disabled_owner);
        let foreign = Keys::of(&server.found_another("Foreign").await);
        let closed = server.found_another("Closed").await;
        edit.disable_org(closed.org);

        let [role_taken, role_removed, disabled_user, disabled_account, enabled_again] =
            people_gone(&server, &admin).await;
        let (beside, with_token) =
            (|made: &Made| beside(&server, made), |made: &Made| with_token(&server, made));
        let everything: Vec<_> = Permission::all().map(Permission::name).collect();
        let revoked_token = tokens::personal_access_token(&admin, json!(everything)).await;
        admin.delete(&format!("/api/v2/personal_access_tokens/{}", revoked_token.id)).await.expect(204);
        let expired_token = tokens::personal_access_token(&admin, json!(everything)).await;
        edit.expire(id(&expired_token));
        let token = tokens::personal_access_token(&admin, json!(everything)).await;
        let account = tokens::service_account(&admin, json!([])).await;
        let disabled_accounts_token = tokens::service_access_token(&admin, &account, json!(everything)).await;
        admin.delete(&format!("/api/v2/users/{account}")).await.expect(204);
        let nobodys = Some("0123456789abcdef0123456789abcdef".to_owned());
        let cases = HashMap::from([
            (Case::NoCredential, Keys::default()),
            (Case::UnknownApiKey, Keys { api_key: nobodys.clone(), ..server.admin() }),
            (Case::RevokedApiKey, instead(&revoked_api_key)),
            (Case::ExpiredApiKey, instead(&expired_api_key)),
            (Case::ApplicationKeyAsApiKey, Keys { api_key: Some(application_key), ..server.admin() }),
            (Case::DisabledOrg, Keys::of(&closed)),
            (Case::NoApplicationKey, Keys { application_key: None, ..server.admin() }),
            (Case::UnknownApplicationKey, Keys { application_key: nobodys.clone(), ..server.admin() }),
            (Case::RevokedApplicationKey, beside(&revoked)),
            (Case::ExpiredApplicationKey, beside(&expired)),
            (Case::ApiKeyAsApplicationKey, Keys { application_key: Some(api_key), ..server.admin() }),
            (Case::DisabledOwner, beside(&disabled)),
            (
                Case::ForeignApplicationKey,
                Keys { application_key: foreign.application_key, ..server.admin() },
            ),
            (Case::ForeignApiKey, Keys { api_key: foreign.api_key, ..server.admin() }),
            (Case::RoleTaken, role_taken),
            (Case::RoleRemoved, role_removed),
            (Case::UserDisabled, disabled_user),
            (Case::ServiceAccountDisabled, disabled_account),
            (Case::UserEnabledAgain, enabled_again),
            (Case::BearerGarbage, Keys { bearer: nobodys, ..server.admin() }),
            (Case::RevokedToken, with_token(&revoked_token)),
            (
                Case::RevokedTokenAsApplicationKey,
                Keys { application_key: Some(revoked_token.secret.clone()), ..server.admin() },
            ),
            (Case::ExpiredToken, with_token(&expired_token)),
            (Case::DisabledAccountsToken, with_token(&disabled_accounts_token)),
        ]);

        let (lacking, only) = by_permissions(&server, &admin, &mut edit).await;
        let token = Keys { bearer: Some(token.secret), ..Keys::default() };
        let halted = server.halt().await;
        edit.run(&halted.database).await;
        Self { server: halted.start(Setup::default()).await, cases, lacking, token, only }
    }

    pub(super) fn keys(&self, route: &RouteInfo, case: Case) -> Option<&Keys> {
        let lacking = || self.lacking.get(&permissions(route));
        match case {
            Case::MissingPermission => lacking().map(|[by_role, ..]| by_role),
            Case::MissingScope => lacking().map(|[_, by_scope, _]| by_scope),
            Case::TokenWithoutScope => lacking().map(|[.., by_tokens_scope]| by_tokens_scope),
            case => Some(&self.cases[&case]),
        }
    }

    pub(super) fn client(&self, keys: &Keys) -> Client {
        self.server.client_with(keys.clone())
    }
}
