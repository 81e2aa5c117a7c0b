//! Users and roles as `included` objects (fact sheet 3.3, 4.1 and 9.1).

use claviger_engine::{Engine, Error as EngineError};
use claviger_model::{OrgId, Role, User, UserId, UserKind};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::times;

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
    let status = match (user.disabled_at, user.verified) {
        (Some(_), _) => "Disabled",
        (None, true) => "Active",
        (None, false) => "Pending",
    };
    json!({
        "type": "users",
        "id": user.id.to_string(),
        "attributes": {
            "name": user.name,
            "handle": user.handle,
            "created_at": times::v2(user.created_at),
            "modified_at": times::v2(user.modified_at),
            "email": user.email,
            "icon": icon(&user.email),
            "title": user.title,
            "verified": user.verified,
            "service_account": user.kind == UserKind::ServiceAccount,
            "disabled": user.disabled_at.is_some(),
            "allowed_login_methods": [],
            "status": status,
        },
        "relationships": relationships,
    })
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

/// The picture that belongs to an address: Gravatar's, by the MD5 of the address in lower case.
fn icon(email: &str) -> String {
    let hash = Md5::digest(email.to_lowercase().as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("https://secure.gravatar.com/avatar/{hex}?s=48&d=retro")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_picture_is_the_recorded_one() {
        let expected = "https://secure.gravatar.com/avatar/b7c189b5b4c2c429d7c1e0bc3749330e?s=48&d=retro";
        assert_eq!(super::icon("team-intg-tools-libs-spam@datadoghq.com"), expected);
    }
}
