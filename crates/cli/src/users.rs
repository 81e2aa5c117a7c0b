//! People and service accounts (the vendor's API, version 2).

use http::Method;
use serde_json::{Value, json};

use crate::CliError;
use crate::args::{ListArgs, UserCommand};
use crate::client::Client;
use crate::keys::at;
use crate::output::{Column, Output, text};
use crate::roles;

const USERS: &str = "/api/v2/users";

const COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("EMAIL", |item| text(item, "/attributes/email")),
    ("NAME", |item| text(item, "/attributes/name")),
    ("STATUS", |item| text(item, "/attributes/status")),
    ("MACHINE", |item| match item["attributes"]["service_account"] == true {
        true => "yes".to_owned(),
        false => String::new(),
    }),
    ("ROLES", |item| {
        let roles = item["relationships"]["roles"]["data"].as_array();
        let ids = roles.into_iter().flatten().filter_map(|role| role["id"].as_str());
        ids.collect::<Vec<_>>().join(",")
    }),
];

const KEY_COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("NAME", |item| text(item, "/name")),
    ("OWNER", |item| text(item, "/owner")),
];

pub(crate) async fn run(client: &Client, output: &Output, command: UserCommand) -> Result<(), CliError> {
    match command {
        // Whoever has the server's data directory does it there, and not over the API.
        UserCommand::Password(_) => {
            Err(CliError::Usage("a password is set on the server's own machine".to_owned()))
        }
        UserCommand::List(ListArgs { filter }) => {
            output.list(&client.list(USERS, filter.as_deref()).await?, COLUMNS)
        }
        UserCommand::Create { address, name, roles, service_account } => {
            let made = create(client, &address, name, &roles, service_account).await?;
            output.one(&made, COLUMNS)
        }
        UserCommand::Show { id } => {
            let found = client.get(&at(USERS, &id)?).await?;
            output.one(&found["data"], COLUMNS)
        }
        UserCommand::Rename { id, name } => update(client, output, &id, json!({ "name": name })).await,
        UserCommand::Enable { id } => update(client, output, &id, json!({ "disabled": false })).await,
        UserCommand::GiveKey { id, name, scopes } => {
            let scopes = (!scopes.is_empty()).then_some(scopes);
            let path = format!("{}/application_keys", at("/claviger/v1/users", &id)?);
            let body = json!({ "name": name, "scopes": scopes });
            output.made(&client.send(Method::POST, &path, Some(body)).await?, KEY_COLUMNS)
        }
        UserCommand::Disable { id } => {
            client.delete(&at(USERS, &id)?).await?;
            output.done(&format!("user {id} is disabled"))
        }
    }
}

async fn create(
    client: &Client,
    email: &str,
    name: Option<String>,
    roles: &[String],
    is_service_account: bool,
) -> Result<Value, CliError> {
    let mut attributes = json!({ "email": email });
    if let Some(name) = name {
        attributes["name"] = json!(name);
    }
    let mut data = json!({ "type": "users", "attributes": attributes });
    if !roles.is_empty() {
        let mut related = Vec::with_capacity(roles.len());
        for role in roles {
            related.push(json!({ "type": "roles", "id": roles::id_of(client, role).await? }));
        }
        data["relationships"] = json!({ "roles": { "data": related } });
    }
    let path = match is_service_account {
        false => USERS,
        true => {
            data["attributes"]["service_account"] = json!(true);
            "/api/v2/service_accounts"
        }
    };
    client.put_resource(Method::POST, path, data).await
}

async fn update(client: &Client, output: &Output, id: &str, attributes: Value) -> Result<(), CliError> {
    let data = json!({ "type": "users", "id": id, "attributes": attributes });
    output.one(&client.put_resource(Method::PATCH, &at(USERS, id)?, data).await?, COLUMNS)
}
