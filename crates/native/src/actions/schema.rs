//! The body of an action, as the API's description has it.

use claviger_model::RETRIES_MAX;
use http::Method;
use serde_json::{Value, json};

use super::asked::METHODS;
use super::pairs::HEADERS_MAX;

/// What [`Asked::read`](super::asked::Asked::read) takes.
pub(super) fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let pairs = |description: &str, max: Option<usize>| {
        let mut list = json!({
            "type": "array",
            "items": {
                "type": "object",
                "properties": { "key": { "type": "string" }, "value": { "type": "string" } },
                "required": ["key", "value"],
                "additionalProperties": false,
            },
            "description": description,
        });
        if let Some(max) = max {
            list["maxItems"] = json!(max);
        }
        list
    };
    json!({
        "type": "object",
        "properties": {
            "connection": { "type": "string", "format": "uuid", "description": "The id of a connection" },
            "connectionName": text("In place of it, the name of a ZIS connection"),
            "integration": text("Its integration; an integration token implies its own"),
            "method": { "type": "string", "enum": METHODS.each_ref().map(Method::as_str) },
            "path": text("A path below the connection's base URL, with a query or without"),
            "url": text("In place of it, a whole URL whose host the connection allows"),
            "query": pairs("Parameters, added to the query", None),
            "headers": pairs("Headers; what a call may not bring is left out", Some(HEADERS_MAX)),
            "requestBody": {
                "description": "A text goes out as it is, anything else as JSON; null for no body",
            },
            "retries": {
                "type": "integer",
                "minimum": 0,
                "maximum": RETRIES_MAX,
                "description": "How often it may be made again; else as the connection's terms say",
            },
        },
        "required": ["method"],
        "allOf": [
            { "oneOf": [{ "required": ["connection"] }, { "required": ["connectionName"] }] },
            { "oneOf": [{ "required": ["path"] }, { "required": ["url"] }] },
        ],
        "additionalProperties": false,
    })
}
