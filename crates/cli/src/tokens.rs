//! Personal and service access tokens (the vendor's API, version 2).

use http::Method;
use serde_json::json;

use crate::CliError;
use crate::args::{ListArgs, TokenCommand};
use crate::client::Client;
use crate::keys::{at, rotated};
use crate::output::{Column, Output, text, without_secret};

const COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("NAME", |item| text(item, "/attributes/name")),
    ("SCOPES", |item| text(item, "/attributes/scopes")),
    ("CREATED", |item| text(item, "/attributes/created_at")),
    ("EXPIRES", |item| text(item, "/attributes/expires_at")),
    ("LAST USED", |item| text(item, "/attributes/last_used_at")),
];

/// Where tokens are, and what they are called there.
struct Kind {
    path: String,
    name: &'static str,
}

fn kind(service_account: Option<&str>) -> Result<Kind, CliError> {
    Ok(match service_account {
        None => Kind { path: "/api/v2/personal_access_tokens".to_owned(), name: "personal_access_tokens" },
        Some(id) => Kind {
            path: format!("{}/access_tokens", at("/api/v2/service_accounts", id)?),
            name: "service_access_tokens",
        },
    })
}

pub(crate) async fn run(client: &Client, output: &Output, command: TokenCommand) -> Result<(), CliError> {
    match command {
        TokenCommand::List { service_account, list: ListArgs { filter } } => {
            let kind = kind(service_account.as_deref())?;
            output.list(&client.list(&kind.path, filter.as_deref()).await?, COLUMNS)
        }
        TokenCommand::Create { name, scopes, expires, service_account } => {
            let kind = kind(service_account.as_deref())?;
            let mut attributes = json!({ "name": name, "scopes": scopes });
            if let Some(expires) = expires {
                attributes["expires_at"] = json!(expires);
            }
            let data = json!({ "type": kind.name, "attributes": attributes });
            output.made(&client.put_resource(Method::POST, &kind.path, data).await?, COLUMNS)
        }
        TokenCommand::Show { id, service_account } => {
            let kind = kind(service_account.as_deref())?;
            let found = client.get(&at(&kind.path, &id)?).await?;
            output.one(&without_secret(found["data"].clone()), COLUMNS)
        }
        TokenCommand::Rename { id, name, service_account } => {
            let kind = kind(service_account.as_deref())?;
            let data = json!({ "type": kind.name, "id": id, "attributes": { "name": name } });
            let changed = client.put_resource(Method::PATCH, &at(&kind.path, &id)?, data).await?;
            output.one(&without_secret(changed), COLUMNS)
        }
        // One address for those of people and of service accounts.
        TokenCommand::Rotate(rotate) => rotated(client, output, "/claviger/v1/tokens", &rotate).await,
        TokenCommand::Revoke { id, service_account } => {
            let kind = kind(service_account.as_deref())?;
            client.delete(&at(&kind.path, &id)?).await?;
            output.done(&format!("token {id} is revoked"))
        }
    }
}
