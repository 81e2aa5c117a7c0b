//! Version 1: flat bodies, one named key around the answer, 200 for every success, and the secret as the id.

pub(crate) mod api_keys;
pub(crate) mod application_keys;
pub(crate) mod org;

use claviger_http::JsonObject;
use claviger_http::openapi::Named;
use claviger_model::Name;
use http::StatusCode;
use serde_json::{Value, json};

use crate::Error;

/// What [`name_of`] asks of a body.
fn name_schema() -> Named {
    let schema = json!({
        "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"],
    });
    Named::new("NameV1", schema)
}

/// The name that a body gives; its other members are read-only and ignored.
fn name_of(body: &Value) -> Result<Name, Error> {
    let missing = || Error::text(StatusCode::BAD_REQUEST, "Required parameter 'name' is missing").spaced();
    let object: &JsonObject = body.as_object().ok_or_else(missing)?;
    match object.get("name") {
        None | Some(Value::Null) => Err(missing()),
        Some(Value::String(name)) => Name::parse(name.as_str()).map_err(|error| {
            Error::text(StatusCode::BAD_REQUEST, format!("Parameter 'name' {error}")).spaced()
        }),
        Some(_) => Err(Error::text(StatusCode::BAD_REQUEST, "Parameter 'name' must be a string").spaced()),
    }
}
