//! The import file as it was written: checked for shape, not yet against anything else.
//!
//! Entries with faults are kept, as far as they were understood, so that what refers to them is not taken for
//! a fault too. Nothing is imported then anyway.

use claviger_model::{
    CredentialId, CredentialKind, Email, ManagedRole, OrgId, Permission, PermissionSet, RoleId, Scopes,
    Timestamp, UserId, UserKind,
};
use claviger_vault::IssuedSecret;
use serde_json::Value;

use super::connection_entry::ConnectionEntry;
use super::fault::Faults;
use super::reader::Object;
use super::zis_entry::{ZisConnectionEntry, ZisIntegrationEntry};

/// The most keys of a kind that a limit may allow.
const LIMIT_MAX: u32 = 10_000_000;

/// What an org's entry says.
pub(super) struct OrgEntry {
    pub(super) at: String,
    pub(super) id: Option<OrgId>,
    pub(super) name: Option<String>,
    /// Whether it must be there already.
    pub(super) must_exist: bool,
    pub(super) one_time_read: Option<bool>,
    pub(super) api_keys_max: Option<u32>,
    pub(super) application_keys_per_user_max: Option<u32>,
    pub(super) roles: Vec<RoleEntry>,
    pub(super) users: Vec<UserEntry>,
    /// API keys, then application keys, then personal and then service access tokens.
    pub(super) keys: Vec<KeyEntry>,
    pub(super) registrations: Vec<(String, CredentialId)>,
    pub(super) connections: Vec<ConnectionEntry>,
    pub(super) zis_integrations: Vec<ZisIntegrationEntry>,
    pub(super) zis_connections: Vec<ZisConnectionEntry>,
}

pub(super) struct RoleEntry {
    pub(super) at: String,
    pub(super) id: Option<RoleId>,
    pub(super) name: Option<String>,
    pub(super) managed: Option<ManagedRole>,
    pub(super) permissions: PermissionSet,
}

pub(super) struct UserEntry {
    pub(super) at: String,
    pub(super) id: Option<UserId>,
    /// In lower case.
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) kind: UserKind,
    /// Names or ids, with their places.
    pub(super) roles: Vec<(String, String)>,
    pub(super) is_disabled: bool,
}

pub(super) struct KeyEntry {
    pub(super) at: String,
    pub(super) kind: KeyKind,
    pub(super) id: Option<CredentialId>,
    pub(super) name: Option<String>,
    pub(super) secret: Option<IssuedSecret>,
    /// Whose it is, or who made it: an address or an id.
    pub(super) user: Option<String>,
    pub(super) category: Option<String>,
    pub(super) remote_config_read: bool,
    pub(super) scopes: Option<Scopes>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) is_registered: bool,
    /// Whether everything of it was understood.
    pub(super) is_sound: bool,
}

impl KeyEntry {
    /// The member that names its user.
    pub(super) fn user_member(&self) -> &'static str {
        user_member(self.kind)
    }
}

/// The kinds of credential that a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    Api,
    Application,
    PersonalToken,
    ServiceToken,
}

impl KeyKind {
    /// As what they are imported.
    pub(super) fn credential_kind(self) -> CredentialKind {
        match self {
            Self::Api => CredentialKind::ApiKey,
            Self::Application => CredentialKind::ApplicationKey,
            Self::PersonalToken => CredentialKind::PersonalAccessToken,
            Self::ServiceToken => CredentialKind::ServiceAccessToken,
        }
    }

    /// Whether it acts for somebody, and always within scopes.
    fn is_token(self) -> bool {
        matches!(self, Self::PersonalToken | Self::ServiceToken)
    }
}

fn user_member(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Api => "created_by",
        KeyKind::Application | KeyKind::PersonalToken | KeyKind::ServiceToken => "owner",
    }
}

/// Reads a whole file.
pub(super) fn read(value: &Value, faults: &Faults) -> Vec<OrgEntry> {
    let file = Object::read(value, String::new(), &["orgs"], faults);
    file.require("orgs");
    file.list("orgs").into_iter().map(|(at, value)| read_org(value, at, faults)).collect()
}

fn read_org(value: &Value, at: String, faults: &Faults) -> OrgEntry {
    let known = [
        "id",
        "name",
        "existing",
        "settings",
        "roles",
        "users",
        "api_keys",
        "application_keys",
        "personal_access_tokens",
        "service_access_tokens",
        "app_key_registrations",
        "connections",
        "zis_integrations",
        "zis_connections",
    ];
    let org = Object::read(value, at, &known, faults);
    if !org.has("id") {
        org.require("name");
    }
    let absent = Value::Object(serde_json::Map::new());
    let known = ["one_time_read", "api_keys_max", "application_keys_per_user_max"];
    let settings = Object::read(org.value("settings").unwrap_or(&absent), org.at("settings"), &known, faults);
    let roles = org.list("roles").into_iter().map(|(at, value)| read_role(value, at, faults)).collect();
    let users = org.list("users").into_iter().map(|(at, value)| read_user(value, at, faults)).collect();
    let keys = |member, kind| {
        let values = org.list(member).into_iter();
        values.map(move |(at, value)| read_key(value, at, kind, faults))
    };
    let api_keys = keys("api_keys", KeyKind::Api);
    let application_keys = keys("application_keys", KeyKind::Application);
    let personal_tokens = keys("personal_access_tokens", KeyKind::PersonalToken);
    let service_tokens = keys("service_access_tokens", KeyKind::ServiceToken);
    let keys = api_keys.chain(application_keys).chain(personal_tokens).chain(service_tokens).collect();
    let registration = |(at, text): (String, &str)| match text.parse() {
        Ok(id) => Some((at, id)),
        Err(error) => {
            faults.add(at, format!("is not valid: {error}"));
            None
        }
    };
    let registrations = org.texts("app_key_registrations").into_iter().filter_map(registration).collect();
    let connections = org.list("connections").into_iter();
    let connections = connections.map(|(at, value)| ConnectionEntry::read(value, at, faults)).collect();
    let integrations = org.list("zis_integrations").into_iter();
    let zis_integrations =
        integrations.map(|(at, value)| ZisIntegrationEntry::read(value, at, faults)).collect();
    let zis_connections = org.list("zis_connections").into_iter();
    let zis_connections =
        zis_connections.map(|(at, value)| ZisConnectionEntry::read(value, at, faults)).collect();
    OrgEntry {
        connections,
        zis_integrations,
        zis_connections,
        id: org.parsed("id"),
        name: org.name("name"),
        must_exist: org.flag("existing").unwrap_or(false),
        one_time_read: settings.flag("one_time_read"),
        api_keys_max: settings.number("api_keys_max", LIMIT_MAX),
        application_keys_per_user_max: settings.number("application_keys_per_user_max", LIMIT_MAX),
        roles,
        users,
        keys,
        registrations,
        at: org.at,
    }
}

