//! OAuth connections as they are shown.

use std::borrow::Cow;

use claviger_catalog::SecretText;
use claviger_engine::{ShownTokens, ShownZisConnection};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::connections::wire::{MASK, millis};

/// The members that hold secrets, and the names under which these are kept.
const SECRETS: [(&str, &str); 3] = [
    ("access_token", "access_token"),
    ("oauth_access_token_response_body", "response_body"),
    ("refresh_token", "refresh_token"),
];

/// A connection without its secrets: masked where it has one, empty where it has none, as after a change of its client.
pub(crate) fn redacted(shown: &ShownZisConnection) -> Value {
    let mut object = clear(shown);
    for (member, name) in SECRETS {
        let has_it = shown.connection.secrets.0.contains_key(name);
        object.insert(member.to_owned(), json!(if has_it { MASK } else { "" }));
    }
    Value::Object(object)
}

/// The same with the number of its account, as one alone is shown.
pub(super) fn one(shown: &ShownZisConnection, account: i64) -> Value {
    let mut object = redacted(shown);
    object["zendesk_account_id"] = json!(account);
    object
}

/// One with its tokens in clear.
pub(super) fn with_tokens(shown: &ShownZisConnection, tokens: ShownTokens, account: i64) -> Revealed {
    let mut rest = clear(shown);
    rest.insert("zendesk_account_id".to_owned(), json!(account));
    Revealed {
        rest,
        access_token: Clear(tokens.access_token),
        oauth_access_token_response_body: Clear(tokens.response_body),
        refresh_token: Clear(tokens.refresh_token),
    }
}

/// What is no secret.
fn clear(shown: &ShownZisConnection) -> Map<String, Value> {
    let connection = &shown.connection;
    let oauth = shown.settings.oauth();
    let object = json!({
        "allowed_domain": shown.settings.allowed_domain(),
        "created_at": millis(connection.created_at),
        "created_by": connection.created_by.to_string(),
        "integration": connection.container,
        "name": connection.name,
        "oauth_client_uuid": oauth.map(|it| it.client.as_str()),
        "oauth_url_subdomain": oauth.and_then(|it| it.subdomain.as_deref()).unwrap_or_default(),
        "permission_scope": oauth.map(|it| it.scope.as_str()),
        "token_expiry": oauth.and_then(|it| it.token_expiry.as_deref()),
        "token_type": oauth.and_then(|it| it.token_type.as_deref()).unwrap_or_default(),
        "updated_at": millis(connection.modified_at),
        "uuid": connection.id.to_string(),
    });
    match object {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// An OAuth connection with its tokens in clear.
#[derive(Serialize)]
pub(super) struct Revealed {
    #[serde(flatten)]
    rest: Map<String, Value>,
    access_token: Clear,
    oauth_access_token_response_body: Clear,
    refresh_token: Clear,
}

/// A secret on its way into a response body; empty where there is none. It does not print.
pub(super) struct Clear(Option<SecretText>);

impl From<SecretText> for Clear {
    fn from(text: SecretText) -> Self {
        Self(Some(text))
    }
}

impl Serialize for Clear {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_ref().map_or("", SecretText::reveal))
    }
}

/// A text, as descriptions of the API see it.
impl JsonSchema for Clear {
    fn schema_name() -> Cow<'static, str> {
        "Clear".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// One of a list.
pub(crate) fn schema() -> Value {
    let names = [
        "access_token",
        "allowed_domain",
        "created_at",
        "created_by",
        "integration",
        "name",
        "oauth_access_token_response_body",
        "oauth_client_uuid",
        "oauth_url_subdomain",
        "permission_scope",
        "refresh_token",
        "token_type",
        "updated_at",
        "uuid",
    ];
    let mut members: Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
    members.insert("token_expiry".to_owned(), json!({ "type": ["string", "null"] }));
    json!({ "type": "object", "properties": members, "required": names })
}

/// One alone.
pub(super) fn one_schema() -> Value {
    let mut schema = schema();
    schema["properties"]["zendesk_account_id"] = json!({ "type": "integer" });
    schema
}
