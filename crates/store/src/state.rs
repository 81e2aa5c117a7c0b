//! Security state, as ledger entries carry it: what decides who may do what, and nothing else.
//!
//! Each entry holds, under `states`, the new state of everything whose state it changed. Folding the entries
//! gives what the tables must hold, so that a row edited behind the server's back is found by comparison.

use claviger_model::{
    Connection, Credential, CredentialDetail, CredentialId, Leak, LeakPolicy, Org, OrgId, OwnPermission,
    Role, Scopes, User, UserId, Webhook, ZisIntegration, ZisOAuthClient, ZisUrl,
};
use claviger_vault::Digest;
use serde_json::{Map, Value as Json, json};

use crate::people::user_kind_text;
use crate::webhooks::events_text;
use crate::{LiveSecret, registrations};

/// `kind:id` and its state.
pub(crate) type State = (String, Json);

/// Puts the states into a change's detail.
pub(crate) fn with_states(detail: Json, states: impl IntoIterator<Item = State>) -> Json {
    let mut detail = match detail {
        Json::Object(members) => members,
        _ => Map::new(),
    };
    detail.insert("states".to_owned(), Json::Object(states.into_iter().collect()));
    Json::Object(detail)
}

pub(crate) fn org(org: &Org) -> State {
    let mut state = json!({
        "disabled": org.disabled_at.is_some(),
        "one_time_read": org.settings.one_time_read,
    });
    // Only where it is not as for every org before there was a choice, so that their entries stay true.
    if org.settings.leaks != LeakPolicy::default() {
        state["leaks"] = json!(org.settings.leaks.as_str());
    }
    // Likewise, of those that have none.
    if let Some(subdomain) = &org.subdomain {
        state["subdomain"] = json!(subdomain.as_str());
    }
    if !org.private_reach.is_empty() {
        state["private_reach"] = json!(org.private_reach.to_string());
    }
    (format!("org:{}", org.id), state)
}

pub(crate) fn role(role: &Role) -> State {
    let state = json!({
        "org": role.org.to_string(),
        "managed": role.managed.map(|managed| managed.as_str()),
        // A built-in role's permissions follow from the code, and grow with it.
        "permissions": role.managed.is_none().then(|| role.permissions.to_list()),
    });
    (format!("role:{}", role.id), state)
}

/// Which of an org's own permissions a number is.
pub(crate) fn own_permission(permission: &OwnPermission) -> State {
    let state = json!({
        "org": permission.org.to_string(),
        "number": permission.number.get(),
        "name": permission.name.as_str(),
    });
    (format!("permission:{}", permission.id), state)
}

