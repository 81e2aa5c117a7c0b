//! Roles and what they allow (the vendor's API, version 2).

use http::Method;
use serde_json::{Value, json};

use crate::CliError;
use crate::args::{ListArgs, RoleCommand};
use crate::client::Client;
use crate::keys::at;
use crate::output::{Column, Output, text};

const ROLES: &str = "/api/v2/roles";
const PERMISSIONS: &str = "/api/v2/permissions";

const COLUMNS: &[Column] = &[
    ("ID", |item| text(item, "/id")),
    ("NAME", |item| text(item, "/attributes/name")),
    ("USERS", |item| text(item, "/attributes/user_count")),
    ("MODIFIED", |item| text(item, "/attributes/modified_at")),
];
const PERMISSION_COLUMNS: &[Column] = &[
    ("NAME", |item| text(item, "/attributes/name")),
    ("GROUP", |item| text(item, "/attributes/group_name")),
    ("WHAT", |item| text(item, "/attributes/display_name")),
];

pub(crate) async fn run(client: &Client, output: &Output, command: RoleCommand) -> Result<(), CliError> {
    match command {
        RoleCommand::List(ListArgs { filter }) => {
            output.list(&client.list(ROLES, filter.as_deref()).await?, COLUMNS)
        }
        RoleCommand::Create { name, permissions } => {
            let mut data = json!({ "type": "roles", "attributes": { "name": name } });
            if !permissions.is_empty() {
                let related = permission_references(client, &permissions).await?;
                data["relationships"] = json!({ "permissions": { "data": related } });
            }
            output.one(&client.put_resource(Method::POST, ROLES, data).await?, COLUMNS)
        }
        RoleCommand::Show { role } => show(client, output, &id_of(client, &role).await?).await,
        RoleCommand::Rename { role, name } => {
            let id = id_of(client, &role).await?;
            let data = json!({ "type": "roles", "id": id, "attributes": { "name": name } });
            output.one(&client.put_resource(Method::PATCH, &at(ROLES, &id)?, data).await?, COLUMNS)
        }
        RoleCommand::Delete { role } => {
            client.delete(&at(ROLES, &id_of(client, &role).await?)?).await?;
            output.done(&format!("role {role} is deleted"))
        }
        RoleCommand::Allow { role, permission } => {
            change(client, &role, "permissions", Method::POST, &permission).await?;
            output.done(&format!("role {role} has {permission}"))
        }
        RoleCommand::Deny { role, permission } => {
            change(client, &role, "permissions", Method::DELETE, &permission).await?;
            output.done(&format!("role {role} does not have {permission}"))
        }
        RoleCommand::Grant { role, user } => {
            change(client, &role, "users", Method::POST, &user).await?;
            output.done(&format!("user {user} has role {role}"))
        }
        RoleCommand::Withdraw { role, user } => {
            change(client, &role, "users", Method::DELETE, &user).await?;
            output.done(&format!("user {user} does not have role {role}"))
        }
        RoleCommand::Permissions => {
            let mut all = client.get(PERMISSIONS).await?;
            let items: Vec<Value> = serde_json::from_value(all["data"].take()).unwrap_or_default();
            output.list(&items, PERMISSION_COLUMNS)
        }
    }
}

/// A role with the names of its permissions in place of their ids.
async fn show(client: &Client, output: &Output, id: &str) -> Result<(), CliError> {
    const PERMISSIONS_COLUMN: Column = ("PERMISSIONS", |item| text(item, "/permissions"));
    let mut role = client.get(&at(ROLES, id)?).await?["data"].take();
    let permissions = client.get(&format!("{}/permissions", at(ROLES, id)?)).await?;
    let names: Vec<_> = permissions["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|permission| permission["attributes"]["name"].clone())
        .collect();
    role["permissions"] = json!(names);
    output.one(&role, &[COLUMNS, &[PERMISSIONS_COLUMN]].concat())
}

/// Adds something to a role, or takes it away.
async fn change(
    client: &Client,
    role: &str,
    what: &'static str,
    method: Method,
    named: &str,
) -> Result<(), CliError> {
    let path = format!("{}/{what}", at(ROLES, &id_of(client, role).await?)?);
    let data = match what {
        "permissions" => permission_references(client, &[named.to_owned()]).await?.swap_remove(0),
        _ => json!({ "type": what, "id": named }),
    };
    client.put_resource(method, &path, data).await.map(drop)
}

/// Permissions by their names, as the API refers to them.
async fn permission_references(client: &Client, names: &[String]) -> Result<Vec<Value>, CliError> {
    let all = client.get(PERMISSIONS).await?;
    let find = |name: &String| {
        let mut items = all["data"].as_array().into_iter().flatten();
        let found = items.find(|item| item["attributes"]["name"] == **name);
        match found {
            Some(item) => Ok(json!({ "type": "permissions", "id": item["id"] })),
            None => Err(CliError::Absent(format!("permission {name}"))),
        }
    };
    names.iter().map(find).collect()
}

/// A role's id, by its id or its exact name.
pub(crate) async fn id_of(client: &Client, role: &str) -> Result<String, CliError> {
    let is_id = role.len() == 36 && role.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_id {
        return Ok(role.to_owned());
    }
    let found = client.list(ROLES, Some(role)).await?;
    let named = found.iter().find(|item| item["attributes"]["name"] == *role);
    let id = named.and_then(|item| item["id"].as_str());
    id.map(str::to_owned).ok_or_else(|| CliError::Absent(format!("role {role}")))
}
