//! The ways in which a credential loses what is asked for.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::Target;
use crate::support::people::{API_KEYS_READ, People, role};
use crate::support::sample::{api_key, application_key, native_key};
use crate::support::tokens::{personal_access_token, service_access_token, service_account};
use crate::support::{Client, actions, connections, guarded};

/// How a credential loses what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    RevokeApiKey,
    DeleteApiKeyV1,
    RevokeApplicationKey,
    DeleteApplicationKeyV1,
    NarrowScopes,
    RevokePersonalToken,
    RevokeServiceToken,
    NarrowToken,
    /// Its token dies with it.
    DisableServiceAccount,
    DisableUser,
    RemoveRole,
    WithdrawPermission,
    DisableOrg,
    /// A secret that goes on beside the newest dies with its key.
    RevokeDuringGrace,
    /// A new secret takes the place of the old one.
    RotateAway,
    /// A key may not be used from here any more.
    AllowElsewhere,
    RevokeNativeKey,
    NarrowNativeKey,
    /// What it may do, its owner may by a role that gives it no more.
    WithdrawFromRole,
    /// A key that is good goes on, but manages connections no more.
    Unregister,
}

pub(super) const KINDS: [Kind; 20] = [
    Kind::RevokeApiKey,
    Kind::DeleteApiKeyV1,
    Kind::RevokeApplicationKey,
    Kind::DeleteApplicationKeyV1,
    Kind::NarrowScopes,
    Kind::RevokePersonalToken,
    Kind::RevokeServiceToken,
    Kind::NarrowToken,
    Kind::DisableServiceAccount,
    Kind::DisableUser,
    Kind::RemoveRole,
    Kind::WithdrawPermission,
    Kind::DisableOrg,
    Kind::RevokeDuringGrace,
    Kind::RotateAway,
    Kind::AllowElsewhere,
    Kind::RevokeNativeKey,
    Kind::NarrowNativeKey,
    Kind::WithdrawFromRole,
    Kind::Unregister,
];

