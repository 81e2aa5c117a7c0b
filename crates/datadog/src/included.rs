//! Users and roles as `included` objects, as recorded.

use claviger_engine::{Engine, Error as EngineError};
use claviger_model::{Org, OrgId, PermissionSet, Role, User, UserId};
use serde_json::{Value, json};

use crate::times;
use crate::v2::permissions::{self, PermissionObject};
use crate::v2::users::wire::Attributes;

/// The users of these ids, each once, related to their org only: as lists include them.
pub(crate) async fn users(
    engine: &Engine,
    org: OrgId,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<Vec<Value>, EngineError> {
    let users = engine.users(org, &each_once(ids)).await?;
    let related =
        |user: &User| object(user, json!({ "org": { "data": { "type": "orgs", "id": org.to_string() } } }));
    Ok(users.iter().map(related).collect())
}

/// One owner and after it the roles that it has.
pub(crate) async fn owner_and_roles(
    engine: &Engine,
    org: OrgId,
    id: UserId,
) -> Result<Vec<Value>, EngineError> {
    let mut included = Vec::new();
    for user in engine.users(org, &[id]).await? {
        included.push(with_roles(&user));
        included.extend(engine.roles_of(&user).await?.iter().map(role));
    }
    Ok(included)
}

fn each_once(ids: impl IntoIterator<Item = UserId>) -> Vec<UserId> {
    let mut once = Vec::new();
    for id in ids {
        if !once.contains(&id) {
            once.push(id);
        }
    }
    once
}

fn with_roles(user: &User) -> Value {
    let roles: Vec<_> =
        user.roles.iter().map(|id| json!({ "type": "roles", "id": id.to_string() })).collect();
    object(user, json!({ "roles": { "data": roles } }))
}

fn object(user: &User, relationships: Value) -> Value {
    json!({
        "type": "users",
        "id": user.id.to_string(),
        "attributes": Attributes::of(user),
        "relationships": relationships,
    })
}

/// The roles that a user has, what they allow, and then the permissions themselves, each once.
pub(crate) async fn roles_and_permissions(engine: &Engine, user: &User) -> Result<Vec<Value>, EngineError> {
    let roles = engine.roles_of(user).await?;
    let mut included: Vec<_> = roles.iter().map(role_with_permissions).collect();
    let all = roles.iter().fold(PermissionSet::EMPTY, |all, role| all | role.permissions);
    included.extend(all.iter().map(|permission| json!(PermissionObject::of(permission))));
    Ok(included)
}

/// The roles that these users have, each once; none where they have none.
pub(crate) async fn roles_of_all(
    engine: &Engine,
    org: OrgId,
    users: &[User],
) -> Result<Option<Vec<Value>>, EngineError> {
    let mut ids: Vec<_> = users.iter().flat_map(|user| user.roles.iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let roles = engine.roles(org, &ids).await?;
    Ok((!roles.is_empty()).then(|| roles.iter().map(role_with_permissions).collect()))
}

/// An org. What is not told of it is empty: clients want texts.
pub(crate) fn org(of: &Org) -> Value {
    json!({
        "type": "orgs",
        "id": of.id.to_string(),
        "attributes": {
            "public_id": of.id.to_string(),
            "name": of.name,
            "description": "",
            "sharing": "none",
            "url": "",
            "disabled": of.disabled_at.is_some(),
            "created_at": times::v2(of.created_at),
            "modified_at": times::v2(of.modified_at),
        },
    })
}

/// A role related to what it allows.
pub(crate) fn role_with_permissions(of: &Role) -> Value {
    let mut object = role(of);
    object["relationships"] = json!({ "permissions": permissions::related(&of.permissions) });
    object
}

fn role(role: &Role) -> Value {
    json!({
        "type": "roles",
        "id": role.id.to_string(),
        "attributes": {
            "name": role.name,
            "managed": role.managed.is_some(),
            "created_at": times::v2(role.created_at),
            "modified_at": times::v2(role.modified_at),
        },
    })
}
