//! Security state, as ledger entries carry it: what decides who may do what, and nothing else.
//!
//! Each entry holds, under `states`, the new state of everything whose state it changed. Folding the entries
//! gives what the tables must hold, so that a row edited behind the server's back is found by comparison.

use claviger_model::{Credential, CredentialDetail, CredentialId, Org, OrgId, Role, Scopes, User};
use serde_json::{Map, Value as Json, json};

use crate::LiveSecret;
use crate::people::user_kind_text;

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
    let state = json!({
        "disabled": org.disabled_at.is_some(),
        "one_time_read": org.settings.one_time_read,
    });
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

pub(crate) fn registration(org: OrgId, id: CredentialId) -> State {
    (format!("registration:{id}"), json!({ "org": org.to_string() }))
}

/// All that died in a database from which this one was not restored: how many, and a hash over them in order.
pub(crate) fn tombstones(count: u64, hash: &blake3::Hash) -> State {
    (TOMBSTONES.to_owned(), json!({ "count": count, "hash": hash.to_hex().as_str() }))
}

/// What stands for all tombstones.
pub(crate) const TOMBSTONES: &str = "tombstones:all";

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