fn read_role(value: &Value, at: String, faults: &Faults) -> RoleEntry {
    let role = Object::read(value, at, &["id", "name", "managed", "permissions"], faults);
    let managed = role.text("managed").and_then(|text| {
        let managed = ManagedRole::parse(text);
        if managed.is_none() {
            role.fault("managed", "must be admin, standard or read_only");
        }
        managed
    });
    let name = role.name("name");
    if role.has("managed") {
        if role.has("permissions") {
            role.fault("permissions", "cannot be given: those of a built-in role follow from what it is");
        }
    } else {
        role.require("name");
    }
    if let (Some(managed), Some(name)) = (managed, &name)
        && name != managed.role_name()
    {
        role.fault("name", format!("must be left out, or {}", managed.role_name()));
    }
    let mut permissions = PermissionSet::EMPTY;
    for (at, name) in role.texts("permissions") {
        match Permission::parse(name) {
            Some(permission) => permissions |= PermissionSet::from_iter([permission]),
            None => faults.add(at, "is no permission"),
        }
    }
    RoleEntry { id: role.parsed("id"), name, managed, permissions, at: role.at }
}

fn read_user(value: &Value, at: String, faults: &Faults) -> UserEntry {
    let known = ["id", "email", "name", "title", "kind", "roles", "disabled"];
    let user = Object::read(value, at, &known, faults);
    user.require("email");
    let email = user.text("email");
    if email.is_some_and(|email| Email::parse(email).is_err()) {
        user.fault("email", "is not an e-mail address");
    }
    let kind = match user.text("kind") {
        None | Some("human") => UserKind::Human,
        Some("service_account") => UserKind::ServiceAccount,
        Some(_) => {
            user.fault("kind", "must be human or service_account");
            UserKind::Human
        }
    };
    let roles = user.texts("roles").into_iter().map(|(at, text)| (at, text.to_owned())).collect();
    UserEntry {
        id: user.parsed("id"),
        email: email.map(str::to_lowercase),
        name: user.name("name"),
        title: user.name("title"),
        kind,
        roles,
        is_disabled: user.flag("disabled").unwrap_or(false),
        at: user.at,
    }
}

fn read_key(value: &Value, at: String, kind: KeyKind, faults: &Faults) -> KeyEntry {
    let known: &[&str] = match kind {
        KeyKind::Api => &[
            "id",
            "name",
            "secret",
            "created_by",
            "category",
            "remote_config_read_enabled",
            "expires_at",
            "created_at",
        ],
        KeyKind::Application => {
            &["id", "name", "owner", "secret", "scopes", "expires_at", "created_at", "registered"]
        }
        KeyKind::PersonalToken | KeyKind::ServiceToken => {
            &["id", "name", "owner", "secret", "scopes", "expires_at", "created_at"]
        }
    };
    let before = faults.count();
    let key = Object::read(value, at, known, faults);
    key.require("name");
    if kind != KeyKind::Api {
        key.require("owner");
    }
    if kind.is_token() {
        key.require("scopes");
    }
    if kind == KeyKind::PersonalToken {
        key.require("expires_at");
    }
    let secret =
        key.text("secret").and_then(|text| match IssuedSecret::parse(kind.credential_kind(), text) {
            Ok(secret) => Some(secret),
            Err(error) => {
                key.fault("secret", format!("is malformed: {error}"));
                None
            }
        });
    let mut scopes = Vec::new();
    for (at, name) in key.texts("scopes") {
        match Permission::parse(name) {
            Some(_) => scopes.push(name),
            None => faults.add(at, "is no scope"),
        }
    }
    if kind.is_token() && key.has("scopes") && key.texts("scopes").is_empty() {
        key.fault("scopes", "must have at least one scope");
    }
    KeyEntry {
        kind,
        id: key.parsed("id"),
        name: key.name("name"),
        secret,
        user: key.text(user_member(kind)).map(str::to_owned),
        category: key.name("category"),
        remote_config_read: key.flag("remote_config_read_enabled").unwrap_or(true),
        scopes: Scopes::parse(scopes).ok().flatten(),
        expires_at: key.moment("expires_at"),
        created_at: key.moment("created_at"),
        is_registered: key.flag("registered").unwrap_or(false),
        is_sound: faults.count() == before,
        at: key.at,
    }
}
