//! API keys and application keys (the vendor's API, version 2).

use http::Method;
use serde_json::{Value, json};

use crate::CliError;
use crate::args::{ApiKeyCommand, AppKeyCommand, KeyCommand, ListArgs, RotateArgs};
use crate::client::Client;
use crate::output::{Column, Output, text, without_secret};
use crate::registrations::{marked, register, unregister};

const API_KEYS: &str = "/api/v2/api_keys";
const OWN: &str = "/api/v2/current_user/application_keys";
const ALL: &str = "/api/v2/application_keys";

const API_COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("NAME", |item| text(item, "/attributes/name")),
    ("LAST4", |item| text(item, "/attributes/last4")),
    ("CREATED", |item| text(item, "/attributes/created_at")),
    ("LAST USED", |item| text(item, "/attributes/date_last_used")),
];
const APP_COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("NAME", |item| text(item, "/attributes/name")),
    ("LAST4", |item| text(item, "/attributes/last4")),
    ("SCOPES", |item| text(item, "/attributes/scopes")),
    ("OWNER", |item| text(item, "/relationships/owned_by/data/id")),
    ("CREATED", |item| text(item, "/attributes/created_at")),
    ("LAST USED", |item| text(item, "/attributes/last_used_at")),
];
/// Nothing, where the caller may not know.
const REGISTERED: Column = ("REGISTERED", |item| match item["registered"].as_bool() {
    None => String::new(),
    Some(true) => "yes".to_owned(),
    Some(false) => "no".to_owned(),
});

pub(crate) async fn run(client: &Client, output: &Output, command: KeyCommand) -> Result<(), CliError> {
    match command {
        KeyCommand::Api(command) => api(client, output, command).await,
        KeyCommand::App(command) => app(client, output, command).await,
        KeyCommand::Register { id } => register(client, output, &id).await,
        KeyCommand::Unregister { id } => unregister(client, output, &id).await,
    }
}

async fn api(client: &Client, output: &Output, command: ApiKeyCommand) -> Result<(), CliError> {
    match command {
        ApiKeyCommand::List(ListArgs { filter }) => {
            output.list(&client.list(API_KEYS, filter.as_deref()).await?, API_COLUMNS)
        }
        ApiKeyCommand::Create { name } => {
            let data = json!({ "type": "api_keys", "attributes": { "name": name } });
            output.made(&client.put_resource(Method::POST, API_KEYS, data).await?, API_COLUMNS)
        }
        ApiKeyCommand::Show { id } => {
            // Not by its own address, which would hand out the secret: the list never does.
            let all = client.list(API_KEYS, None).await?;
            let found = all.iter().find(|item| item["id"] == *id);
            output.one(found.ok_or_else(|| CliError::Absent(format!("API key {id}")))?, API_COLUMNS)
        }
        ApiKeyCommand::Rename { id, name } => {
            let data = json!({ "type": "api_keys", "id": id, "attributes": { "name": name } });
            let changed = client.put_resource(Method::PATCH, &at(API_KEYS, &id)?, data).await?;
            output.one(&without_secret(changed), API_COLUMNS)
        }
        ApiKeyCommand::Rotate(rotate) => rotated(client, output, "/claviger/v1/api_keys", &rotate).await,
        ApiKeyCommand::Revoke { id } => {
            client.delete(&at(API_KEYS, &id)?).await?;
            output.done(&format!("API key {id} is revoked"))
        }
    }
}

async fn app(client: &Client, output: &Output, command: AppKeyCommand) -> Result<(), CliError> {
    match command {
        AppKeyCommand::List { all, list } => {
            let path = if all { ALL } else { OWN };
            let keys = client.list(path, list.filter.as_deref()).await?;
            output.list(&marked(client, keys).await?, &[APP_COLUMNS, &[REGISTERED]].concat())
        }
        AppKeyCommand::Create { name, scopes, service_account } => {
            let scopes = (!scopes.is_empty()).then_some(scopes);
            let data =
                json!({ "type": "application_keys", "attributes": { "name": name, "scopes": scopes } });
            let path = match service_account {
                None => OWN.to_owned(),
                Some(id) => format!("{}/application_keys", at("/api/v2/service_accounts", &id)?),
            };
            output.made(&client.put_resource(Method::POST, &path, data).await?, APP_COLUMNS)
        }
        AppKeyCommand::Show { id } => {
            let found = either(client, Method::GET, &id, None).await?;
            output.one(&without_secret(found["data"].clone()), APP_COLUMNS)
        }
        AppKeyCommand::Rename { id, name } => update(client, output, &id, json!({ "name": name })).await,
        AppKeyCommand::Scope { id, scopes } => {
            let scopes = (!scopes.is_empty()).then_some(scopes);
            update(client, output, &id, json!({ "scopes": scopes })).await
        }
        AppKeyCommand::Rotate(rotate) => {
            rotated(client, output, "/claviger/v1/application_keys", &rotate).await
        }
        AppKeyCommand::Revoke { id } => {
            either(client, Method::DELETE, &id, None).await?;
            output.done(&format!("application key {id} is revoked"))
        }
    }
}

/// Gives a key of Claviger's own API a new secret, and shows that.
pub(crate) async fn rotated(
    client: &Client,
    output: &Output,
    list: &str,
    RotateArgs { id, grace }: &RotateArgs,
) -> Result<(), CliError> {
    const COLUMNS: &[Column] = &[
        ("ID", |item| text(item, "/id")),
        ("NAME", |item| text(item, "/name")),
        ("LAST4", |item| text(item, "/last4")),
        ("OLD SECRET UNTIL", |item| text(item, "/old_secret_valid_until")),
    ];
    let path = format!("{}/rotate", at(list, id)?);
    let answer = client.send(Method::POST, &path, Some(json!({ "grace_seconds": grace }))).await?;
    output.made(&answer, COLUMNS)
}

async fn update(client: &Client, output: &Output, id: &str, attributes: Value) -> Result<(), CliError> {
    let data = json!({ "type": "application_keys", "id": id, "attributes": attributes });
    let changed = either(client, Method::PATCH, id, Some(json!({ "data": data }))).await?;
    output.one(&without_secret(changed["data"].clone()), APP_COLUMNS)
}

/// Of one's own, where it is one's own; else of anybody's, if one may.
async fn either(client: &Client, method: Method, id: &str, body: Option<Value>) -> Result<Value, CliError> {
    let own = client.send(method.clone(), &at(OWN, id)?, body.clone()).await;
    match own {
        Err(CliError::Refused { status: 403 | 404, .. }) => {
            let anybodys = client.send(method, &at(ALL, id)?, body).await;
            // Whoever may not look at others' keys is told what they were told of their own.
            match anybodys {
                Err(CliError::Refused { status: 403, .. }) => own,
                answer => answer,
            }
        }
        answer => answer,
    }
}

/// The address of one of a list. An id that could lead elsewhere is none.
pub(crate) fn at(list: &str, id: &str) -> Result<String, CliError> {
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match is_id {
        true => Ok(format!("{list}/{id}")),
        false => Err(CliError::Usage("an id is letters, digits and dashes; lists show it".into())),
    }
}