/// A credential that is made, and the request by which it loses what its verification asks for.
pub(super) struct Loss {
    pub(super) target: Arc<Target>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// Makes a credential to be lost.
pub(super) async fn prepare(admin: &Client, people: &People, kind: Kind) -> Loss {
    let mut method = None;
    let beside = admin.keys().api_key.clone().unwrap();
    let (target, path, body) = match kind {
        Kind::RevokeApiKey => {
            let key = api_key(admin).await;
            let header = format!("dd-api-key: {}\r\n", key.secret);
            (Target::new(kind, "/api/v2/validate", &header), format!("/api/v2/api_keys/{}", key.id), None)
        }
        Kind::DeleteApiKeyV1 => {
            let key = api_key(admin).await;
            let header = format!("dd-api-key: {}\r\n", key.secret);
            (Target::new(kind, "/api/v1/validate", &header), format!("/api/v1/api_key/{}", key.secret), None)
        }
        Kind::RevokeApplicationKey => {
            let key = application_key(admin, json!(null)).await;
            let header = format!("authorization: Bearer {}\r\n", key.secret);
            (Target::new(kind, "/verify", &header), format!("/api/v2/application_keys/{}", key.id), None)
        }
        Kind::DeleteApplicationKeyV1 => {
            let key = application_key(admin, json!(null)).await;
            let header = format!("dd-api-key: {beside}\r\ndd-application-key: {}\r\n", key.secret);
            (Target::new(kind, "/verify", &header), format!("/api/v1/application_key/{}", key.secret), None)
        }
        Kind::NarrowScopes => {
            let key = application_key(admin, json!(["user_app_keys", "monitors_read"])).await;
            let header = format!("x-api-key: {}\r\n", key.secret);
            let attributes = json!({ "scopes": ["user_app_keys"] });
            let body =
                json!({ "data": { "type": "application_keys", "id": key.id, "attributes": attributes } });
            let path = format!("/api/v2/current_user/application_keys/{}", key.id);
            (Target::new(kind, "/verify?permission=monitors_read", &header), path, Some(body))
        }
        Kind::RevokePersonalToken => {
            let token = personal_access_token(admin, json!(["monitors_read"])).await;
            let header = format!("dd-application-key: {}\r\n", token.secret);
            let path = format!("/api/v2/personal_access_tokens/{}", token.id);
            (Target::new(kind, "/verify?permission=monitors_read", &header), path, None)
        }
        Kind::RevokeServiceToken => {
            let (account, header, token) = service_token(admin).await;
            let path = format!("/api/v2/service_accounts/{account}/access_tokens/{token}");
            (Target::new(kind, "/verify", &header), path, None)
        }
        Kind::NarrowToken => {
            let token = personal_access_token(admin, json!(["user_app_keys", "monitors_read"])).await;
            let header = format!("authorization: Bearer {}\r\n", token.secret);
            let body = json!({ "data": { "type": "personal_access_tokens", "id": token.id,
                "attributes": { "scopes": ["user_app_keys"] } } });
            let path = format!("/api/v2/personal_access_tokens/{}", token.id);
            (Target::new(kind, "/verify?permission=monitors_read", &header), path, Some(body))
        }
        Kind::DisableServiceAccount => {
            let (account, header, _) = service_token(admin).await;
            (Target::new(kind, "/verify", &header), format!("/api/v2/users/{account}"), None)
        }
        Kind::DisableUser => {
            let member = people.join("human", &[], json!(null)).await;
            let header = format!("x-api-key: {}\r\n", member.keys.application_key.unwrap());
            (Target::new(kind, "/verify", &header), format!("/api/v2/users/{}", member.id), None)
        }
        Kind::RemoveRole | Kind::WithdrawPermission => {
            let role = role(admin, &[API_KEYS_READ]).await;
            let member = people.join("service_account", &[&role], json!(null)).await;
            let header = format!("x-api-key: {}\r\n", member.keys.application_key.unwrap());
            let (path, body) = match kind {
                Kind::RemoveRole => (format!("/api/v2/roles/{role}"), None),
                _ => {
                    method = Some(Method::DELETE);
                    let body = json!({ "data": { "type": "permissions", "id": API_KEYS_READ } });
                    (format!("/api/v2/roles/{role}/permissions"), Some(body))
                }
            };
            (Target::new(kind, "/verify?permission=api_keys_read", &header), path, body)
        }
        Kind::DisableOrg => {
            let made = admin.post("/claviger/v1/orgs", &json!({ "name": "Made" })).await.expect(201).json();
            let header = format!("x-api-key: {}\r\n", made["api_key"]["secret"].as_str().unwrap());
            let path = format!("/claviger/v1/orgs/{}", made["org"]["id"].as_str().unwrap());
            (Target::new(kind, "/verify", &header), path, Some(json!({ "disabled": true })))
        }
        Kind::RevokeDuringGrace => {
            let key = application_key(admin, json!(null)).await;
            guarded::rotate(admin, &format!("/claviger/v1/application_keys/{}", key.id), 3600).await;
            let header = format!("x-api-key: {}\r\n", key.secret);
            (Target::new(kind, "/verify", &header), format!("/api/v2/application_keys/{}", key.id), None)
        }
        Kind::RotateAway => {
            let key = api_key(admin).await;
            let header = format!("dd-api-key: {}\r\n", key.secret);
            let path = format!("/claviger/v1/api_keys/{}/rotate", key.id);
            method = Some(Method::POST);
            (Target::new(kind, "/api/v2/validate", &header), path, Some(json!({ "grace_seconds": 0 })))
        }
        Kind::AllowElsewhere => {
            let key = application_key(admin, json!(null)).await;
            let header = format!("x-api-key: {}\r\n", key.secret);
            let path = format!("/claviger/v1/application_keys/{}", key.id);
            (Target::new(kind, "/verify", &header), path, Some(json!({ "allow_list": ["192.0.2.1"] })))
        }
        Kind::RevokeNativeKey => {
            let key = native_key(admin, &json!({ "name": "Made", "external_id": "customer" })).await;
            let header = format!("x-api-key: {}\r\n", key.secret);
            (Target::new(kind, "/verify", &header), format!("/claviger/v1/keys/{}", key.id), None)
        }
        Kind::NarrowNativeKey => {
            let body = json!({ "name": "Made", "permissions": [OWN_PERMISSION], "metadata": { "a": 1 } });
            let key = native_key(admin, &body).await;
            let header = format!("authorization: Bearer {}\r\n", key.secret);
            let target = Target::new(kind, &requiring_own(), &header);
            (target, format!("/claviger/v1/keys/{}", key.id), Some(json!({ "permissions": [] })))
        }
        Kind::Unregister => {
            let key = application_key(admin, json!(null)).await;
            actions::register(admin, &key.id).await;
            let connection = connections::made(admin, &connections::gitlab("glpat-sample-sample")).await;
            let header = format!("dd-api-key: {beside}\r\ndd-application-key: {}\r\n", key.secret);
            let path = format!("{}/{connection}", connections::ALL);
            (Target::new(kind, &path, &header), actions::registration(&key.id), None)
        }
        Kind::WithdrawFromRole => {
            let role = role(admin, &[]).await;
            let path = format!("/claviger/v1/roles/{role}/permissions");
            let own = json!({ "permissions": [OWN_PERMISSION] });
            method = Some(Method::PUT);
            admin.put(&path, &own).await.expect(200);
            let account = service_account(admin, json!([{ "type": "roles", "id": role }])).await;
            let token = service_access_token(admin, &account, json!(["monitors_read"])).await;
            admin.put(&format!("/claviger/v1/credentials/{}/permissions", token.id), &own).await.expect(200);
            let header = format!("authorization: Bearer {}\r\n", token.secret);
            (Target::new(kind, &requiring_own(), &header), path, Some(json!({ "permissions": [] })))
        }
    };
    let method = method.unwrap_or(if body.is_some() { Method::PATCH } else { Method::DELETE });
    Loss { target, method, path, body }
}

/// A permission of the org's own, which a run defines.
pub(super) const OWN_PERMISSION: &str = "orders:read";

fn requiring_own() -> String {
    format!("/verify?permission={OWN_PERMISSION}")
}

/// A new service account, the header with a token of it, and the token's id.
async fn service_token(admin: &Client) -> (String, String, String) {
    let account = service_account(admin, json!([])).await;
    let token = service_access_token(admin, &account, json!(["monitors_read"])).await;
    (account, format!("authorization: Bearer {}\r\n", token.secret), token.id)
}