/// That there is no row any more.
pub(crate) fn gone((kind, id): (&'static str, String)) -> State {
    (format!("{kind}:{id}"), Json::Null)
}

/// A role that is gone for good: nobody holds it from this entry on, whatever the entries before say.
pub(crate) fn removed_role(role: &Role) -> State {
    let (key, mut state) = self::role(role);
    state[REMOVED] = Json::Bool(true);
    (key, state)
}

/// What marks the state of a role that is gone.
pub(crate) const REMOVED: &str = "removed";

pub(crate) fn user(user: &User) -> State {
    let mut roles: Vec<_> = user.roles.iter().map(ToString::to_string).collect();
    roles.sort_unstable();
    let state = json!({
        "org": user.org.to_string(),
        "kind": user_kind_text(user.kind),
        "disabled": user.disabled_at.is_some(),
        "roles": roles,
    });
    (format!("user:{}", user.id), state)
}

/// By which of a user's passwords the user signs in. Its sealed hash is bound to the revision, and opens with no other.
pub(crate) fn password(org: OrgId, user: UserId, revision: i64) -> State {
    (format!("password:{user}"), json!({ "org": org.to_string(), "revision": revision }))
}

pub(crate) fn registration(org: OrgId, id: CredentialId) -> State {
    (format!("registration:{id}"), json!({ "org": org.to_string() }))
}

/// Where an org's events go, which, and by which of its secrets they are signed.
pub(crate) fn webhook(webhook: &Webhook, is_deleted: bool) -> State {
    let state = json!({
        "org": webhook.org.to_string(),
        // By its hash alone: some receivers know their callers by a part of the address that nobody else knows.
        "url": blake3::hash(webhook.url.as_str().as_bytes()).to_hex().as_str(),
        "events": events_text(&webhook.events),
        "enabled": webhook.is_enabled,
        "secret_revision": webhook.secret_revision,
        "deleted": is_deleted,
    });
    (format!("webhook:{}", webhook.id), state)
}

/// What a connection is, where its secrets may go, which it has, and who may do what with it.
pub(crate) fn connection(connection: &Connection) -> State {
    let mut state = json!({
        "org": connection.org.to_string(),
        "dialect": connection.dialect.as_str(),
        "name": connection.name,
        "integration": connection.integration,
        "credentials": connection.credentials,
        // By their hash: they may be long, and the record is for all who may read it.
        "settings": blake3::hash(connection.settings.as_bytes()).to_hex().as_str(),
        "secrets_kept": connection.secrets.to_string(),
        // The next secret is bound to the next one: were it set back, an older secret would fit again.
        "revision": connection.revision,
        "restriction": connection.restriction.as_ref().map(ToString::to_string),
        "expires_at": connection.expires_at.map(|end| end.micros()),
    });
    if let Some(container) = &connection.container {
        state["container"] = json!(container);
    }
    if !connection.hosts.is_empty() {
        state["hosts"] = json!(connection.hosts);
    }
    // Only where there are any, so that entries of before stay true.
    if !connection.terms.is_default() {
        state["terms"] = json!(connection.terms.to_string());
    }
    (format!("connection:{}", connection.id), state)
}

/// What a ZIS integration is called, and by what its OAuth client is known.
pub(crate) fn zis_integration(integration: &ZisIntegration, client_secret: &Digest) -> State {
    let mut state = json!({
        "org": integration.org.to_string(),
        "name": integration.name.as_str(),
        "client_number": integration.client_number,
        "client_secret": client_secret.to_hex(),
    });
    // Only where there are some: entries of before there were any say nothing of it.
    if !integration.redirect_origins.is_empty() {
        state["redirect_origins"] = json!(integration.redirect_origins.to_string());
    }
    // Likewise. Its hash will do; that the private key is the one to it is checked where that opens.
    if let Some(key) = &integration.jwt_public_key {
        state["jwt_public_key"] = json!(blake3::hash(key.as_bytes()).to_hex().as_str());
    }
    (format!("zis_integration:{}", integration.id), state)
}

/// What an OAuth client of a ZIS integration is to the authorization server, where its secret and its tokens may go, and
/// which secret it has.
pub(crate) fn zis_oauth_client(client: &ZisOAuthClient) -> State {
    let state = json!({
        "org": client.org.to_string(),
        "integration": client.integration,
        "name": client.name.as_str(),
        "auth_url": client.auth_url.as_ref().map(ZisUrl::as_str),
        "token_url": client.token_url.as_str(),
        "client_id": client.client_id,
        "scopes": client.default_scopes.as_str(),
        "grant": client.grant.as_str(),
        "allowed_domain": client.allowed_domain,
        // The next secret is bound to a later one: were it set back, an older secret would fit again.
        "secret_revision": client.secret_revision,
        "grant_revision": client.grant_revision,
    });
    (format!("zis_oauth_client:{}", client.id), state)
}

/// That a credential's secret was found where it should not be.
pub(crate) fn leak(leak: &Leak) -> State {
    let state = json!({
        "org": leak.org.to_string(),
        "credential": leak.credential.to_string(),
        "at": leak.at.micros(),
    });
    (format!("leak:{}", leak.id), state)
}

/// All that died in a database from which this one was not restored: how many, and a hash over them in order.
pub(crate) fn tombstones(count: u64, hash: &blake3::Hash) -> State {
    (TOMBSTONES.to_owned(), json!({ "count": count, "hash": hash.to_hex().as_str() }))
}

/// What stands for all tombstones.
pub(crate) const TOMBSTONES: &str = "tombstones:all";

/// The states that the death of a credential leaves: its own, and that it is no longer registered.
pub(crate) fn dead(credential: &Credential) -> impl Iterator<Item = State> {
    [self::credential(credential, &[])].into_iter().chain(registrations::gone_with(credential))
}

/// A credential's state, with its live secrets. What few credentials have is only there where they have it.
pub(crate) fn credential(credential: &Credential, live: &[LiveSecret]) -> State {
    let remote_config_read = match &credential.detail {
        CredentialDetail::ApiKey { remote_config_read, .. } => Some(*remote_config_read),
        _ => None,
    };
    let mut secrets: Vec<_> = live.iter().map(|secret| secret.digest.to_hex()).collect();
    secrets.sort_unstable();
    let mut state = json!({
        "org": credential.org.to_string(),
        "kind": credential.kind().as_str(),
        // By these people tell keys apart: whoever swaps them has the wrong one revoked.
        "name": credential.name,
        "last4": credential.last4,
        "owner": credential.detail.owner().map(|owner| owner.to_string()),
        "scopes": credential.detail.scopes().map(Scopes::to_list),
        "remote_config_read": remote_config_read,
        "expires_at": credential.expiry.timestamp().map(|end| end.micros()),
        "revoked": !credential.state.is_live(),
        "secrets": secrets,
    });
    if let CredentialDetail::NativeKey { external_id, metadata, .. } = &credential.detail {
        // Gateways go by both. Of the metadata a hash will do: it may be long.
        state["external_id"] = external_id.as_deref().into();
        let hash = metadata.as_ref().map(|metadata| blake3::hash(metadata.as_bytes()));
        state["metadata"] = hash.map(|hash| hash.to_hex().to_string()).into();
    }
    if let CredentialDetail::IntegrationToken { integration, scopes, number, .. } = &credential.detail {
        state["integration"] = json!(integration.to_string());
        state["zis_scopes"] = json!(scopes.to_string());
        state["number"] = json!(number);
    }
    // Only where there is one: entries of before there were tokens say nothing of it.
    if let Some(portion) = credential.detail.public_portion() {
        state["public_portion"] = portion.into();
    }
    if let Some(allow_list) = &credential.guards.allow_list {
        state["allow_list"] = allow_list.to_list().into();
    }
    if let Some(limit) = credential.guards.request_limit {
        state["request_limit"] = json!([limit.requests(), limit.period_seconds()]);
    }
    let until = |secret: &LiveSecret| Some((secret.digest.to_hex(), secret.valid_until?.micros().into()));
    let replaced: Map<_, _> = live.iter().filter_map(until).collect();
    if !replaced.is_empty() {
        state["replaced"] = replaced.into();
    }
    (format!("credential:{}", credential.id), state)
}
