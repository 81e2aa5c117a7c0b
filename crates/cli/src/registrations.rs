//! Registrations: which application keys may manage connections (the vendor's API, version 2).

use std::collections::HashSet;

use http::Method;
use serde_json::{Value, json};

use crate::CliError;
use crate::client::Client;
use crate::keys::at;
use crate::output::Output;

const REGISTRATIONS: &str = "/api/v2/actions/app_key_registrations";

pub(crate) async fn register(client: &Client, output: &Output, id: &str) -> Result<(), CliError> {
    client.send(Method::PUT, &at(REGISTRATIONS, id)?, None).await?;
    output.done(&format!("application key {id} is registered"))
}

pub(crate) async fn unregister(client: &Client, output: &Output, id: &str) -> Result<(), CliError> {
    client.delete(&at(REGISTRATIONS, id)?).await?;
    output.done(&format!("application key {id} is registered no more"))
}

/// Says of each application key, as `registered`, whether it is; of none, where the caller may not know.
pub(crate) async fn marked(client: &Client, mut keys: Vec<Value>) -> Result<Vec<Value>, CliError> {
    let registered = match client.list(REGISTRATIONS, None).await {
        Ok(registered) => registered,
        Err(CliError::Refused { status: 403 | 404, .. }) => return Ok(keys),
        Err(error) => return Err(error),
    };
    let ids: HashSet<_> = registered.iter().filter_map(|item| item["id"].as_str()).collect();
    for key in &mut keys {
        let is_registered = key["id"].as_str().is_some_and(|id| ids.contains(id));
        key["registered"] = json!(is_registered);
    }
    Ok(keys)
}
