//! Users and service accounts on the wire, as recorded.

use claviger_model::{OrgId, RoleId, User, UserKind};
use md5::{Digest, Md5};
use schemars::JsonSchema;
use serde::Serialize;

use crate::times;
use crate::wire::{Reference, Relation};

/// A user, as the services for users answer with it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UserObject {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    attributes: Attributes,
    relationships: Relationships,
}

/// What is told of a user. Those that the keys' services include lack the last three.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Attributes {
    name: Option<String>,
    handle: String,
    created_at: String,
    modified_at: String,
    email: String,
    icon: String,
    title: Option<String>,
    verified: bool,
    service_account: bool,
    disabled: bool,
    allowed_login_methods: [String; 0],
    status: &'static str,
    #[serde(flatten)]
    account: Option<Account>,
}

/// What only the services for users tell. There is no login, and so neither its second factor nor its time.
#[derive(Serialize, JsonSchema)]
struct Account {
    uuid: String,
    mfa_enabled: bool,
    last_login_time: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Relationships {
    roles: Relation<Vec<Reference>>,
    org: Relation<Reference>,
    /// Only the caller's own has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    team_roles: Option<Relation<[Reference; 0]>>,
}

impl Attributes {
    /// Those that every service tells.
    pub(crate) fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            handle: user.handle.clone(),
            created_at: times::v2(user.created_at),
            modified_at: times::v2(user.modified_at),
            email: user.email.clone(),
            icon: icon(&user.email),
            title: user.title.clone(),
            verified: user.verified,
            service_account: user.kind == UserKind::ServiceAccount,
            disabled: user.disabled_at.is_some(),
            allowed_login_methods: [],
            status: match (user.disabled_at, user.verified) {
                (Some(_), _) => "Disabled",
                (None, true) => "Active",
                (None, false) => "Pending",
            },
            account: None,
        }
    }
}

impl UserObject {
    /// A user with its roles and its org.
    pub(crate) fn of(user: &User) -> Self {
        let id = user.id.to_string();
        let account = Account { uuid: id.clone(), mfa_enabled: false, last_login_time: None };
        Self {
            kind: "users",
            id,
            attributes: Attributes { account: Some(account), ..Attributes::of(user) },
            relationships: Relationships { roles: roles(&user.roles), org: org(user.org), team_roles: None },
        }
    }

    /// The same from the services that write JSON:API: they name the picture's parameters in another order.
    pub(crate) fn in_newer_order(mut self) -> Self {
        self.attributes.icon = self.attributes.icon.replace("?s=48&d=retro", "?d=retro&s=48");
        self
    }

    /// The caller itself, who is in no team.
    pub(crate) fn of_caller(user: &User) -> Self {
        let mut object = Self::of(user);
        object.relationships.team_roles = Some(Relation { data: [] });
        object
    }
}

fn roles(ids: &[RoleId]) -> Relation<Vec<Reference>> {
    Relation { data: ids.iter().map(|id| Reference::to("roles", id)).collect() }
}

fn org(id: OrgId) -> Relation<Reference> {
    Relation { data: Reference::to("orgs", id) }
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
